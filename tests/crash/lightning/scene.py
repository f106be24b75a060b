"""What a seed plays in: a database with members in it, the network, one or two nodes on it.

The members are made once in a process, before any seed, and each seed copies that database:

    reader0 … reader2     wallets with money, who fill pots and click
    creator0 … creator5   paid at a Lightning address, an LNURL or by keysend, in turns
    operator              the commission, at a Lightning address
"""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from random import Random
from typing import Any, Final

from node.config import LndSettings, MoneySettings, Settings
from node.flows import claim, join
from node.flows.node import Node
from node.ids import MemberId
from node.month import Month
from node.store.things import Thing
from node.wallet.lightning.targets import LnurlPay
from tests.crash.lightning.door import Lnd, Place
from tests.crash.lightning.host import Host, VirtualClock, open_seams
from tests.crash.lightning.network import NODE, OTHER, Network, key_of
from tests.crash.lightning.weather import HOSTS, Weather
from tests.crash.lightning.web import HOST, Servers
from tests.crash.loop import run_virtual, seeded_secrets
from tests.crash.process import open_processes
from tests.crash.report import Trace
from tests.crash.template import FILE, database_folder, template

MONTH: Final = Month(2026, 11)
READERS: Final = tuple(f"reader{number}" for number in range(3))
CREATORS: Final = tuple(f"creator{number}" for number in range(6))
OPERATOR: Final = "operator"
DUES_SAT: Final = (0, 0, 0, 50)
SEED: Final = bytes(range(32))
DAMAGE: tuple[str, ...] = ()
"""Statements by which a mutant spoils the database before anything happens."""


@dataclass
class Scene:
    """One seed's world, and what its people know."""

    seed: int
    folder: Path
    network: Network
    weather: Weather
    place: Place
    lnds: dict[str, Lnd]
    servers: Servers
    hosts: list[Host]
    members: dict[str, MemberId]
    things: list[Thing]
    trace: Trace
    random: Random
    breaches: list[str] = field(default_factory=list)
    acked: dict[tuple[str, int, Month], set[bool]] = field(default_factory=dict)
    """(reader, thing, month): the state that the last acknowledged clicks may have left."""
    loose: dict[tuple[str, int, Month], set[bool]] = field(default_factory=dict)
    """The same of clicks that were never acknowledged, which may come late."""
    hands: defaultdict[tuple[str, int], asyncio.Lock] = field(
        default_factory=lambda: defaultdict(asyncio.Lock)
    )
    subscribed: set[tuple[str, int]] = field(default_factory=set)
    deposits: list[Any] = field(default_factory=list)
    """`people.Asked`: what readers have an invoice for."""
    withdrawals: dict[str, Any] = field(default_factory=dict)
    """`people.Withdrawn` by payout: what was acknowledged."""

    @property
    def now_s(self) -> float:
        """The loop's time."""
        return asyncio.get_running_loop().time()

    def say(self, words: str) -> None:
        """A line of the trace."""
        self.trace.say(self.now_s, words)


def settings(dues_sat: int) -> Settings:
    """The operator's settings."""
    return Settings(
        network="simnet",
        lnd=LndSettings(lndconnect="lndconnect://lnd:10009?macaroon=AA"),
        money=MoneySettings(dues_sat=dues_sat, operator_target=f"{OPERATOR}@{HOST}"),
    )


def target_of(number: int) -> str:
    """Where a creator is paid."""
    name = CREATORS[number]
    match number % 3:
        case 0:
            return f"{name}@{HOST}"
        case 1:
            return key_of(name)[1].hex()
        case _:
            return LnurlPay(f"https://{HOST}/.well-known/lnurlp/{name}").text


@contextmanager
def open_scene(seed: int, base: Path, name: str = "") -> Iterator[Scene]:
    """The seams are in place, and no node is up yet."""
    random = Random(f"scene {seed}")
    weather = Weather(seed)
    clock = VirtualClock(MONTH.starts_s + 3600)
    names = [*READERS, *CREATORS, OPERATOR]
    trace = Trace()

    def say(words: str) -> None:
        trace.say(asyncio.get_running_loop().time(), words)

    def lies() -> bool:
        return weather.strikes("lying_lnd")

    network = Network(clock, names, weather.payments, lies, say)
    lnds = {one: Lnd(network.world, network.world.nodes[one]) for one in (NODE, OTHER)}
    place = Place(lnds[NODE], weather)
    servers = Servers(network, weather)
    chosen = settings(random.choice(DUES_SAT))
    with (
        database_folder(name or f"seed-{seed}", base) as folder,
        open_processes(),
        open_seams(place, servers, weather),
    ):
        (folder / "seed").write_bytes(SEED)
        _spoil(folder / FILE)
        hosts = [Host(letter, chosen, folder, VirtualClock(clock.begins_s)) for letter in HOSTS]
        yield Scene(
            seed, folder, network, weather, place, lnds, servers, hosts, {}, [], trace, random
        )


def _spoil(path: Path) -> None:
    if DAMAGE:
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            for statement in DAMAGE:
                connection.execute(statement)


@dataclass(frozen=True, slots=True)
class Populated:
    """The database that each seed copies, and who is in it."""

    path: Path
    members: dict[str, MemberId]
    things: tuple[Thing, ...]


@cache
def populated() -> Populated:
    """Made once in a process; not within a loop."""
    kept = template().with_name("populated.sqlite")
    with seeded_secrets(0):
        members, things = run_virtual(_populate(kept))
    return Populated(kept, members, tuple(things))


async def _populate(kept: Path) -> tuple[dict[str, MemberId], list[Thing]]:
    with open_scene(0, template(), "populate") as scene:
        host = scene.hosts[0]
        node = await host.boot()
        assert host.process is not None
        found = await host.process.run(_join_all(node))
        await host.stop()
        shutil.copyfile(scene.folder / FILE, kept)
    return found


async def _join_all(node: Node) -> tuple[dict[str, MemberId], list[Thing]]:
    members: dict[str, MemberId] = {}
    things: list[Thing] = []
    for name in (*READERS, *CREATORS):
        members[name], _ = await join.join(node.store, node.clock, name)
    for number, name in enumerate(CREATORS):
        where = (node.store, node.clock, node.rules, node.fetcher, members[name])
        await join.set_target(*where, target_of(number))
        for part in ("a", "b"):
            url = f"https://{name}.example.org/{part}"
            thing = await claim.add_thing(node.store, node.clock, url, name)
            things.append(await claim.grant(node.store, node.clock, members[name], thing.id))
    return members, things
