"""Verbs that look at what a member, the operator or a receiver would see."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import Final

from node.clock import this_month
from node.flows import receipts
from node.flows.fold import standing
from node.ids import MemberId
from node.ledger import accounts
from node.ledger.accounts import Account
from node.money import Asset
from node.month import Month
from node.settlement.payout import Payout, PayoutKind, PayoutState
from node.store import closes, leases, members, things
from tests.scenarios.words import amount, amounts, figures, names
from tests.world import World, node_key_of, target_of

SAT: Final = Asset.SAT
_OPEN: Final = (PayoutState.DUE, PayoutState.IN_FLIGHT, PayoutState.HELD)


async def available(world: World, text: str) -> None:
    """available alice 9 sat, bob nothing"""
    await _balances(world, text, lambda member: accounts.available(SAT, member))


async def earned(world: World, text: str) -> None:
    """earned carol 999 msat: earned, and in no payout yet"""
    await _balances(world, text, lambda member: accounts.earned(SAT, member))


async def held(world: World, text: str) -> None:
    """held carol 8100 msat: waiting for the dues"""
    await _balances(world, text, lambda member: accounts.held(SAT, member))


async def pot(world: World, text: str) -> None:
    """pot 2026-12 alice 3000 sat, bob nothing"""
    month, _, rest = text.partition(" ")
    await _balances(world, rest, lambda member: accounts.pot(SAT, member, Month.parse(month)))


async def commission(world: World, text: str) -> None:
    """commission 900 msat: on the operator's account, in no payout yet"""
    assert await world.balance(accounts.commission(SAT)) == amount(text).units


async def fees(world: World, text: str) -> None:
    """fees 1 sat: what the operator has spent on routing"""
    assert await world.balance(accounts.expense(SAT, "routing")) == amount(text).units


async def suspense(world: World, text: str) -> None:
    """suspense 9 sat: went out and is not explained"""
    assert await world.balance(accounts.suspense(SAT)) == amount(text).units


async def month(world: World, text: str) -> None:
    """month 2026-11 pots 9 sat, distributed 9 sat, commission 900 msat, carried nothing"""
    which, _, rest = text.partition(" ")
    async with world.store.read() as tx:
        close = await closes.get(tx, Month.parse(which), SAT)
    assert close is not None, f"{which} is open"
    wanted = figures(rest)
    assert {name: getattr(close.figures, name) for name in wanted} == wanted


async def is_open(world: World, text: str) -> None:
    """open 2026-11"""
    async with world.store.read() as tx:
        assert await closes.get(tx, Month.parse(text), SAT) is None


async def brings(world: World, text: str) -> None:
    """brings 2026-11 song 4050 msat, blog nothing: what a thing brought its creator"""
    which, _, rest = text.partition(" ")
    for name, wanted in amounts(rest):
        found = 0
        async with world.store.read() as tx:
            for member in world.members.values():
                for one in await receipts.earnings(tx, Month.parse(which), SAT, member):
                    found += one.net if one.thing == world.things[name].id else 0
        assert found == wanted, f"{name} brought {found} msat"


async def receipt(world: World, text: str) -> None:
    """receipt 2026-11 alice pot 9 sat, flattrs 2, share 4500 msat, carry nothing"""
    which, who, rest = text.split(" ", 2)
    async with world.store.read() as tx:
        found = await receipts.receipt(tx, Month.parse(which), SAT, world.members[who])
    assert found is not None, f"{who} has no receipt"
    assert len(found.things) == found.flattrs
    wanted = figures(rest)
    assert {name: getattr(found, name) for name in wanted} == wanted


async def owed(world: World, text: str) -> None:
    """owed carol 8 sat, operator 900 msat: in payouts that are not paid yet"""
    for name, wanted in amounts(text):
        found = [p for p in await _payouts(world, name) if p.state in _OPEN]
        assert sum(p.amount.units for p in found) == wanted, [str(p.amount) for p in found]


async def paid(world: World, text: str) -> None:
    """paid carol 8 sat: what has arrived in the receiver's own wallet, in all"""
    for name, wanted in amounts(text):
        found = world.rail.received[target_of(name)] + world.rail.received[node_key_of(name)]
        assert found == wanted, f"{name} received {found} msat"


