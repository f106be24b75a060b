"""The vault's events about accounts, as they are stored: with their block's time, each with an id.

What else the vault says (months, batches) is read by whoever has sent the transaction.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from node.clock import Clock
from node.errors import ConfigError, RailUnavailable
from node.ids import entry_id
from node.money import UNITS_MAX
from node.store.chain_events import ChainEvent, EventKind, EventState, ReadBlock
from node.store.engine import Store
from node.wallet.stablecoin.chain import Chain, Log
from node.wallet.stablecoin.events import Deposited, PotSet, Reclaimed, VaultEvent, Withdrawn
from node.wallet.stablecoin.vault import Vault

CREDITED_MAX_UNITS: Final = 10**15
"""A thousand million dollars. On a test network anybody mints more; that is no money."""


@dataclass(frozen=True, slots=True)
class ChainMoney:
    """What reading the vault needs. `first_block`: the one that the vault was deployed in."""

    store: Store
    clock: Clock
    chain: Chain
    vault: Vault
    chain_id: int
    first_block: int

    @property
    def cursor(self) -> str:
        """The name of the place up to which everything is booked."""
        return f"chain.{self.chain_id}.{self.vault.address}"


async def events_in(
    money: ChainMoney, first: int, last: int, state: EventState
) -> list[ChainEvent]:
    """The events about accounts in these blocks, in order. Raises RailUnavailable."""
    blocks: dict[int, ReadBlock] = {}
    events = []
    logs = await money.chain.logs(money.vault.address, first, last)
    for log, event in money.vault.events(logs):
        if (about := _about(event)) is None:
            continue
        if not first <= log.block_number <= last:
            raise RailUnavailable(f"an RPC shows block {log.block_number} unasked")
        if log.block_number not in blocks:
            blocks[log.block_number] = await block_at(money, log.block_number)
        block = blocks[log.block_number]
        if block.hash != log.block_hash:
            raise RailUnavailable(f"block {block.number} was replaced while it was read")
        events.append(_stored(money.chain_id, log, block, about, state))
    return events


async def block_at(money: ChainMoney, number: int) -> ReadBlock:
    """A block that must be there. Raises RailUnavailable."""
    block = await money.chain.block(number)
    if block is None:
        raise RailUnavailable(f"the RPCs have no block {number}, which they had")
    return ReadBlock(block.number, block.hash, block.time_s)


async def demand_first_block(money: ChainMoney) -> None:
    """Raises ConfigError when the vault was not deployed in the first block that is read.

    A deposit before that block would be lost. 0 stands for the chain's beginning.
    """
    first = money.first_block
    if first > 0 and not await money.chain.logs(money.vault.address, first, first):
        raise ConfigError(
            f"the vault was not deployed in block {first}: write its block as"
            " stablecoin.first_block, or 0, which reads the chain from its beginning"
        )


def stored_pot(units: int) -> int:
    """A pot as it is stored: who allows more than all the money there is allows all of it."""
    return min(units, UNITS_MAX)


def _about(event: VaultEvent) -> tuple[EventKind, str, int] | None:
    """(kind, whose account, base units); None for what is not about an account."""
    match event:
        case Deposited(member=member, units=units):
            return EventKind.DEPOSITED, member, units
        case Withdrawn(member=member, units=units):
            return EventKind.WITHDRAWN, member, units
        case Reclaimed(member=member, units=units):
            return EventKind.RECLAIMED, member, units
        case PotSet(member=member, units=units):
            return EventKind.POT_SET, member, stored_pot(units)
        case _:
            return None


def _stored(
    chain_id: int, log: Log, block: ReadBlock, about: tuple[EventKind, str, int], state: EventState
) -> ChainEvent:
    kind, address, units = about
    if kind is not EventKind.POT_SET and units > CREDITED_MAX_UNITS:
        units = CREDITED_MAX_UNITS
        state = EventState.REFUSED if state is EventState.SEEN else state
    eid = entry_id("chain", chain_id, log.tx_hash, log.index)
    return ChainEvent(
        eid, chain_id, log.tx_hash, log.index, block.number, block.hash, block.time_s, kind,
        address, units, state,
    )  # fmt: skip
