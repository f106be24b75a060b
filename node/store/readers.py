"""Readers who show what they flattr: the only place where a public page learns a reader's name."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from node.ids import MemberId, ThingId
from node.month import Month
from node.store.engine import Tx


async def shown(tx: Tx, months: Sequence[Month], limit: int) -> list[tuple[str, bytes]]:
    """(name, packed things) of readers who show theirs, by name: `limit` rows at most.

    A reader of several months has a row for each. Who is suspended or has left is not named.
    """
    rows = await tx.rows_of(
        "SELECT name, things FROM member"
        f" JOIN {tx.dialect.json_rows(('bigint',))} ON true JOIN flattr_month"
        " ON flattr_month.member = member.id AND flattr_month.month = c0"
        " WHERE shows_flattrs AND suspended_us IS NULL AND closed_us IS NULL"
        " ORDER BY name LIMIT :limit",
        [(month.ordinal,) for month in months],
        limit=limit,
    )
    return [(row.name, bytes(row.things)) for row in rows]


async def things_of(tx: Tx, owner: MemberId) -> set[ThingId]:
    """All of a creator's things."""
    rows = await tx.rows("SELECT id FROM thing WHERE owner = :owner", owner=owner)
    return {ThingId(row.id) for row in rows}


def unpack(blob: bytes) -> list[int]:
    """Thing ids out of a packed row."""
    things: list[int] = np.frombuffer(blob, "<u4").tolist()
    return things
