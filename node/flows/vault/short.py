"""A month of which the vault got less from some readers than the split distributes (decision 0012).

    collect   what was got of whom is kept with the sum
    charged   the pots of these readers become what was got: shares, things, figures
    booked    pot ─▶ available                 what was not charged
              available ─▶ payout, commission  what was charged and no share took
              available, open pots ─▶ wallet   what a withdrawal took beyond the books

A reader can take out, or lower, what a close has distributed, from the month's end until the vault
charges it. That must cost that reader's creators the difference, and nobody else anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

import numpy as np

from node.errors import CorruptBooks
from node.flows.receipts import counted
from node.flows.vault.books import sources_of
from node.ids import MemberId, refund_id
from node.ledger import bookings, closing
from node.ledger.bookings import Refund
from node.money import Amount, Asset
from node.month import Month
from node.settlement.limit import give_back, limit_readers, limit_things
from node.settlement.month_split import READER_COLUMNS, THING_COLUMNS, pack, unpack
from node.settlement.payout import Payout, PayoutKind
from node.settlement.split import Units
from node.store import (
    bulk_journal,
    chain_addresses,
    closes,
    journal,
    payouts,
    suspense,
    vault_months,
)
from node.store.closes import Close, Figures
from node.store.engine import Tx

SHORT: Final = "short"
"""The kind of the close's part that says what was got of whom."""
SHORT_COLUMNS: Final = ("member", "got")
_USD: Final = Asset.USD
_POT: Final = READER_COLUMNS.index("pot")
_COUNT: Final = READER_COLUMNS.index("flattrs")
_SHARE: Final = READER_COLUMNS.index("share")
_COMMISSION: Final = READER_COLUMNS.index("commission")
_CARRY: Final = READER_COLUMNS.index("carry")


async def keep(tx: Tx, close: Close, chain_id: int, got: Mapping[str, int]) -> None:
    """Remember of whom the vault got less, and how much, in base units by address."""
    linked = await chain_addresses.all_of(tx, chain_id)
    rows = sorted((linked[address].member, units) for address, units in got.items())
    if rows:
        await closes.put_part(tx, close, SHORT, rows[0][0], rows[-1][0], pack(np.array(rows)))


async def limit(tx: Tx, close: Close) -> None:
    """Make the result of the split what was charged.

    Raises CorruptBooks when the vault has charged another sum than that comes to.
    """
    short, before = await _short(tx, close), await _short_readers(tx, close)
    after = limit_readers(before, short[:, 1], close.commission_bps)
    figures = _without(close.figures, before, after)
    if len(short):
        await _correct_readers(tx, close, after)
        await _correct_things(tx, close, before, after)
        await closes.set_figures(tx, close, figures)
    month = await vault_months.get(tx, close.month)
    gross = 0 if month is None else month.gross
    charged = figures.distributed + int(after[:, _CARRY].sum())
    if gross != charged:
        raise CorruptBooks(f"the vault charged {gross} for {close.month}, not {charged}")


async def book_uncharged(tx: Tx, close: Close) -> None:
    """What was not charged leaves the pots, before the close takes the rest."""
    short = await _short(tx, close)
    members, pots = await closes.pots(tx, close.month, close.asset)
    ours = np.isin(members, short[:, 0])
    if int(ours.sum()) != len(short):
        raise CorruptBooks(f"a reader of {close.month} was charged and has no pot")
    units = pots[ours] - short[:, 1]
    entry = closing.uncharged(close.asset, close.month, members[ours], units)
    await bulk_journal.append(tx, entry, close.frozen_us)


async def book_rest(tx: Tx, close: Close, chain_id: int, now_us: int) -> None:
    """What no share took goes back, and withdrawals beyond the books are explained."""
    await _refund(tx, close, chain_id, now_us)
    for one in await suspense.unexplained(tx, chain_id, close.asset):
        sources = await sources_of(tx, one.member, one.units, Month.at(one.time_s))
        if any(units for _, units in sources):
            entry = bookings.explained(close.asset, one.ref, close.month, sources)
            await journal.append(tx, entry, close.frozen_us)


