"""A member's ledger for Beancount: plain text that bean-check accepts, with balances at the end.

    Assets:Flattr:…     what the node owes the member: available, pots, earned, held, on its way
    Assets:Wallet:…     the member's own wallets, outside of the node
    Income:Flattr:…     earned from readers, or come back
    Expenses:Flattr:…   given to creators, and the fees of withdrawals

One entry of the node is one transaction. The balances at the end are read from the node's accounts
and not from what is written here, so bean-check finds it when something is missing. Sats are the
commodity SAT, with thousandths; the stablecoin is USDCOIN, because it is no dollar.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from node.clock import Clock
from node.flows.export.cells import day, exact
from node.flows.export.ledger import Ledger, open_ledger, read_ledger, reference
from node.ledger.accounts import Kind
from node.money import Asset
from node.store.engine import Store
from node.store.members import Member
from node.store.postings import Posting, Side

COMMODITY: Final = {Asset.SAT: "SAT", Asset.USD: "USDCOIN"}
_OWN: Final = {
    Kind.AVAILABLE: "Assets:Flattr:Available", Kind.POT: "Assets:Flattr:Pot",
    Kind.EARNED: "Assets:Flattr:Earned", Kind.HELD: "Assets:Flattr:Held",
    Kind.PAYOUT: "Assets:Flattr:Payouts",
}  # fmt: skip
_WALLET: Final = {
    Asset.SAT: "Assets:Wallet:Lightning", Asset.USD: "Assets:Wallet:Stablecoin"
}  # fmt: skip
_EARNED, _RETURNED = "Income:Flattr:Earned", "Income:Flattr:Returned"
_GIVEN, _GIVEN_BACK = "Expenses:Flattr:Given", "Expenses:Flattr:Returned"
_FEES, _OTHER = "Expenses:Flattr:Fees", "Equity:Flattr:Other"
_FIXED: Final = (*_OWN.values(), _EARNED, _RETURNED, _GIVEN, _GIVEN_BACK, _FEES, _OTHER)
_DAY_US: Final = 86_400_000_000


@dataclass(frozen=True, slots=True)
class _Moved:
    """One posting's two amounts: the same units, into one account and out of another."""

    into: str
    out_of: str
    units: int


async def beancount(
    store: Store, clock: Clock, member: Member, assets: tuple[Asset, ...], network: str
) -> AsyncIterator[str]:
    """The file, piece by piece."""
    opened = day(member.created_us)
    yield f'; flattr-node, {network}\noption "title" "flattr-node: {_quoted(member.name)}"\n\n'
    for asset in assets:
        yield f"{opened} commodity {COMMODITY[asset]}\n"
    for account in sorted({*_FIXED, *(_WALLET[asset] for asset in assets)}):
        yield f"{opened} open {account}\n"
    for asset in assets:
        ledger = await open_ledger(store, clock, member.id, asset)
        async for text in _transactions(store, ledger):
            yield text
        yield "".join(_balances(ledger, day(clock.now_us() + _DAY_US)))


async def _transactions(store: Store, ledger: Ledger) -> AsyncIterator[str]:
    """Each entry as a transaction; one that a piece ends in goes on with the next piece."""
    rest: list[Posting] = []
    async for piece in read_ledger(store, ledger):
        entries = [list(group) for _, group in groupby([*rest, *piece], lambda one: one.number)]
        rest = entries.pop()
        yield "".join(_transaction(ledger, postings) for postings in entries)
    if rest:
        yield _transaction(ledger, rest)


def _transaction(ledger: Ledger, postings: list[Posting]) -> str:
    sums: Counter[str] = Counter()
    for posting in postings:
        for moved in _moves(ledger, posting):
            sums[moved.into] += moved.units
            sums[moved.out_of] -= moved.units
    amounts = {account: units for account, units in sorted(sums.items()) if units}
    if not amounts:  # from one of the member's pots into another
        return ""
    first, unit = postings[0], COMMODITY[ledger.asset]
    words = " ".join(filter(None, (first.kind, str(first.month or ""))))
    lines = [
        f'\n{day(first.at_us)} * "flattr-node" "{_quoted(words)}"',
        f'  entry: "{first.entry}"',
    ]
    if ref := reference(first):
        lines.append(f'  reference: "{_quoted(ref)}"')
    lines += [f"  {name}  {exact(units, ledger.asset)} {unit}" for name, units in amounts.items()]
    return "\n".join(lines) + "\n"


def _moves(ledger: Ledger, posting: Posting) -> Iterator[_Moved]:
    """Units of a posting, account by account: the fee of a withdrawal is none of the wallet's."""
    into, out_of = (_account(ledger, posting, side) for side in (posting.credit, posting.debit))
    fee = 0
    if posting.kind == "settle" and posting.ref in ledger.withdrawals and into in _WALLET.values():
        fee = posting.units - ledger.withdrawals[posting.ref]
        yield _Moved(_FEES, out_of, fee)
    yield _Moved(into, out_of, posting.units - fee)


def _account(ledger: Ledger, posting: Posting, side: Side) -> str:
    if side.id in ledger.accounts:
        return _OWN[side.kind]
    gains = side is posting.debit  # it comes from this account, to the member
    match side.kind:
        case Kind.WALLET:
            return _WALLET[ledger.asset]
        case Kind.CLOSING:
            return _EARNED if gains else _GIVEN
        case Kind.POT | Kind.HELD:
            return _RETURNED if gains else _GIVEN_BACK
        case Kind.COMMISSION:
            return _GIVEN
        case _:
            return _OTHER


def _balances(ledger: Ledger, on: str) -> Iterator[str]:
    sums: Counter[str] = Counter(dict.fromkeys(_OWN.values(), 0))
    for account in ledger.accounts.values():
        sums[_OWN[account.kind]] += account.balance
    yield "\n"
    for name, units in sorted(sums.items()):
        amount = exact(units, ledger.asset)
        yield f"{on} balance {name}  {amount} ~ 0 {COMMODITY[ledger.asset]}\n"


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
