"""What people do with the node in a seed, and what they know for sure afterwards.

A person asks again with the same key when no answer came, as a good client does. Only what was
acknowledged is known; what was not may have happened, or happen yet.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any, Final

from node.flows import fund, subscribe, withdraw
from node.flows.flattr import Clicked
from node.flows.node import Node
from node.money import sats
from node.month import Month
from node.store.things import Thing
from node.wallet.lightning.simulated_books import LndAnswer, Payment
from tests.crash.lightning.calls import call
from tests.crash.lightning.host import Host
from tests.crash.lightning.network import NODE
from tests.crash.lightning.scene import READERS, Scene
from tests.crash.lightning.web import HOST

TRIES: Final = 4
AMOUNTS_SAT: Final = (1, 3, 21, 1000, 4999, 20_000, 90_000)


@dataclass
class Asked:
    """A deposit that a reader asked for, and how the reader's wallet paid it."""

    reader: str
    request: str
    payments: list[Payment]


@dataclass(frozen=True)
class Withdrawn:
    """A withdrawal that was acknowledged."""

    reader: str
    amount_msat: int
    payout: str


def key_of(scene: Scene) -> str:
    """A new Idempotency-Key."""
    return f"{scene.random.getrandbits(64):x}"


async def deposit(scene: Scene, host: Host) -> None:
    """Ask for an invoice and pay it: at once, late, twice, too much, or not at all."""
    draw, reader, key = scene.random, scene.random.choice(READERS), key_of(scene)
    amount, to_pot = sats(draw.choice(AMOUNTS_SAT)), draw.random() < 0.7
    wait_s = draw.choice((0.0, 2.0, 300.0, 3590.0, 4000.0))
    for _ in range(TRIES):
        answer = await call(
            scene,
            host,
            f"{reader} asks for an invoice of {amount}",
            lambda node: fund.ask_deposit(
                node.funding, scene.members[reader], amount, to_pot=to_pot, key=key
            ),
        )
        if not answer.failed or answer.failed == "Conflict":
            break
        await asyncio.sleep(draw.choice((0.1, 20.0)))
    if answer.failed or answer.value.payment_request is None:
        return
    asked = Asked(reader, answer.value.payment_request, [])
    if scene.network.payee(asked.request) != NODE:
        return  # another lnd's, which will not be there to take it
    scene.deposits.append(asked)
    await asyncio.sleep(wait_s)
    await _pay(scene, asked, amount.units)


async def _pay(scene: Scene, asked: Asked, amount_msat: int) -> None:
    draw = scene.random
    how = draw.choice(("once", "once", "once", "twice", "more", "never"))
    if how == "never":
        return
    if how == "more":
        amount_msat = amount_msat * 3 // 2
    _start(scene, asked, asked.reader, amount_msat)
    if how == "twice":
        await asyncio.sleep(draw.choice((0.0, 5.0)))
        _start(scene, asked, asked.reader, amount_msat)
        _start(scene, asked, READERS[READERS.index(asked.reader) - 1], amount_msat)


def _start(scene: Scene, asked: Asked, payer: str, amount_msat: int) -> None:
    try:
        asked.payments.append(scene.network.pay(payer, asked.request, amount_msat))
    except LndAnswer as refusal:
        scene.say(f"{payer}: {refusal.text}")


async def click(scene: Scene, host: Host) -> None:
    """Flattr a thing, or undo it; a reader does one thing to a thing at a time."""
    reader, thing = scene.random.choice(READERS), scene.random.choice(scene.things)
    async with scene.hands[reader, thing.id]:
        await _click(scene, host, reader, thing)


async def _click(scene: Scene, host: Host, reader: str, thing: Thing) -> None:
    draw, key, member = scene.random, key_of(scene), scene.members[reader]
    stands = draw.random() < 0.8
    for _ in range(TRIES):
        answer = await call(
            scene,
            host,
            f"{reader} {'flattrs' if stands else 'undoes'} {thing.id}",
            lambda node: (node.clicks.flattr if stands else node.clicks.undo)(
                member, thing, None, key
            ),
        )
        if not answer.failed:
            scene.say(f"{reader} on {thing.id} in {answer.value.month}: {stands}")
            _know(scene, reader, thing.id, answer.value.month, stands)
            return
        _suspect(scene, reader, thing.id, host, stands)
        await asyncio.sleep(draw.choice((0.1, 20.0)))


