"""The tables of whole sites that members claim, and of what was flattred day by day.

    site_claim     asked ▶ seen ▶ held ▶ ended     one member and one site; only one holds it
    thing_day      the last days' counters, for the most flattred of the week

`site` is a host, with its port if that is no plain one, as in `thing.site`.
"""

from __future__ import annotations

from typing import Any, ClassVar

from sqlalchemy import Index, text
from sqlmodel import Field, SQLModel

from node.store.tables import big, key

_HELD = "held_us IS NOT NULL AND ended_us IS NULL"


class SiteClaimRow(SQLModel, table=True):
    """A member's claim of a site. `seen_us`: since when its proof was seen at each look."""

    __tablename__: ClassVar[Any] = "site_claim"
    __table_args__ = (
        Index("one_holder", "site", unique=True,
              sqlite_where=text(_HELD), postgresql_where=text(_HELD)),
        Index("one_claim", "member", "site", unique=True,
              sqlite_where=text("ended_us IS NULL"), postgresql_where=text("ended_us IS NULL")),
    )  # fmt: skip
    id: int | None = Field(default=None, primary_key=True)
    site: str
    member: int = Field(foreign_key="member.id")
    asked_us: int = big()
    seen_us: int | None = big()
    method: str | None = None
    held_us: int | None = big()
    ended_us: int | None = big()


class ThingDayRow(SQLModel, table=True):
    """By how many flattrs a thing's counter changed on a day; undone ones can make it negative."""

    __tablename__: ClassVar[Any] = "thing_day"
    __table_args__ = ({"sqlite_with_rowid": False},)
    day: int = key()
    thing: int = key()
    flattrs: int
