"""The tables of the money: ledger, closes, payouts, and who may work on them.

    account ── posting ── entry ── chain        balances, transfers, events, heads of the chains
    deposit ── used_hash ── attempt ── leg ── payout
    close ── close_part, tranche                what a month came to
    lease, breaker, cursor, request_key         who works, what is stopped, where reading is

What can be a constraint is one: balances that can't be negative, one live attempt per payout, a
payment hash used once over attempts and own invoices. Triggers (`dialect.py`) move the balances
with the postings and keep entries and postings from being changed or deleted.
"""

from __future__ import annotations

from typing import Any, ClassVar

from sqlalchemy import BigInteger, CheckConstraint, Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from node.store.tables import big, key


class AccountRow(SQLModel, table=True):
    """An account and its balance, which only the triggers on `posting` change."""

    __tablename__: ClassVar[Any] = "account"
    __table_args__ = (
        CheckConstraint("balance >= 0", name="balance_not_negative"),
        CheckConstraint("side IN (1, -1)"),
        UniqueConstraint("asset", "name"),
        Index("account_of_month", "kind", "month", "asset", "member"),
    )
    id: int | None = Field(default=None, primary_key=True)
    asset: str
    kind: str
    name: str
    member: int | None = None
    month: int | None = None
    side: int
    balance: int = big(default=0)


class EntryRow(SQLModel, table=True):
    """One event, in the chain of its asset."""

    __tablename__: ClassVar[Any] = "entry"
    __table_args__ = (UniqueConstraint("asset", "seq"), UniqueConstraint("number"))
    id: str = key()
    number: int = big()
    asset: str
    seq: int = big()
    kind: str
    ref: str
    month: int | None = None
    at_us: int = big()
    digest: str
    before: str
    hash: str = Field(unique=True)


class PostingRow(SQLModel, table=True):
    """One transfer of an entry: `units` from the books of one account to another's."""

    __tablename__: ClassVar[Any] = "posting"
    __table_args__ = (
        CheckConstraint("units > 0"),
        CheckConstraint("debit <> credit"),
        {"sqlite_with_rowid": False},
    )
    entry: int = Field(primary_key=True, foreign_key="entry.number", sa_type=BigInteger)
    line: int = key()
    debit: int = Field(foreign_key="account.id")
    credit: int = Field(foreign_key="account.id")
    units: int = big()


class ChainRow(SQLModel, table=True):
    """The head of an asset's chain. Its row is what writers of the ledger queue for."""

    __tablename__: ClassVar[Any] = "chain"
    asset: str = key()
    seq: int = big()
    head: str


class UsedHashRow(SQLModel, table=True):
    """Payment hashes that an attempt or an own invoice has: each once."""

    __tablename__: ClassVar[Any] = "used_hash"
    hash: str = key()
    used_by: str


class DepositRow(SQLModel, table=True):
    """An invoice that a member asked for. `pot`: whether it goes into the month's pot."""

    __tablename__: ClassVar[Any] = "deposit"
    __table_args__ = (Index("deposit_open", "state", "created_us"), Index("deposit_by", "member"))
    id: str = key()
    payment_hash: str = Field(unique=True)
    member: int = Field(foreign_key="member.id")
    units: int = big()
    to_pot: bool
    payment_request: str | None = None
    state: str
    created_us: int = big()
    expires_s: int = big()
    paid_units: int | None = big()
    settled_s: int | None = big()


class CloseRow(SQLModel, table=True):
    """A month's close: how far it is, and what it came to in its asset."""

    __tablename__: ClassVar[Any] = "close"
    month: int = key()
    asset: str = key()
    stage: str
    frozen_us: int = big()
    commission_bps: int
    dues_units: int = big()
    pots: int = big(default=0)
    distributed: int = big(default=0)
    commission: int = big(default=0)
    carried: int = big(default=0)
    readers: int = big(default=0)
    flattrs: int = big(default=0)
    creators: int = big(default=0)
    digest: str | None = None


