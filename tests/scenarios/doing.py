"""Verbs that do something, each by the flow that does it in the node."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import Final

from node.flows import fund
from node.flows.close import close_month
from node.flows.fold import fold
from node.month import Month
from node.store import members
from node.wallet.fake import FakeRail
from tests.scenarios.words import amount, instant_s, names, span_s
from tests.world import World, node_key_of, target_of

FAULTS: Final = {
    "loses the answer for": "lose_answer",
    "loses the message for": "lose_message",
    "is late for": "late",
    "holds": "hold",
    "forgets": "limbo",
    "refuses": "refuse:no route",
    "gets no invoice for": "quote:the server answered 500",
    "finds no rail for": "unreachable",
}
"""What a payment can meet, in words, and the fake rail's step for it."""


async def member(world: World, text: str) -> None:
    """member alice, bob"""
    await world.join(*names(text))


async def fund_pot(world: World, text: str) -> None:
    """fund alice 9000 sat [at 2026-11-30 23:59:59]"""
    await _paid_in(world, text, to_pot=True)


async def deposit(world: World, text: str) -> None:
    """deposit alice 9000 sat [at …]: into the available money"""
    await _paid_in(world, text, to_pot=False)


async def thing(world: World, text: str) -> None:
    """thing song, blog [owner carol]"""
    which, _, owner = text.partition(" owner ")
    for name in names(which):
        await world.thing(name, owner.strip() or None)


async def claim(world: World, text: str) -> None:
    """claim song carol"""
    name, owner = text.split()
    await world.claim(name, owner)


async def flattr(world: World, text: str) -> None:
    """flattr alice blog, song [key k1]"""
    who, what, key = _click(text)
    for name in what:
        await world.flattr(who, name, key)


async def undo(world: World, text: str) -> None:
    """undo alice song [key k1]"""
    who, what, key = _click(text)
    for name in what:
        await world.undo(who, name, key)


async def fold_clicks(world: World, text: str) -> None:
    """fold: clicks go from the inbox into the packed months"""
    assert not text
    await fold(world.store, world.clock)


async def subscribe(world: World, text: str) -> None:
    """subscribe alice song 3 months"""
    who, what, months, _ = text.split()
    await world.subscribe(who, what, int(months))


async def unsubscribe(world: World, text: str) -> None:
    """unsubscribe alice song"""
    who, what = text.split()
    await world.unsubscribe(who, what)


async def target(world: World, text: str) -> None:
    """target carol, dave; or: target carol as new-carol; or: target carol by node key"""
    who, _, other = text.partition(" as ")
    if other:
        await world.target(who.strip(), target_of(other.strip()))
        return
    if text.endswith(" by node key"):
        who = text.removesuffix(" by node key")
        await world.target(who, node_key_of(who))
        return
    for name in names(text):
        await world.target(name)


async def means(world: World, text: str) -> None:
    """means alice 3000 sat"""
    who, _, rest = text.partition(" ")
    await fund.set_means(world.funding, world.members[who], amount(rest))


async def fill(world: World, text: str) -> None:
    """fill pot of alice to 5000 sat [key k1]"""
    found = re.fullmatch(r"(\w+) to (.+?)(?: key (\w+))?", text)
    assert found, text
    await fund.set_pot(world.funding, world.members[found[1]], amount(found[2]), found[3] or "")


async def dues(world: World, text: str) -> None:
    """dues from earnings carol off"""
    who, switch = text.split()
    async with world.store.write() as tx:
        await members.set_dues_from_earnings(tx, world.members[who], switch == "on")


async def suspend(world: World, text: str) -> None:
    """suspend carol"""
    async with world.store.write() as tx:
        await members.set_suspended(tx, world.members[text], world.clock.now_us())


async def lift(world: World, text: str) -> None:
    """lift carol: end the suspension"""
    async with world.store.write() as tx:
        await members.set_suspended(tx, world.members[text], None)


async def rule(world: World, text: str) -> None:
    """rule dues 0 sat; rule minimum 1 sat; rule commission 500 bps; rule operator nobody"""
    name, _, rest = text.partition(" ")
    match name:
        case "dues":
            world.change_rules(dues=amount(rest))
        case "minimum":
            world.change_rules(payout_min=amount(rest))
        case "commission":
            world.change_rules(commission_bps=int(rest.removesuffix(" bps")))
        case "operator":
            who = None if rest == "nobody" else target_of(rest)
            world.change_rules(operator_target=who)
        case _:
            raise ValueError(f"no rule {name}")


async def time(world: World, text: str) -> None:
    """time 2026-11-30 23:59:59"""
    world.clock.set(instant_s(text))


async def later(world: World, text: str) -> None:
    """later 31 seconds"""
    world.clock.advance(span_s(text))


async def close(world: World, text: str) -> None:
    """close 2026-11: at its end, or now if that is over"""
    await world.close(Month.parse(text))


async def close_now(world: World, text: str) -> None:
    """close now 2026-11: without waiting for its end"""
    await close_month(world.closing, Month.parse(text))


async def close_all(world: World, text: str) -> None:
    """close what is over: 2026-10, 2026-11: what the schedule does, and what it should find"""
    closed = await world.close_what_is_over()
    assert [str(month) for month in closed] == names(text)


async def pay(world: World, text: str) -> None:
    """pay [loses the answer for carol; refuses dave]: one round"""
    _script(world.rail, text)
    await world.pay()


async def pay_all(world: World, text: str) -> None:
    """pay until quiet [refuses dave]"""
    _script(world.rail, text)
    await world.pay_until_quiet()


async def release(world: World, text: str) -> None:
    """release carol: what the network held arrives"""
    world.rail.release(target_of(text))


async def withdraw(world: World, text: str) -> None:
    """withdraw alice 10 sat [key k1]: to alice's own wallet"""
    found = re.fullmatch(r"(\w+) (.+?)(?: key (\w+))?", text)
    assert found, text
    who = found[1]
    await world.withdraw(who, amount(found[2]), target_of(who), found[3] or "")


def _script(rail: FakeRail, text: str) -> None:
    for part in filter(None, (part.strip() for part in text.split(";"))):
        words = next((words for words in FAULTS if part.startswith(words)), None)
        if words is None:
            raise ValueError(f"no fault {part!r}: {', '.join(FAULTS)}")
        for name in names(part.removeprefix(words)):
            where = node_key_of(name[4:]) if name.startswith("key ") else target_of(name)
            rail.script(where, [FAULTS[words]])


async def _paid_in(world: World, text: str, *, to_pot: bool) -> None:
    found = re.fullmatch(r"(\w+) (.+?)(?: at (.+))?", text)
    assert found, text
    at_s = instant_s(found[3]) if found[3] else None
    await world.fund(found[1], amount(found[2]), to_pot=to_pot, at_s=at_s)


def _click(text: str) -> tuple[str, list[str], str]:
    who, _, rest = text.partition(" ")
    what, _, key = rest.partition(" key ")
    return who, names(what), key.strip()


VERBS: Final[dict[str, Callable[[World, str], Awaitable[None]]]] = {
    "member": member, "fund": fund_pot, "deposit": deposit, "thing": thing, "claim": claim,
    "flattr": flattr, "undo": undo, "fold": fold_clicks, "subscribe": subscribe,
    "unsubscribe": unsubscribe, "target": target, "means": means, "fill pot of": fill,
    "dues from earnings": dues, "suspend": suspend, "lift": lift, "rule": rule, "time": time,
    "later": later, "close": close, "close now": close_now, "close what is over:": close_all,
    "pay": pay, "pay until quiet": pay_all, "release": release, "withdraw": withdraw,
}  # fmt: skip
