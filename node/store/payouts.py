"""Payouts and the attempts to pay them.

`move…` is the lock: it writes the state after an event only where the state before still stands,
and demands one row. A second process finds no row and stops. The schema adds what no code can
forget: one leg that is not dead per payout, and one attempt per payment hash.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from sqlalchemy import Row

from node.errors import CorruptBooks
from node.ids import MemberId, PayoutId
from node.money import Amount, Asset
from node.month import Month
from node.settlement import payout as states
from node.settlement.payout import Payout, PayoutEvent, PayoutKind, PayoutState
from node.store.engine import Tx


async def add(tx: Tx, payouts: Iterable[Payout], now_us: int) -> None:
    """Store new payouts; those that are there already stay as they are."""
    types = tx.dialect.json_rows(
        ("text", "text", "bigint", "text", "bigint", "bigint", "bigint", "text", "text", "text")
    )
    await tx.run_rows(
        "INSERT INTO payout (id, kind, member, asset, month, units, fee_limit, target, state,"
        " reason, created_us)"
        " SELECT c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, CAST(:now_us AS bigint)"
        f" FROM {types} WHERE true ON CONFLICT DO NOTHING",
        [
            (p.id, p.kind, p.member, p.amount.asset, p.month.ordinal if p.month else None,
             p.amount.units, p.fee_limit.units, p.target, p.state, p.reason)
            for p in payouts
        ],
        now_us=now_us,
    )  # fmt: skip


async def get(tx: Tx, payout: PayoutId) -> Payout | None:
    """The payout with this id."""
    row = await tx.row("SELECT * FROM payout WHERE id = :id" + tx.for_update, id=payout)
    return _payout(row) if row else None


async def due(tx: Tx, asset: Asset, now_s: int, limit: int) -> list[Payout]:
    """Payouts that may be tried now, oldest first."""
    rows = await tx.rows(
        "SELECT * FROM payout WHERE state = 'due' AND asset = :asset AND next_try_s <= :now_s"
        " ORDER BY created_us, id LIMIT :limit",
        asset=asset, now_s=now_s, limit=limit,
    )  # fmt: skip
    return [_payout(row) for row in rows]


async def in_state(tx: Tx, asset: Asset, state: PayoutState, limit: int) -> list[Payout]:
    """Payouts in one state, oldest first; in a write transaction nobody else moves them."""
    rows = await tx.rows(
        "SELECT * FROM payout WHERE state = :state AND asset = :asset"
        " ORDER BY created_us, id LIMIT :limit" + tx.for_update,
        state=state, asset=asset, limit=limit,
    )  # fmt: skip
    return [_payout(row) for row in rows]


async def due_to(tx: Tx, member: MemberId, asset: Asset) -> list[Payout]:
    """What a creator is due, at whatever time; in a write transaction nobody else moves it."""
    rows = await tx.rows(
        "SELECT * FROM payout WHERE member = :member AND asset = :asset AND state = 'due'"
        " AND kind = :kind ORDER BY created_us, id" + tx.for_update,
        member=member, asset=asset, kind=PayoutKind.CREATOR,
    )  # fmt: skip
    return [_payout(row) for row in rows]


async def of_member(tx: Tx, member: MemberId, limit: int) -> list[tuple[Payout, Row[Any]]]:
    """A member's payouts, newest first, each with its row's times and proof."""
    rows = await tx.rows(
        "SELECT payout.*, (SELECT reference FROM attempt JOIN leg ON leg.attempt = attempt.id"
        " WHERE leg.payout = payout.id AND NOT leg.dead) AS reference FROM payout"
        " WHERE member = :member ORDER BY created_us DESC, id LIMIT :limit",
        member=member, limit=limit,
    )  # fmt: skip
    return [(_payout(row), row) for row in rows]


async def counts(tx: Tx, asset: Asset) -> dict[PayoutState, tuple[int, int]]:
    """(how many, base units) of payouts by state."""
    rows = await tx.rows(
        "SELECT state, count(*) AS number, CAST(sum(units) AS bigint) AS units FROM payout"
        " WHERE asset = :asset GROUP BY state",
        asset=asset,
    )
    return {PayoutState(row.state): (int(row.number), int(row.units)) for row in rows}


async def move(
    tx: Tx, payout: Payout, event: PayoutEvent, *, reason: str | None = None, next_try_s: int = 0
) -> PayoutState:
    """Take a payout through an event. Raises CorruptBooks when it is no longer in its state."""
    after = states.next_state(payout.state, event)
    moved = await tx.run(
        "UPDATE payout SET state = :after, reason = :reason, next_try_s = :next_try_s,"
        " tries = tries + :tried WHERE id = :id AND state = :before",
        after=after, reason=reason, next_try_s=next_try_s, id=payout.id, before=payout.state,
        tried=int(event is PayoutEvent.REFUSED),
    )  # fmt: skip
    _one(moved, f"payout {payout.id} is no longer {payout.state}")
    return after


async def take(tx: Tx, payout: Payout) -> bool:
    """An attempt to pay it is about to be stored; False when it is not as it was read any more."""
    after = states.next_state(payout.state, PayoutEvent.STORED)
    taken = await tx.run(
        "UPDATE payout SET state = :after, reason = NULL, next_try_s = 0 WHERE id = :id"
        " AND state = :before AND units = :units AND fee_limit = :fee_limit AND target = :target"
        " AND tries = :tries",
        after=after, id=payout.id, before=payout.state, units=payout.amount.units,
        fee_limit=payout.fee_limit.units, target=payout.target, tries=payout.tries,
    )  # fmt: skip
    return taken == 1


async def store_all(tx: Tx, ids: Collection[PayoutId]) -> None:
    """An attempt to pay all of these was stored. Raises CorruptBooks unless all were due."""
    after = states.next_state(PayoutState.DUE, PayoutEvent.STORED)
    moved = await tx.run_rows(
        "UPDATE payout SET state = :after, reason = NULL, next_try_s = 0 WHERE state = :before"
        f" AND id IN (SELECT c0 FROM {tx.dialect.json_rows(('text',))})",
        [(one,) for one in ids],
        after=after, before=PayoutState.DUE,
    )  # fmt: skip
    if moved != len(ids):
        raise CorruptBooks(f"of {len(ids)} payouts of a batch {moved} were due")


async def postpone(
    tx: Tx, payout: Payout, reason: str, next_try_s: int, *, tried: bool = True
) -> None:
    """A payout that is due could not even be prepared: it waits, and `tried` counts as a try."""
    await tx.run(
        "UPDATE payout SET reason = :reason, next_try_s = :next_try_s, tries = tries + :tried"
        " WHERE id = :id AND state = 'due'",
        reason=reason, next_try_s=next_try_s, id=payout.id, tried=int(tried),
    )  # fmt: skip


async def retarget(tx: Tx, payout: Payout, target: str | None) -> None:
    """Pay it to another target from now on; only while nothing is in flight."""
    await tx.run(
        "UPDATE payout SET target = :target, tries = 0, next_try_s = 0 WHERE id = :id"
        " AND state IN ('due', 'held')",
        target=target, id=payout.id,
    )  # fmt: skip


async def hasten(tx: Tx, payout: Payout) -> None:
    """Try one that is due in the next round; its tries stay what they are."""
    await tx.run("UPDATE payout SET next_try_s = 0 WHERE id = :id AND state = 'due'", id=payout.id)


async def pay(
    tx: Tx, payout: Payout, fee: Amount, proof: str, now_us: int, *, words: str | None = None
) -> None:
    """It is paid: what that cost, its proof, and words on it. Raises CorruptBooks as `move`."""
    paid = await tx.run(
        "UPDATE payout SET state = :after, reason = CAST(:words AS text), next_try_s = 0,"
        " fee = :fee, proof = :proof, paid_us = :now_us WHERE id = :id AND state = :before",
        after=states.next_state(payout.state, PayoutEvent.SETTLED), fee=fee.units, proof=proof,
        now_us=now_us, id=payout.id, before=payout.state, words=words,
    )  # fmt: skip
    _one(paid, f"payout {payout.id} is no longer {payout.state}")


async def busy_receivers(tx: Tx, asset: Asset) -> set[tuple[PayoutKind, MemberId]]:
    """Receivers with a payout in flight. One in limbo waits for a person, and blocks nobody."""
    rows = await tx.rows(
        "SELECT DISTINCT kind, member FROM payout JOIN leg ON leg.payout = payout.id JOIN attempt"
        " ON attempt.id = leg.attempt WHERE NOT leg.dead AND attempt.state IN ('ready', 'sent')"
        " AND payout.asset = :asset",
        asset=asset,
    )
    return {(PayoutKind(row.kind), MemberId(row.member)) for row in rows}


def _payout(row: Row[Any]) -> Payout:
    asset = Asset(row.asset)
    return Payout(
        PayoutId(row.id), PayoutKind(row.kind), MemberId(row.member), Amount(row.units, asset),
        Amount(row.fee_limit, asset), row.target,
        None if row.month is None else Month.from_ordinal(row.month), PayoutState(row.state),
        row.reason, row.tries, row.next_try_s,
    )  # fmt: skip


def _one(touched: int, words: str) -> None:
    if touched != 1:
        raise CorruptBooks(words)
