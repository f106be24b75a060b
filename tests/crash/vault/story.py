"""One seed: a month or two on the vault, faults while it is charged and paid, calm, and the end.

    people settle down ▶ clicks ▶ the month ends ▶ a storm ▶ calm ▶ somebody says where to be paid
                                                        ▲            ▶ a storm ▶ calm ▶ judged
                                                        └── or another month

A storm is so many steps: a block or some, faults that begin, then a step of the node. In the calm
nothing is wrong any more, and the node must come to its end within a bounded number of steps.
"""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from collections import Counter
from functools import partial
from typing import Final

from sqlalchemy.exc import DBAPIError

from node.errors import CorruptBooks, LeaseLost, NodeError
from node.month import Month
from node.wallet.stablecoin.signer import Order
from node.wallet.stablecoin.words import Argument, encode_call
from tests.crash.process import Killed
from tests.crash.report import Trace
from tests.crash.vault import storm
from tests.crash.vault.chain import GWEI
from tests.crash.vault.key import ModelSigner
from tests.crash.vault.people import CREATORS, People, as_operator
from tests.crash.vault.person import look
from tests.crash.vault.strikes import Plan
from tests.crash.vault.town import CHAIN_ID, TOKEN, Life, Town

CALM_STEPS_MAX: Final = 160
QUIET_STEPS: Final = 2
QUIET_S: Final = 13 * 3600
"""Longer than any payout waits for its next try."""
FAULTS_MIN: Final = 3
STORM_STEPS: Final = 8
MORE_STORMS_MAX: Final = 5
COPY: Final = "copy.sqlite"


