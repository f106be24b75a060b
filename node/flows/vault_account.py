"""A member's account in the vault, as the member should see it: now, and what is on its way."""

from __future__ import annotations

from dataclasses import dataclass

from node.flows.chain_money import position
from node.flows.vault_events import ChainMoney
from node.ids import MemberId
from node.store import chain_addresses, chain_events
from node.store.chain_events import ChainEvent, EventState


@dataclass(frozen=True, slots=True)
class AccountView:
    """What the vault says at its newest block, in base units, and how far the books are.

    `free_units` can be withdrawn now, the rest from `exit_at_s` on (0: no exit was requested).
    `pending`: events that are not final yet. `read_to`: the block that the books have come to.
    """

    address: str
    balance_units: int
    pot_units: int
    free_units: int
    exit_at_s: int
    pending: tuple[ChainEvent, ...]
    read_to: int


async def account_of(money: ChainMoney, member: MemberId) -> AccountView | None:
    """A member's account; None if no address is linked. Raises RailUnavailable."""
    async with money.store.read() as tx:
        linked = await chain_addresses.of_member(tx, money.chain_id, member)
        if linked is None:
            return None
        pending = await chain_events.of_address(
            tx, money.chain_id, linked.address, EventState.PENDING
        )
    account = await money.vault.account(linked.address)
    return AccountView(
        address=linked.address,
        balance_units=account.balance_units,
        pot_units=account.pot_units,
        free_units=await money.vault.free(linked.address),
        exit_at_s=await money.vault.exit_at(linked.address),
        pending=tuple(pending),
        read_to=(await position(money)).number,
    )
