"""A node in a process of its own, which a test can kill as a power cut would.

    test ──▶ NodeProcess ── one order, one answer ──▶ the process: `open_node`, and what a
               │                                      serving node does, step by step
               └── None: it died before it answered

The process is forked from a server that has imported everything, so a start costs a tenth of a
second. FLATTR_FAILPOINTS is in the new process's environment, and counts from the order `arm` on.
Every order can be given again after a death: the node's own idempotency is what is tested.

Its clock is the machine's, and so many seconds ahead as the orders have moved it; a month is closed
by another clock, which stands just after the month's end.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Coroutine
from contextlib import aclosing, suppress
from dataclasses import dataclass, field
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final

from node.app import open_node
from node.clock import ManualClock, SystemClock
from node.config import load_settings
from node.errors import LeaseLost, RailUnavailable
from node.failpoints import arm_from_environment
from node.flows import claim, fund, join
from node.flows.close import Closing, close_month
from node.flows.fold import fold
from node.flows.node import Node
from node.flows.withdraw import withdraw
from node.ids import MemberId
from node.money import Asset, sats
from node.month import Month
from node.settlement.payout import PayoutState
from node.store import leases, members, payouts, things

ANSWER_S: Final = 60
POLLS: Final = 200
STEP_S: Final = 31
HTLC_S: Final = 0.1
"""A real payment takes real time, whatever the node's clock says."""
ROUNDS_MAX: Final = 40

_SERVER = get_context("forkserver")


class NodeProcess:
    """One life of a node. `ahead_s`: how far its clock is ahead of the machine's."""

    def __init__(self, folder: Path, failpoints: str = "", ahead_s: int = 0) -> None:
        _SERVER.set_forkserver_preload([__name__])
        self._connection, theirs = _SERVER.Pipe()
        self._process = _SERVER.Process(
            target=_main, args=(folder, theirs, failpoints, ahead_s), daemon=True
        )
        self._process.start()
        theirs.close()

    async def tell(self, do: str, **words: Any) -> Any:
        """Give an order; its answer, or None when the process died of it."""
        try:
            self._connection.send({"do": do, **words})
            async with asyncio.timeout(ANSWER_S):
                answer = await asyncio.to_thread(self._connection.recv)
        except (EOFError, ConnectionError, BrokenPipeError):
            return None
        if "error" in answer:
            raise AssertionError(answer["error"])
        return answer["ok"]

    def kill(self) -> None:
        """SIGKILL; it is gone when this returns."""
        self._process.kill()
        self._process.join()
        self._connection.close()

    @property
    def exit_code(self) -> int | None:
        """-9 after a SIGKILL."""
        self._process.join(10)
        return self._process.exitcode


@dataclass
class Ahead:
    """The machine's clock, moved on."""

    ahead_s: int
    clock: SystemClock = field(default_factory=SystemClock)

    def now_us(self) -> int:
        return self.clock.now_us() + self.ahead_s * 1_000_000

    async def sleep(self, seconds: float) -> None:
        await self.clock.sleep(seconds)


