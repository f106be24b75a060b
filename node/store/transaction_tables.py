"""The tables of what the node's key has signed: calls, and their signatures.

    chain_transaction ── signed_transaction        one call ── one or more signatures of one nonce

A nonce is one call's: the unique index lets no second call have it. A call that was displaced gives
its nonce up, for another's transaction has it; its signatures stay, as a record.
"""

from __future__ import annotations

from typing import Any, ClassVar

from sqlalchemy import CheckConstraint, Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from node.store.tables import big, key


class ChainTransactionRow(SQLModel, table=True):
    """One call that must happen once, known by its purpose."""

    __tablename__: ClassVar[Any] = "chain_transaction"
    __table_args__ = (
        UniqueConstraint("sender", "nonce"),
        CheckConstraint("nonce IS NOT NULL OR state IN ('due', 'done')"),
        Index("transaction_open", "sender", "state"),
    )
    purpose: str = key()
    sender: str
    recipient: str
    calldata: bytes
    state: str
    nonce: int | None = big()
    reason: str | None = None
    tx_hash: str | None = None
    block_number: int | None = big()
    block_hash: str | None = None
    cost_wei: int | None = big()
    created_us: int = big()


class SignedTransactionRow(SQLModel, table=True):
    """A signature: what is broadcast, byte by byte. Never changed."""

    __tablename__: ClassVar[Any] = "signed_transaction"
    __table_args__ = (Index("signed_for", "purpose"),)
    tx_hash: str = key()
    purpose: str = Field(foreign_key="chain_transaction.purpose")
    nonce: int = big()
    raw: bytes
    gas: int = big()
    tip_wei: int = big()
    cap_wei: int = big()
    signed_us: int = big()
