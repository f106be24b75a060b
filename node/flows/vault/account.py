"""A member's account in the vault, as the member should see it: now, and what is on its way."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from node.flows.vault.books import USD
from node.flows.vault.chain_money import position
from node.flows.vault.events import ChainMoney
from node.ids import MemberId
from node.store import chain_addresses, chain_events, members
from node.store.chain_events import ChainEvent, EventState


@dataclass(frozen=True, slots=True)
class AccountView:
    """What the vault says at its newest block, in base units, and how far the books are.

    `free_units` can be withdrawn now, the rest from `exit_at_s` on (0: no exit was requested).
    `wallet_units`: what the address holds outside of the vault. `at_s`: the newest block's time.
    `pending`: events that are not final yet. `read_to`: the block that the books have come to.
    """

    address: str
    balance_units: int
    pot_units: int
    free_units: int
    exit_at_s: int
    wallet_units: int
    at_s: int
    pending: tuple[ChainEvent, ...]
    read_to: int

    @property
    def has_exited(self) -> bool:
        """Whether an exit has matured: all is free, and the pot can be lowered."""
        return 0 < self.exit_at_s <= self.at_s


async def account_of(money: ChainMoney, member: MemberId) -> AccountView | None:
    """A member's account; None if no address is linked. Raises RailUnavailable."""
    async with money.store.read() as tx:
        linked = await chain_addresses.of_member(tx, money.chain_id, member)
        if linked is None:
            return None
        pending = await chain_events.of_address(
            tx, money.chain_id, linked.address, EventState.PENDING
        )
    vault, address = money.vault, linked.address
    account, free_units, exit_at_s, wallet_units, latest = await asyncio.gather(
        vault.account(address), vault.free(address), vault.exit_at(address),
        vault.token_balance(address), money.chain.latest(),
    )  # fmt: skip
    return AccountView(
        address=address,
        balance_units=account.balance_units,
        pot_units=account.pot_units,
        # They may be of two blocks.
        free_units=min(free_units, account.balance_units),
        exit_at_s=exit_at_s,
        wallet_units=wallet_units,
        at_s=latest.time_s,
        pending=tuple(pending),
        read_to=(await position(money)).number,
    )


async def claimables_of(money: ChainMoney, member: MemberId) -> dict[str, int]:
    """What waits in the vault for the member's addresses, because the token once refused it.

    Base units by address, of the one that is linked and the one that is the payout target. Raises
    RailUnavailable.
    """
    async with money.store.read() as tx:
        linked = await chain_addresses.of_member(tx, money.chain_id, member)
        target = await members.target_of(tx, member, USD)
    addresses = {one.address for one in (linked,) if one} | {one.text for one in (target,) if one}
    found = {one: await money.vault.claimable(one) for one in sorted(addresses)}
    return {address: units for address, units in found.items() if units}
