"""The table that ties a calendar month to a month of the vault, and says how far it is there."""

from __future__ import annotations

from typing import Any, ClassVar

from sqlalchemy import CheckConstraint, UniqueConstraint
from sqlmodel import SQLModel

from node.store.tables import big, key


class VaultMonthRow(SQLModel, table=True):
    """One month on a vault. `number` is the vault's own count; it is given once."""

    __tablename__: ClassVar[Any] = "vault_month"
    __table_args__ = (
        UniqueConstraint("chain_id", "vault", "number"),
        CheckConstraint("gross >= 0"),
    )
    month: int = key()
    chain_id: int = big()
    vault: str
    number: int
    gross: int | None = big()
    data_hash: str | None = None
    paid_us: int | None = big()
