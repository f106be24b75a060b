"""What of a few flattrs of one reader a close would count, by the rows of those things alone.

A close reads who owns what for everybody at once (`closes.owners`, `flows/split.py`); who looks at
the own month asks here, and each statement goes by keys. A test holds one against the other.
"""

from __future__ import annotations

from collections.abc import Iterable

from node.ids import MemberId, ThingId
from node.money import Asset
from node.month import Month
from node.store.engine import Tx


async def counting(
    tx: Tx, month: Month, asset: Asset, reader: MemberId, things: Iterable[ThingId]
) -> frozenset[ThingId]:
    """Those of these things that take a share of the reader's pot, as it stands now.

    They are owned by an active member, who is not the reader and has another payout target.
    """
    rows = await tx.rows_of(
        f"SELECT thing.id FROM thing JOIN {tx.dialect.json_rows(('bigint',))} ON thing.id = c0"
        " JOIN member ON member.id = owner WHERE owner <> :reader AND claimed_us < :cutoff_us"
        " AND (suspended_us IS NULL OR suspended_us >= :cutoff_us)"
        " AND NOT EXISTS (SELECT 1 FROM target AS mine JOIN target AS theirs"
        " ON theirs.fingerprint = mine.fingerprint"
        " WHERE mine.member = :reader AND mine.asset = :asset AND mine.replaced_us IS NULL"
        " AND theirs.member = thing.owner AND theirs.asset = :asset"
        " AND theirs.replaced_us IS NULL)",
        sorted((thing,) for thing in things),
        reader=reader, asset=asset, cutoff_us=month.ends_s * 1_000_000,
    )  # fmt: skip
    return frozenset(ThingId(row.id) for row in rows)


async def claimed_in(
    tx: Tx, month: Month, waited: Iterable[tuple[ThingId, Month]]
) -> list[ThingId]:
    """Those things, once for each flattr, that were claimed in the month and not paid for before.

    `waited`: flattrs of earlier months. Of a month at whose end the thing had an owner, who has
    left since, none waits: it was split then.
    """
    rows = await tx.rows_of(
        "SELECT c0 AS id FROM thing"
        f" JOIN {tx.dialect.json_rows(('bigint', 'bigint'))} ON thing.id = c0"
        " WHERE claimed_us >= :from_us AND claimed_us < :to_us AND claimed_us > created_us"
        " AND (released_us IS NULL OR released_us < c1)",
        sorted((thing, one.ends_s * 1_000_000) for thing, one in waited),
        from_us=month.starts_s * 1_000_000, to_us=month.ends_s * 1_000_000,
    )  # fmt: skip
    return sorted(ThingId(row.id) for row in rows)
