"""Invoices that members asked for, and payment hashes, each of which is used once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row

from node.errors import Conflict
from node.ids import MemberId, PaymentHash
from node.store.engine import NEWEST, OLDEST, Tx


@dataclass(frozen=True, slots=True)
class Deposit:
    """An invoice for a member. `state`: open, settled, or expired (which may still be settled)."""

    id: str
    payment_hash: PaymentHash
    member: MemberId
    units: int
    to_pot: bool
    payment_request: str | None
    state: str
    created_us: int
    expires_s: int
    paid_units: int | None
    settled_s: int | None


async def use_hash(tx: Tx, payment_hash: str, used_by: str) -> None:
    """Mark a payment hash as used. Raises Conflict if anything has used it before."""
    if not await use_hash_first(tx, payment_hash, used_by):
        raise Conflict(f"the payment hash {payment_hash} was used before")


async def use_hash_first(tx: Tx, payment_hash: str, used_by: str) -> bool:
    """Mark a payment hash as used; False if anything has used it before."""
    made = await tx.run(
        "INSERT INTO used_hash (hash, used_by) VALUES (:hash, :used_by) ON CONFLICT DO NOTHING",
        hash=payment_hash, used_by=used_by,
    )  # fmt: skip
    return made == 1


async def add(tx: Tx, deposit: Deposit) -> None:
    """Store a deposit before its invoice is made. Raises Conflict for a used hash."""
    await use_hash(tx, deposit.payment_hash, f"deposit:{deposit.id}")
    await tx.run(
        "INSERT INTO deposit (id, payment_hash, member, units, to_pot, state, created_us,"
        " expires_s) VALUES (:id, :hash, :member, :units, :to_pot, 'open', :created_us,"
        " :expires_s)",
        id=deposit.id, hash=deposit.payment_hash, member=deposit.member, units=deposit.units,
        to_pot=deposit.to_pot, created_us=deposit.created_us, expires_s=deposit.expires_s,
    )  # fmt: skip


async def set_request(tx: Tx, deposit: str, payment_request: str, at_s: int) -> None:
    """The invoice that was made for it, unless its hour is over, or it was ended meanwhile."""
    await tx.run(
        "UPDATE deposit SET payment_request = :request WHERE id = :id AND state = 'open'"
        " AND expires_s > :at_s",
        request=payment_request, id=deposit, at_s=at_s,
    )  # fmt: skip


async def get(tx: Tx, deposit: str) -> Deposit | None:
    """The deposit with this id."""
    return _deposit(await tx.row("SELECT * FROM deposit WHERE id = :id", id=deposit))


async def by_hash(tx: Tx, payment_hash: str) -> Deposit | None:
    """The deposit with this payment hash; None for a foreign invoice."""
    sql = "SELECT * FROM deposit WHERE payment_hash = :hash" + tx.for_update
    return _deposit(await tx.row(sql, hash=payment_hash))


async def settle(tx: Tx, deposit: str, paid_units: int, settled_s: int) -> bool:
    """Mark it paid; False if it was already."""
    sql = (
        "UPDATE deposit SET state = 'settled', paid_units = :paid, settled_s = :settled_s"
        " WHERE id = :id AND state <> 'settled'"
    )
    return await tx.run(sql, id=deposit, paid=paid_units, settled_s=settled_s) == 1


async def expire(tx: Tx, deposit: str, at_s: int) -> None:
    """Stop looking for it often: its hour is over, or nobody was shown an invoice, nor will be."""
    await tx.run(
        "UPDATE deposit SET state = 'expired' WHERE id = :id AND state = 'open'"
        " AND (payment_request IS NULL OR expires_s < :at_s)",
        id=deposit, at_s=at_s,
    )  # fmt: skip


async def open_ones(tx: Tx, limit: int, after: tuple[int, str] = OLDEST) -> list[Deposit]:
    """Deposits that may be paid yet, oldest first; those after (created_us, id) of the last."""
    rows = await tx.rows(
        "SELECT * FROM deposit WHERE state = 'open' AND (created_us > :us"
        " OR (created_us = :us AND id > :id)) ORDER BY created_us, id LIMIT :limit",
        limit=limit, us=after[0], id=after[1],
    )  # fmt: skip
    found = [_deposit(row) for row in rows]
    return [deposit for deposit in found if deposit]


async def of_member(
    tx: Tx, member: MemberId, limit: int, after: tuple[int, str] = NEWEST
) -> list[Deposit]:
    """A member's deposits, newest first; those after (created_us, id) of the last one seen."""
    rows = await tx.rows(
        "SELECT * FROM deposit WHERE member = :member AND (created_us < :us"
        " OR (created_us = :us AND id > :id)) ORDER BY created_us DESC, id LIMIT :limit",
        member=member, limit=limit, us=after[0], id=after[1],
    )  # fmt: skip
    found = [_deposit(row) for row in rows]
    return [deposit for deposit in found if deposit]


def _deposit(row: Row[Any] | None) -> Deposit | None:
    if row is None:
        return None
    return Deposit(
        row.id, PaymentHash(row.payment_hash), MemberId(row.member), row.units, bool(row.to_pot),
        row.payment_request, row.state, row.created_us, row.expires_s, row.paid_units,
        row.settled_s,
    )  # fmt: skip
