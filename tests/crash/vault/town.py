"""A node on a model chain: its people, its two RPCs, and one life after another on one database.

What is inside the node is the real thing: the database, the reader of the vault's events, the close
and the payer. A life is one process of it (`tests/crash/process.py`), which can be killed between
any two statements.
"""

from __future__ import annotations

from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, Final, cast

from node.clock import Clock
from node.config import MoneySettings, StablecoinSettings
from node.flows.close import Closing, close_month
from node.flows.rules import stablecoin_rules
from node.flows.schedule import months_to_close
from node.flows.vault import chain_money
from node.flows.vault.events import ChainMoney
from node.flows.vault.months import VaultMonths
from node.flows.vault.pay import VaultPayer
from node.flows.vault.stablecoin import Stablecoin
from node.flows.vault.transact import Transactor
from node.money import Asset
from node.month import Month
from node.store.closes import Stage
from node.store.engine import Store, open_store
from node.wallet.stablecoin.chain import FINALIZED, Chain
from node.wallet.stablecoin.endpoint import Endpoint
from node.wallet.stablecoin.signer import Order, Signer
from node.wallet.stablecoin.vault import Vault
from tests.crash.process import Process
from tests.crash.template import FILE
from tests.crash.vault.chain import GWEI, ModelChain
from tests.crash.vault.key import ModelSigner, address_of, number_of
from tests.crash.vault.ledger_state import Keys
from tests.crash.vault.rpc import ModelRpc

CHAIN_ID: Final = 31_337
CEILING_WEI: Final = 1000 * GWEI
VAULT: Final = address_of("vault")
TOKEN: Final = address_of("token")


class TownClock:
    """The time of one process: the town's, and how wrong its machine's clock is."""

    def __init__(self, town: Town, skew_s: int) -> None:
        self._town = town
        self.skew_s = skew_s
        self._latest_us = 0

    def now_us(self) -> int:
        now_us = (self._town.now_s + self.skew_s) * 1_000_000
        self._latest_us = max(self._latest_us, now_us)
        return self._latest_us

    async def sleep(self, seconds: float) -> None:
        raise AssertionError(f"nothing here sleeps, not {seconds} s either")


@dataclass
class Life:
    """One process of the node, from its start to its end."""

    town: Town
    process: Process
    clock: TownClock
    stack: AsyncExitStack = field(default_factory=AsyncExitStack)
    coin: Stablecoin | None = None
    store: Store | None = None
    said: list[str] = field(default_factory=list)
    trouble: str = ""

    async def start(self) -> None:
        """As `app.py` does it. Raises what that raises, and Killed."""
        await self.process.run(self._start())

    async def step(self) -> bool:
        """The reader, the close and the payer, once; whether all is done. Raises Killed too."""
        return await self.process.run(self._step())

    async def stop(self) -> None:
        """End it in order."""
        if self.process.alive:
            await self.process.run(self.stack.aclose())
        await self.process.bury()

    async def _start(self) -> None:
        self.store = await self.stack.enter_async_context(open_store(self.town.url))
        self.coin = stablecoin_of(self.town, self.store, self.clock)
        await self.coin.money.vault.check(CHAIN_ID, operator=self.coin.signer.address)

    async def _step(self) -> bool:
        store, coin = self.store, self.coin
        assert store is not None, "it was started"
        assert coin is not None, "it was started"
        self.said = []
        await chain_money.read(coin.money)
        closed = True
        closing = Closing(store, self.clock, coin.rules, self.said.append, coin)
        for month in await months_to_close(store, self.clock, Asset.USD):
            if not await chain_money.read_until(coin.money, month.ends_s):
                closed = False
                break
            if (await close_month(closing, month)).stage is not Stage.CHECKED:
                closed = False
                break
        report = await VaultPayer(coin, self.process.name).round()
        self.said, self.trouble = [*self.said[-2:], *report.words], report.trouble
        quiet = not (
            report.moved or report.pending or report.postponed or report.steps or report.trouble
        )
        return closed and quiet


class Town:
    """The world of one seed. `now_s` is the true time."""

    def __init__(self, seed: int, month: Month, folder: Path) -> None:
        self.random = Random(f"vault {seed}")
        self.month = month
        self.folder = folder
        self.now_s = month.starts_s + 3600
        number = {one: number_of(one) for one in ("owner", "operator", "guardian", "treasury")}
        delay_s = self.random.choice((0, 60, 1800, 2 * 86_400))
        self.keys = Keys(
            int(VAULT, 16), int(TOKEN, 16), *number.values(), delay_s=delay_s, chain_id=CHAIN_ID
        )
        lag = self.random.choice((2, 5, 12, 33, 64))
        self.chain = ModelChain(self.keys, self.random, self.now_s, lag)
        self.rpcs = [ModelRpc(name, self.chain, self.random) for name in ("one", "two")]
        self.nonces: dict[str, int] = {}
        self.lives = 0

    @property
    def url(self) -> str:
        return f"sqlite:///{self.folder / FILE}"

    def life(self, skew_s: int = 0) -> Life:
        """The next process of the node."""
        self.lives += 1
        return Life(self, Process(f"life {self.lives}"), TownClock(self, skew_s))

    def act(self, name: str, to: str, content: bytes) -> None:
        """Somebody's wallet sends a call, into the next block."""
        mined = self.chain.state.nonces.get(address_of(name), 0)
        nonce = max(mined, self.nonces.get(name, 0))
        while (address_of(name), nonce) in self.chain.pool:
            nonce += 1
        order = Order(CHAIN_ID, nonce, to, content, 500_000, GWEI, 10**15)
        self.chain.broadcast(ModelSigner(name).sign(order).raw)

    def pass_time(self, seconds: int, blocks: int = 1, *, perverse: bool = False) -> None:
        """The clock goes on, and the chain with it."""
        self.now_s += seconds
        behind_s = max(self.now_s - self.chain.time_s, blocks)
        for left in range(blocks, 0, -1):
            self.chain.mine(seconds=max(1, behind_s // left), perverse=perverse)
            behind_s = max(self.now_s - self.chain.time_s, 1)

    def payable_in(self) -> int:
        """Seconds until the seal of the newest month can't be vetoed any more."""
        state = self.chain.state
        month = state.months.get(state.month)
        return 0 if month is None else max(0, month.payable_at - self.chain.time_s)

    def settle(self) -> None:
        """Everything that waits is mined and final."""
        self.pass_time(2 * (self.chain.final_lag + 2), self.chain.final_lag + 2)

    def balance(self, name: str) -> int:
        """By the token: what somebody has."""
        return self.chain.state.held(number_of(name))


def stablecoin_of(town: Town, store: Store, clock: Clock) -> Stablecoin:
    """The second rail, put together as `app.py` does it."""
    chain = Chain(cast(list[Endpoint], town.rpcs), FINALIZED)
    vault = Vault(chain, VAULT)
    signer = cast(Signer, ModelSigner("operator"))
    transactor = Transactor(store, clock, chain, CHAIN_ID, signer, CEILING_WEI)
    settings: Any = StablecoinSettings.model_construct(dues_units=0, payout_min_units=1)
    treasury = address_of("treasury")
    return Stablecoin(
        network="anvil",
        money=ChainMoney(store, clock, chain, vault, CHAIN_ID, 0),
        token=TOKEN,
        treasury=treasury,
        signer=signer,
        transactor=transactor,
        months=VaultMonths(chain, CHAIN_ID, vault, transactor),
        rules=stablecoin_rules(MoneySettings(), settings, treasury),
        secret=bytes(range(32)),
    )
