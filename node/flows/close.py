"""The close of a month: its pots and flattrs become balances and payouts.

    freeze ▶ fold ▶ split ▶ (charge) ▶ book ▶ prove ▶ open ▶ check

In the stablecoin the vault charges the members for what was split, before it is booked
(`flows/vault/charge.py`). That takes minutes: the close comes back, and goes on when called again.

Each stage is one transaction (folding: a few) that begins with "done already?" and ends with "stage
done". Running a close again goes on where it stopped; two nodes that race write the same rows, and
the second finds its stage done. After `freeze` no click and no money enters the month, so what is
closed cannot move while it is being closed.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np

from node.clock import Clock, now_s
from node.errors import BadMonth, Conflict
from node.flows.books import demand_clean_books
from node.flows.dues import dues_paid_by
from node.flows.fold import fire_subscriptions, fold
from node.flows.open_payouts import open_payouts
from node.flows.rules import Rules
from node.flows.split import Progress, Result, split_month
from node.flows.vault import chain_money
from node.flows.vault import short as vault_short
from node.flows.vault.charge import ask_for_charges, demand_final, is_charged
from node.flows.vault.stablecoin import Stablecoin
from node.ids import MemberId, ThingId
from node.ledger import closing
from node.ledger.closing import CreatorRows, ReaderRows
from node.money import Amount
from node.month import Month
from node.settlement.month_split import (
    READER_COLUMNS,
    THING_COLUMNS,
    by_creator,
    digest,
    pack,
    unpack,
)
from node.store import bulk_journal, closes, flattrs, held, journal, things
from node.store.closes import Close, Figures, Stage
from node.store.engine import Store, Tx

PART_KINDS: Final = ("reader", "excluded", "pending", "thing")

Work: TypeAlias = Callable[[Tx, Close], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Closing:
    """What a close needs. `progress` is told each step in words."""

    store: Store
    clock: Clock
    rules: Rules
    progress: Progress
    stablecoin: Stablecoin | None = None
    """Set when the rules are those of the stablecoin."""
    others: tuple[Rules, ...] = ()
    """The rules of the node's other assets: dues that are paid in one are paid in all."""


async def close_month(closing_: Closing, month: Month) -> Close:
    """Close a month, or go on closing it; its result, or where it waits for the vault (SPLIT).

    Raises BadMonth before the cutoff, Conflict out of order, CorruptBooks; and RailUnavailable when
    the vault's events of the month are not final yet.
    """
    await _freeze(closing_, month)
    await _fold(closing_, month)
    await _split(closing_, month)
    if closing_.stablecoin is not None and not await _charge(closing_, closing_.stablecoin, month):
        closing_.progress(f"{month}: waits for the vault to charge the members")
        return await _get(closing_, month)

    async def book(tx: Tx, close: Close) -> None:
        if (stablecoin := closing_.stablecoin) is None:
            await _book(tx, close, closing_.others)
            return
        await vault_short.book_uncharged(tx, close)
        await _book(tx, close, closing_.others)
        now_us = closing_.clock.now_us()
        await vault_short.book_rest(tx, close, stablecoin.money.chain_id, now_us)

    await _stage(closing_, month, Stage.BOOKED, book, "close.book")
    await _stage(closing_, month, Stage.PROVED, _prove, "close.prove")

    async def open_due(tx: Tx, close: Close) -> None:
        now_us = closing_.clock.now_us()
        await open_payouts(tx, close, closing_.rules, closing_.others, now_us)

    await _stage(closing_, month, Stage.OPENED, open_due, "close.open")

    async def check(tx: Tx, close: Close) -> None:
        del close
        await demand_clean_books(tx)

    await _stage(closing_, month, Stage.CHECKED, check, "close.check")
    return await _get(closing_, month)


async def preview(closing_: Closing, month: Month) -> Result:
    """What a close would come to now: nothing of it is stored, but clicks are folded."""
    await fold(closing_.store, closing_.clock, month)
    async with closing_.store.read() as tx:
        if await closes.is_frozen(tx, month):
            raise Conflict(f"{month} is closed already: its result does not change any more")
        extra = await _unfired(tx, month)
        rules = closing_.rules
        return await split_month(
            tx, month, rules.asset, rules.commission_bps, extra, closing_.progress
        )


async def result_digest(tx: Tx, close: Close) -> str:
    """The name of a month's result, computed from its figures and its stored parts."""
    figures = close.figures
    header = (
        "flattr-node close 1", close.month, close.asset, close.commission_bps, close.dues_units,
        figures.pots, figures.distributed, figures.commission, figures.carried,
    )  # fmt: skip
    parts = [
        (kind, rows)
        for kind in PART_KINDS
        for rows in await closes.parts(tx, close.month, close.asset, kind)
    ]
    return digest(header, parts)


async def _freeze(closing_: Closing, month: Month) -> None:
    rules, now_us = closing_.rules, closing_.clock.now_us()
    if now_s(closing_.clock) < month.ends_s:
        raise BadMonth(f"{month} is not over: it can be closed from its end (UTC) on")
    async with closing_.store.read() as tx:
        if await closes.get(tx, month, rules.asset) is not None:
            return
    if closing_.stablecoin is not None:
        await demand_final(closing_.stablecoin, month)
    async with closing_.store.write("close.freeze") as tx:
        await flattrs.fence(tx, month, exclusive=True)
        await journal.lock_head(tx, rules.asset)
        if await closes.get(tx, month, rules.asset) is not None:
            return
        await _demand_order(tx, month, rules)
        await demand_clean_books(tx)
        frozen = Close(
            month, rules.asset, Stage.FROZEN, now_us, rules.commission_bps, rules.dues.units,
            Figures(), None,
        )  # fmt: skip
        await closes.freeze(tx, frozen)
    closing_.progress(f"froze {month}")