class ClosePartRow(SQLModel, table=True):
    """A packed part of a close: arrays of little-endian 64-bit numbers (see `store/closes.py`)."""

    __tablename__: ClassVar[Any] = "close_part"
    month: int = key()
    asset: str = key()
    kind: str = key()
    first: int = key()
    last: int
    rows: bytes


class TrancheRow(SQLModel, table=True):
    """What one creator has held from one month, until released or returned."""

    __tablename__: ClassVar[Any] = "tranche"
    __table_args__ = (CheckConstraint("units_left >= 0"),)
    member: int = key()
    asset: str = key()
    month: int = key()
    units: int = big()
    units_left: int = big()
    since_s: int = big()


class PayoutRow(SQLModel, table=True):
    """What one receiver is due, once."""

    __tablename__: ClassVar[Any] = "payout"
    __table_args__ = (
        CheckConstraint("units > 0"),
        Index("payout_of_member", "member"),
        Index("payout_open", "state", "next_try_s", sqlite_where=text("state <> 'paid'"),
              postgresql_where=text("state <> 'paid'")),
    )  # fmt: skip
    id: str = key()
    kind: str
    member: int
    asset: str
    month: int | None = None
    units: int = big()
    fee_limit: int = big()
    target: str | None = None
    state: str
    reason: str | None = None
    tries: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    next_try_s: int = big(default=0)
    created_us: int = big()
    paid_us: int | None = big()
    fee: int | None = big()
    proof: str | None = None


class AttemptRow(SQLModel, table=True):
    """One try to pay, stored before anything is sent."""

    __tablename__: ClassVar[Any] = "attempt"
    __table_args__ = (UniqueConstraint("rail", "number"), Index("attempt_state", "state"))
    id: str = key()
    rail: str
    number: int = big()
    state: str
    reference: str = Field(unique=True)
    message: str
    asset: str
    units: int = big()
    fee_limit: int = big()
    expires_s: int | None = big()
    sender: str
    seen: bool = Field(sa_column_kwargs={"server_default": text("false")})
    epoch: int = big()
    created_us: int = big()
    sent_s: int | None = big()
    proof: str | None = None
    fee: int | None = big()
    reason: str | None = None


class LegRow(SQLModel, table=True):
    """One payout in one attempt. At most one leg of a payout is not dead: that is the guarantee."""

    __tablename__: ClassVar[Any] = "leg"
    __table_args__ = (
        Index("one_live", "payout", unique=True, sqlite_where=text("NOT dead"),
              postgresql_where=text("NOT dead")),
    )  # fmt: skip
    attempt: str = Field(primary_key=True, foreign_key="attempt.id")
    payout: str = Field(primary_key=True, foreign_key="payout.id")
    dead: bool = Field(sa_column_kwargs={"server_default": text("false")})


class LeaseRow(SQLModel, table=True):
    """Who works on something alone, for example pays on a rail. `epoch` grows with each holder."""

    __tablename__: ClassVar[Any] = "lease"
    name: str = key()
    holder: str
    epoch: int = big()
    until_us: int = big()


class BreakerRow(SQLModel, table=True):
    """A rail that must not send. Drained by the operator, or opened by a breach of the books."""

    __tablename__: ClassVar[Any] = "breaker"
    name: str = key()
    reason: str
    since_us: int = big()


class CursorRow(SQLModel, table=True):
    """How far a stream was read, for example LND's settle_index."""

    __tablename__: ClassVar[Any] = "cursor"
    name: str = key()
    value: int = big()


class RequestKeyRow(SQLModel, table=True):
    """An Idempotency-Key, what it was used for, and what was answered."""

    __tablename__: ClassVar[Any] = "request_key"
    member: int = key()
    key: str = key()
    body: str
    status: int
    answer: str
    created_us: int = big()
