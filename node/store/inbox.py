"""The inbox: clicks as they come, a row for each group that was written together.

    clicks    9 bytes a click: member, thing (32 bits each, little-endian), op
    keys      36 bytes for each click that has an Idempotency-Key: its place in the group (32 bits),
              16 bytes of the key's hash, 16 of the body's; NULL if there is none

A row costs a database some ten microseconds, however little is in it; so a group costs what one
click would. There is no index: folding takes the oldest rows, and reading a member's month looks
through what waits, which is little, since folding runs when clicks pause (`flows/fold.py`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from struct import Struct
from typing import Any, Final, TypeAlias

import numpy as np
from sqlalchemy import Row

from node.ids import MemberId, ThingId
from node.month import Month
from node.store.engine import Tx

ClickRow: TypeAlias = tuple[int, int, int, bytes | None]
"""(member, thing, op, request) of a click; `request` as in `Click`."""

PackedGroup: TypeAlias = tuple[bytes, bytes | None]
"""The columns `clicks` and `keys` of a row."""

_CLICK: Final = Struct("<IIB")
_KEY: Final = Struct("<I32s")
_CLICKS: Final = np.dtype([("member", "<u4"), ("thing", "<u4"), ("op", "u1")])


@dataclass(frozen=True, slots=True)
class Click:
    """One click. `request`: 16 bytes of the Idempotency-Key's hash, 16 of the body's."""

    month: Month
    member: MemberId
    thing: ThingId
    op: int
    request: bytes | None


def pack_group(clicks: Sequence[ClickRow]) -> PackedGroup:
    """A group as one row."""
    pack = _CLICK.pack
    packed = b"".join([pack(member, thing, op) for member, thing, op, _ in clicks])
    keys = b"".join([_KEY.pack(n, c[3]) for n, c in enumerate(clicks) if c[3] is not None])
    return packed, keys or None


async def take(tx: Tx, limit: int, month: Month | None = None) -> list[Click]:
    """Take the oldest clicks out, in order; of one month if it is given.

    Whole groups, until they are `limit` clicks or more.
    """
    rows = await tx.rows(
        "DELETE FROM flattr_inbox WHERE id IN (SELECT id FROM ("
        "SELECT id, sum(length(clicks)) OVER (ORDER BY id) - length(clicks) AS older FROM ("
        "SELECT id, clicks FROM flattr_inbox WHERE CAST(:month AS integer) IS NULL"
        " OR month = :month ORDER BY id LIMIT :limit) AS oldest) AS summed WHERE older < :bytes)"
        " RETURNING id, month, clicks, keys",
        month=month.ordinal if month else None, limit=limit, bytes=limit * _CLICK.size,
    )  # fmt: skip
    return [click for row in sorted(rows, key=lambda row: int(row.id)) for click in _unpacked(row)]


async def waits(tx: Tx, month: Month | None = None) -> bool:
    """Whether a click is in the inbox; of one month if it is given."""
    row = await tx.row(
        "SELECT 1 FROM flattr_inbox WHERE CAST(:month AS integer) IS NULL OR month = :month"
        " LIMIT 1",
        month=month.ordinal if month else None,
    )
    return row is not None


async def clicks_of(tx: Tx, member: MemberId, month: Month) -> list[tuple[ThingId, int]]:
    """(thing, op) of a member's clicks of a month that are not folded yet, in order."""
    sql = "SELECT clicks FROM flattr_inbox WHERE month = :month ORDER BY id"
    (groups,) = await tx.columns(sql, 1, month=month.ordinal)
    clicks = np.frombuffer(b"".join(groups), _CLICKS)
    own = clicks[clicks["member"] == member]
    return [
        (ThingId(thing), op)
        for thing, op in zip(own["thing"].tolist(), own["op"].tolist(), strict=True)
    ]


async def keys(tx: Tx) -> list[tuple[MemberId, bytes, Month]]:
    """The Idempotency-Keys of clicks that are not folded yet, each as `Click.request`."""
    rows = await tx.rows("SELECT id, month, clicks, keys FROM flattr_inbox WHERE keys IS NOT NULL")
    return [
        (click.member, click.request, click.month)
        for row in rows
        for click in _unpacked(row)
        if click.request is not None
    ]


async def length(tx: Tx) -> int:
    """How many clicks wait to be folded."""
    size = await tx.value("SELECT coalesce(sum(length(clicks)), 0) FROM flattr_inbox")
    return int(size) // _CLICK.size


def clicks_in(group: PackedGroup) -> int:
    """How many clicks a packed group has."""
    return len(group[0]) // _CLICK.size


def _unpacked(row: Row[Any]) -> Iterator[Click]:
    requests = dict(_KEY.iter_unpack(row.keys or b""))
    month = Month.from_ordinal(row.month)
    for place, (member, thing, op) in enumerate(_CLICK.iter_unpack(row.clicks)):
        yield Click(month, MemberId(member), ThingId(thing), op, requests.get(place))
