"""Things, flattrs, subscriptions, and what is public of them and of the node."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from node.web.models.base import (
    Asked,
    Limit,
    MonthText,
    Msat,
    Page,
    ThingNumber,
    ThingQuery,
    Told,
    Units,
    UrlQuery,
    UrlText,
)
from node.web.models.sites import PlaceOut, SeenOut


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
    """What a claim saw at each place, and what to put there if it was nowhere."""

    thing: ThingOut
    claimed: bool
    proved_by: str | None
    seen: list[SeenOut]
    line: str
    places: list[PlaceOut]


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


class StablecoinOut(Told):
    """The second rail: the vault, its chain, and the rules of the asset."""

    network: str = Field(description="The chain's name.", examples=["base-sepolia"])
    chain_id: int
    vault: str
    token: str
    operator: str = Field(description="The address of the node's key.")
    treasury: str = Field(description="Where the vault pays the commission.")
    dues_units: Units
    payout_min_units: Units


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
    stablecoin: StablecoinOut | None = Field(
        default=None, description="Null: this node pays over Lightning alone."
    )


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

    thing: int | None = Field(description="Null: nobody has flattred or added it yet.")
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


class MostOfWeekQuery(Asked):
    """How many."""

    limit: Limit = 20


class MostOfWeekOut(Told):
    """The things with the most flattrs of the last seven days."""

    items: list[MostFlattredLine]
