"""What runs in a node's process: it starts as `serve` does, and takes the rig's orders.

As `tests/simulation/node_process.py`, whose orders it has too. More here: the quarantine at the
start, a death so many milliseconds after a send, a note of what LND first said of each payment that
an earlier life has sent, coming to rest, and the stablecoin.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass, field, replace
from importlib import import_module
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final

import structlog

from node.app import open_node
from node.clock import ManualClock, now_s
from node.config import load_settings
from node.errors import LeaseLost, RailUnavailable
from node.flows import claim, join
from node.flows.audits.audit import audit
from node.flows.audits.lines import State
from node.flows.close import close_month
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
from node.wallet.lightning.bolt11 import parse_invoice
from tests.simulation.node_process import Ahead, Desk

LATE: Final = (
    "eth_account", "node.store.tables", "pydantic.networks", "web3",
    "sqlalchemy.dialects.postgresql.asyncpg", "sqlalchemy.dialects.sqlite.aiosqlite",
)  # fmt: skip
"""What a node imports when it is opened; here once, for all lives."""
STEPS_S: Final = (*(31,) * 12, *(600,) * 8, *(3700,) * 3)
"""How the clock moves between rounds when the node is to come to rest: past every wait."""
BURST_S: Final = 30
QUIET_S: Final = 2
PATIENCE_S: Final = 15
"""So long nothing needs to move before the node leaves off paying; the second, while LND is away."""
LOOKS: Final = "looks.jsonl"
_MISSING: Final = "NOT_FOUND"
_THERE: Final = "ALREADY_EXISTS"

for _module in LATE:
    import_module(_module)


@dataclass
class ChaosDesk(Desk):
    """Takes the orders of a chaos run too."""

    folder: Path = Path()
    sends: int = 0
    dies_at: int = 0
    dies_after_s: float = 0
    known: set[str] = field(default_factory=set)
    """Payments that this life has sent itself, or has asked about."""

    async def start(self) -> str | None:
        """What `serve` does before it pays."""
        self._listen()
        return await quarantine(self.node)

    async def die(self, sends: int, after_s: float) -> bool:
        """Be killed so long after so many sends."""
        self.dies_at, self.dies_after_s = self.sends + sends, after_s
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
            if at_s - moved_s > (PATIENCE_S if patient else QUIET_S):
                break
            await asyncio.sleep(0 if moved else 0.1)
        return await self._counts()

    async def rest(self) -> dict[str, Any]:
        """Come to rest: rounds, the clock moved on, until all is paid or waits for a person."""
        for step_s in STEPS_S:
            await self.burst(patient=True)
            if await self._at_rest():
                break
            self.clock.ahead_s += step_s
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

    async def _at_rest(self) -> bool:
        """Nothing is due, and what is in flight is in LIMBO."""
        if "due" in await self._counts():
            return False
        return not await self._sent()

    async def _sent(self) -> bool:
        """Whether anything is under way that waits for the network, and not for a person."""
        async with self.node.store.read() as tx:
            live = await attempts.live(tx, self.node.rail.name, 100_000)
        return any(attempt.state is not AttemptState.LIMBO for attempt in live)

    def _listen(self) -> None:
        """Write down what LND first says of each payment that an earlier life has sent."""
        lnd, rail = self.node.lnd, self.node.rail
        track, send = lnd.track, rail.send
        again: set[str] = set()

        async def listened(payment_hash: str) -> Any:
            view = await track(payment_hash)
            if payment_hash not in self.known:
                self.known.add(payment_hash)
                if view is None:
                    again.add(payment_hash)
                    self._note(payment_hash, _MISSING)
            return view

        async def counted(attempt: Any) -> None:
            self.known.add(attempt.reference)
            self.sends += 1
            if self.sends == self.dies_at:
                threading.Thread(target=_die, args=(self.dies_after_s,), daemon=True).start()
            await send(attempt)

        async def answered(request: Any) -> Any:
            answer = await sent(request)
            if again and "exists" in answer.words.lower():
                self._note(_hash_of(request), _THERE)
            return answer

        sent = lnd._send
        lnd.track, rail.send, lnd._send = listened, counted, answered  # type: ignore[method-assign]

    def _note(self, payment_hash: str, what: str) -> None:
        with (self.folder / LOOKS).open("a") as file:
            file.write(json.dumps([payment_hash, what]) + "\n")


def notes(folder: Path) -> tuple[set[str], set[str]]:
    """(payments that LND did not show to a new life, those of them it had when asked to pay)."""
    path = folder / LOOKS
    lines = path.read_text().splitlines() if path.exists() else []
    found: dict[str, set[str]] = {_MISSING: set(), _THERE: set()}
    for line in lines:
        payment_hash, what = json.loads(line)
        found[what].add(payment_hash)
    return found[_MISSING], found[_THERE]


def _hash_of(request: Any) -> str:
    """The payment hash of a SendPaymentRequest, or its invoice."""
    if request.payment_hash:
        return bytes(request.payment_hash).hex()
    return parse_invoice(request.payment_request).payment_hash


def _die(after_s: float) -> None:
    time.sleep(after_s)
    os.kill(os.getpid(), signal.SIGKILL)


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
        async with open_node(load_settings(folder), folder, clock) as node:
            desk = ChaosDesk(node, clock, folder=folder)
            connection.send({"ok": await desk.start()})
            watching = asyncio.create_task(_watch(desk), name="watch")
            while not watching.done():
                order = await asyncio.to_thread(connection.recv)
                connection.send(await _obey(desk, order))
            watching.result()
    except RailUnavailable as error:
        connection.send({"away": str(error)})


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
