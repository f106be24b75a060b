"""Payouts and the attempts to pay them.

`move…` is the lock: it writes the state after an event only where the state before still stands,
and demands one row. A second process finds no row and stops. The schema adds what no code can
forget: one leg that is not dead per payout, and one attempt per payment hash.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Row

from node.errors import CorruptBooks
from node.ids import AttemptId, MemberId, PayoutId
from node.money import Amount, Asset
from node.month import Month
from node.settlement import attempt as attempts
from node.settlement import payout as states
from node.settlement.attempt import Attempt, AttemptEvent, AttemptState
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
    """Payouts in one state, oldest first."""
    rows = await tx.rows(
        "SELECT * FROM payout WHERE state = :state AND asset = :asset"
        " ORDER BY created_us, id LIMIT :limit",
        state=state, asset=asset, limit=limit,
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


async def set_paid(tx: Tx, payout: PayoutId, fee: Amount, proof: str, now_us: int) -> None:
    """What the payment cost, and its proof."""
    await tx.run(
        "UPDATE payout SET fee = :fee, proof = :proof, paid_us = :now_us WHERE id = :id",
        fee=fee.units, proof=proof, now_us=now_us, id=payout,
    )  # fmt: skip


async def next_number(tx: Tx, rail: str) -> int:
    """The number of the rail's next attempt."""
    sql = "SELECT coalesce(max(number), 0) + 1 FROM attempt WHERE rail = :rail"
    return int(await tx.value(sql, rail=rail))


async def add_attempt(tx: Tx, attempt: Attempt, epoch: int, now_us: int) -> None:
    """Store an attempt and its legs. From now on it counts as sent.

    The one_live index refuses a second live attempt of a payout; it is checked first, for words.
    """
    await tx.run(
        "INSERT INTO attempt (id, rail, number, state, reference, message, asset, units,"
        " fee_limit, expires_s, sender, seen, epoch, created_us) VALUES (:id, :rail, :number,"
        " :state, :reference, :message, :asset, :units, :fee_limit, :expires_s, :sender, false,"
        " :epoch, :now_us)",
        id=attempt.id, rail=attempt.rail, number=attempt.number, state=attempt.state,
        reference=attempt.reference, message=attempt.message, asset=attempt.amount.asset,
        units=attempt.amount.units, fee_limit=attempt.fee_limit.units,
        expires_s=attempt.expires_s, sender=attempt.sender, epoch=epoch, now_us=now_us,
    )  # fmt: skip
    for payout in attempt.payouts:
        await tx.run(
            "INSERT INTO leg (attempt, payout) VALUES (:attempt, :payout)",
            attempt=attempt.id, payout=payout,
        )  # fmt: skip


async def revive(tx: Tx, attempt: Attempt) -> None:
    """Try a dead attempt again: the same payment hash, and the message that was prepared now."""
    await move_attempt(tx, replace(attempt, state=AttemptState.DEAD), AttemptEvent.REVIVED)
    await unbury(tx, attempt.id)
    await tx.run(
        "UPDATE attempt SET sent_s = NULL, reason = NULL, message = :message, sender = :sender,"
        " expires_s = :expires_s WHERE id = :id",
        id=attempt.id, message=attempt.message, sender=attempt.sender, expires_s=attempt.expires_s,
    )  # fmt: skip


async def move_attempt(
    tx: Tx, attempt: Attempt, event: AttemptEvent, *, reason: str | None = None
) -> AttemptState:
    """Take an attempt through an event. Raises CorruptBooks when it is no longer in its state."""
    after = attempts.next_state(attempt.state, event)
    moved = await tx.run(
        "UPDATE attempt SET state = :after, reason = coalesce(:reason, reason) WHERE id = :id"
        " AND state = :before",
        after=after, reason=reason, id=attempt.id, before=attempt.state,
    )  # fmt: skip
    _one(moved, f"attempt {attempt.id} is no longer {attempt.state}")
    if after is AttemptState.DEAD:
        await tx.run("UPDATE leg SET dead = true WHERE attempt = :id", id=attempt.id)
    return after


async def send(tx: Tx, attempt: Attempt, epoch: int, now_s: int) -> Attempt:
    """It is about to be sent, under this lease; as it is then. Raises CorruptBooks as `move`."""
    after = attempts.next_state(attempt.state, AttemptEvent.SEND)
    sent = replace(attempt, state=after, sent_s=attempt.sent_s or now_s)
    moved = await tx.run(
        "UPDATE attempt SET state = :after, sent_s = :sent_s, epoch = :epoch"
        " WHERE id = :id AND state = :before",
        after=after, sent_s=sent.sent_s, epoch=epoch, id=attempt.id, before=attempt.state,
    )  # fmt: skip
    _one(moved, f"attempt {attempt.id} is no longer {attempt.state}")
    return sent


