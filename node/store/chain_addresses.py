"""Linked addresses, and the challenges by which they are linked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Row

from node.ids import MemberId
from node.money import Asset
from node.month import Month
from node.store.engine import Tx

_POT_BEFORE: Final = (
    "coalesce((SELECT units FROM chain_event WHERE chain_event.chain_id = chain_address.chain_id"
    " AND chain_event.address = chain_address.address AND kind = 'pot_set' AND state <> 'pending'"
    " AND time_s < :until_s ORDER BY block_number DESC, log_index DESC LIMIT 1), 0)"
)


@dataclass(frozen=True, slots=True)
class LinkedAddress:
    """A member's address. `pot_units`: what the vault may take a month, as far as it was read."""

    chain_id: int
    address: str
    member: MemberId
    linked_us: int
    pot_units: int


async def link(tx: Tx, linked: LinkedAddress) -> bool:
    """Link an address; False if it, or the member, is linked already."""
    made = await tx.run(
        "INSERT INTO chain_address (chain_id, address, member, linked_us, pot_units)"
        " VALUES (:chain_id, :address, :member, :linked_us, :pot) ON CONFLICT DO NOTHING",
        chain_id=linked.chain_id, address=linked.address, member=linked.member,
        linked_us=linked.linked_us, pot=linked.pot_units,
    )  # fmt: skip
    return made == 1


async def unlink(tx: Tx, chain_id: int, member: MemberId) -> None:
    """Forget a member's address."""
    await tx.run(
        "DELETE FROM chain_address WHERE chain_id = :chain_id AND member = :member",
        chain_id=chain_id, member=member,
    )  # fmt: skip


async def of_member(tx: Tx, chain_id: int, member: MemberId) -> LinkedAddress | None:
    """The address that a member has linked."""
    return _linked(
        await tx.row(
            "SELECT * FROM chain_address WHERE chain_id = :chain_id AND member = :member",
            chain_id=chain_id, member=member,
        )
    )  # fmt: skip


async def of_address(tx: Tx, chain_id: int, address: str) -> LinkedAddress | None:
    """Whose address this is."""
    return _linked(
        await tx.row(
            "SELECT * FROM chain_address WHERE chain_id = :chain_id AND address = :address",
            chain_id=chain_id, address=address,
        )
    )  # fmt: skip


async def all_of(tx: Tx, chain_id: int) -> dict[str, LinkedAddress]:
    """Everybody's address."""
    sql = "SELECT * FROM chain_address WHERE chain_id = :chain_id ORDER BY member"
    found = [_linked(row) for row in await tx.rows(sql, chain_id=chain_id)]
    return {one.address: one for one in found if one}


async def set_pot(tx: Tx, chain_id: int, address: str, units: int) -> None:
    """What the vault says that it may take from this address a month."""
    await tx.run(
        "UPDATE chain_address SET pot_units = :units"
        " WHERE chain_id = :chain_id AND address = :address",
        units=units, chain_id=chain_id, address=address,
    )  # fmt: skip


async def pots_to_move(
    tx: Tx, chain_id: int, asset: Asset, month: Month, until_s: int | None
) -> NDArray[np.int64]:
    """Members whose pot of this month is not min(the vault's pot, what they have), in order.

    Rows: member, the pot that it should be, the pot that it is. What they have is what is
    available and in that pot. `until_s`: the vault's pot is the one that was set before then.
    """
    limit = "pot_units" if until_s is None else _POT_BEFORE
    before = {} if until_s is None else {"until_s": until_s}
    rows = await tx.numbers(
        "SELECT member AS c0, wanted AS c1, pot AS c2 FROM (SELECT member, pot, CASE"
        " WHEN most < free + pot THEN most ELSE free + pot END AS wanted FROM ("
        "SELECT chain_address.member, " + limit + " AS most, coalesce(free.balance, 0) AS free,"
        " coalesce(pot.balance, 0) AS pot FROM chain_address"
        " LEFT JOIN account AS free ON free.asset = :asset"
        " AND free.name = 'available:' || CAST(chain_address.member AS text)"
        " LEFT JOIN account AS pot ON pot.asset = :asset"
        " AND pot.name = 'pot:' || CAST(chain_address.member AS text) || :of_month"
        " WHERE chain_address.chain_id = :chain_id) AS have) AS compared WHERE wanted <> pot", 3,
        chain_id=chain_id, asset=asset, of_month=f":{month}", **before,
    )  # fmt: skip
    return rows[:, np.argsort(rows[0])]


async def challenge(tx: Tx, nonce_hash: str, member: MemberId, expires_us: int) -> None:
    """Remember a challenge that was made for a member."""
    await tx.run(
        "INSERT INTO link_challenge (nonce_hash, member, expires_us)"
        " VALUES (:nonce_hash, :member, :expires_us)",
        nonce_hash=nonce_hash, member=member, expires_us=expires_us,
    )  # fmt: skip


async def open_challenges(tx: Tx, member: MemberId) -> int:
    """How many challenges a member has."""
    sql = "SELECT count(*) FROM link_challenge WHERE member = :member"
    return int(await tx.value(sql, member=member))


async def forget_challenges(tx: Tx, now_us: int) -> None:
    """Delete those that have run out."""
    await tx.run("DELETE FROM link_challenge WHERE expires_us <= :now_us", now_us=now_us)


async def spend_challenge(tx: Tx, nonce_hash: str, member: MemberId, now_us: int) -> bool:
    """Use a challenge up; False if this member has none like it, or no longer."""
    spent = await tx.run(
        "DELETE FROM link_challenge WHERE nonce_hash = :nonce_hash AND member = :member"
        " AND expires_us > :now_us",
        nonce_hash=nonce_hash, member=member, now_us=now_us,
    )  # fmt: skip
    return spent == 1


def _linked(row: Row[Any] | None) -> LinkedAddress | None:
    if row is None:
        return None
    return LinkedAddress(
        row.chain_id, row.address, MemberId(row.member), row.linked_us, row.pot_units
    )
