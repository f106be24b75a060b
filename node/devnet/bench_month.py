"""A month for the bench: so many flattrs that a close of it shows what a large node would see.

    readers    flattrs / 100, each with 100 different things
    things     two a reader, drawn by Zipf's law (the n-th most liked is drawn 1/n as often)
    creators   every second reader, with four things and a payout target each
    pots       whole sats, 1,000 to 20,000 a reader: so some creators have not paid their dues

10,000,000 flattrs are 100,000 readers, 200,000 things and 50,000 creators; a smaller month is a
smaller node, with less of everything.

The draw is seeded: every run, and both databases, hold the same month. The rows are written as sets
past the flows, but the money by the ledger, so that the books of the month are clean.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from node.ids import MemberId, ThingId, entry_id
from node.ledger import accounts
from node.ledger.bulk import BulkEntry, Transfers, pots
from node.money import Asset, sats
from node.month import Month
from node.store import bulk_journal, flattrs
from node.store.engine import Store, Tx

MONTH: Final = Month(2026, 11)
FLATTRS_A_READER: Final = 100
_THINGS_A_READER: Final = 2
_READERS_A_CREATOR: Final = 2
_THINGS_MIN: Final = 4 * FLATTRS_A_READER
_DRAWS_A_READER: Final = 200
_READERS_A_TURN: Final = 2_000
_ROWS_A_STATEMENT: Final = 20_000
_POT_SAT: Final = (1_000, 20_001)
_SEED: Final = 20261101

Units: TypeAlias = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class MonthPlan:
    """How large the month is."""

    readers: int
    things: int
    creators: int

    @classmethod
    def of(cls, flattrs_: int) -> MonthPlan:
        """The plan of a month with about so many flattrs."""
        readers = max(1, flattrs_ // FLATTRS_A_READER)
        things = max(_THINGS_MIN, _THINGS_A_READER * readers)
        return cls(readers, things, max(1, readers // _READERS_A_CREATOR))

    @property
    def flattrs(self) -> int:
        """How many flattrs there are, those on own things included."""
        return self.readers * FLATTRS_A_READER

    @property
    def members(self) -> int:
        """How many members there are."""
        return max(self.readers, self.creators)


async def write_month(store: Store, plan: MonthPlan, month: Month = MONTH) -> None:
    """Write the month into an empty, migrated database."""
    async with store.write() as tx:
        await write_members(tx, plan)
        await write_things(tx, plan)
        await _write_pots(tx, plan, month)
    for first in range(0, plan.readers, _READERS_A_TURN):
        readers = range(first, min(first + _READERS_A_TURN, plan.readers))
        async with store.write() as tx:
            await _write_flattrs(tx, month, readers, plan.things)
    async with store.write() as tx:
        await tx.run("ANALYZE")


def marks(readers: range, things: int) -> Iterator[tuple[int, Units]]:
    """(reader from 1 on, its things in order) for these readers, counted from 0."""
    generator = np.random.default_rng([_SEED, readers.start])
    bounds = np.cumsum(1 / np.arange(1, things + 1))
    names = np.random.default_rng(_SEED).permutation(things) + 1
    drawn = generator.random((len(readers), _DRAWS_A_READER)) * bounds[-1]
    ranks = np.searchsorted(bounds, drawn)
    for reader, row in zip(readers, ranks, strict=True):
        _, first = np.unique(row, return_index=True)
        liked = row[np.sort(first)[:FLATTRS_A_READER]]
        missing = FLATTRS_A_READER - len(liked)
        if missing:
            rest = np.setdiff1d(np.arange(2 * FLATTRS_A_READER), liked)
            liked = np.concatenate([liked, rest[:missing]])
        yield reader + 1, np.sort(names[liked])


async def write_members(tx: Tx, plan: MonthPlan) -> None:
    """Write the members, and a payout target for each creator."""
    source = tx.dialect.json_rows(("bigint",))
    for rows in _turns(plan.members):
        await tx.run_rows(
            "INSERT INTO member (id, name, created_us, dues_from_earnings)"
            f" SELECT c0, 'member-' || c0, 0, true FROM {source} WHERE true",
            rows,
        )
    for rows in _turns(plan.creators):
        await tx.run_rows(
            "INSERT INTO target (member, asset, text, fingerprint, set_us, active_us)"
            " SELECT c0, CAST(:asset AS text), 'creator-' || c0 || '@creators.example',"
            f" 'creator-' || c0, 0, 0 FROM {source} WHERE true",
            rows,
            asset=Asset.SAT,
        )


async def write_things(tx: Tx, plan: MonthPlan) -> None:
    """Write the things; their owners are the creators in turn."""
    for rows in _turns(plan.things):
        await tx.run_rows(
            "INSERT INTO thing (id, url, site, title, owner, claimed_us, created_us)"
            " SELECT c0, 'https://things.example/' || c0, 'things.example', 'thing ' || c0, c1, 0,"
            " 0"
            f" FROM {tx.dialect.json_rows(('bigint', 'bigint'))} WHERE true",
            [(thing, 1 + thing % plan.creators) for (thing,) in rows],
        )


async def _write_pots(tx: Tx, plan: MonthPlan, month: Month) -> None:
    members = np.arange(1, plan.members + 1)
    units = np.random.default_rng(_SEED).integers(*_POT_SAT, plan.members) * sats(1).units
    wallet = accounts.wallet(Asset.SAT)
    filled = Transfers(wallet, pots(members, month), units)
    entry = BulkEntry(entry_id("bench", month), "bench", Asset.SAT, month, (filled,))
    await bulk_journal.append(tx, entry, 0)


async def _write_flattrs(tx: Tx, month: Month, readers: range, things: int) -> None:
    none = flattrs.pack(())
    await tx.run_each(
        "INSERT INTO flattr_month (month, member, things, undone)"
        " VALUES (:month, :member, :things, :undone)",
        [
            {"month": month.ordinal, "member": MemberId(reader), "undone": none,
             "things": flattrs.pack(map(ThingId, liked.tolist()))}
            for reader, liked in marks(readers, things)
        ],
    )  # fmt: skip


def _turns(number: int) -> Iterator[Sequence[tuple[int]]]:
    for first in range(1, number + 1, _ROWS_A_STATEMENT):
        yield [(one,) for one in range(first, min(first + _ROWS_A_STATEMENT, number + 1))]
