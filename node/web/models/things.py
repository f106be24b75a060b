"""Things, flattrs, subscriptions, months, earnings, and what is public."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from node.web.models.base import (
    PAGE_DEFAULT,
    Asked,
    Limit,
    MonthText,
    Msat,
    Page,
    ThingNumber,
    ThingQuery,
    TimeS,
    Told,
    UrlQuery,
    UrlText,
)


class ThingIn(Asked):
    """A thing by its URL; the node makes it canonical."""

    url: UrlText
    title: str = Field(default="", max_length=200, examples=["A post"])


class ThingUrlQuery(Asked):
    """Which thing."""

    url: UrlQuery


class ThingOut(Told):
    """What can be flattred."""

    id: int
    url: str
    title: str
    claimed: bool
    mine: bool


class ThingsOut(Page):
    """A creator's things, oldest first."""

    items: list[ThingOut]


class ClaimOut(Told):
    """What a claim saw, and the line to place if it was not there."""

    thing: ThingOut
    claimed: bool
    proved_by: str | None
    saw: list[str]
    line: str
    places: list[str]


class FlattrIn(Asked):
    """A thing to flattr: its number or its URL. `month`, if given, must be the current one."""

    thing: ThingNumber | None = None
    url: UrlText | None = None
    month: MonthText | None = None


class ThingFlattrIn(Asked):
    """May be left out."""

    month: MonthText | None = None


class FlattrQuery(Asked):
    """Which flattr to take back."""

    thing: ThingQuery | None = None
    url: UrlQuery | None = None
    month: MonthText | None = None


class MonthQuery(Asked):
    """`month`, if given, must be the current one."""

    month: MonthText | None = None


class FlattrOut(Told):
    """A click that is on disk."""

    thing: int
    month: str
    flattred: bool
    network: str


class SubscriptionIn(Asked):
    """A flattr that repeats, this month's included."""

    thing: ThingNumber | None = None
    url: UrlText | None = None
    months: Literal[3, 6, 12]


class SubscriptionOut(Told):
    """A flattr that repeats."""

    thing: int
    first_month: str
    last_month: str
    months: int
    running: bool


class SubscriptionsOut(Told):
    """A member's subscriptions, oldest first."""

    items: list[SubscriptionOut]


class FlattrLine(Told):
    """One flattred thing of a month."""

    thing: int
    url: str
    title: str
    counts: bool
    share_msat: Msat = Field(description="What it takes from the pot, commission included.")
    why_not: str | None = None


class MonthOut(Told):
    """A reader's month: an estimate while `closed` is false, then the receipt."""

    month: str
    closed: bool
    seconds_left: int
    pot_msat: Msat
    flattrs: int = Field(description="How many count.")
    share_msat: Msat = Field(description="What each counted thing gets, commission included.")
    share_with_one_more_msat: Msat | None = Field(description="The same after one more flattr.")
    commission_per_share_msat: Msat
    carry_msat: Msat = Field(description="What can't be split equally; it stays yours.")
    digest: str | None = Field(description="Names the result of the whole month.")
    things: list[FlattrLine]
    next: str | None = None


class MonthPageQuery(Asked):
    """Which piece of the list of things."""

    after: ThingQuery | None = None
    limit: Limit = PAGE_DEFAULT


class EarningLine(Told):
    """What one thing brought its creator."""

    thing: int
    url: str
    title: str
    flattrs: int
    earned_msat: Msat


class EarningsOut(Told):
    """What a creator's things brought in a closed month, without the commission."""

    month: str
    earned_msat: Msat
    digest: str | None
    things: list[EarningLine]


class PublicNodeOut(Told):
    """What this node is, for everybody."""

    name: str
    network: str
    month: str
    commission_bps: int
    dues_msat: Msat
    payout_min_msat: Msat
    lightning: str = Field(
        description="SIMULATED, or the version of LND.", examples=["lnd 0.21.1-beta"]
    )
    simulated: bool
    real_money: bool


class ClosedMonthOut(Told):
    """The totals of a closed month."""

    month: str
    pots_msat: Msat
    distributed_msat: Msat
    commission_msat: Msat
    carried_msat: Msat
    readers: int
    creators: int
    flattrs: int
    digest: str | None
    closed_s: TimeS


class ClosedMonthsOut(Page):
    """Closed months, newest first."""

    items: list[ClosedMonthOut]


class PublicThingOut(Told):
    """What everybody may know of a thing."""

    id: int
    url: str
    title: str
    claimed: bool
    flattrs: int = Field(description="In all months.")
    waiting: int = Field(description="Flattrs of the last months that wait for an owner.")


class CountOut(Told):
    """How often a thing was flattred, in all months and in this one."""

    thing: int
    flattrs: int
    flattrs_this_month: int
    network: str


class MostFlattredQuery(Asked):
    """Which month; this one if left out."""

    month: MonthText | None = None
    limit: Limit = 20


class MostFlattredLine(Told):
    """One thing of the list."""

    thing: int
    url: str
    title: str
    flattrs: int


class MostFlattredOut(Told):
    """The things with the most flattrs in a month."""

    month: str
    items: list[MostFlattredLine]
