"""Close an account: everything that can be taken out is taken out first, and nothing is lost.

    look    what is in the way, in words; what is too little to be taken out, to the base unit
    leave   ask lnd about invoices that are over ▶ one transaction: look once more ▶ end, release

A deposit for which no invoice was shown to anybody is over as soon as lnd says that it has none;
while lnd can't be asked, one may have been made, and it stays in the way.

While there is money that can be withdrawn, that is on its way, held, or may still come in, the
account stays open and says which. What is too little for any payment can't be in the way for ever:
whoever leaves names it, and it stays on the books as theirs. It never becomes the operator's.

Things are released: others may claim them, and get what is flattred from then on. The name stays
taken, so that nobody becomes another by it. The ledger stays.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from node.clock import now_s, this_month
from node.errors import BadInput, Conflict, FreshSignInNeeded, NotFound, RailUnavailable
from node.flows import fund
from node.flows.export.ledger import own_accounts
from node.flows.node import Node
from node.flows.open_payouts import smallest_payable
from node.flows.rules import Rules
from node.flows.vault.account import account_of, claimables_of
from node.ids import MemberId, ThingId
from node.ledger.accounts import Kind
from node.money import Amount, Asset, sats
from node.settlement.fees import payout_fee_limit
from node.store import closes, deposits, identities, journal, leaving, members, sites
from node.store.deposits import Deposit
from node.store.engine import Tx
from node.wallet.lightning.answers import InvoiceState, InvoiceView

NOT_OPEN: Final = "this account is closed"
LOOKUPS_MAX: Final = 100
"""About how many invoices lnd is asked for somebody who only looks."""


@dataclass(frozen=True, slots=True)
class Leaving:
    """What closing an account would meet.

    `in_the_way`: what must be done first, in words. `left`: what is too little to be taken out.
    """

    in_the_way: tuple[str, ...]
    left: tuple[Amount, ...]

    def left_units(self, asset: Asset) -> int:
        """What would stay on the books in an asset, in base units."""
        return sum(one.units for one in self.left if one.asset is asset)


async def look_at_leaving(node: Node, member: MemberId) -> Leaving:
    """What is in the way now. Raises RailUnavailable when the vault can't be asked."""
    in_vault = await _in_vault(node, member)
    over = await _over_by_lnd(node, member)
    async with node.store.read() as tx:
        found = await _look(tx, node, member, over)
    return Leaving((*found.in_the_way, *in_vault), found.left)


async def leave(
    node: Node, member: MemberId, name: str, left: Sequence[Amount], *, fresh: bool
) -> tuple[ThingId, ...]:
    """Close the account of `name`; the things that are nobody's now.

    `left` is what the member knows to leave behind, in each asset; `fresh`: a wallet of the
    member's has signed a moment ago. Raises BadInput for another name or amount, Conflict with all
    that is in the way, FreshSignInNeeded, RailUnavailable.
    """
    await _end_old_invoices(node, member)
    in_vault = await _in_vault(node, member)
    async with node.store.write("leave") as tx:
        for rules in node.every_rules:  # before the member, as a close does
            await journal.lock_head(tx, rules.asset)
        if not await leaving.lock(tx, member):
            raise Conflict(NOT_OPEN)
        if not fresh and await identities.count(tx, member):
            raise FreshSignInNeeded(
                "your wallet must say so: sign in with it, and close the account in Settings"
            )
        who = await members.get(tx, member)
        if who is None or who.name != name:
            raise BadInput("type the name of your account to close it")
        found = await _look(tx, node, member)
        if in_the_way := (*found.in_the_way, *in_vault):
            raise Conflict("before this account can be closed: " + "; ".join(in_the_way))
        _demand_known(found, left)
        for claim in await sites.of_member(tx, member):  # no thing is made under them meanwhile
            await sites.fence(tx, claim.site, exclusive=True)
        begins_us = this_month(node.clock).starts_s * 1_000_000
        released = await leaving.release_things(tx, member, node.clock.now_us(), begins_us)
        await leaving.end(tx, member, node.clock.now_us())
    return tuple(released)


def _demand_known(found: Leaving, left: Sequence[Amount]) -> None:
    said = Counter({asset: sum(one.units for one in left if one.asset is asset) for asset in Asset})
    if any(found.left_units(asset) != said[asset] for asset in Asset):
        amounts = " and ".join(
            f"{Amount(found.left_units(asset), asset)} ({found.left_units(asset)} {asset.unit})"
            for asset in Asset
            if found.left_units(asset)
        )
        raise BadInput(f"say that you leave {amounts or 'nothing'} behind: no payment can carry it")


async def _look(
    tx: Tx, node: Node, member: MemberId, over: frozenset[str] = frozenset()
) -> Leaving:
    """`over`: open deposits that bring nothing any more."""
    in_the_way: list[str] = []
    left: list[Amount] = []
    for rules in node.every_rules:
        more, too_little = await _look_in(tx, node, rules, member)
        in_the_way += more
        left += too_little
    if not over.issuperset(await leaving.open_deposits(tx, member)):
        in_the_way.append(
            "an invoice of yours may still be paid: pay it, or wait until it has run out"
        )
    return Leaving(tuple(in_the_way), tuple(left))


