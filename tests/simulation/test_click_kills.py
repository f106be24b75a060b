"""kill -9 in a storm of clicks over HTTP: what was acknowledged is there, and counts once.

    worker ── POST or DELETE /flattrs, its own key ──▶ node ── 201: acknowledged
       └── no answer, or 503: the same request again, to whichever process lives

Each worker has pairs of (member, thing) of its own and flips them one after the other, so what must
stand at the end is known without asking the node. Now and then it repeats an old request with its
old key, which must change nothing. FLATTR_CLICK_KILLS=200 kills more often.
"""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from random import Random
from typing import Final

import aiohttp

from node.month import Month
from node.store import checks, flattrs, inbox, members, things
from node.store.engine import open_store
from node.wallet.lightning.simulated import open_simulated_network
from tests.simulation.node_process import NodeProcess

KILLS: Final = int(os.environ.get("FLATTR_CLICK_KILLS", "5"))
WORKERS: Final = 16
MEMBERS: Final = 4
THINGS: Final = 40
BETWEEN_KILLS_MAX: Final = 400
"""Acknowledged clicks."""
REPEATED: Final = 0.1
LIMIT_S: Final = 30
SETTINGS: Final = """network = "simnet"
database = "{database}"
[lnd]
lndconnect = "{lndconnect}"
[web]
port = 0
requests_per_minute = 10000000
connections_per_address = 1000
"""

Pair = tuple[int, int]
Request = tuple[int, int, bool, str]
"""(member, thing, whether it flattrs, Idempotency-Key)."""


@dataclass
class Storm:
    """The workers, and what they know."""

    http: aiohttp.ClientSession
    random: Random
    tokens: list[str] = field(default_factory=list)
    url: str = ""
    alive: asyncio.Event = field(default_factory=asyncio.Event)
    enough: asyncio.Event = field(default_factory=asyncio.Event)
    kill_at: int = -1
    over: bool = False
    stands: dict[Pair, bool] = field(default_factory=dict)
    old: list[Request] = field(default_factory=list)
    seen: Counter[str] = field(default_factory=Counter)
    months: set[str] = field(default_factory=set)

    async def work(self, worker: int) -> None:
        """Flip one pair after the other, each until it is acknowledged."""
        pairs = [(m, t) for m in range(MEMBERS) for t in range(THINGS) if t % WORKERS == worker]
        for turn in count():
            if self.over:
                return
            member, thing = pairs[turn % len(pairs)]
            flattred = not self.stands.get((member, thing), False)
            request = (member, thing, flattred, f"{worker}-{turn}")
            await self.until_acknowledged(request)
            self.stands[member, thing] = flattred
            self.old.append(request)
            if self.random.random() < REPEATED:
                await self.until_acknowledged(self.random.choice(self.old))
                self.seen["repeated"] += 1

    async def until_acknowledged(self, request: Request) -> None:
        """Ask until it is answered; a 503 or no answer at all is asked again."""
        while True:
            await asyncio.wait_for(self.alive.wait(), LIMIT_S)
            try:
                if await self._ask(request):
                    return
            except (aiohttp.ClientError, OSError, TimeoutError):
                self.seen["unanswered"] += 1
                await asyncio.sleep(0)

    async def _ask(self, request: Request) -> bool:
        member, thing, flattred, key = request
        headers = {"Authorization": f"Bearer {self.tokens[member]}", "Idempotency-Key": key}
        page, url = f"https://example.org/{thing}", f"{self.url}/api/v1/flattrs"
        options = {"json": {"url": page}} if flattred else {"params": {"url": page}}
        method = "POST" if flattred else "DELETE"
        async with self.http.request(method, url, headers=headers, **options) as answer:
            body = await answer.json()
            if answer.status == 503:
                self.seen["busy"] += 1
                return False
            assert answer.status in {200, 201}, body
            self.months.add(body["month"])
            self.seen["acknowledged"] += 1
            if self.seen["acknowledged"] == self.kill_at:
                self.enough.set()
            return True

    async def until_enough(self) -> None:
        """Wait until a number of further clicks, drawn at random, is acknowledged."""
        self.enough.clear()
        self.kill_at = self.seen["acknowledged"] + self.random.randint(1, BETWEEN_KILLS_MAX)
        await asyncio.wait_for(self.enough.wait(), LIMIT_S)

    async def join(self) -> None:
        """The members."""
        for number in range(MEMBERS):
            url = f"{self.url}/api/v1/members"
            async with self.http.post(url, json={"name": f"member{number}"}) as answer:
                assert answer.status == 201
                self.tokens.append((await answer.json())["token"]["secret"])


@asynccontextmanager
async def _serving(folder: Path, storm: Storm) -> AsyncIterator[NodeProcess]:
    """A life of the node; killed at the end, in the middle of whatever it does."""
    life = NodeProcess(folder)
    try:
        storm.url = await life.tell("serve")
        storm.alive.set()
        yield life
    finally:
        storm.alive.clear()
        life.kill()


async def test_no_acknowledged_click_is_lost_or_counted_twice(
    tmp_path: Path, database_url: str
) -> None:
    folder = tmp_path / "node"
    folder.mkdir()
    async with (
        open_simulated_network(tmp_path / "net", {"node": 0}) as network,
        aiohttp.ClientSession() as http,
    ):
        settings = {"lndconnect": network.nodes["node"].lndconnect, "database": database_url}
        (folder / "flattr-node.toml").write_text(SETTINGS.format(**settings))
        storm = Storm(http, Random(KILLS))
        async with _serving(folder, storm):
            await storm.join()
        workers = [asyncio.create_task(storm.work(number)) for number in range(WORKERS)]
        try:
            for _ in range(KILLS):
                async with _serving(folder, storm):
                    await storm.until_enough()
            async with _serving(folder, storm) as life:
                storm.over = True
                async with asyncio.timeout(LIMIT_S):
                    await asyncio.gather(*workers)
                await life.tell("fold")
        finally:
            for worker in workers:
                worker.cancel()
            with suppress(asyncio.CancelledError):
                await asyncio.gather(*workers, return_exceptions=True)
    print(f"{KILLS} kills: {dict(storm.seen)}")
    assert storm.seen["unanswered"] >= KILLS, "no kill hit a request"
    await _judge(database_url, storm)


async def _judge(database_url: str, storm: Storm) -> None:
    """What stands and what is counted is what was acknowledged."""
    (month,) = map(Month.parse, storm.months)
    async with open_store(database_url) as store, store.read() as tx:
        assert await inbox.length(tx) == 0
        assert await checks.breaches(tx, deep=True) == []
        ids = {}
        for number in range(MEMBERS):
            member = await members.by_name(tx, f"member{number}")
            assert member is not None
            ids[number] = member.id
        packed = await flattrs.packed(tx, [(month, member) for member in ids.values()])
        for thing in {thing for _, thing in storm.stands}:
            found = await things.by_url(tx, f"https://example.org/{thing}")
            assert found is not None, f"the thing {thing} is lost"
            those = {m for m, member in ids.items() if found.id in packed[month, member].things}
            wanted = {m for (m, t), stands in storm.stands.items() if t == thing and stands}
            assert those == wanted, f"thing {thing}: {those} flattred it, not {wanted}"
            counted = (await things.counts_of(tx, found.id)).get(month, 0)
            assert counted == len(wanted), f"thing {thing} is counted {counted} times"
