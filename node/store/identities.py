"""Wallets by which members sign in. One wallet is one member's: the primary key says so."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from sqlalchemy import Row

from node.ids import MemberId
from node.store.engine import Tx

Kind: TypeAlias = Literal["lightning", "ethereum", "nostr"]


@dataclass(frozen=True, slots=True)
class Identity:
    """A member's wallet.

    `key` is what it signs with. lightning: the linking key, 66 hex digits (LUD-04). ethereum: an
    address with its checksum, or `eip155:<chain id>:<address>` of a contract wallet. nostr: the
    public key, 64 hex digits.
    """

    id: str
    kind: Kind
    key: str
    member: MemberId
    created_us: int
    used_us: int


async def add(tx: Tx, identity: Identity) -> bool:
    """Store an identity; False if it is somebody's already."""
    made = await tx.run(
        "INSERT INTO identity (kind, key, id, member, created_us, used_us)"
        " VALUES (:kind, :key, :id, :member, :created_us, :used_us) ON CONFLICT DO NOTHING",
        kind=identity.kind, key=identity.key, id=identity.id, member=identity.member,
        created_us=identity.created_us, used_us=identity.used_us,
    )  # fmt: skip
    return made == 1


async def find(tx: Tx, kind: Kind, key: str) -> Identity | None:
    """Whose wallet this is."""
    row = await tx.row("SELECT * FROM identity WHERE kind = :kind AND key = :key",
                       kind=kind, key=key)  # fmt: skip
    return _identity(row) if row else None


async def of_member(tx: Tx, member: MemberId) -> list[Identity]:
    """A member's identities, oldest first; in a write transaction nobody else changes them."""
    sql = "SELECT * FROM identity WHERE member = :member ORDER BY created_us, id"
    return [_identity(row) for row in await tx.rows(sql + tx.for_update, member=member)]


async def count(tx: Tx, member: MemberId) -> int:
    """How many a member has."""
    return int(await tx.value("SELECT count(*) FROM identity WHERE member = :m", m=member))


async def used(tx: Tx, identity: str, now_us: int) -> None:
    """An identity signed in now."""
    await tx.run("UPDATE identity SET used_us = :now_us WHERE id = :id", now_us=now_us,
                 id=identity)  # fmt: skip


async def remove(tx: Tx, member: MemberId, identity: str) -> bool:
    """Forget one of the member's identities; False if there is none with this id."""
    sql = "DELETE FROM identity WHERE member = :member AND id = :id"
    return await tx.run(sql, member=member, id=identity) == 1


def _identity(row: Row[Any]) -> Identity:
    return Identity(row.id, row.kind, row.key, MemberId(row.member), row.created_us, row.used_us)
