"""What a close asks the vault for: of each reader what the split distributes, to the base unit.

The close only asks and looks; the calls are made by whoever holds the key (`flows/vault/pay.py`),
and what was charged is believed when it is in final blocks. So a close in the stablecoin passes
this point minutes after its split, and stands still here when the chain does.
"""

from __future__ import annotations

from typing import Final

from node.errors import CorruptBooks, RailUnavailable
from node.flows.vault import chain_money
from node.flows.vault.months import Share, purposes
from node.flows.vault.stablecoin import Stablecoin
from node.ids import MemberId
from node.money import Amount, Asset
from node.month import Month
from node.settlement.month_split import READER_COLUMNS, unpack
from node.store import chain_addresses, closes, transactions, vault_months
from node.store.closes import Close
from node.store.engine import Tx
from node.store.vault_months import VaultMonth

_FLATTRS: Final = READER_COLUMNS.index("flattrs")
_SHARE: Final = READER_COLUMNS.index("share")


async def demand_final(stablecoin: Stablecoin, month: Month) -> None:
    """Everything that the vault has said before the cutoff is final and booked.

    Raises RailUnavailable when that takes longer: the close is tried again.
    """
    if not await chain_money.read_until(stablecoin.money, month.ends_s):
        raise RailUnavailable(
            f"{month} waits for the chain: no block after its end is final and read yet"
        )


async def ask_for_charges(stablecoin: Stablecoin, close: Close) -> None:
    """Give the month its number on the vault, once. Nothing to charge: it gets none.

    A month of the vault that this database does not know, opened after ours had ended, is ours: the
    database was restored, or a person opened it. What was charged there must fit.
    """
    money = stablecoin.money
    newest = await money.vault.month(finalized=True)
    opened_s = (await money.vault.month_state(newest, finalized=True)).opened_at_s if newest else 0
    async with money.store.write("vault.ask") as tx:
        if await vault_months.get(tx, close.month) is not None:
            return
        if not await charges(tx, close):
            return
        ours = await vault_months.newest_number(tx, money.chain_id, money.vault.address)
        is_ours = newest > ours and opened_s >= close.month.ends_s
        number = newest if is_ours else max(ours, newest) + 1
        await vault_months.add(
            tx, VaultMonth(close.month, money.chain_id, money.vault.address, number)
        )


async def is_charged(tx: Tx, close: Close) -> bool:
    """Whether the vault has charged what there was of it (see `short.py`)."""
    month = await vault_months.get(tx, close.month)
    if month is None:
        return not await charges(tx, close)
    return month.gross is not None


async def charges(tx: Tx, close: Close) -> dict[MemberId, int]:
    """Of each reader what leaves the pot, in base units; readers in order."""
    blobs = await closes.parts(tx, close.month, close.asset, "reader")
    readers = unpack(b"".join(blobs), len(READER_COLUMNS))
    units = readers[:, _FLATTRS] * readers[:, _SHARE]
    return {
        MemberId(member): taken
        for member, taken in zip(readers[:, 0].tolist(), units.tolist(), strict=True)
        if taken
    }


async def gas_of(tx: Tx, month: VaultMonth) -> Amount:
    """What the calls of a month have cost so far, in wei: the operator's expense."""
    prefix = purposes(month.chain_id, month.vault, month.number)
    return Amount(await transactions.cost_wei(tx, prefix), Asset.ETH)


async def shares(tx: Tx, close: Close, chain_id: int) -> list[Share]:
    """The same, by address. Raises CorruptBooks for a reader whose address is gone."""
    linked = await chain_addresses.all_of(tx, chain_id)
    address = {one.member: one.address for one in linked.values()}
    found = []
    for member, units in (await charges(tx, close)).items():
        if member not in address:
            raise CorruptBooks(f"member {member} has a pot in the stablecoin and no address")
        found.append((address[member], units))
    return found
