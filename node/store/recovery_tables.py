"""The tables of bad days: rails that wait after a restore, and payments that people prove dead."""

from __future__ import annotations

from typing import Any, ClassVar

from sqlmodel import Field, SQLModel

from node.store.tables import big, key


class QuarantineRow(SQLModel, table=True):
    """A rail on which nothing is sent until `reconcile` has compared it with a restored database.

    Besides `breaker`, because nobody may lift this one by hand.
    """

    __tablename__: ClassVar[Any] = "quarantine"
    rail: str = key()
    words: str
    since_us: int = big()


class LimboApprovalRow(SQLModel, table=True):
    """One person's word that a payment in LIMBO is dead, and what was seen when it was given."""

    __tablename__: ClassVar[Any] = "limbo_approval"
    attempt: str = Field(primary_key=True, foreign_key="attempt.id")
    actor: str = key()
    proof: str
    hash: str
    at_us: int = big()
