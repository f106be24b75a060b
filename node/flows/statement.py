"""What a member sees of the own money: balances, and a month as it stands or as it was closed.

Everything here reads one state of the database and changes nothing. A month that is open is an
estimate by the same pure split that closes it; what a thing is worth once the month is closed is
the receipt's word (`flows/receipts.py`).
"""

from __future__ import annotations

from dataclasses import dataclass

from node.clock import Clock, now_s, this_month
from node.flows import fold, receipts
from node.flows.receipts import Receipt
from node.flows.rules import Rules
from node.flows.split import PENDING_MONTHS
from node.ids import MemberId, ThingId
from node.ledger import accounts
from node.money import Amount, Asset
from node.month import Month
from node.settlement.split import PotSplit, split_pot
from node.store import closes, flattrs, history, journal, members, things
from node.store import counting as what_counts
from node.store.closes import Close, Stage
from node.store.engine import Store, Tx
from node.store.things import Thing


@dataclass(frozen=True, slots=True)
class Balance:
    """One member's money, in every place where it can be."""

    month: Month
    available: Amount
    pot: Amount
    means: Amount
    earned: Amount
    held: Amount
    payouts_waiting: Amount
    dues: Amount
    held_reason: str | None


@dataclass(frozen=True, slots=True)
class OpenMonth:
    """A month that takes clicks, or is not closed yet. `split` and `one_more` are estimates.

    `counted` are those of `marked` that would count now. Beside them count the `waited`: flattrs of
    the last three months on things that were claimed in this one, each once more.
    """

    month: Month
    pot: Amount
    seconds_left: int
    marked: tuple[ThingId, ...]
    counted: frozenset[ThingId]
    waited: tuple[ThingId, ...]
    split: PotSplit
    one_more: PotSplit


@dataclass(frozen=True, slots=True)
class ClosedMonth:
    """A closed month of one reader, as it was split; without a pot, all of it is zero.

    `marked` are the things that counted, those that had waited for their owner included.
    """

    month: Month
    pot: Amount
    marked: tuple[ThingId, ...]
    counted: frozenset[ThingId]
    split: PotSplit
    digest: str | None


async def balance(store: Store, clock: Clock, rules: Rules, member: MemberId) -> Balance:
    """Everything that is the member's."""
    month, asset = this_month(clock), rules.asset
    async with store.read() as tx:
        held = await journal.balance(tx, accounts.held(asset, member))
        waiting = await history.waiting_units(tx, member, asset)
        return Balance(
            month=month,
            available=await journal.balance(tx, accounts.available(asset, member)),
            pot=await journal.balance(tx, accounts.pot(asset, member, month)),
            means=await members.means_of(tx, member, asset),
            earned=await journal.balance(tx, accounts.earned(asset, member)),
            held=held,
            payouts_waiting=Amount(waiting, asset),
            dues=rules.dues,
            held_reason=_held_reason(rules) if held else None,
        )


async def month_of(
    store: Store, clock: Clock, rules: Rules, member: MemberId, month: Month
) -> OpenMonth | ClosedMonth:
    """A member's month, as an estimate or as its receipt."""
    async with store.read() as tx:
        close = await closes.get(tx, month, rules.asset)
        if close is not None and close.stage.number >= Stage.BOOKED.number:
            return _closed(close, await receipts.receipt(tx, month, rules.asset, member))
        pot = await journal.balance(tx, accounts.pot(rules.asset, member, month))
        marked = sorted((await fold.standing(tx, member, month)).things)
        pending = await _claimed_since(tx, member, month)
        counting = await what_counts.counting(tx, month, rules.asset, member, {*marked, *pending})
    counted, bps = counting.intersection(marked), rules.commission_bps
    waited = tuple(thing for thing in pending if thing in counting)
    number = len(counted) + len(waited)
    return OpenMonth(
        month, pot, max(0, month.ends_s - now_s(clock)), tuple(marked), counted, waited,
        split_pot(pot.units, number, bps), split_pot(pot.units, number + 1, bps),
    )  # fmt: skip


async def closed_months(store: Store, rules: Rules, member: MemberId) -> list[Receipt]:
    """A reader's closed months with a pot, newest first, without the things of each."""
    async with store.read() as tx:
        booked = [
            close.month
            for close in await closes.all_of(tx, rules.asset)
            if close.stage.number >= Stage.BOOKED.number
        ]
        found = [await receipts.summary(tx, month, rules.asset, member) for month in booked]
    return [receipt for receipt in found if receipt is not None]


async def digest_of(store: Store, asset: Asset, month: Month) -> str | None:
    """The name of a closed month's result; None until it is proved."""
    async with store.read() as tx:
        close = await closes.get(tx, month, asset)
    return close.digest if close is not None else None


async def things_of(store: Store, wanted: list[ThingId]) -> dict[ThingId, Thing]:
    """These things, by id."""
    async with store.read() as tx:
        return await things.many(tx, wanted)


def _closed(close: Close, receipt: Receipt | None) -> ClosedMonth:
    if receipt is None:
        nothing = PotSplit(0, 0, 0, 0)
        return ClosedMonth(
            close.month, Amount(0, close.asset), (), frozenset(), nothing, close.digest
        )
    split = PotSplit(receipt.flattrs, receipt.share, receipt.commission_per_share, receipt.carry)
    things = receipt.things
    return ClosedMonth(
        close.month, Amount(receipt.pot, close.asset), things, frozenset(things), split,
        close.digest,
    )  # fmt: skip


def _held_reason(rules: Rules) -> str:
    return (
        f"the dues were not paid: with {rules.dues} or more in your pot when a month closes, "
        "all of it is released"
    )


async def _claimed_since(tx: Tx, member: MemberId, month: Month) -> list[ThingId]:
    """What the member flattred in the months before and was claimed in this one, as it stands."""
    months = [month.plus(-back) for back in range(PENDING_MONTHS, 0, -1)]
    rows = await flattrs.packed(tx, [(one, member) for one in months])
    for one in reversed(months):
        if await closes.is_frozen(tx, one):
            break  # it is folded, and so are those before it
        rows[one, member] = await fold.standing(tx, member, one)
    waited = [(thing, one) for (one, _), row in rows.items() for thing in row.things]
    return await what_counts.claimed_in(tx, month, waited) if waited else []