async def _look_in(
    tx: Tx, node: Node, rules: Rules, member: MemberId
) -> tuple[list[str], list[Amount]]:
    sums: Counter[Kind] = Counter()
    for account in (await own_accounts(tx, node.clock, member, rules.asset)).values():
        sums[account.kind] += account.balance
    have = {kind: Amount(sums[kind], rules.asset) for kind in Kind}
    little = {kind: have[kind].units < least for kind, least in _least(rules).items()}
    words = {
        Kind.POT: _pot_words(have[Kind.POT]),
        Kind.AVAILABLE: f"{have[Kind.AVAILABLE]} is available: withdraw it",
        Kind.EARNED: f"{have[Kind.EARNED]} is earned: the next close pays it",
        Kind.HELD: _held_words(have[Kind.HELD]),
        Kind.PAYOUT: f"{have[Kind.PAYOUT]} is on its way to you: wait until it has arrived",
    }
    in_the_way = [
        said for kind, said in words.items() if have[kind] and not little.get(kind, False)
    ]
    if (month := await closes.open_before(tx, this_month(node.clock), rules.asset)) is not None:
        in_the_way.insert(0, f"{month} is not closed yet in {rules.asset}: wait until it is")
    return in_the_way, [
        have[kind] for kind, is_little in little.items() if is_little and have[kind]
    ]


def _least(rules: Rules) -> dict[Kind, int]:
    """The least that can be taken out of each of these places, in base units."""
    payable = max(rules.payout_min.units, smallest_payable(rules.asset))
    least = {Kind.AVAILABLE: _smallest_withdrawal(rules.asset), Kind.EARNED: payable}
    if rules.asset is not Asset.SAT:  # there it would stay held for ever, with dues paid or not
        least[Kind.HELD] = payable
    return least


def _held_words(held: Amount) -> str:
    said = f"{held} is held until your dues are paid: pay them to receive it"
    if held.asset is not Asset.SAT:  # no money can be put into a pot in the vault
        return said
    return f"{said}, or wait until it goes back to its readers"


def _pot_words(pot: Amount) -> str:
    if pot.asset is Asset.SAT:
        return f"{pot} is in your pot: set the pot to 0 and withdraw it"
    return f"{pot} is in your pot in the vault: withdraw it with your own wallet"


def _smallest_withdrawal(asset: Asset) -> int:
    """The least that can be withdrawn, with what its fee may come to, in base units."""
    if asset is not Asset.SAT:
        return 1
    return (sats(1) + payout_fee_limit(sats(1))).units


async def _in_vault(node: Node, member: MemberId) -> list[str]:
    """Money of the member's that the vault has, whatever the books say yet."""
    if node.stablecoin is None:
        return []
    found = await account_of(node.stablecoin.money, member)
    claimable = await claimables_of(node.stablecoin.money, member)
    words = []
    if found is not None and (found.balance_units or found.pending):
        words.append(
            f"the vault has {Amount(found.balance_units, Asset.USD)} of yours, or moves it now:"
            " withdraw it with your own wallet, and wait for the final block"
        )
    if claimable:
        total = Amount(sum(claimable.values()), Asset.USD)
        words.append(f"{total} waits in the vault: claim it with your own wallet")
    return words


async def _over_by_lnd(node: Node, member: MemberId) -> frozenset[str]:
    """Open deposits of which lnd says that they bring nothing any more; none while it is away."""
    try:
        asked = await _asked_lnd(node, member, LOOKUPS_MAX)
    except RailUnavailable:
        return frozenset()
    return frozenset(deposit.id for deposit, invoice in asked if _brings_nothing(invoice))


async def _end_old_invoices(node: Node, member: MemberId) -> None:
    """Ask lnd: what was paid is credited, and what can't come any more is ended.

    Raises RailUnavailable.
    """
    async with node.store.read() as tx:
        if await members.get(tx, member) is None:
            raise NotFound("there is no such member")
    for deposit, invoice in await _asked_lnd(node, member):
        if invoice is not None and (paid := invoice.settled) is not None:
            await fund.credit_found(node.funding, paid)
        elif _brings_nothing(invoice):
            async with node.store.write("deposit.expire") as tx:
                await deposits.expire(tx, deposit.id, now_s(node.clock))


async def _asked_lnd(
    node: Node, member: MemberId, lookups_max: int | None = None
) -> list[tuple[Deposit, InvoiceView | None]]:
    """Open deposits whose hour is over, or without an invoice that was shown; lnd's word of each.

    Raises RailUnavailable.
    """
    async with node.store.read() as tx:
        waiting = [
            found
            for one in await leaving.open_deposits(tx, member)
            if (found := await deposits.get(tx, one)) is not None
        ]
    at_s = now_s(node.clock)
    old = [one for one in waiting if one.payment_request is None or at_s > one.expires_s]
    return [(one, await node.invoices.lookup(one.payment_hash)) for one in old[:lookups_max]]


def _brings_nothing(invoice: InvoiceView | None) -> bool:
    """Whether lnd has no such invoice, or takes no money for it any more."""
    return invoice is None or invoice.state is InvoiceState.CANCELED
