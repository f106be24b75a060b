"""The tables of the chain's money: whose address is whose, and what the vault's events said.

    link_challenge ▶ chain_address ── member      an address, linked by its signature
    chain_block ── chain_event                     what was read, and where

An event is `pending` while its block may be taken back, `seen` once it is final, `credited` when it
is in the books, `refused` when it is too large to be true. One that is seen waits for its address
to be linked. Its id is the id of the ledger entry that books it.

Addresses are in their checksummed spelling (EIP-55), hashes in lower case.
"""

from __future__ import annotations

from typing import Any, ClassVar

from sqlalchemy import CheckConstraint, Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from node.store.tables import big, key


class ChainAddressRow(SQLModel, table=True):
    """A member's address on a chain. `pot_units`: the vault's pot, as far as it was read."""

    __tablename__: ClassVar[Any] = "chain_address"
    __table_args__ = (UniqueConstraint("chain_id", "member"), CheckConstraint("pot_units >= 0"))
    chain_id: int = big(primary_key=True)
    address: str = key()
    member: int = Field(foreign_key="member.id")
    linked_us: int = big()
    pot_units: int = big(default=0)


class LinkChallengeRow(SQLModel, table=True):
    """A text that waits for a member's signature. Only the hash of its nonce is here."""

    __tablename__: ClassVar[Any] = "link_challenge"
    __table_args__ = (Index("challenge_of_member", "member"),)
    nonce_hash: str = key()
    member: int = Field(foreign_key="member.id")
    expires_us: int = big()


class ChainEventRow(SQLModel, table=True):
    """One event of the vault about one member's account."""

    __tablename__: ClassVar[Any] = "chain_event"
    __table_args__ = (
        UniqueConstraint("chain_id", "tx_hash", "log_index"),
        CheckConstraint("units >= 0"),
        CheckConstraint("state IN ('pending', 'seen', 'credited', 'refused')"),
        Index("chain_event_of_address", "chain_id", "address", "block_number"),
        Index("chain_event_in_state", "chain_id", "state", "block_number"),
    )
    id: str = key()
    chain_id: int = big()
    tx_hash: str
    log_index: int
    block_number: int = big()
    block_hash: str
    time_s: int = big()
    kind: str
    address: str
    units: int = big()
    state: str


class ChainBlockRow(SQLModel, table=True):
    """A block up to which the events were read: where a common ancestor is looked for."""

    __tablename__: ClassVar[Any] = "chain_block"
    chain_id: int = big(primary_key=True)
    number: int = big(primary_key=True)
    hash: str
    time_s: int = big()
