"""What creators earn: months, things, and the open month's estimate, each in both assets."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from node.web.models.base import (
    PAGE_DEFAULT,
    PAGE_MAX,
    Asked,
    AssetName,
    Limit,
    MonthText,
    Msat,
    Page,
    PlaceQuery,
    TimeS,
    Told,
    Units,
)
from node.web.models.months import FILE_ID

Sort = Literal[
    "earned", "-earned", "clicks", "-clicks", "average", "-average", "median", "-median", "title",
    "-title",
]  # fmt: skip


class EarningsQuery(Asked):
    """Which things first, and which piece of the list."""

    sort: Sort = Field(
        default="-earned",
        description="By what is earned in sats, and equal ones by the stablecoin; -: largest first",
    )
    after: PlaceQuery | None = None
    limit: Limit = PAGE_DEFAULT


class EarningLine(Told):
    """What one thing brought its creator. `flattrs`: those that counted in sats."""

    thing: int
    url: str
    title: str
    flattrs: int
    earned_msat: Msat
    average_msat: Msat = Field(description="Of a flattr, rounded down.")
    median_msat: Msat = Field(description="Of all its flattrs; the lower one of two.")
    usd_flattrs: int = 0
    earned_units: Units = 0
    average_units: Units = 0
    median_units: Units = 0


class UsdEarningsOut(Told):
    """The same in the stablecoin."""

    earned_units: Units
    digest: str | None
    file_id: str | None = FILE_ID


class EarningsOut(Page):
    """What a creator's things brought in a closed month, without the commission."""

    month: str
    closed: bool = Field(description="In sats; the stablecoin has `usd` when it is closed.")
    earned_msat: Msat = Field(description="By all things, not only those of this page.")
    digest: str | None
    things: list[EarningLine]
    usd: UsdEarningsOut | None = None


class EarnedMonthOut(Told):
    """A closed month's total; null in an asset in which it is not closed."""

    month: str
    flattrs: int
    earned_msat: Msat | None
    usd_flattrs: int
    earned_units: Units | None


class EstimateOut(Told):
    """What this month would bring if it closed now, in one asset. It is no promise."""

    month: str
    asset: AssetName
    as_of_s: TimeS
    flattrs: int = Field(description="Of now, whether they count yet or not.")
    earned_units: Units = Field(description="In base units of the asset: msat, or millionths.")
    waits: str | None = Field(description="Why it would not be paid at once; null if it would.")


class EarnedMonthsOut(Page):
    """Closed months, newest first, and estimates of the open one."""

    items: list[EarnedMonthOut]
    estimates: list[EstimateOut]


class EarnedMonthsQuery(Asked):
    """Which piece of the list of months."""

    after: MonthText | None = None
    limit: Limit = Field(default=12, le=PAGE_MAX)


class AssetQuery(Asked):
    """In which asset."""

    asset: AssetName = "sat"


class FileOut(Told):
    """A file, sent while it is written."""