async def short_of(tx: Tx, close: Close) -> dict[int, int]:
    """Of whom the vault got less than their pots gave, and what: base units by member."""
    return dict((await _short(tx, close)).tolist())


async def refunded_units(tx: Tx, close: Close) -> int:
    """What was charged and no share took, in base units; known when the close is CHARGED."""
    return int((await _short_readers(tx, close))[:, _CARRY].sum())


async def _refund(tx: Tx, close: Close, chain_id: int, now_us: int) -> None:
    readers = await _short_readers(tx, close)
    back, tenth = give_back(readers[:, _CARRY])
    rows = [
        Refund(MemberId(member), refund_id(close.month, MemberId(member), close.asset), *units)
        for member, *units in np.stack([readers[:, 0], back, tenth], axis=1).tolist()
        if any(units)
    ]
    if not rows:
        return
    entry = bookings.refund(close.asset, close.month, rows)
    await journal.append(tx, entry, close.frozen_us)
    opened = [await _payout(tx, close, chain_id, one) for one in rows if one.back_units]
    await payouts.add(tx, opened, now_us)


async def _payout(tx: Tx, close: Close, chain_id: int, refund: Refund) -> Payout:
    linked = await chain_addresses.of_member(tx, chain_id, refund.member)
    if linked is None:
        raise CorruptBooks(f"member {refund.member} was charged and has no address")
    return Payout(
        refund.payout, PayoutKind.WITHDRAWAL, refund.member, Amount(refund.back_units, close.asset),
        Amount(0, close.asset), linked.address, close.month,
    )  # fmt: skip


async def _short(tx: Tx, close: Close) -> Units:
    """Rows of SHORT_COLUMNS, by member."""
    blobs = await closes.parts(tx, close.month, close.asset, SHORT)
    return unpack(b"".join(blobs), len(SHORT_COLUMNS))


async def _short_readers(tx: Tx, close: Close) -> Units:
    """The rows of READER_COLUMNS of those of whom less was got."""
    short = await _short(tx, close)
    if not len(short):
        return np.zeros((0, len(READER_COLUMNS)), np.int64)
    blobs = await closes.parts(tx, close.month, close.asset, "reader")
    readers = unpack(b"".join(blobs), len(READER_COLUMNS))
    found = readers[np.isin(readers[:, 0], short[:, 0])]
    if len(found) != len(short):
        raise CorruptBooks(f"somebody was charged for {close.month} who has no pot in it")
    return found


async def _correct_readers(tx: Tx, close: Close, after: Units) -> None:
    for blob in await closes.parts(tx, close.month, close.asset, "reader"):
        rows = unpack(blob, len(READER_COLUMNS))
        ours = np.isin(rows[:, 0], after[:, 0])
        if ours.any():
            rows[ours] = after[np.isin(after[:, 0], rows[:, 0])]
            await closes.correct_part(tx, close, "reader", int(rows[0, 0]), pack(rows))


async def _correct_things(tx: Tx, close: Close, before: Units, after: Units) -> None:
    (blob,) = await closes.parts(tx, close.month, close.asset, "thing")
    things = unpack(blob, len(THING_COLUMNS))
    span = (int(before[0, 0]), int(before[-1, 0]))
    pairs = await counted(tx, close.month, close.asset, span)
    marks = pairs[np.isin(pairs[:, 0], before[:, 0])]
    left = limit_things(things, before, after, marks)
    await closes.correct_part(tx, close, "thing", int(things[0, 0]), pack(left))


def _without(figures: Figures, before: Units, after: Units) -> Figures:
    """The figures of the close when these readers' rows are not as before."""
    fewer = before - after
    return replace(
        figures,
        pots=figures.pots - int(fewer[:, _POT].sum()),
        distributed=figures.distributed - int((fewer[:, _SHARE] * before[:, _COUNT]).sum()),
        commission=figures.commission - int((fewer[:, _COMMISSION] * before[:, _COUNT]).sum()),
        carried=figures.carried - int(fewer[:, _CARRY].sum()),
    )