async def _demand_order(tx: Tx, month: Month, rules: Rules) -> None:
    """Months are closed in order: what rolls over goes into the next one, which must be open."""
    if await closes.takes_no_money(tx, month, rules.asset):
        raise Conflict(f"a month after {month} is closed: nothing was in {month}")
    if (first := await closes.open_before(tx, month, rules.asset)) is not None:
        raise Conflict(f"close {first} before {month}")


async def _fold(closing_: Closing, month: Month) -> None:
    await fold(closing_.store, closing_.clock, month)

    async def work(tx: Tx, close: Close) -> None:
        await fire_subscriptions(tx, close.month)

    await _stage(closing_, month, Stage.FOLDED, work, "close.fold")


async def _split(closing_: Closing, month: Month) -> None:
    close = await _get(closing_, month)
    if close.stage.number >= Stage.SPLIT.number:
        return
    async with closing_.store.read() as tx:
        result = await split_month(
            tx, month, close.asset, close.commission_bps, [], closing_.progress
        )

    async def work(tx: Tx, close: Close) -> None:
        await _store_result(tx, close, result)

    await _stage(closing_, month, Stage.SPLIT, work, "close.split")


async def _charge(closing_: Closing, stablecoin: Stablecoin, month: Month) -> bool:
    """Whether the vault has charged what was split; asks for it the first time."""
    close = await _get(closing_, month)
    if close.stage.number >= Stage.CHARGED.number:
        return True
    await ask_for_charges(stablecoin, close)
    async with closing_.store.read() as tx:
        if not await is_charged(tx, close):
            return False
    if not await chain_money.read_final(stablecoin.money):
        return False  # a short charge is explained by events that came before it

    async def work(tx: Tx, close: Close) -> None:
        await vault_short.limit(tx, close)

    await _stage(closing_, month, Stage.CHARGED, work, "vault.limit")
    return True


async def _store_result(tx: Tx, close: Close, result: Result) -> None:
    split = result.split
    for part in result.parts:
        rows = (("reader", part.part.readers), ("excluded", part.part.excluded),
                ("pending", part.pending))  # fmt: skip
        for kind, numbers in rows:
            if len(numbers):
                await closes.put_part(tx, close, kind, part.first, part.last, pack(numbers))
    earning = split.things()
    if len(earning):
        first, last = int(earning[0, 0]), int(earning[-1, 0])
        await closes.put_part(tx, close, "thing", first, last, pack(earning))
    figures = Figures(
        split.pots, split.distributed, split.commission, split.carried, split.readers,
        split.flattrs, len(by_creator(earning)[0]),
    )  # fmt: skip
    await closes.set_figures(tx, close, figures)


async def _book(tx: Tx, close: Close, others: Sequence[Rules]) -> None:
    readers = await _numbers(tx, close, "reader", len(READER_COLUMNS))
    creators, net = by_creator(await _numbers(tx, close, "thing", len(THING_COLUMNS)))
    members, _, counted, share, _, carry = readers.T
    rows = ReaderRows(
        members, share * counted, np.where(counted > 0, carry, 0), np.where(counted > 0, 0, carry)
    )
    dues = Amount(close.dues_units, close.asset)
    payers = await dues_paid_by(tx, close.month, dues, others)
    paying = np.isin(creators, creators if payers is None else payers).astype(np.int64)
    earned = CreatorRows(creators, net, paying)
    figures = close.figures
    entry = closing.close(close.asset, close.month, rows, figures.commission, earned)
    await bulk_journal.append(tx, entry, close.frozen_us)
    waiting = paying == 0
    await held.add_tranches(tx, close, creators[waiting], net[waiting], close.frozen_us // 10**6)


async def _prove(tx: Tx, close: Close) -> None:
    await closes.set_digest(tx, close, await result_digest(tx, close))


async def _stage(closing_: Closing, month: Month, stage: Stage, work: Work, step: str) -> None:
    """One stage, once: its work and the word that it is done are one transaction."""
    async with closing_.store.write(step) as tx:
        await journal.lock_head(tx, closing_.rules.asset)
        close = await closes.get(tx, month, closing_.rules.asset)
        assert close is not None, "it was frozen before any stage"
        if close.stage.number >= stage.number:
            return
        await work(tx, close)
        await closes.finish_stage(tx, close, stage)
    closing_.progress(f"{month}: {stage}")


async def _numbers(tx: Tx, close: Close, kind: str, columns: int) -> closes.Units:
    blobs = await closes.parts(tx, close.month, close.asset, kind)
    return unpack(b"".join(blobs), columns)


async def _unfired(tx: Tx, month: Month) -> list[tuple[MemberId, ThingId]]:
    """What subscriptions would add to a month that is not folded with them yet."""
    wanted = await things.subscribed_in(tx, month)
    rows = await flattrs.packed(tx, {(month, member) for member, _ in wanted})
    return [(m, thing) for m, thing in wanted if rows[month, m].subscribe(thing)]


async def _get(closing_: Closing, month: Month) -> Close:
    async with closing_.store.read() as tx:
        close = await closes.get(tx, month, closing_.rules.asset)
    assert close is not None, "it was frozen before"
    return close
