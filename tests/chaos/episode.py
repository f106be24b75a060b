"""A month over Lightning in which things are killed: people, money in, the close, payouts, the end.

    settle in ▶ deposits ▶ clicks ▶ close ▶ strikes, with withdrawals ▶ rest ▶ judge
                 kills               kills    strikes.py

Each episode is a node with a database of its own, on the network that all share, so that its clock
may run ahead: a lease lasts two minutes, and nobody waits for them.
"""

from __future__ import annotations

import asyncio
import shutil
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, Final

from node.errors import RailUnavailable
from node.flows.lease import LEASE_S
from node.settlement.attempt import Attempt, AttemptState
from node.store import attempts
from node.store.engine import Store, open_store
from tests.chaos.desk import STEP_S, STEPS_A_LIFE
from tests.chaos.ears import notes
from tests.chaos.judge import RAIL, judge, judge_keysends, judge_purses, rows_of
from tests.chaos.life import Died, Life
from tests.chaos.rig import Purse, Rig
from tests.chaos.tally import ARRIVED

READERS: Final = 3
MEMBERS: Final = 16
"""Each may have one withdrawal in flight."""
CREATORS: Final = 30
SHARE_SAT: Final = 4
FREE_SAT: Final = 900
WITHDRAWN_SAT: Final = (1, 5)
NEXT_S: Final = LEASE_S + 1 + STEP_S * STEPS_A_LIFE
"""How far a life's clock is ahead of the last one's: that one's lease has run out."""
STARTS_MAX: Final = 60
SETTINGS: Final = """network = "simnet"
database = "{database}"
fetch_allow = ["127.0.0.1:{port}"]
[lnd]
lndconnect = "{lndconnect}"
[money]
dues_sat = 0
operator_target = "{operator}"
{more}"""


