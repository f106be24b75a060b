"""kill -9 at every failpoint: nothing is paid twice, nothing is lost, and nobody has to help.

The node is a process of its own and dies at the armed point, as in a power cut. The network lives
on. A new process on the same folder is given the same order again, and plays the month to its end.
What the receivers' own wallets say is the truth: each payout arrived once.
"""

from __future__ import annotations

import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from node.devnet.lnurl import open_lnurl_server
from node.flows.lease import LEASE_S
from node.money import Asset
from node.settlement.payout import PayoutKind, PayoutState
from node.store import checks, closes, payouts
from node.store.engine import open_store
from node.wallet.lightning.simulated import Faults, SimulatedNetwork, open_simulated_network
from node.wallet.lightning.stubs import lightning_pb2_grpc
from tests.killed import points_of
from tests.simulation.node_process import NodeProcess
from tests.simulation.scene import channel

CREATORS = ("ann", "ben", "cid")
POT_SAT, FREE_SAT, TAKEN_SAT = 9000, 5000, 1000
MSAT_EACH = 10**12
SETTINGS = """network = "simnet"
fetch_allow = ["127.0.0.1:{port}"]
[lnd]
lndconnect = "{lndconnect}"
[money]
dues_sat = 0
operator_target = "{operator}"
"""
KILLED = points_of(
    "click", "close.book", "close.check", "close.fold", "close.freeze", "close.open",
    "close.prove", "close.split", "deposit.credit", "deposit.open", "deposit.request", "fold",
    "lease.take", "pay.follow", "pay.refuse", "pay.send", "pay.settle", "pay.store",
    "withdraw.open",
)  # fmt: skip
"""What the month below passes; tests/test_failpoints.py says who kills at the others."""


@dataclass
class Play:
    """A month, played through as many lives of the node as it takes."""

    network: SimulatedNetwork
    folder: Path
    targets: dict[str, str | None]
    failpoint: str = ""
    ahead_s: int = 0
    deaths: int = 0
    life: NodeProcess | None = None
    exit_codes: list[int | None] = field(default_factory=list)

    async def tell(self, do: str, **words: Any) -> Any:
        """Give an order until a node has lived to answer it."""
        while True:
            if self.life is None:
                self.life = NodeProcess(self.folder, ahead_s=self.ahead_s)
            answer = await self.life.tell(do, **words)
            if answer is not None:
                return answer
            self.exit_codes.append(self.life.exit_code)
            self.life.kill()
            self.life = None
            self.deaths += 1
            self.ahead_s += LEASE_S + 1
            assert self.deaths <= 2, "it dies without a failpoint"

    async def month(self) -> None:
        """The whole month, with a payment that fails once, and one whose message is lost."""
        self.life = NodeProcess(self.folder, f"{self.failpoint}=kill" if self.failpoint else "")
        await self.tell("settle_in", people=self.targets)
        await self.tell("arm")
        await self._deposit(POT_SAT, to_pot=True, key="pot")
        await self._deposit(FREE_SAT, to_pot=False, key="free")
        clicks = [("reader", name, f"click {name}") for name in CREATORS]
        month = await self.tell("click", clicks=clicks)
        await self.tell("click", clicks=clicks)
        await self.tell("fold")
        await self.tell("close", month=month)
        self.network.faults.change(
            {"no_route": {"next_count": 1}, "lost_before": {"next_count": 1}}
        )
        assert (await self.tell("pay")).keys() == {"paid"}
        invoice = self.network.invoice("reader", TAKEN_SAT * 1000, expiry_s=86_400)
        await self.tell("withdraw", name="reader", request=invoice, key="out")
        assert (await self.tell("pay")).keys() == {"paid"}
        assert self.life is not None
        self.life.kill()
        self.life = None

    async def _deposit(self, sat: int, *, to_pot: bool, key: str) -> None:
        order: dict[str, Any] = {"name": "reader", "sat": sat, "to_pot": to_pot, "key": key}
        request = (await self.tell("deposit", **order))["request"]
        await self.network.pay("reader", request)
        assert await self.tell("credited", **order), "a paid deposit was not credited"


