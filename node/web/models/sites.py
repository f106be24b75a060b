"""Whole sites that a member claims, the places of a proof, and what was seen there."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from node.web.models.base import Asked, TimeS, Told, UrlText


class SiteIn(Asked):
    """A site: its host, or the URL of its home page."""

    site: UrlText = Field(examples=["blog.example"])


class PlaceOut(Told):
    """Where a proof may be put. One of them is enough."""

    method: Literal["file", "meta", "dns", "nip05"]
    place: str = Field(examples=["https://blog.example/.well-known/flattr-node.txt"])
    text: str | None = Field(
        description="What to put there; null: link a Nostr key first.",
        examples=["flattr-node=alice:0f3e…"],
    )


class SeenOut(Told):
    """What was seen at one place just now."""

    method: Literal["file", "meta", "dns", "nip05"]
    place: str
    saw: Literal["found", "anothers", "nothing", "no-answer"]
    words: str = Field(examples=["blog.example:443 answered with status 404"])


class SiteOut(Told):
    """A claim of a site, and where it can be proved."""

    id: int
    site: str = Field(examples=["blog.example"])
    state: Literal["asked", "waiting", "mine"]
    mine_from_s: TimeS | None = Field(
        description="While waiting: when it may become yours. When it is yours: since when."
    )
    things: int = Field(description="How many things of the site there are here.")
    things_mine: int
    waiting: int = Field(description="Flattrs of the last months on things that nobody owns.")
    places: list[PlaceOut]


class SitesOut(Told):
    """A member's claims, by site."""

    items: list[SiteOut]


class SiteCheckOut(Told):
    """What a look came to."""

    site: SiteOut
    outcome: Literal[
        "not-found", "taken", "still-mine", "mine-unproved", "holder-stands", "holder-unknown",
        "waits",
    ]  # fmt: skip
    words: str
    given: int = Field(description="How many things have become yours by it.")
    seen: list[SeenOut]