async def set_seen(tx: Tx, attempt: AttemptId) -> None:
    """The network has shown this payment."""
    await tx.run("UPDATE attempt SET seen = true WHERE id = :id", id=attempt)


async def set_proof(tx: Tx, attempt: AttemptId, fee: Amount, proof: str) -> None:
    """What proves that it was paid; and its leg counts again, if it was called dead."""
    sql = "UPDATE attempt SET proof = :proof, fee = :fee WHERE id = :id"
    await tx.run(sql, proof=proof, fee=fee.units, id=attempt)


async def unbury(tx: Tx, attempt: AttemptId) -> None:
    """A dead attempt has paid after all: its legs count again."""
    await tx.run("UPDATE leg SET dead = false WHERE attempt = :id", id=attempt)


async def live_attempts(tx: Tx, rail: str, limit: int) -> list[Attempt]:
    """Attempts that may yet pay, oldest first."""
    return await _attempts(
        tx, "rail = :rail AND state IN ('ready', 'sent', 'limbo') ORDER BY number LIMIT :limit",
        rail=rail, limit=limit,
    )  # fmt: skip


async def dead_attempts(tx: Tx, rail: str) -> list[Attempt]:
    """Earlier attempts, called dead, of payouts that are due again; oldest first."""
    return await _attempts(
        tx, "rail = :rail AND state = 'dead' AND id IN (SELECT attempt FROM leg JOIN payout"
        " ON payout.id = leg.payout WHERE leg.dead AND payout.state = 'due') ORDER BY number",
        rail=rail,
    )  # fmt: skip


async def buried_since(tx: Tx, rail: str, since_us: int, limit: int) -> list[Attempt]:
    """Dead attempts made since a time: watched for a payment that comes late."""
    return await _attempts(
        tx, "rail = :rail AND state = 'dead' AND created_us >= :since_us"
        " ORDER BY number LIMIT :limit",
        rail=rail, since_us=since_us, limit=limit,
    )  # fmt: skip


async def attempt(tx: Tx, attempt_id: AttemptId) -> Attempt | None:
    """The attempt with this id, locked."""
    found = await _attempts(tx, "id = :id" + tx.for_update, id=attempt_id)
    return found[0] if found else None


async def busy_receivers(tx: Tx, asset: Asset) -> set[tuple[PayoutKind, MemberId]]:
    """Receivers with a payout in flight. One in limbo waits for a person, and blocks nobody."""
    rows = await tx.rows(
        "SELECT DISTINCT kind, member FROM payout JOIN leg ON leg.payout = payout.id JOIN attempt"
        " ON attempt.id = leg.attempt WHERE NOT leg.dead AND attempt.state IN ('ready', 'sent')"
        " AND payout.asset = :asset",
        asset=asset,
    )
    return {(PayoutKind(row.kind), MemberId(row.member)) for row in rows}


async def _attempts(tx: Tx, where: str, **values: object) -> list[Attempt]:
    rows = await tx.rows(f"SELECT * FROM attempt WHERE {where}", **values)
    if not rows:
        return []
    legs = await _legs(tx, [row.id for row in rows])
    return [_attempt(row, legs.get(row.id, ())) for row in rows]


async def _legs(tx: Tx, ids: Collection[str]) -> dict[str, tuple[PayoutId, ...]]:
    found = await tx.rows_of(
        f"SELECT attempt, payout FROM leg JOIN {tx.dialect.json_rows(('text',))} ON attempt = c0"
        " ORDER BY attempt, payout",
        [(one,) for one in ids],
    )
    legs: dict[str, tuple[PayoutId, ...]] = {}
    for row in found:
        legs[row.attempt] = (*legs.get(row.attempt, ()), PayoutId(row.payout))
    return legs


def _payout(row: Row[Any]) -> Payout:
    asset = Asset(row.asset)
    return Payout(
        PayoutId(row.id), PayoutKind(row.kind), MemberId(row.member), Amount(row.units, asset),
        Amount(row.fee_limit, asset), row.target,
        None if row.month is None else Month.from_ordinal(row.month), PayoutState(row.state),
        row.reason, row.tries, row.next_try_s,
    )  # fmt: skip


def _attempt(row: Row[Any], legs: Sequence[PayoutId]) -> Attempt:
    asset = Asset(row.asset)
    return Attempt(
        AttemptId(row.id), row.rail, row.number, tuple(legs), row.reference, row.message,
        Amount(row.units, asset), Amount(row.fee_limit, asset), row.expires_s, row.sender,
        AttemptState(row.state), bool(row.seen), row.sent_s,
    )  # fmt: skip


def _one(touched: int, words: str) -> None:
    if touched != 1:
        raise CorruptBooks(words)
