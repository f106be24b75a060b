"""Flattrs: one packed row per member and month, which clicks are folded into (`inbox.py`).

A row has the things that stand, and those that were undone: an undone thing is not brought back by
a subscription. Reading a member's month is that row plus what is still in the inbox.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Row

from node.ids import MemberId, ThingId
from node.month import Month
from node.settlement.fold import PackedMonth
from node.store.engine import Tx


class PackedReaders:
    """Packed rows of a month, readers in order. Unpacked when they are asked for, by a thread."""

    __slots__ = ("_members", "_things")

    def __init__(self, members: Sequence[int], things: Sequence[bytes]) -> None:
        self._members, self._things = members, things

    @property
    def members(self) -> NDArray[np.int64]:
        """The readers who have a row."""
        return np.array(self._members, np.int64)

    def __iter__(self) -> Iterator[NDArray[np.integer[Any]]]:
        """Members, lengths, things."""
        return iter((self.members, self.lengths, self.things))

    @property
    def lengths(self) -> NDArray[np.int64]:
        """How many things each of them has."""
        return np.fromiter(map(len, self._things), np.int64, len(self._things)) // 4

    @property
    def things(self) -> NDArray[np.uint32]:
        """All their things, reader after reader, as they are stored: half the memory."""
        return np.frombuffer(b"".join(self._things), "<u4")


async def packed(
    tx: Tx, wanted: Iterable[tuple[Month, MemberId]]
) -> dict[tuple[Month, MemberId], PackedMonth]:
    """The packed rows of these members and months; a missing one is empty."""
    keys = sorted({(month.ordinal, member) for month, member in wanted})
    found = await tx.rows_of(
        "SELECT month, member, things, undone FROM flattr_month"
        f" JOIN {tx.dialect.json_rows(('bigint', 'bigint'))} ON month = c0 AND member = c1",
        keys,
    )
    rows = {(row.month, row.member): row for row in found}
    return {
        (Month.from_ordinal(month), MemberId(member)): _unpacked(rows.get((month, member)))
        for month, member in keys
    }


async def put_packed(tx: Tx, rows: dict[tuple[Month, MemberId], PackedMonth]) -> None:
    """Write packed rows, new or changed."""
    await tx.run_each(
        "INSERT INTO flattr_month (month, member, things, undone)"
        " VALUES (:month, :member, :things, :undone) ON CONFLICT (month, member)"
        " DO UPDATE SET things = excluded.things, undone = excluded.undone",
        [
            {"month": month.ordinal, "member": member, "things": pack(row.things),
             "undone": pack(row.undone)}
            for (month, member), row in sorted(rows.items())
        ],
    )  # fmt: skip


async def new_keys(
    tx: Tx, keys: Sequence[tuple[MemberId, bytes, bytes, int]]
) -> set[tuple[MemberId, bytes]]:
    """Remember (member, key, body, at_us); the keys that were not known before.

    `at_us` is a time in the month of the click.
    """
    if not keys:
        return set()
    rows = await tx.rows_of(
        "INSERT INTO click_key (member, request, body, at_us)"
        f" SELECT c0, c1, c2, c3 FROM {tx.dialect.json_rows(('bigint', 'text', 'text', 'bigint'))}"
        " WHERE true ON CONFLICT DO NOTHING RETURNING member, request",
        [(member, key.hex(), body.hex(), at_us) for member, key, body, at_us in keys],
    )
    return {(MemberId(row.member), bytes.fromhex(row.request)) for row in rows}


async def keys_used(
    tx: Tx, keys: Sequence[tuple[MemberId, bytes]]
) -> dict[tuple[MemberId, bytes], tuple[bytes, Month]]:
    """What folded clicks with these keys asked for, and the months that they are in."""
    rows = await tx.rows_of(
        "SELECT member, request, body, at_us FROM click_key"
        f" JOIN {tx.dialect.json_rows(('bigint', 'text'))} ON member = c0 AND request = c1",
        [(member, key.hex()) for member, key in keys],
    )
    return {
        (MemberId(row.member), bytes.fromhex(row.request)): (
            bytes.fromhex(row.body), Month.at(row.at_us // 1_000_000),
        )
        for row in rows
    }  # fmt: skip


async def months_between(tx: Tx, month: Month, first: int, last: int) -> PackedReaders:
    """What the members first … last have flattred in a month."""
    members, things = await tx.columns(
        "SELECT member, things FROM flattr_month WHERE month = :month"
        " AND member BETWEEN :first AND :last ORDER BY member", 2,
        month=month.ordinal, first=first, last=last,
    )  # fmt: skip
    return PackedReaders(members, things)


async def fence(tx: Tx, month: Month, *, exclusive: bool) -> None:
    """Hold off the freeze of a month (shared), or all clicks of it (exclusive)."""
    if sql := tx.dialect.months_fence(exclusive=exclusive):
        await tx.run(sql, month=month.ordinal)


def pack(things: Iterable[ThingId]) -> bytes:
    """Sorted little-endian 32-bit numbers."""
    return np.array(sorted(things), "<u4").tobytes()


def _unpacked(row: Row[Any] | None) -> PackedMonth:
    if row is None:
        return PackedMonth(set(), set())
    return PackedMonth(_things(row.things), _things(row.undone))


def _things(blob: bytes) -> set[ThingId]:
    numbers: list[int] = np.frombuffer(blob, "<u4").tolist()
    return {ThingId(number) for number in numbers}


async def months(tx: Tx) -> list[Month]:
    """Months in which something was flattred."""
    rows = await tx.rows(
        "SELECT DISTINCT month FROM flattr_month UNION SELECT month FROM flattr_inbox"
    )
    return sorted(Month.from_ordinal(row.month) for row in rows)
