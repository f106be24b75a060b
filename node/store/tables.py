"""The tables of members, things and flattrs; those of the money are in `money_tables.py`.

Each is declared once, for both databases.

    member ─┬─ token, target, means, notice          who, and how they are paid
            ├─ thing ── subscription                 what can be flattred
            ├─ flattr_inbox ▶ flattr_month           clicks as they come ▶ one packed row per month
            └─ click_key, thing_count                keys that were used, counters

Months are ordinals (`Month.ordinal`); times are microseconds or seconds since 1970, as the column's
name says; `units` are base units of the row's asset.
"""

from __future__ import annotations

from typing import Any, ClassVar

from sqlalchemy import BigInteger, CheckConstraint, Index, Integer, UniqueConstraint, text
from sqlmodel import Field, SQLModel

_ROW_ID = BigInteger().with_variant(Integer(), "sqlite")
"""64 bits in both; SQLite numbers rows by itself only in a column called INTEGER."""


def big(*, default: int | None = None, primary_key: bool = False) -> Any:
    """A 64-bit column."""
    column = {"server_default": str(default)} if default is not None else {}
    return Field(sa_type=BigInteger, primary_key=primary_key, sa_column_kwargs=column)


def key() -> Any:
    """Part of a primary key, given by us and never by the database."""
    return Field(primary_key=True, sa_column_kwargs={"autoincrement": False})


class MemberRow(SQLModel, table=True):
    """Someone with an account: a reader, a creator, or both."""

    __tablename__: ClassVar[Any] = "member"
    __table_args__ = (
        Index("member_shown", "id", sqlite_where=text("shows_flattrs"),
              postgresql_where=text("shows_flattrs")),
    )  # fmt: skip
    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(unique=True)
    created_us: int = big()
    suspended_us: int | None = big()
    dues_from_earnings: bool = Field(sa_column_kwargs={"server_default": text("true")})
    shows_flattrs: bool = Field(sa_column_kwargs={"server_default": text("false")})
    closed_us: int | None = big()


class TokenRow(SQLModel, table=True):
    """An API token. Only its hash is here."""

    __tablename__: ClassVar[Any] = "token"
    __table_args__ = (Index("token_of_member", "member"),)
    hash: str = key()
    id: str = Field(unique=True)
    member: int = Field(foreign_key="member.id")
    label: str
    scopes: str
    created_us: int = big()
    expires_us: int = big()
    revoked_us: int | None = big()


class TargetRow(SQLModel, table=True):
    """Where a member is paid. The row without `replaced_us` is the one that counts."""

    __tablename__: ClassVar[Any] = "target"
    __table_args__ = (
        Index("one_target", "member", "asset", unique=True,
              sqlite_where=text("replaced_us IS NULL"),
              postgresql_where=text("replaced_us IS NULL")),
    )  # fmt: skip
    id: int | None = Field(default=None, primary_key=True)
    member: int = Field(foreign_key="member.id")
    asset: str
    text: str
    fingerprint: str
    set_us: int = big()
    active_us: int = big()
    replaced_us: int | None = big()


class MeansRow(SQLModel, table=True):
    """The standing amount that fills a member's pot each month."""

    __tablename__: ClassVar[Any] = "means"
    __table_args__ = (CheckConstraint("units >= 0"),)
    member: int = Field(primary_key=True, foreign_key="member.id")
    asset: str = key()
    units: int = big()


class NoticeRow(SQLModel, table=True):
    """Something that a member should know; told once for each (member, kind, ref)."""

    __tablename__: ClassVar[Any] = "notice"
    member: int = Field(primary_key=True, foreign_key="member.id")
    kind: str = key()
    ref: str = key()
    words: str
    created_us: int = big()


class ThingRow(SQLModel, table=True):
    """What can be flattred, known by its canonical URL."""

    __tablename__: ClassVar[Any] = "thing"
    __table_args__ = (Index("thing_of_owner", "owner"), Index("thing_of_site", "site"))
    id: int | None = Field(default=None, primary_key=True)
    url: str = Field(unique=True)
    site: str = Field(sa_column_kwargs={"server_default": ""})
    """The host of the URL, with its port if that is no plain one."""
    title: str
    owner: int | None = Field(default=None, foreign_key="member.id")
    claimed_us: int | None = big()
    created_us: int = big()
    released_us: int | None = big()
    """When its last owner left. What was flattred before a cutoff that the owner saw is paid."""


class SubscriptionRow(SQLModel, table=True):
    """A flattr that repeats for 3, 6 or 12 months."""

    __tablename__: ClassVar[Any] = "subscription"
    __table_args__ = (
        CheckConstraint("months IN (3, 6, 12)"),
        UniqueConstraint("member", "thing", "first_month"),
    )
    id: int | None = Field(default=None, primary_key=True)
    member: int = Field(foreign_key="member.id")
    thing: int = Field(foreign_key="thing.id")
    first_month: int
    months: int
    created_us: int = big()
    ended_us: int | None = big()


class FlattrInboxRow(SQLModel, table=True):
    """A group of clicks as they came, packed (`inbox.py`). No index: writing is all."""

    __tablename__: ClassVar[Any] = "flattr_inbox"
    id: int | None = Field(default=None, primary_key=True, sa_type=_ROW_ID)
    month: int
    at_us: int = big()
    clicks: bytes
    keys: bytes | None = None


class FlattrMonthRow(SQLModel, table=True):
    """One member's month: sorted 32-bit thing ids that stand, and those that were undone."""

    __tablename__: ClassVar[Any] = "flattr_month"
    __table_args__ = ({"sqlite_with_rowid": False},)
    month: int = key()
    member: int = key()
    things: bytes
    undone: bytes


class ClickKeyRow(SQLModel, table=True):
    """Idempotency-Keys of folded clicks, and what was asked with them: hashes, in hex."""

    __tablename__: ClassVar[Any] = "click_key"
    __table_args__ = ({"sqlite_with_rowid": False},)
    member: int = key()
    request: str = key()
    body: str
    at_us: int = big()


class ThingCountRow(SQLModel, table=True):
    """How many members have flattred a thing in a month."""

    __tablename__: ClassVar[Any] = "thing_count"
    __table_args__ = (CheckConstraint("flattrs >= 0"), {"sqlite_with_rowid": False})
    thing: int = key()
    month: int = key()
    flattrs: int