@dataclass
class Episode:
    """One node and its month. `of` names it in what is found."""

    rig: Rig
    random: Random
    of: str
    folder: Path
    database: str = ""
    ahead_s: int = 0
    kills: int = 0
    withdrawals: int = 0
    life: Life = field(init=False)
    store: Store = field(init=False)
    opened: AsyncExitStack = field(default_factory=AsyncExitStack)
    marks: dict[str, int] = field(default_factory=dict)
    purses: dict[str, Purse] = field(default_factory=dict)
    keysends: dict[str, int] = field(default_factory=dict)
    month: str = ""

    @property
    def url(self) -> str:
        """The database."""
        return self.database or f"sqlite:///{self.folder / 'flattr.sqlite'}"

    async def settle_in(self) -> None:
        """The node's settings, its people, and where they are paid."""
        self.folder.mkdir(parents=True)
        await self.settle_in_alone()
        people: dict[str, str | None] = dict.fromkeys(self.readers + self.members)
        people |= {name: self._target(name) for name in self.creators}
        await self.life.tell("settle_in", people=people)

    async def settle_in_alone(self, more: str = "") -> None:
        """The settings, and a first life: nobody is there yet."""
        operator = self.rig.network.operator
        settings = SETTINGS.format(
            database=self.url, port=self.rig.lnurl.port, more=more,
            lndconnect=operator.lndconnect_with(operator.payer_macaroon_path),
            operator=self._address("operator"),
        )  # fmt: skip
        (self.folder / "flattr-node.toml").write_text(settings)
        self.marks = await self.rig.marks()
        await self.live(0)

    @property
    def readers(self) -> list[str]:
        """Who flattr."""
        return [f"reader{number}" for number in range(READERS)]

    @property
    def members(self) -> list[str]:
        """Who withdraw."""
        return [f"member{number:02}" for number in range(MEMBERS)]

    @property
    def creators(self) -> list[str]:
        """Who are paid for the month."""
        return [f"creator{number:02}" for number in range(CREATORS)]

    async def deposits(self, kills: int) -> None:
        """Money in; the node is killed while it is credited."""
        pot_sat = SHARE_SAT * CREATORS
        orders = [
            {"name": name, "sat": sat, "to_pot": to_pot, "key": "first"}
            for names, sat, to_pot in (
                (self.readers, pot_sat, True),
                (self.members, FREE_SAT, False),
            )
            for name in names
        ]  # fmt: skip
        made = [await self.life.tell("deposit", **order) for order in orders]
        paying = asyncio.gather(*(self.rig.deposit(one["request"]) for one in made))
        for _ in range(kills):
            await asyncio.sleep(self.random.uniform(0, 0.8))
            self.kill()
            await self.live()
        await paying
        for order in orders:
            assert await self.life.tell("credited", **order), order

    async def close(self, kills: int) -> None:
        """Clicks, and the month is closed; killed while it is."""
        clicks = [(reader, creator, "") for reader in self.readers for creator in self.creators]
        self.month = await self.life.tell("click", clicks=clicks)
        await self.life.tell("fold")
        for _ in range(kills):
            closing = asyncio.create_task(self.life.attempt("close", month=self.month))
            await asyncio.sleep(self.random.uniform(0, 0.15))
            self.kill()
            await closing
            await self.live()
        await self.life.tell("close", month=self.month)

    async def more(self) -> None:
        """A withdrawal of each member, to an invoice of somebody's."""
        orders = []
        for name in self.members:
            payee = self.random.choice(self.rig.payees)
            request = await self.rig.invoice(payee, self.random.randint(*WITHDRAWN_SAT))
            key = f"{self.withdrawals}"
            orders.append({"name": name, "request": request, "key": key})
        self.withdrawals += 1
        while True:
            with suppress(Died):
                await self.life.tell("withdraw_all", orders=orders)
                return
            await self.live()

    async def live(self, ahead_s: int = NEXT_S) -> str | None:
        """The next life, when the lease of the last has run out; why it sends nothing, if so."""
        for _ in range(STARTS_MAX):
            self.life = self.new_life(ahead_s)
            try:
                return await self.life.begin()
            except RailUnavailable:  # LND starts: the node's service manager starts it again
                self.life.kill()
                await asyncio.sleep(0.2)
        raise AssertionError("the node does not come up")

    def new_life(self, ahead_s: int = NEXT_S) -> Life:
        """A process whose clock is so far ahead of the last one's; it is not up yet."""
        self.ahead_s += ahead_s
        return Life(self.folder, self.ahead_s)

    def kill(self, life: Life | None = None) -> None:
        """kill -9 of the node."""
        (life or self.life).kill()
        self.rig.tally.kills["node"] += 1

    async def sent(self) -> list[Attempt]:
        """What counts as sent, and has not ended, as it is on disk."""
        async with self.store.read() as tx:
            live = await attempts.live(tx, RAIL, 10_000)
        return [attempt for attempt in live if attempt.state is AttemptState.SENT]

    async def rest(self) -> None:
        """Come to rest: all is paid, or waits for a person or for a time lock."""
        found = await self.life.tell("rest")
        self.ahead_s = max(self.ahead_s, found["ahead_s"])

    async def judge(self) -> None:
        """Who has what, and what the audit says."""
        receipts = await self.rig.receipts(self.marks)
        held = await self.rig.held()
        judge(await rows_of(self.store), receipts, held, self.rig.tally, self.of)
        judge_purses(self.purses, receipts, self.rig.tally, self.of)
        judge_keysends(self.keysends, receipts, self.rig.tally, self.of)
        self.note_races(receipts.keys())
        broken = await self.life.tell("audit")
        self.rig.tally.breaches += [f"{self.of}: audit: {words}" for words in broken]
        self.rig.tally.audits += not broken

    def note_races(self, arrived: Any) -> None:
        """What the restarted nodes themselves were told first, and what came of it."""
        first, again = notes(self.folder)
        seen = self.rig.tally.seen
        seen["NOT_FOUND told to a new life"] += len(first)
        seen[ARRIVED] += len(first & set(arrived))
        seen["race: lnd had it when asked to pay again"] += len(first & again)

    async def open_store(self) -> None:
        """Open the rig's own view of the books."""
        self.store = await self.opened.enter_async_context(open_store(self.url))

    async def close_store(self) -> None:
        """Close it: the database's files may be changed."""
        await self.opened.aclose()

    async def end(self, kind: object, _error: object, _trace: object) -> None:
        """The last life ends. The folder stays when something was found, or went wrong."""
        self.life.kill()
        await self.close_store()
        if kind is None and self.rig.tally.clean:
            shutil.rmtree(self.folder, ignore_errors=True)

    def _target(self, name: str) -> str:
        if self.random.random() < 0.5:
            return self._address(name)
        payee = self.random.choice(self.rig.payees)
        self.keysends[payee.name] = self.keysends.get(payee.name, 0) + 1
        return payee.identity_pubkey

    def _address(self, name: str) -> str:
        purse = Purse(self.random.choice(self.rig.payees))
        self.purses[name] = purse
        unique = f"{self.of.replace(' ', '')}{name}"
        self.rig.purses[unique] = purse
        return self.rig.lnurl.address(unique)