async def due(world: World, text: str) -> None:
    """due carol"""
    await _in_state(world, text, PayoutState.DUE)


async def in_flight(world: World, text: str) -> None:
    """in flight carol, dave"""
    await _in_state(world, text, PayoutState.IN_FLIGHT)


async def returned(world: World, text: str) -> None:
    """returned alice 20 sat: withdrawals that went back, in all"""
    for name, wanted in amounts(text):
        found = [p for p in await _payouts(world, name) if p.state is PayoutState.RETURNED]
        assert sum(p.amount.units for p in found) == wanted


async def waits(world: World, text: str) -> None:
    """waits carol because no payout target is set"""
    who, _, words = text.partition(" because ")
    found = [p for p in await _payouts(world, who) if p.state is PayoutState.HELD]
    assert found, f"{who} has no payout that is held"
    assert all(words in (p.reason or "") for p in found), [p.reason for p in found]


async def nothing_waits(world: World, text: str) -> None:
    """nothing open for carol"""
    for name in names(text):
        assert [p for p in await _payouts(world, name) if p.state in _OPEN] == []


async def payouts_made(world: World, text: str) -> None:
    """payouts carol 2"""
    who, number = text.split()
    assert len(await _payouts(world, who)) == int(number)


async def sends(world: World, text: str) -> None:
    """sends 1, of 1 payment: messages to the network, and different payments among them"""
    found = re.fullmatch(r"(\d+), of (\d+) payments?", text)
    assert found, text
    sent = world.rail.sends
    assert (len(sent), len(set(sent))) == (int(found[1]), int(found[2]))


async def notice(world: World, text: str) -> None:
    """notice carol held: she was told"""
    who, kind = text.split()
    assert await _notices(world, who, kind), f"{who} was told nothing about {kind}"


async def no_notice(world: World, text: str) -> None:
    """no notice carol held"""
    who, kind = text.split()
    assert await _notices(world, who, kind) == 0


async def waiting(world: World, text: str) -> None:
    """waiting song 3: folded flattrs of all months, as the thing's page counts them"""
    name, number = text.split()
    async with world.store.read() as tx:
        counts = await things.counts_of(tx, world.things[name].id)
    assert sum(counts.values()) == int(number)


async def stands(world: World, text: str) -> None:
    """stands alice blog, song: what her page shows for this month; `nothing`"""
    who, _, rest = text.partition(" ")
    async with world.store.read() as tx:
        row = await standing(tx, world.members[who], this_month(world.clock))
    wanted = [] if rest == "nothing" else names(rest)
    assert row.things == {world.things[name].id for name in wanted}


async def stopped(world: World, text: str) -> None:
    """stopped: nothing more is sent, and a person must look"""
    assert not text
    async with world.store.read() as tx:
        assert await leases.stopped(tx, world.rail.name)


async def _notices(world: World, who: str, kind: str) -> int:
    async with world.store.read() as tx:
        found = await members.notices_of(tx, world.members[who], 100)
    return sum(one.kind == kind for one in found)


async def _payouts(world: World, name: str) -> list[Payout]:
    member = MemberId(0) if name == "operator" else world.members[name]
    kind = PayoutKind.COMMISSION if name == "operator" else None
    return [p for p in await world.payouts_of(member) if kind in {None, p.kind}]


async def _in_state(world: World, text: str, state: PayoutState) -> None:
    for name in names(text):
        found = [p.state for p in await _payouts(world, name)]
        assert state in found, f"{name}: {found}"


async def _balances(world: World, text: str, account: Callable[[MemberId], Account]) -> None:
    for name, wanted in amounts(text):
        found = await world.balance(account(world.members[name]))
        assert found == wanted, f"{name} has {found} msat"


VERBS: Final[dict[str, Callable[[World, str], Awaitable[None]]]] = {
    "available": available, "earned": earned, "held": held, "pot": pot, "commission": commission,
    "fees": fees, "suspense": suspense, "month": month, "open": is_open, "brings": brings,
    "receipt": receipt, "owed": owed, "paid": paid, "due": due, "in flight": in_flight,
    "returned": returned, "waits": waits, "nothing open for": nothing_waits,
    "payouts": payouts_made, "sends": sends, "notice": notice, "no notice": no_notice,
    "waiting": waiting, "stands": stands, "stopped": stopped,
}  # fmt: skip