async def subscription(scene: Scene, host: Host) -> None:
    """Flattr a thing in each month."""
    reader, thing = scene.random.choice(READERS), scene.random.choice(scene.things)
    async with scene.hands[reader, thing.id]:
        await _subscribe(scene, host, reader, thing)


async def _subscribe(scene: Scene, host: Host, reader: str, thing: Thing) -> None:
    months = scene.random.choice((3, 6, 12))
    answer = await call(
        scene,
        host,
        f"{reader} subscribes to {thing.id}",
        lambda node: subscribe.subscribe(
            node.store, node.clock, node.clicks, scene.members[reader], thing, months
        ),
    )
    if answer.failed:
        _suspect(scene, reader, thing.id, host, stands=True)
        scene.subscribed.add((reader, thing.id))
        return
    scene.subscribed.add((reader, thing.id))
    _know(scene, reader, thing.id, answer.value.first, stands=True)


async def pot(scene: Scene, host: Host) -> None:
    """Move money between available and the pot."""
    draw, reader, key = scene.random, scene.random.choice(READERS), key_of(scene)
    wanted = sats(draw.choice((0, *AMOUNTS_SAT)))
    for _ in range(2):
        answer = await call(
            scene,
            host,
            "pot",
            lambda node: fund.set_pot(node.funding, scene.members[reader], wanted, key),
        )
        if not answer.failed or answer.failed == "InsufficientFunds":
            return


async def means(scene: Scene, host: Host) -> None:
    """Say what fills the pot of each month."""
    draw, reader = scene.random, scene.random.choice(READERS)
    wanted = sats(draw.choice((0, *AMOUNTS_SAT)))
    await call(
        scene,
        host,
        "means",
        lambda node: fund.set_means(node.funding, scene.members[reader], wanted),
    )


async def withdrawal(scene: Scene, host: Host) -> None:
    """Take available money out, to an invoice or an address; asked again with the same key."""
    draw, reader, key = scene.random, scene.random.choice(READERS), key_of(scene)
    amount = sats(draw.choice(AMOUNTS_SAT))
    if draw.random() < 0.5:
        target = f"{reader}@{HOST}"
    else:
        expiry_s = draw.choice((300, 3600, 86_400))
        target = scene.network.invoice(reader, amount.units, expiry_s=expiry_s)
    for _ in range(TRIES):
        answer = await call(
            scene,
            host,
            f"{reader} withdraws {amount}",
            lambda node: withdraw.withdraw(
                node.store, node.clock, node.rules, scene.members[reader], target, amount, key,
                frozenset(),
            ),
        )  # fmt: skip
        if not answer.failed:
            payout = answer.value
            scene.withdrawals[payout.id] = Withdrawn(reader, amount.units, payout.id)
            return
        if answer.failed == "InsufficientFunds":
            return
        await asyncio.sleep(draw.choice((0.1, 20.0)))


async def opening(scene: Scene) -> None:
    """Before anything goes wrong: a reader fills a pot, and flattrs some things."""
    reader, things = READERS[0], scene.random.sample(scene.things, scene.random.randint(1, 5))
    member, host = scene.members[reader], scene.hosts[0]
    amount = sats(scene.random.choice((12, 4999, 90_000)))
    asked = await call(
        scene,
        host,
        "ask",
        lambda node: fund.ask_deposit(node.funding, member, amount, to_pot=True, key="first"),
    )
    payment = scene.network.pay(reader, asked.value.payment_request)
    scene.deposits.append(Asked(reader, asked.value.payment_request, [payment]))

    async def flattr_all(node: Node) -> list[Clicked]:
        return [await node.clicks.flattr(member, thing, None, "") for thing in things]

    clicked = await call(scene, host, "clicks", flattr_all)
    for one in clicked.value:
        _know(scene, reader, one.thing, one.month, stands=True)


def _know(scene: Scene, reader: str, thing: int, month: Month, stands: bool) -> None:
    key = (reader, thing, month)
    scene.acked[key] = {stands, *scene.loose.get(key, set())}


def _suspect(scene: Scene, reader: str, thing: int, host: Host, stands: bool) -> None:
    """It may have happened, or may yet: this month, or the next if this one is frozen."""
    month = Month.at(host.clock.now_us() // 1_000_000)
    for one in (month, month.plus(1)):
        key = (reader, thing, one)
        scene.loose.setdefault(key, set()).add(stands)
        if key in scene.acked:
            scene.acked[key].add(stands)


ACTS: Final[tuple[Any, ...]] = (
    deposit, deposit, deposit, click, click, click, click, subscription, pot, means, withdrawal,
)  # fmt: skip
