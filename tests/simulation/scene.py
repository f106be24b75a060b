"""A node, its creators' wallets and a simulated Lightning network in one process, on one clock.

    reader ──▶ node ──▶ creators      a creator is a wallet of its own: what arrived there is the
                    └─▶ operator      truth of every test, whatever the node believes

Half of the creators are paid at a Lightning address (a new invoice for each try), half by keysend.
The clock stands until the test moves it, so half an hour of waiting takes no time.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
import grpc.aio

from node.app import open_node
from node.clock import ManualClock, this_month
from node.config import LndSettings, MoneySettings, Settings
from node.devnet.lnurl import open_lnurl_server
from node.errors import LeaseLost, RailUnavailable
from node.flows import claim, fund, join
from node.flows.close import close_month
from node.flows.node import Node
from node.ids import MemberId, PayoutId
from node.money import Asset, sats
from node.month import Month
from node.settlement.payout import Payout, PayoutState
from node.store import checks, payouts
from node.wallet.lightning.simulated import Faults, SimulatedNetwork, open_simulated_network
from node.wallet.lightning.stubs import lightning_pb2_grpc

PAYER = "node"
READER = "reader"
OPERATOR = "operator"
POT_SAT = 90_000
MSAT_EACH = 10**12
STEPS_S = (*(31,) * 24, *(600,) * 12, *(3700,) * 6, *(43_200,) * 8)
"""How the clock moves between rounds: past every wait that the payer knows."""


@dataclass
class Scene:
    """A month that can be played, and the truth about it."""

    network: SimulatedNetwork
    clock: ManualClock
    node: Node
    creators: dict[str, MemberId]
    settings: Settings
    folder: Path
    rounds: int = 0
    said: Counter[str] = field(default_factory=Counter)

    async def play(self, pot_sat: int = POT_SAT) -> Month:
        """A month: the reader fills a pot, flattrs a thing of each creator; it is closed."""
        month = this_month(self.clock)
        await self.fill(pot_sat)
        self.clock.set(month.ends_s + 60)
        await close_month(self.node.closing(lambda _: None), month)
        return month

    async def fill(self, pot_sat: int = POT_SAT) -> None:
        """The reader fills a pot and flattrs a thing of each creator; the month stays open."""
        node, reader = self.node, self.creators[READER]
        asked = await fund.ask_deposit(node.funding, reader, sats(pot_sat), to_pot=True, key="")
        await self.network.pay(READER, asked.payment_request or "")
        assert await fund.catch_up(node.funding) == 1
        for name, member in self.creators.items():
            if name != READER:
                url = f"https://example.org/{name}"
                thing = await claim.add_thing(node.store, self.clock, url, name)
                thing = await claim.grant(node.store, self.clock, member, thing.id)
                await node.clicks.flattr(reader, thing, None, "")

    async def pay(self, steps_s: Iterable[float] = STEPS_S) -> None:
        """Round after round until everything is paid, or the time is over."""
        for step_s in steps_s:
            await self.round()
            if all(payout.state is PayoutState.PAID for payout in await self.payouts()):
                return
            self.clock.advance(step_s)

    async def round(self) -> None:
        """One round; a rail that is away is no failure."""
        self.rounds += 1
        try:
            report = await self.node.payer.round()
        except (RailUnavailable, LeaseLost) as error:
            self.said[str(error)] += 1
            return
        self.said.update(report.words)

    async def payouts(self) -> list[Payout]:
        """All payouts."""
        async with self.node.store.read() as tx:
            found = [await payouts.in_state(tx, Asset.SAT, state, 1000) for state in PayoutState]
        return [payout for part in found for payout in part]

    async def attempts(self) -> list[tuple[PayoutId, str, str, bool]]:
        """(payout, payment hash, state, seen) of every attempt."""
        async with self.node.store.read() as tx:
            rows = await tx.rows(
                "SELECT payout, reference, state, seen FROM attempt"
                " JOIN leg ON attempt = attempt.id"
            )
        return [(PayoutId(r.payout), r.reference, r.state, bool(r.seen)) for r in rows]

    def paid_twice(self, months: int = 1) -> list[str]:
        """Receivers that got more payments than months have passed. Asks no database of ours."""
        receivers = [*(name for name in self.creators if name != READER), OPERATOR]
        return [name for name in receivers if len(self.network.settled(name)) > months]

    async def judge(self) -> Counter[str]:
        """Compare the books with the receivers; how many payouts ended in which state."""
        arrived = [
            arrival
            for name in self.network.nodes
            if name not in {PAYER, READER}
            for arrival in self.network.settled(name)
        ]
        attempts = await self.attempts()
        ends: Counter[str] = Counter()
        for payout in await self.payouts():
            hashes = {reference for of, reference, _, _ in attempts if of == payout.id}
            got = [msat for payment_hash, msat in arrived if payment_hash in hashes]
            assert len(got) <= 1, f"{payout.id} was paid {len(got)} times"
            assert got in ([], [payout.amount.units])
            states = {state for of, _, state, _ in attempts if of == payout.id}
            ends[self._end(payout, states, paid=bool(got))] += 1
        known = {reference for _, reference, _, _ in attempts}
        assert {payment_hash for payment_hash, _ in arrived} <= known, "a payment of nobody"
        async with self.node.store.read() as tx:
            assert await checks.breaches(tx, deep=True) == []
        assert self.network.total_msat() == MSAT_EACH * 2
        return ends

    def _end(self, payout: Payout, states: set[str], *, paid: bool) -> str:
        """The named state that a payout waits in, or PAID; anything else fails the test."""
        match payout.state:
            case PayoutState.PAID:
                assert paid, f"{payout.id} is called paid, and nothing arrived"
                return "paid"
            case PayoutState.HELD:
                assert payout.reason
                return "held"
            case PayoutState.IN_FLIGHT:
                return "limbo" if "limbo" in states else "in flight"
            case _:
                assert payout.state is PayoutState.DUE
                assert payout.reason or not states, f"{payout.id} waits for no reason"
                return "due"


@asynccontextmanager
async def open_scene(
    folder: Path,
    clock: ManualClock,
    *,
    creators: int = 6,
    seed: int = 0,
    keysend: bool | None = None,
    database: str = "",
) -> AsyncIterator[Scene]:
    """A network, wallets and a node. `keysend`: how creators are paid; None: half and half."""
    names = [f"creator{number}" for number in range(creators)]
    balances = dict.fromkeys([PAYER, READER], MSAT_EACH) | dict.fromkeys([*names, OPERATOR], 0)
    faults = Faults(seed=seed, payers={PAYER})
    async with AsyncExitStack() as stack:
        network = await stack.enter_async_context(
            open_simulated_network(folder / "net", balances, clock=clock, faults=faults)
        )
        wallets = {
            name: lightning_pb2_grpc.LightningStub(await stack.enter_async_context(channel(place)))
            for name, place in network.nodes.items()
        }
        lnurl = await stack.enter_async_context(open_lnurl_server(wallets))
        settings = Settings(
            network="simnet",
            database=database,
            fetch_allow=frozenset({f"127.0.0.1:{lnurl.port}"}),
            lnd=LndSettings(lndconnect=network.nodes[PAYER].lndconnect, send_wait_s=0.2),
            money=MoneySettings(dues_sat=0, operator_target=lnurl.address(OPERATOR)),
        )
        node = await stack.enter_async_context(open_node(settings, folder / "node", clock))
        members: dict[str, MemberId] = {}
        for number, name in enumerate([READER, *names]):
            members[name], _ = await join.join(node.store, clock, name)
            if name != READER:
                by_key = number % 2 == 0 if keysend is None else keysend
                key = network.nodes[name].identity_pubkey
                target = key if by_key else lnurl.address(name)
                await join.set_target(
                    node.store, clock, node.rules, node.fetcher, members[name], target
                )
        yield Scene(network, clock, node, members, settings, folder)


def channel(place: Any) -> Any:
    """A gRPC channel to a simulated node, for its own owner."""
    macaroon = Path(place.macaroon_path).read_bytes().hex()
    call = grpc.metadata_call_credentials(lambda _, answer: answer((("macaroon", macaroon),), None))
    tls = grpc.ssl_channel_credentials(Path(place.cert_path).read_bytes())
    credentials = grpc.composite_channel_credentials(tls, call)
    return grpc.aio.secure_channel(f"{place.host}:{place.port}", credentials)


def table(rows: Sequence[tuple[str, Counter[str]]]) -> str:
    """What each run came to, as lines of JSON, for the person who reads the test's output."""
    return "\n".join(f"{name:28} {json.dumps(dict(sorted(ends.items())))}" for name, ends in rows)