class Story:
    """The state of a seed that is being played."""

    def __init__(self, town: Town, people: People, strikes: Plan) -> None:
        self.town = town
        self.people = people
        self.strikes = strikes
        self.random = town.random
        self.faults: Counter[str] = Counter()
        self.trace = Trace()
        self.breaches: list[str] = []
        self.life: Life | None = None
        self.rival: Life | None = None
        self.wants_rival = False
        self.perverse = False
        self.is_month = False
        """Whether a month is being charged and paid, and no plain transfer is to be made."""

    def count(self, kind: str, words: str = "") -> None:
        """A fault has struck."""
        self.faults[kind] += 1
        self.say(f"FAULT {kind} {words}")

    def say(self, words: str) -> None:
        at_s = self.town.now_s - self.town.month.starts_s
        self.trace.say(at_s, f"block {len(self.town.chain.blocks) - 1:5}  {words}")

    def dirty(self, signature: str, *arguments: int) -> None:
        """The token's issuer does something to it."""
        given: list[Argument] = list(arguments)
        self.town.act("owner", TOKEN, encode_call(signature, *given))

    def foreign(self, nonce: int, to: str, content: bytes) -> None:
        """Another program with the node's key sends something of its own."""
        order = Order(CHAIN_ID, nonce, to, content, 100_000, 50 * GWEI, 10**15)
        self.town.chain.broadcast(ModelSigner("operator").sign(order).raw)

    async def play(self) -> None:
        """From the first deposit to the calm after the last storm."""
        await as_operator(self.town, self.people.say_where)
        self.people.settle_down()
        await self._step()
        for turn in range(self.random.choice((1, 1, 1, 2))):
            month = self.town.month.plus(turn)
            await self._month(month, faults=self.random.randint(5, 8))
            await self._late()
        for _ in range(MORE_STORMS_MAX):
            if self.faults.total() + self.strikes.struck.total() >= FAULTS_MIN:
                break
            await self._storm(STORM_STEPS, FAULTS_MIN)
            await self._calm()
        await self._end_life()

    async def _month(self, month: Month, faults: int) -> None:
        await as_operator(self.town, lambda store: self.people.click(store, month))
        self.town.pass_time(max(60, month.ends_s + 60 - self.town.now_s), self.town.chain.final_lag)
        self.say(f"{month} is over")
        self.is_month = True
        await self._storm(self.random.randint(7, 16), faults)
        self.is_month = False
        await self._calm()

    async def _late(self) -> None:
        """Some say only now where they are paid: by plain transfers, from the node's address."""
        late = [name for name in CREATORS if name in self.people.hidden]
        for name in late:
            if self.random.random() < 0.7:
                await as_operator(self.town, partial(self.people.target, name=name))
        if late:
            await self._storm(self.random.randint(5, 12), self.random.randint(2, 4))
            await self._calm()

    async def _storm(self, steps: int, faults: int) -> None:
        planned = sorted((self.random.randrange(steps), kind) for kind in storm.kinds(self, faults))
        for step in range(steps):
            for at, kind in planned:
                if at == step:
                    storm.begin(self, kind)
            if self.random.random() < 0.12:
                self._some_end()
            most = max(2, self.town.chain.final_lag // 3)
            blocks, seconds = self.random.randint(1, most), self.random.choice((2, 13, 61, 130))
            self.town.pass_time(seconds, blocks, perverse=self.perverse)
            await self._step()
        storm.calm(self)
        if self.town.folder.joinpath(COPY).exists():
            await self._restore()

    def _some_end(self) -> None:
        """What lasts may end before the storm does."""
        for rpc in self.town.rpcs:
            rpc.down = rpc.deaf = rpc.mute = 0.0
            rpc.view = None
        self.town.chain.spike = 1
        self.town.chain.stalled = False

    async def _calm(self) -> None:
        quiet, seconds = 0, 15
        for _ in range(CALM_STEPS_MAX):
            self.town.pass_time(max(seconds, self.town.payable_in()), self.town.chain.final_lag + 2)
            if self.life is not None:
                await look(self, self.life)
            done = await self._step()
            if self.breaches:
                return
            quiet = quiet + 1 if done else 0
            if quiet == QUIET_STEPS:
                return
            seconds = QUIET_S if done else min(max(15, seconds * 5 // 4), 6 * 3600)
        self.breaches.append(f"waits: {self.life.said[-3:] if self.life else 'no node'}")

    async def _step(self) -> bool:
        """The node, or both, go one step on; whether it has nothing left to do."""
        if self.life is None:
            self.life = await self._started()
        if self.wants_rival and self.rival is None:
            self.rival = await self._started(self.random.choice((0, 150, -150)))
            self.wants_rival = False
        lives = [one for one in (self.life, self.rival) if one is not None]
        done = await asyncio.gather(*(self._one(life) for life in lives))
        if self.rival is not None and (not self.rival.process.alive or self.random.random() < 0.2):
            await self.rival.stop()
            self.rival = None
        if self.life is not None and not self.life.process.alive:
            await self.life.process.bury()
            self.life = None
        return bool(done) and all(done) and self.rival is None

    async def _started(self, skew_s: int = 0) -> Life | None:
        life = self.town.life(skew_s)
        try:
            await life.start()
        except Killed:
            self.count(life.process.killed_by)
        except (NodeError, DBAPIError, OSError) as error:
            self.say(f"{life.process.name} does not start: {error}")
        else:
            self.say(f"{life.process.name} starts")
            return life
        await life.stop()
        return None

    async def _one(self, life: Life) -> bool:
        try:
            done = await life.step()
        except Killed:
            self.count(f"killed: {life.process.killed_by}", life.process.name)
        except CorruptBooks as error:
            self.breaches.append(f"books: {error}")
        except LeaseLost as error:
            self.say(f"{life.process.name}: {error}")
        except (NodeError, DBAPIError, OSError) as error:
            self.say(f"{life.process.name}: {type(error).__name__} {error}"[:200])
        else:
            self.say(f"{life.process.name}: {life.said[-1] if life.said else 'nothing'}")
            return done
        return False

    def copy_database(self) -> None:
        """A backup, which the end of the storm brings back."""
        if (path := self.town.folder / COPY).exists():
            return
        source = sqlite3.connect(self.town.url.removeprefix("sqlite:///"))
        source.execute("VACUUM INTO ?", (str(path),))
        source.close()
        self.say("a copy of the database is made")

    async def _restore(self) -> None:
        """The machine is lost; the node begins again on the copy."""
        await self._end_life()
        database = self.town.folder / self.town.url.rpartition("/")[2]
        for ending in ("-wal", "-shm"):
            database.with_name(database.name + ending).unlink(missing_ok=True)
        shutil.move(self.town.folder / COPY, database)
        self.count("restored older copy")

    async def _end_life(self) -> None:
        for life in (self.life, self.rival):
            if life is not None:
                await life.stop()
        self.life = self.rival = None
