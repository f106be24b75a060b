"""The verdict over a seed: what each receiver got by the token's logs, against what is theirs.

paid twice   somebody has, or can claim, more than is theirs
lost         less, and it does not wait under a name; or the node's address holds another sum
commission   the treasury's tenth is not exact
charged      a reader was charged more than the pot, or twice
books        the node's own laws, or its audit, find something
waits        a payout has no end and no name to wait under
"""

from __future__ import annotations

from typing import Final

from node.flows.audits.lines import State
from node.flows.audits.vault import vault_lines
from node.flows.vault import chain_money
from node.money import Asset
from node.settlement.payout import Payout, PayoutState
from node.store import checks, payouts
from node.store.engine import Store
from tests.crash.report import Report
from tests.crash.vault.key import number_of
from tests.crash.vault.people import CREATORS, READERS, as_operator
from tests.crash.vault.story import Story
from tests.crash.vault.town import TownClock, stablecoin_of
from tests.crash.vault.truth import Truth, received, truth_of

PAYOUTS_MAX: Final = 1000


async def judge(story: Story, report: Report) -> None:
    """Fill in what came of it."""
    report.breaches = story.breaches
    truth = truth_of(story.people, list(story.people.clicks))
    report.breaches += [f"charged: {words}" for words in truth.wrong_charges]
    waiting = _receivers(story, truth, report)
    _node_address(story, waiting, report)

    async def look(store: Store) -> None:
        await _books(story, store, report)

    await as_operator(story.town, look)


def _receivers(story: Story, truth: Truth, report: Report) -> int:
    """Everybody's sum; what in all is still at the node."""
    chain = story.town.chain
    got = received(chain)
    owed = [(name, f"{name}'s wallet", truth.creators[name]) for name in CREATORS]
    owed += [(name, name, truth.readers[name]) for name in READERS]
    owed += [("treasury", "treasury", truth.commission)]
    waiting = 0
    for name, wallet, due in owed:
        who = number_of(wallet)
        has = sum(got.get(who, [])) + chain.state.claimable.get(who, 0)
        report.received[name] = has
        if has > due:
            report.breaches.append(f"paid twice: {name} has {has} of {due}: {got.get(who)}")
        waiting += max(0, due - has)
        if name == "treasury" and has != due:
            report.breaches.append(f"commission: the treasury has {has} of {due}")
    return waiting


def _node_address(story: Story, waiting: int, report: Report) -> None:
    """What is not delivered lies at the node's address, to the unit."""
    chain = story.town.chain
    there = chain.state.held(chain.keys.operator) + chain.state.claimable.get(
        chain.keys.operator, 0
    )
    if there != waiting:
        report.breaches.append(f"lost: {waiting} wait, and {there} is at the node's address")


async def _books(story: Story, store: Store, report: Report) -> None:
    coin = stablecoin_of(story.town, store, TownClock(story.town, 0))
    await chain_money.read(coin.money)
    async with store.read() as tx:
        broken = await checks.breaches(tx, deep=True)
        found = [
            one
            for state in PayoutState
            for one in await payouts.in_state(tx, Asset.USD, state, PAYOUTS_MAX)
        ]
    report.breaches += [f"books: {one}" for one in broken]
    for payout in found:
        _end_of(payout, report)
    for line in await vault_lines(store, coin):
        if line.state is State.BREACH:
            report.breaches.append(f"books: the audit says {line}")


def _end_of(payout: Payout, report: Report) -> None:
    """How a payout ended, or why it waits."""
    state = payout.state.value
    if payout.state is PayoutState.HELD:
        state = f"held: {payout.reason}"
    elif payout.state is PayoutState.DUE:
        state = "due, refused by the token" if payout.target else "due"
    elif payout.state is PayoutState.IN_FLIGHT:
        report.breaches.append(f"waits: {payout.amount} to {payout.target} is in flight")
    report.ends[state] += 1