@pytest.fixture
async def play(tmp_path: Path) -> AsyncIterator[Play]:
    """A network that outlives the node."""
    balances = dict.fromkeys(["node", "reader"], MSAT_EACH) | dict.fromkeys(
        [*CREATORS, "operator"], 0
    )
    async with AsyncExitStack() as stack:
        network = await stack.enter_async_context(
            open_simulated_network(tmp_path / "net", balances, faults=Faults(payers={"node"}))
        )
        wallets = {
            name: lightning_pb2_grpc.LightningStub(await stack.enter_async_context(channel(place)))
            for name, place in network.nodes.items()
        }
        lnurl = await stack.enter_async_context(open_lnurl_server(wallets))
        folder = tmp_path / "node"
        folder.mkdir()
        (folder / "flattr-node.toml").write_text(
            SETTINGS.format(
                port=lnurl.port,
                lndconnect=network.nodes["node"].lndconnect,
                operator=lnurl.address("operator"),
            )
        )
        targets: dict[str, str | None] = {"reader": None, "ann": lnurl.address("ann")}
        targets |= {"ben": lnurl.address("ben"), "cid": network.nodes["cid"].identity_pubkey}
        played = Play(network, folder, targets)
        yield played
        if played.life is not None:
            played.life.kill()


@pytest.mark.parametrize("failpoint", sorted(KILLED))
async def test_a_node_that_is_killed_anywhere_pays_everybody_once(play: Play, failpoint: str):
    play.failpoint = failpoint
    await play.month()
    assert play.exit_codes == [-signal.SIGKILL], f"{failpoint} was never passed"
    await _judge(play)


async def test_a_node_that_is_not_killed_pays_everybody_once(play: Play):
    await play.month()
    assert play.deaths == 0
    await _judge(play)


async def _judge(play: Play) -> None:
    """Compare the books with what the wallets got."""
    net = POT_SAT // 3 * 9 // 10 * 1000
    for name in CREATORS:
        assert [msat for _, msat in play.network.settled(name)] == [net], name
    assert [msat for _, msat in play.network.settled("operator")] == [POT_SAT * 100]
    assert [msat for _, msat in play.network.settled("reader")] == [TAKEN_SAT * 1000]
    assert sorted(msat for _, msat in play.network.settled("node")) == [
        FREE_SAT * 1000,
        POT_SAT * 1000,
    ]
    assert play.network.total_msat() == MSAT_EACH * 2
    async with (
        open_store(f"sqlite:///{play.folder / 'flattr.sqlite'}") as store,
        store.read() as tx,
    ):
        assert await checks.breaches(tx, deep=True) == []
        (close,) = await closes.all_of(tx, Asset.SAT)
        assert close.figures.flattrs == len(CREATORS)
        assert close.figures.commission * 10 == close.figures.distributed == POT_SAT * 1000
        paid = await payouts.in_state(tx, Asset.SAT, PayoutState.PAID, 100)
        fees = await tx.value("SELECT balance FROM account WHERE name = 'expense:routing'")
        left = await tx.value("SELECT sum(balance) FROM account WHERE name LIKE 'available:%'")
        taken = await tx.value("SELECT fee FROM payout WHERE kind = :kind", kind="withdrawal")
    assert {payout.kind for payout in paid} == set(PayoutKind)
    assert len(paid) == len(CREATORS) + 2
    assert left == (FREE_SAT - TAKEN_SAT) * 1000 - taken
    gone = sum(payout.amount.units for payout in paid)
    assert play.network.balance_msat("node") == (
        MSAT_EACH + (POT_SAT + FREE_SAT) * 1000 - gone - fees - taken
    )
