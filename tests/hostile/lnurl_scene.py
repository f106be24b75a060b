"""A node whose creators' servers are hostile, on a simulated Lightning network.

Everything of the node is real: its books, its payer, its rail, its fetcher, whose exemption for
these loopback ports is the one that test networks have. What may be dispatched is the servers' to
say (`Desk.good`), and what was dispatched is read from the paying lnd.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from node.app import open_node
from node.clock import ManualClock, this_month
from node.config import LndSettings, MoneySettings, Settings
from node.errors import RailUnavailable
from node.flows import fund, join
from node.flows.close import close_month
from node.flows.node import Node
from node.flows.pay import Payer
from node.ids import MemberId
from node.money import Asset, sats
from node.settlement.fold import PackedMonth
from node.settlement.payout import Payout, PayoutKind, PayoutState
from node.store import checks, flattrs, members, payouts, things
from node.store.members import StoredTarget
from node.wallet.fetch import open_fetcher
from node.wallet.hosts import FetchLimits
from node.wallet.lightning.rail import LightningRail
from node.wallet.lightning.simulated import Faults, SimulatedNetwork, open_simulated_network
from node.wallet.lightning.targets import LnurlPay, parse_target
from tests.hostile.canaries import Canaries, open_canaries
from tests.hostile.certificates import trusted_certificates
from tests.hostile.lnurl_server import (
    EITHER,
    HOST,
    WALLET,
    Behaviour,
    Desk,
    Servers,
    open_servers,
)

PAYER: Final = "node"
READER: Final = "reader"
SHARE_SAT: Final = 1000
NET_MSAT: Final = SHARE_SAT * 900
DEPOSIT_MAX_SAT: Final = 1_000_000
MSAT_EACH: Final = 10**13
ROWS: Final = 100_000


@dataclass
class Scene:
    """A month that can be played among these servers, and the truth about it."""

    node: Node
    clock: ManualClock
    network: SimulatedNetwork
    desk: Desk
    creators: dict[str, MemberId]
    canaries: Canaries
    reader: MemberId
    payer: Payer

    async def play(self, names: list[str]) -> None:
        """The reader flattrs a thing of each of these creators, and the month is closed."""
        month = this_month(self.clock)
        node = self.node
        pot = SHARE_SAT * len(names)
        for start in range(0, pot, DEPOSIT_MAX_SAT):
            part = sats(min(DEPOSIT_MAX_SAT, pot - start))
            asked = await fund.ask_deposit(node.funding, self.reader, part, to_pot=True, key="")
            await self.network.pay(READER, asked.payment_request or "")
            assert await fund.catch_up(node.funding) == 1
        async with node.store.write() as tx:
            owned = set()
            for name in names:
                owned.add(await things.add(tx, f"https://a.example/{name}", "a.example", name, 0))
                thing = await things.by_url(tx, f"https://a.example/{name}")
                assert thing is not None
                await things.claim(tx, thing.id, self.creators[name], self.clock.now_us())
            marks = {(month, self.reader): PackedMonth(owned, set())}
            await flattrs.put_packed(tx, marks)
        self.clock.set(month.ends_s + 60)
        await close_month(node.closing(lambda _: None), month)

    async def round(self) -> str:
        """One round, and what it says; a rail that is away is no failure."""
        try:
            report = await self.payer.round()
        except RailUnavailable as error:
            return str(error)
        return "; ".join(report.words)

    async def payouts(self) -> dict[str, Payout]:
        """The creators' payouts that are not paid yet or were paid last, by creator."""
        names = {member: name for name, member in self.creators.items()}
        async with self.node.store.read() as tx:
            found = [await payouts.in_state(tx, Asset.SAT, state, ROWS) for state in PayoutState]
        mine = [one for part in found for one in part if one.kind is PayoutKind.CREATOR]
        return {names[one.member]: one for one in sorted(mine, key=lambda one: str(one.month))}

    def dispatched(self) -> list[tuple[str, str, int]]:
        """(payment hash, invoice, msat) of everything that the node's lnd was told to pay."""
        payments = self.network._world.nodes[PAYER].payments
        return [
            (key.hex(), one.intent.payment_request, one.intent.amount_msat)
            for key, one in payments.items()
        ]

    async def judge(self) -> Counter[str]:
        """What was dispatched against what may be; how many were paid and how many not.

        A wrong or a reused invoice fails it. Asked are the paying lnd and the creators' wallet.
        """
        owners: Counter[str] = Counter()
        ends: Counter[str] = Counter()
        of_hash = await self._creators_of_hashes()
        for payment_hash, text, amount_msat in self.dispatched():
            assert payment_hash in self.desk.good, f"a wrong invoice was dispatched: {text}"
            owner = self.desk.good[payment_hash]
            assert owner in {EITHER, of_hash[payment_hash]}, f"{owner}'s invoice for another"
            assert amount_msat == NET_MSAT, f"{amount_msat} msat for {text}"
            owners[of_hash[payment_hash]] += 1
        arrived = self.network.settled(WALLET)
        assert len({key for key, _ in arrived}) == len(arrived), "an invoice was paid twice"
        assert all(msat == NET_MSAT for _, msat in arrived)
        for name, payout in (await self.payouts()).items():
            ends["paid" if payout.state is PayoutState.PAID else "not paid"] += 1
            assert payout.state is not PayoutState.PAID or owners[name], name
        assert self.canaries.visits == [], "a connection was opened inside"
        async with self.node.store.read() as tx:
            assert await checks.breaches(tx, deep=True) == []
        return ends

    async def _creators_of_hashes(self) -> dict[str, str]:
        names = {member: name for name, member in self.creators.items()}
        async with self.node.store.read() as tx:
            rows = await tx.rows(
                "SELECT reference, member FROM attempt JOIN leg ON attempt = attempt.id"
                " JOIN payout ON payout.id = leg.payout"
            )
        return {row.reference: names[MemberId(row.member)] for row in rows}


