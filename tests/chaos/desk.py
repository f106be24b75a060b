"""What runs in a node's process: it starts as `serve` does, and takes the rig's orders.

As `tests/simulation/node_process.py`, whose orders it has too. More here: the quarantine at the
start, a death so long after a send (`ears.py`), coming to rest, and the stablecoin.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from importlib import import_module
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final

import structlog

from node.app import open_node
from node.clock import ManualClock, now_s
from node.config import Settings, load_settings
from node.errors import LeaseLost, RailUnavailable
from node.flows import claim, join
from node.flows.audits.audit import audit
from node.flows.audits.lines import State
from node.flows.close import close_month
from node.flows.node import Node
from node.flows.reconcile import quarantine, reconcile
from node.flows.schedule import close_what_is_over
from node.flows.vault import books as chain_books
from node.flows.vault import chain_money
from node.flows.vault.target import set_vault_target
from node.money import Asset
from node.month import Month
from node.settlement.attempt import AttemptState
from node.settlement.payout import PayoutState
from node.store import attempts, chain_addresses, journal, payouts
from node.store.chain_addresses import LinkedAddress
from node.wallet.stablecoin.chain import FINALIZED, open_chain
from tests.chaos.ears import Ears, listen
from tests.simulation.node_process import Ahead, Desk

LATE: Final = (
    "eth_account", "node.store.tables", "pydantic.networks", "web3",
    "sqlalchemy.dialects.postgresql.asyncpg", "sqlalchemy.dialects.sqlite.aiosqlite",
)  # fmt: skip
"""What a node imports when it is opened; here once, for all lives."""
STEPS_S: Final = (*(31,) * 12, *(600,) * 8, *(3700,) * 3)
"""How the clock moves between rounds when the node is to come to rest: past every wait."""
LONG_S: Final = 3700
"""How it moves when payments are held: by now lnd shows no HTLC of what it has only left open."""
BURST_S: Final = 30
STEP_S: Final = 31
STEPS_A_LIFE: Final = 3
"""So often a life's clock is moved on while it pays; the next one's is ahead of that."""
QUIET_S: Final = 2
PATIENCE_S: Final = 15
"""So long nothing moves before the node leaves off paying; the second: while LND may be away."""

for _module in LATE:
    import_module(_module)


@dataclass
class ChaosDesk(Desk):
    """Takes the orders of a chaos run too."""

    ears: Ears = field(kw_only=True)
    steps: int = 0

    async def start(self) -> str | None:
        """What `serve` does before it pays."""
        return await quarantine(self.node)

    async def die(self, sends: int, after_s: float) -> bool:
        """Be killed so long after so many sends."""
        self.ears.die(sends, after_s)
        return True

    async def withdraw_all(self, orders: list[dict[str, str]]) -> bool:
        """Withdrawal after withdrawal."""
        for order in orders:
            await self.withdraw(**order)
        return True

    async def burst(self, patient: bool = False) -> dict[str, int]:
        """Round after round, the clock as it is, until nothing moves; payouts by state."""
        moved_s = began_s = time.monotonic()
        while (at_s := time.monotonic()) - began_s < BURST_S:
            moved = False
            with suppress(LeaseLost, RailUnavailable):
                moved = (await self.node.payer.round()).moved
                if not moved and not await self._sent():
                    break
            moved_s = at_s if moved else moved_s
            if not moved and self.steps < STEPS_A_LIFE:
                self.steps += 1  # a FAILED is believed when it is read again half a minute later
                self.clock.ahead_s += STEP_S
            if at_s - moved_s > (PATIENCE_S if patient else QUIET_S):
                break
            await asyncio.sleep(0 if moved else 0.1)
        return await self._counts()

    async def rest(self) -> dict[str, Any]:
        """Come to rest: rounds, the clock moved on, until all is paid or waits for somebody."""
        held: set[str] = set()
        for step_s in STEPS_S:
            await self.burst(patient=not held)
            sent = await self._sent()
            if "due" not in await self._counts() and sent <= held:
                break
            held = await self._on_a_channel(sent)
            self.clock.ahead_s += LONG_S if held else step_s
        return {"counts": await self._counts(), "ahead_s": self.clock.ahead_s}

    async def audit(self) -> list[str]:
        """What the audit finds, but for warnings."""
        node = self.node
        report = await audit(node.store, self.clock, node.lnd, node.stablecoin)
        return [
            f"{line.id} {line.law}: {line.figures}"
            for line in report.lines
            if line.state not in {State.OK, State.WARN}
        ]

    async def reconcile(self) -> dict[str, Any]:
        """As the operator's command does, without adopting anything."""
        found = await reconcile(self.node, adopt=False)
        return {"unknown": len(found.unknown), "stopped": found.stopped}

    async def close_by_clock(self, jump_s: int) -> list[str]:
        """What the schedule closes when the clock is put forward so far."""
        self.clock.ahead_s += jump_s
        try:
            return [str(month) for month in await close_what_is_over(self.node, _quiet)]
        finally:
            self.clock.ahead_s -= jump_s

    async def settle_in_coin(self, people: dict[str, str | None]) -> bool:
        """Members; and who has a target, if only an empty one, has a thing of the same name."""
        for name, target in people.items():
            member, _ = await join.join(self.node.store, self.clock, name)
            if target is not None:
                url = f"https://example.org/{name}"
                thing = await claim.add_thing(self.node.store, self.clock, url, name)
                await claim.grant(self.node.store, self.clock, member, thing.id)
        return True

    async def link(self, name: str, address: str) -> bool:
        """As `flows/vault/link.py` does it, without the signature."""
        assert self.node.stablecoin is not None
        money, now_us = self.node.stablecoin.money, self.clock.now_us()
        linked = LinkedAddress(money.chain_id, address, await self._member(name), now_us, 0)
        async with self.node.store.write() as tx:
            await journal.lock_head(tx, Asset.USD)
            if not await chain_addresses.link(tx, linked):
                return False
            await chain_books.book_waiting(tx, linked, now_us)
            month = Month.at(now_s(self.clock))
            await chain_books.settle_pots(tx, money.chain_id, month, now_us)
        return True

    async def coin_target(self, name: str, address: str) -> bool:
        """Where a creator is paid in the stablecoin."""
        assert self.node.stablecoin is not None
        await set_vault_target(self.node.stablecoin, await self._member(name), address, fresh=True)
        return True

    async def read_chain(self) -> bool:
        """Book what the vault says."""
        assert self.node.stablecoin is not None
        await chain_money.read(self.node.stablecoin.money)
        return True

    async def coin(self, month: str) -> dict[str, int]:
        """Close the month in the stablecoin and pay it, round after round, for a while."""
        node, closed = self.node, Month.parse(month)
        payer, coin = node.vault_payer, node.stablecoin
        assert payer is not None
        assert coin is not None
        until_s = time.monotonic() + BURST_S
        while time.monotonic() < until_s:
            with suppress(LeaseLost, RailUnavailable):
                closing = node.closings(_quiet)[-1]
                after = ManualClock(closed.ends_s + 60)
                await close_month(replace(closing, clock=after), closed)
                await payer.round()
            counts = await self._coin_counts()
            if counts and set(counts) <= {PayoutState.PAID.value, PayoutState.HELD.value}:
                break
            await asyncio.sleep(0.05)
            self.clock.ahead_s += 2
        return await self._coin_counts()

    async def _coin_counts(self) -> dict[str, int]:
        async with self.node.store.read() as tx:
            counts = await payouts.counts(tx, Asset.USD)
        return {PayoutState(state).value: number for state, (number, _) in counts.items()}

    async def _on_a_channel(self, sent: set[str]) -> set[str]:
        """Those of them that are on a channel of our lnd, though nothing moves: `Tally.held`."""
        with suppress(RailUnavailable):
            return {one for one in sent if await self.node.lnd.hash_on_a_channel(one)}
        return set()

    async def _sent(self) -> set[str]:
        """Payment hashes of what is under way, and does not wait for a person."""
        async with self.node.store.read() as tx:
            live = await attempts.live(tx, self.node.rail.name, 100_000)
        return {one.reference for one in live if one.state is not AttemptState.LIMBO}


