"""The tables of the operator: ways to sign in, months that were approved, the log of what was done.

    operator_link, operator_passkey ▶ operator_session        ways in
    operator_challenge                                        what a passkey is asked to sign, once
    close_approval                                            months that may be closed
    audit_result                                              what the last audit said
    operator_log ── operator_log_head                         append-only, hash-chained

Only hashes of links, sessions and challenges are here. Triggers (`dialect.py`) keep the log from
being changed or deleted.
"""

from __future__ import annotations

from typing import Any, ClassVar

from sqlalchemy import CheckConstraint
from sqlmodel import Field, SQLModel

from node.store.tables import big, key


class OperatorLinkRow(SQLModel, table=True):
    """A link that signs the operator in once."""

    __tablename__: ClassVar[Any] = "operator_link"
    hash: str = key()
    created_us: int = big()
    expires_us: int = big()
    used_us: int | None = big()


class OperatorPasskeyRow(SQLModel, table=True):
    """A passkey of the operator. `signs`: the authenticator's own count when it last signed."""

    __tablename__: ClassVar[Any] = "operator_passkey"
    id: str = key()
    name: str
    public_key: bytes
    signs: int = big()
    created_us: int = big()
    used_us: int | None = big()
    ended_us: int | None = big()


class OperatorSessionRow(SQLModel, table=True):
    """A browser that the operator has signed in with. No passkey: by a one-time link."""

    __tablename__: ClassVar[Any] = "operator_session"
    hash: str = key()
    id: str = Field(unique=True)
    passkey: str | None = Field(default=None, foreign_key="operator_passkey.id")
    agent: str
    created_us: int = big()
    seen_us: int = big()
    ended_us: int | None = big()


class OperatorChallengeRow(SQLModel, table=True):
    """Something to sign. `purpose`: what it is good for; `bound`: which browser or session."""

    __tablename__: ClassVar[Any] = "operator_challenge"
    hash: str = key()
    purpose: str
    bound: str
    expires_us: int = big()


class CloseApprovalRow(SQLModel, table=True):
    """The operator's word that a month may be closed."""

    __tablename__: ClassVar[Any] = "close_approval"
    month: int = key()
    asset: str = key()
    actor: str
    at_us: int = big()


class AuditResultRow(SQLModel, table=True):
    """What the last audit said: one row."""

    __tablename__: ClassVar[Any] = "audit_result"
    __table_args__ = (CheckConstraint("id = 1"),)
    id: int = key()
    at_us: int = big()
    result: str
    words: str


class OperatorLogRow(SQLModel, table=True):
    """One thing that was done, in a chain of hashes."""

    __tablename__: ClassVar[Any] = "operator_log"
    number: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    at_us: int = big()
    actor: str
    act: str
    subject: str
    words: str
    before: str
    hash: str = Field(unique=True)


class OperatorLogHeadRow(SQLModel, table=True):
    """The end of the log's chain: one row."""

    __tablename__: ClassVar[Any] = "operator_log_head"
    __table_args__ = (CheckConstraint("id = 1"),)
    id: int = key()
    number: int
    hash: str
