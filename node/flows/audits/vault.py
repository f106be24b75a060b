"""The invariants of the stablecoin: the books, the vault and the node's address say one sum.

I4  the vault holds what it owes            V1  each member's account is the books'
I8  what was sealed was paid, month by month V2  what the books have is there, all of it
I13 what gas cost is what was booked
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from node.errors import CorruptBooks, NodeError
from node.flows.audits.lines import Line, State, coins, count, judge, unchecked
from node.flows.audits.vault_months import month_lines
from node.flows.audits.vault_reading import Reading, read
from node.flows.audits.vault_transfers import LAW, transfers_line
from node.flows.vault.stablecoin import Stablecoin
from node.ledger import accounts
from node.money import Asset
from node.store import chain_audits, journal
from node.store.engine import Store

SOLVENCY: Final = ("I4", "the vault holds what it owes")
MONTHS: Final = ("I8", "the vault paid what was sealed")
ACCOUNTS: Final = ("V1", "vault accounts are the books'")
WALLET: Final = ("V2", "the stablecoin is all there")
TRANSFERS: Final = ("V3", LAW)
GAS: Final = ("I13", "gas")
_USD: Final = Asset.USD


async def vault_lines(store: Store, stablecoin: Stablecoin) -> list[Line]:
    """A line for each invariant of the stablecoin. What can't be asked now is unchecked."""
    gas = await gas_line(store)
    try:
        reading = await read(store, stablecoin)
        months = await month_lines(store, stablecoin)
        transfers = await transfers_line(store, stablecoin)
    except CorruptBooks as error:
        others = [line for line in unchecked_lines("see V1") if line.id != ACCOUNTS[0]]
        return [Line(*ACCOUNTS, State.BREACH, str(error)), *others, gas]
    except NodeError as error:
        return [*unchecked_lines(str(error)), gas]
    return [
        _solvency(reading), _accounts(reading), _wallet(stablecoin, reading), transfers, *months,
        gas,
    ]  # fmt: skip


def unchecked_lines(why: str) -> list[Line]:
    """The lines that need the chain, unchecked."""
    return [unchecked(*one, why) for one in (SOLVENCY, ACCOUNTS, WALLET, TRANSFERS, MONTHS)]


async def gas_line(store: Store) -> Line:
    """What gas cost by the transactions is what the operator was charged. Needs no chain."""
    async with store.read() as tx:
        costs = await chain_audits.gas_costs(tx)
        missing = await chain_audits.costs_not_booked(tx)
        expense = await journal.balance(tx, accounts.expense(Asset.ETH, "gas"))
    booked = sum(one.booked_wei for one in costs)
    figures = f"{coins(booked, Asset.ETH)} in {count(len(costs))} transactions"
    broken = [f"{purpose} has cost gas that is not booked" for purpose in missing]
    for one in costs:
        if not one.signed:
            broken.append(f"{one.tx_hash} is booked, and was never signed here")
        if one.cost_wei is not None and one.cost_wei != one.booked_wei:
            broken.append(f"{one.tx_hash} cost {one.cost_wei} wei, and {one.booked_wei} is booked")
    if booked != expense.units:
        broken.append(f"the entries come to {booked} wei, and expense:gas is {expense.units}")
    return judge(*GAS, f"{figures} = expense {expense}", broken)


def _solvency(reading: Reading) -> Line:
    held, owed = reading.held, reading.owed
    figures = (
        f"liabilities {coins(owed, _USD)} {'≤' if owed <= held else '>'} token"
        f" {coins(held, _USD)} at block {count(reading.block)}"
    )
    if held > owed:
        figures += f"; nobody's yet: {coins(held - owed, _USD)}"
    broken = [] if owed <= held else [f"{coins(owed - held, _USD)} are missing from the vault"]
    return judge(*SOLVENCY, figures, broken)


def _accounts(reading: Reading) -> Line:
    broken = [
        f"member {one.member} ({one.address}): {coins(one.balance_units, _USD)} in the vault,"
        f" {coins(one.books_units, _USD)} in the books; pot {one.pot_units}, known"
        f" {one.known_pot_units}"
        for one in reading.differences
    ]
    figures = f"members' {coins(reading.books.members, _USD)}"
    if reading.uncharged:
        figures += f", of a month that is being charged {coins(reading.uncharged, _USD)}"
    return judge(*ACCOUNTS, f"{figures} = the vault's {coins(reading.linked, _USD)}", broken)


def _wallet(stablecoin: Stablecoin, reading: Reading) -> Line:
    terms: Mapping[str, int] = {
        "members' accounts": reading.linked,
        "the open month": reading.month,
        f"at {stablecoin.signer.address}": reading.at_node,
        "claimable by it": reading.claimable,
        "paid and not booked yet": reading.unbooked,
        "taken out before it was charged": reading.books.suspense,
    }
    there, wallet = sum(terms.values()), reading.books.wallet
    sums = " + ".join(f"{what} {coins(units, _USD)}" for what, units in terms.items() if units)
    figures = f"wallet {coins(wallet, _USD)}, there is {coins(there, _USD)}"
    if sums:
        figures += f" = {sums}"
    broken, warnings = [], []
    if there < wallet:
        broken.append(f"{coins(wallet - there, _USD)} are not there")
    if there > wallet:
        warnings.append(f"{coins(there - wallet, _USD)} more than the books: somebody sent them")
    if reading.books.suspense:
        warnings.append("what was taken out is explained when its month is charged")
    return judge(*WALLET, figures, broken, warnings)