@asynccontextmanager
async def open_scene(
    folder: Path,
    clock: ManualClock,
    creators: Mapping[str, Behaviour],
    *,
    limits: FetchLimits | None = None,
    faults: Faults | None = None,
) -> AsyncIterator[Scene]:
    """The node, its network and a server for each creator. `limits` of the fetcher: the usual."""
    balances = {PAYER: MSAT_EACH, READER: MSAT_EACH, WALLET: 0}
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        contexts = stack.enter_context(trusted_certificates(folder / "certificates"))
        canaries = await enter(open_canaries())
        faults = faults or Faults(payers={PAYER})
        network = await enter(
            open_simulated_network(folder / "net", balances, clock=clock, faults=faults)
        )
        desk = Desk(network, clock, inner=[f"127.0.0.1:{canaries.port}"])
        servers = await enter(open_servers(desk, creators, contexts))
        places = servers.places.values()
        elsewhere = {place.replace(HOST, "localhost") for place in places}
        settings = Settings(
            network="simnet",
            fetch_allow=frozenset({*places, *elsewhere}),
            lnd=LndSettings(lndconnect=network.nodes[PAYER].lndconnect),
            money=MoneySettings(dues_sat=0),
        )
        node = await enter(open_node(settings, folder / "node", clock))
        fetcher = await enter(
            open_fetcher(allow=settings.fetch_allow, limits=limits or FetchLimits())
        )
        rail = LightningRail(node.lnd, fetcher, clock, bytes(32))
        node = replace(node, fetcher=fetcher, rail=rail)
        reader, _ = await join.join(node.store, clock, READER)
        joined = await _joined(node, clock, creators, servers)
        scene = Scene(node, clock, network, desk, joined, canaries, reader, node.payer)
        deposit = await fund.ask_deposit(
            node.funding, reader, sats(NET_MSAT // 1000), to_pot=True, key="own"
        )
        desk.own_request = deposit.payment_request or ""
        yield scene


async def _joined(
    node: Node, clock: ManualClock, creators: Mapping[str, Behaviour], servers: Servers
) -> dict[str, MemberId]:
    """Members with targets that were never tried, as a server that was honest then."""
    joined: dict[str, MemberId] = {}
    async with node.store.write() as tx:
        for name, behaviour in creators.items():
            member = await members.add(tx, name, clock.now_us())
            assert member is not None
            place = servers.places[name]
            text = f"{name}@{place}"
            if behaviour.tls:
                text = LnurlPay(f"https://{place}/.well-known/lnurlp/{name}").text
            target = parse_target(text, allow=node.settings.fetch_allow)
            await members.set_target(
                tx, StoredTarget(member, Asset.SAT, target.text, target.fingerprint, 0, 0)
            )
            joined[name] = member
    return joined