@dataclass
class Desk:
    """Takes the orders."""

    node: Node
    clock: Ahead

    async def arm(self) -> bool:
        """From now on the failpoints of the environment act."""
        arm_from_environment()
        return True

    async def settle_in(self, people: dict[str, str | None]) -> bool:
        """Members, and for each with a payout target a thing of the same name."""
        node = self.node
        for name, target in people.items():
            member, _ = await join.join(node.store, self.clock, name)
            if target is not None:
                await join.set_target(
                    node.store, self.clock, node.rules, node.fetcher, member, target
                )
                url = f"https://example.org/{name}"
                thing = await claim.add_thing(node.store, self.clock, url, name)
                await claim.grant(node.store, self.clock, member, thing.id)
        return True

    async def deposit(self, name: str, sat: int, to_pot: bool, key: str) -> dict[str, str | None]:
        """An invoice."""
        member = await self._member(name)
        made = await fund.ask_deposit(self.node.funding, member, sats(sat), to_pot=to_pot, key=key)
        return {"request": made.payment_request, "state": made.state}

    async def credited(self, name: str, sat: int, to_pot: bool, key: str) -> bool:
        """Wait until the stream, or at last the sweep, has credited a deposit."""
        for poll in range(POLLS):
            if (await self.deposit(name, sat, to_pot, key))["state"] == "settled":
                return True
            if poll == POLLS // 2:
                await fund.catch_up(self.node.funding)
            await asyncio.sleep(0.02)
        return False

    async def click(self, clicks: list[tuple[str, str, str]]) -> str:
        """(member, thing, key) each, all at once; the month they are in."""
        given = [
            self.node.clicks.flattr(await self._member(name), await self._thing(thing), None, key)
            for name, thing, key in clicks
        ]
        return str((await asyncio.gather(*given))[0].month)

    async def withdraw(self, name: str, request: str, key: str) -> str:
        """Set money aside for an invoice."""
        node, member = self.node, await self._member(name)
        payout = await withdraw(
            node.store, self.clock, node.rules, member, request, None, key, frozenset()
        )
        return payout.id

    async def fold(self) -> int:
        """Fold the inbox."""
        return await fold(self.node.store, self.clock)

    async def close(self, month: str) -> str:
        """Close a month as if it were over."""
        node, closed = self.node, Month.parse(month)
        after = ManualClock(closed.ends_s + 60)
        return (await close_month(Closing(node.store, after, node.rules, _quiet), closed)).stage

    async def pay(self) -> dict[str, int]:
        """Round after round until nothing is due or in flight; payouts by state."""
        for _ in range(ROUNDS_MAX):
            with suppress(LeaseLost, RailUnavailable):
                await self.node.payer.round()
            counts = await self._counts()
            if counts.keys() <= {"paid"}:
                break
            if "in_flight" in counts:
                await asyncio.sleep(HTLC_S)
            self.clock.ahead_s += STEP_S
        return await self._counts()

    async def watch(self) -> None:
        """Credit what is paid, as a serving node does."""
        node = self.node
        async with node.store.read() as tx:
            from_index = await leases.cursor(tx, fund.SETTLE_CURSOR)
        if from_index == 0:
            await fund.catch_up(node.funding)
        async with aclosing(node.invoices.settled(from_index)) as paid:
            async for invoice in paid:
                await fund.credit(node.funding, invoice)

    async def _counts(self) -> dict[str, int]:
        async with self.node.store.read() as tx:
            counts = await payouts.counts(tx, Asset.SAT)
        return {PayoutState(state).value: number for state, (number, _) in counts.items()}

    async def _member(self, name: str) -> MemberId:
        async with self.node.store.read() as tx:
            found = await members.by_name(tx, name)
        assert found is not None
        return found.id

    async def _thing(self, name: str) -> Any:
        async with self.node.store.read() as tx:
            return await things.by_url(tx, f"https://example.org/{name}")


def _main(folder: Path, connection: Connection, failpoints: str, ahead_s: int) -> None:
    os.environ["FLATTR_FAILPOINTS"] = failpoints
    asyncio.run(_serve(folder, connection, ahead_s))


async def _serve(folder: Path, connection: Connection, ahead_s: int) -> None:
    clock = Ahead(ahead_s)
    async with open_node(load_settings(folder), folder, clock) as node:
        desk = Desk(node, clock)
        watching = asyncio.create_task(desk.watch(), name="watch")
        while True:
            order = await asyncio.to_thread(connection.recv)
            act: Callable[..., Coroutine[Any, Any, Any]] = getattr(desk, order.pop("do"))
            try:
                connection.send({"ok": await act(**order)})
            except Exception as error:  # noqa: BLE001  the test is told, whatever it is
                connection.send({"error": f"{type(error).__name__}: {error}"})
            if watching.done():
                watching.result()


def _quiet(_: str) -> None:
    """Nobody watches the progress."""
