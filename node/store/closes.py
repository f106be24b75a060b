"""Closes: how far a month is, what it came to, and the packed parts of its result.

A part is an array of little-endian 64-bit numbers, rows after rows, for members or things from
`first` to `last`: `reader` (READER_COLUMNS), `thing` (THING_COLUMNS), `excluded` and `pending`
(PAIR_COLUMNS). They are written once, by the split, and everything after it reads them: so what was
booked, published and proved is one thing. Only what the vault did not get corrects them, before.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Row

from node.errors import CorruptBooks
from node.money import Asset
from node.month import Month
from node.settlement.month_split import Owners
from node.store.engine import Tx

Units: TypeAlias = NDArray[np.int64]


class Stage(StrEnum):
    """The last stage that a close has done, in order."""

    FROZEN = "frozen"
    FOLDED = "folded"
    SPLIT = "split"
    CHARGED = "charged"
    """In the stablecoin only: the vault has taken what the split distributes."""
    BOOKED = "booked"
    PROVED = "proved"
    OPENED = "opened"
    CHECKED = "checked"

    @property
    def number(self) -> int:
        """Its place in the order."""
        return list(Stage).index(self)


@dataclass(frozen=True, slots=True)
class Figures:
    """What a month came to, in base units and numbers."""

    pots: int = 0
    distributed: int = 0
    commission: int = 0
    carried: int = 0
    readers: int = 0
    flattrs: int = 0
    creators: int = 0


@dataclass(frozen=True, slots=True)
class Close:
    """One month's close in one asset, with the rules that it was frozen under."""

    month: Month
    asset: Asset
    stage: Stage
    frozen_us: int
    commission_bps: int
    dues_units: int
    figures: Figures
    digest: str | None


async def get(tx: Tx, month: Month, asset: Asset) -> Close | None:
    """The close of a month; None while the month is open."""
    row = await tx.row(
        "SELECT * FROM close WHERE month = :month AND asset = :asset" + tx.for_update,
        month=month.ordinal, asset=asset,
    )  # fmt: skip
    return _close(row) if row else None


async def all_of(tx: Tx, asset: Asset) -> list[Close]:
    """All closes, newest first."""
    sql = "SELECT * FROM close WHERE asset = :asset ORDER BY month DESC"
    return [_close(row) for row in await tx.rows(sql, asset=asset)]


async def is_frozen(tx: Tx, month: Month) -> bool:
    """Whether a month takes no more clicks and no more money: it, or one after it, is frozen."""
    row = await tx.row("SELECT 1 FROM close WHERE month >= :month LIMIT 1", month=month.ordinal)
    return row is not None


async def takes_no_money(tx: Tx, month: Month, asset: Asset) -> bool:
    """Whether a month takes no more money of an asset: it, or one after it, is frozen in it."""
    row = await tx.row(
        "SELECT 1 FROM close WHERE month >= :month AND asset = :asset LIMIT 1",
        month=month.ordinal, asset=asset,
    )  # fmt: skip
    return row is not None


async def open_before(tx: Tx, month: Month, asset: Asset) -> Month | None:
    """The first month before this one that must be closed first; None if there is none.

    It has money or flattrs in it, or its close is not finished.
    """
    first = await tx.value(
        "WITH latest AS (SELECT coalesce(max(month), 0) AS month FROM close WHERE asset = :asset)"
        " SELECT min(month) FROM ("
        "SELECT month FROM account WHERE kind = 'pot' AND asset = :asset AND balance > 0"
        " AND month > (SELECT month FROM latest) AND month < :month"
        # On a node that took up the stablecoin later, older clicks are none of its.
        " UNION ALL SELECT month FROM flattr_month"
        " WHERE month > (SELECT month FROM latest) AND month < :month AND (:asset = 'sat'"
        " OR month >= (SELECT min(month) FROM account WHERE kind = 'pot' AND asset = :asset))"
        " UNION ALL SELECT month FROM flattr_inbox WHERE month < :month"
        " UNION ALL SELECT month FROM close WHERE asset = :asset AND stage <> :done"
        " AND month < :month) AS waiting",
        asset=asset, month=month.ordinal, done=Stage.CHECKED,
    )  # fmt: skip
    return None if first is None else Month.from_ordinal(first)