def _quiet(_: str) -> None:
    """Nobody watches the progress."""


def main(folder: Path, connection: Connection, ahead_s: int) -> None:
    """The process."""
    quiet = structlog.make_filtering_bound_logger(logging.ERROR)
    structlog.configure(wrapper_class=quiet)
    asyncio.run(_serve(folder, connection, ahead_s))


async def _serve(folder: Path, connection: Connection, ahead_s: int) -> None:
    clock = Ahead(ahead_s)
    try:
        async with _open(load_settings(folder), folder, clock) as node:
            desk = ChaosDesk(node, clock, ears=listen(node, folder))
            connection.send({"ok": await desk.start()})
            watching = asyncio.create_task(_watch(desk), name="watch")
            while not watching.done():
                order = await asyncio.to_thread(connection.recv)
                connection.send(await _obey(desk, order))
            watching.result()
    except RailUnavailable as error:
        connection.send({"away": str(error)})


@asynccontextmanager
async def _open(settings: Settings, folder: Path, clock: Ahead) -> AsyncIterator[Node]:
    """A node for which anvil finalizes as main networks do; elsewhere its newest block is final."""
    async with AsyncExitStack() as stack:
        chain = None
        if settings.stablecoin is not None:
            opening = open_chain(settings.stablecoin.rpc_urls, alone=True, final=FINALIZED)
            chain = await stack.enter_async_context(opening)
        opening_node = open_node(settings, folder, clock, stablecoin_chain=chain)
        yield await stack.enter_async_context(opening_node)


async def _obey(desk: ChaosDesk, order: dict[str, Any]) -> dict[str, Any]:
    act: Callable[..., Coroutine[Any, Any, Any]] = getattr(desk, order.pop("do"))
    try:
        return {"ok": await act(**order)}
    except RailUnavailable as error:
        return {"away": str(error)}
    except Exception as error:  # noqa: BLE001  the rig is told, whatever it is
        return {"error": f"{type(error).__name__}: {error}"}


async def _watch(desk: ChaosDesk) -> None:
    """Credit what is paid, as a serving node does; LND may be away."""
    while True:
        with suppress(RailUnavailable):
            await desk.watch()
        await asyncio.sleep(0.2)
