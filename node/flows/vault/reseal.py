"""Seal a month again after the guardian's veto: the same root and the same file.

A veto says: look before this is paid. A node that sealed again by itself would make it worthless,
so a person does, once it is clear that file and root are right. If they are not, nobody seals, and
the vault gives the month back to its members, 60 days after it was opened.
"""

from __future__ import annotations

from dataclasses import replace

from node.errors import Conflict, NotFound
from node.flows.vault.months import SEAL, purposes
from node.flows.vault.stablecoin import Stablecoin
from node.month import Month
from node.settlement.transaction import TransactionEvent
from node.store import transactions, vault_months


async def reseal(stablecoin: Stablecoin, month: Month) -> None:
    """Let the payer seal the month again. Raises NotFound, Conflict when it was not vetoed."""
    money = stablecoin.money
    async with money.store.read() as tx:
        found = await vault_months.get(tx, month)
    if found is None or found.data_hash is None:
        raise NotFound(f"{month} was not sealed yet")
    state = await money.vault.month_state(found.number, finalized=True)
    async with money.store.write("vault.reseal") as tx:
        begins = purposes(found.chain_id, found.vault, found.number)
        seal = await transactions.get(tx, begins + SEAL)
        if state.payable_at_s or seal is None or not seal.is_done:
            raise Conflict(f"the seal of {month} was not vetoed")
        due = replace(
            seal, nonce=None, tx_hash=None, block_number=None, block_hash=None, cost_wei=None
        )
        await transactions.move(tx, seal, TransactionEvent.UNDONE, due)