async def freeze(tx: Tx, close: Close) -> bool:
    """Freeze a month under its rules; False if it is frozen already."""
    made = await tx.run(
        "INSERT INTO close (month, asset, stage, frozen_us, commission_bps, dues_units)"
        " VALUES (:month, :asset, :stage, :frozen_us, :bps, :dues) ON CONFLICT DO NOTHING",
        month=close.month.ordinal, asset=close.asset, stage=Stage.FROZEN,
        frozen_us=close.frozen_us, bps=close.commission_bps, dues=close.dues_units,
    )  # fmt: skip
    return made == 1


async def finish_stage(tx: Tx, close: Close, stage: Stage) -> None:
    """Stage done. Raises CorruptBooks when the close is no longer at its stage."""
    moved = await tx.run(
        "UPDATE close SET stage = :stage WHERE month = :month AND asset = :asset"
        " AND stage = :before",
        stage=stage, month=close.month.ordinal, asset=close.asset, before=close.stage,
    )  # fmt: skip
    if moved != 1:
        raise CorruptBooks(f"the close of {close.month} is no longer {close.stage}")


async def set_figures(tx: Tx, close: Close, figures: Figures) -> None:
    """What the split came to."""
    await tx.run(
        "UPDATE close SET pots = :pots, distributed = :distributed, commission = :commission,"
        " carried = :carried, readers = :readers, flattrs = :flattrs, creators = :creators"
        " WHERE month = :month AND asset = :asset",
        pots=figures.pots, distributed=figures.distributed, commission=figures.commission,
        carried=figures.carried, readers=figures.readers, flattrs=figures.flattrs,
        creators=figures.creators, month=close.month.ordinal, asset=close.asset,
    )  # fmt: skip


async def set_digest(tx: Tx, close: Close, digest: str) -> None:
    """The name of the result."""
    await tx.run(
        "UPDATE close SET digest = :digest WHERE month = :month AND asset = :asset",
        digest=digest, month=close.month.ordinal, asset=close.asset,
    )  # fmt: skip


async def put_part(tx: Tx, close: Close, kind: str, first: int, last: int, rows: bytes) -> None:
    """Store one packed part."""
    await tx.run(
        "INSERT INTO close_part (month, asset, kind, first, last, rows)"
        " VALUES (:month, :asset, :kind, :first, :last, :rows)",
        month=close.month.ordinal, asset=close.asset, kind=kind, first=first, last=last, rows=rows,
    )  # fmt: skip


async def correct_part(tx: Tx, close: Close, kind: str, first: int, rows: bytes) -> None:
    """Replace the rows of one part. Raises CorruptBooks when the close is no longer SPLIT."""
    changed = await tx.run(
        "UPDATE close_part SET rows = :rows WHERE month = :month AND asset = :asset"
        " AND kind = :kind AND first = :first AND EXISTS (SELECT 1 FROM close"
        " WHERE close.month = :month AND close.asset = :asset AND close.stage = 'split')",
        month=close.month.ordinal, asset=close.asset, kind=kind, first=first, rows=rows,
    )  # fmt: skip
    if changed != 1:
        raise CorruptBooks(f"the {kind} part of {close.month} can't be corrected any more")


async def parts(tx: Tx, month: Month, asset: Asset, kind: str) -> list[bytes]:
    """The packed parts of one kind, in order."""
    rows = await tx.rows(
        "SELECT rows FROM close_part WHERE month = :month AND asset = :asset AND kind = :kind"
        " ORDER BY first",
        month=month.ordinal, asset=asset, kind=kind,
    )  # fmt: skip
    return [bytes(row[0]) for row in rows]


async def part_of(tx: Tx, month: Month, asset: Asset, kind: str, number: int) -> bytes | None:
    """The part that would hold this member or thing."""
    found = await tx.value(
        "SELECT rows FROM close_part WHERE month = :month AND asset = :asset AND kind = :kind"
        " AND first <= :number AND last >= :number",
        month=month.ordinal, asset=asset, kind=kind, number=number,
    )  # fmt: skip
    return None if found is None else bytes(found)


