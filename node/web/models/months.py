"""Months, earnings, and the totals of closed months, each in both assets."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from node.web.models.base import (
    PAGE_DEFAULT,
    Asked,
    Limit,
    Msat,
    Page,
    ThingQuery,
    TimeS,
    Told,
    Units,
)

FILE_ID: Any = Field(
    default=None, description="Your name in the published file of the month, once it is closed."
)

WAITED: Any = Field(
    description="How many of the flattrs that count are of the last three months, on things that"
    " were claimed in this one. Null once it is closed: then they are among the things."
)


class UsdFlattrOut(Told):
    """What a flattr is worth in the stablecoin."""

    counts: bool
    share_units: Units


class FlattrLine(Told):
    """One flattred thing of a month."""

    thing: int
    url: str
    title: str
    counts: bool
    share_msat: Msat = Field(description="What it takes from the pot, commission included.")
    why_not: str | None = None
    usd: UsdFlattrOut | None = None


class UsdMonthOut(Told):
    """The same month in the stablecoin, which is closed on its own."""

    closed: bool
    pot_units: Units
    flattrs: int
    waited: int | None = WAITED
    share_units: Units
    share_with_one_more_units: Units | None
    commission_per_share_units: Units
    carry_units: Units
    digest: str | None
    file_id: str | None = FILE_ID


class MonthOut(Told):
    """A reader's month: an estimate while `closed` is false, then the receipt."""

    month: str
    closed: bool
    seconds_left: int
    pot_msat: Msat
    flattrs: int = Field(description="How many count.")
    waited: int | None = WAITED
    share_msat: Msat = Field(description="What each counted thing gets, commission included.")
    share_with_one_more_msat: Msat | None = Field(description="The same after one more flattr.")
    commission_per_share_msat: Msat
    carry_msat: Msat = Field(description="What can't be split equally; it stays yours.")
    digest: str | None = Field(description="Names the result of the whole month.")
    things: list[FlattrLine]
    usd: UsdMonthOut | None = None
    next: str | None = None


class MonthPageQuery(Asked):
    """Which piece of the list of things."""

    after: ThingQuery | None = None
    limit: Limit = PAGE_DEFAULT


class UsdClosedMonthOut(Told):
    """The same month's totals in the stablecoin."""

    pots_units: Units
    distributed_units: Units
    commission_units: Units
    carried_units: Units
    readers: int
    creators: int
    flattrs: int
    digest: str | None
    closed_s: TimeS


class ClosedMonthOut(Told):
    """The totals of a closed month. `closed_s` is null when only the stablecoin is closed yet."""

    month: str
    pots_msat: Msat
    distributed_msat: Msat
    commission_msat: Msat
    carried_msat: Msat
    readers: int
    creators: int
    flattrs: int
    digest: str | None
    closed_s: TimeS | None
    usd: UsdClosedMonthOut | None = None


class ClosedMonthsOut(Page):
    """Closed months, newest first."""

    items: list[ClosedMonthOut]