async def pots(tx: Tx, month: Month, asset: Asset) -> tuple[Units, Units]:
    """(members in order, base units) of a month's pots that are not empty."""
    return await _pairs(
        tx, "SELECT member AS c0, balance AS c1 FROM account WHERE kind = 'pot' AND month = :month"
        " AND asset = :asset AND balance > 0",
        month=month.ordinal, asset=asset,
    )  # fmt: skip


async def balances(tx: Tx, kind: str, asset: Asset) -> tuple[Units, Units]:
    """(members in order, base units) of all accounts of a kind that are not empty."""
    return await _pairs(
        tx, "SELECT member AS c0, balance AS c1 FROM account WHERE kind = :kind"
        " AND asset = :asset AND balance > 0",
        kind=kind, asset=asset,
    )  # fmt: skip


async def means(tx: Tx, asset: Asset) -> tuple[Units, Units]:
    """(members in order, base units) of the standing amounts, of members who are active."""
    return await _pairs(
        tx, "SELECT means.member AS c0, units AS c1 FROM means JOIN member"
        " ON member.id = means.member"
        " WHERE asset = :asset AND units > 0 AND suspended_us IS NULL",
        asset=asset,
    )  # fmt: skip


async def dues_payers(tx: Tx) -> Units:
    """Members who pay their dues from their earnings, in order."""
    (payers,) = await tx.numbers(
        "SELECT id AS c0 FROM member WHERE dues_from_earnings AND suspended_us IS NULL", 1
    )
    return np.sort(payers)


async def owners(tx: Tx, cutoff_us: int, asset: Asset) -> Owners:
    """Who owns what at a cutoff, and who shares a payout target."""
    owned = await _pairs(
        tx, "SELECT thing.id AS c0, owner AS c1 FROM thing JOIN member ON member.id = owner"
        " WHERE claimed_us < :cutoff AND (suspended_us IS NULL OR suspended_us >= :cutoff)",
        cutoff=cutoff_us,
    )  # fmt: skip
    grouped = await _pairs(
        tx, "SELECT member AS c0, min(member) OVER (PARTITION BY fingerprint) AS c1 FROM target"
        " WHERE asset = :asset AND set_us < :cutoff"
        " AND (replaced_us IS NULL OR replaced_us >= :cutoff)",
        asset=asset, cutoff=cutoff_us,
    )  # fmt: skip
    return Owners(_scatter(owned, fill=0), _scatter(grouped, fill=None))


async def claimed_between(tx: Tx, from_us: int, to_us: int) -> Units:
    """Things that were claimed in this time, in order; not those that were made with an owner."""
    (claimed,) = await tx.numbers(
        "SELECT id AS c0 FROM thing WHERE claimed_us >= :from_us AND claimed_us < :to_us"
        " AND claimed_us > created_us", 1,
        from_us=from_us, to_us=to_us,
    )  # fmt: skip
    return np.sort(claimed)


async def things_max(tx: Tx) -> int:
    """The highest id of a thing; 0 if there is none."""
    return int(await tx.value("SELECT coalesce(max(id), 0) FROM thing"))


async def _pairs(tx: Tx, sql: str, **values: object) -> tuple[Units, Units]:
    """Columns c0 (each number once) and c1, in order of c0."""
    keys, units = await tx.numbers(sql, 2, **values)
    order = np.argsort(keys)
    return keys[order], units[order]


def _scatter(pairs: tuple[Units, Units], *, fill: int | None) -> Units:
    """An array with values at keys; elsewhere `fill`, or the place itself."""
    keys, values = pairs
    length = int(keys.max()) + 1 if len(keys) else 0
    scattered = np.arange(length) if fill is None else np.full(length, fill, np.int64)
    scattered[keys] = values
    return scattered


def _close(row: Row[Any]) -> Close:
    figures = Figures(
        row.pots, row.distributed, row.commission, row.carried, row.readers, row.flattrs,
        row.creators,
    )  # fmt: skip
    return Close(
        Month.from_ordinal(row.month), Asset(row.asset), Stage(row.stage), row.frozen_us,
        row.commission_bps, row.dues_units, figures, row.digest,
    )  # fmt: skip
