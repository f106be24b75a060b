"""Ten kill -9 of the node in the middle of paying on real lnd, counted at the receivers.

The month's payouts are due when the first kill comes; before each later one some withdrawals are
added, so that every kill finds something half done. The moments are drawn from a seed.
"""

from __future__ import annotations

import asyncio
import random
from pathlib import Path
from typing import Any, Final

import pytest
from lndgrpc.compiled import lightning_pb2 as ln
from lndgrpc.compiled import router_pb2 as router

from node.devnet.lightning import LightningNetwork
from node.devnet.lnurl import open_lnurl_server
from node.devnet.nodes import DevNode
from node.flows.lease import LEASE_S
from node.money import Asset
from node.settlement.payout import PayoutState
from node.store import checks, payouts
from node.store.engine import open_store
from tests.simulation.node_process import NodeProcess

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.lnd,
    pytest.mark.xdist_group("lnd"),
]

KILLS: Final = 10
SEED: Final = 20_261_123
CREATORS: Final = [f"creator{number:02}" for number in range(30)]
SHARE_SAT: Final = 100
POT_SAT: Final = SHARE_SAT * len(CREATORS)
FREE_SAT: Final = 20_000
TAKEN: Final = [(kill, number) for kill in range(1, KILLS) for number in range(3)]
TAKEN_SAT: Final = 50
KILLED_WITHIN_S: Final = 0.4
PATIENCE: Final = 4
"""One withdrawal of a member is in flight at a time, and rounds are counted."""
SETTINGS: Final = """network = "simnet"
fetch_allow = ["127.0.0.1:{port}"]
[lnd]
lndconnect = "{lndconnect}"
[money]
dues_sat = 0
"""


async def test_ten_kills_while_paying_pay_everybody_once(
    lightning_network: LightningNetwork, tmp_path: Path
) -> None:
    network, moment = lightning_network, random.Random(SEED)
    before, patience = await _settled(network.creators), PATIENCE
    async with open_lnurl_server(dict.fromkeys(CREATORS, network.creators.lightning)) as lnurl:
        lndconnect = network.operator.lndconnect_with(network.operator.payer_macaroon_path)
        settings = SETTINGS.format(port=lnurl.port, lndconnect=lndconnect)
        (tmp_path / "flattr-node.toml").write_text(settings)
        targets = {"reader": None} | {name: lnurl.address(name) for name in CREATORS}
        await _month(network, tmp_path, targets)
        for kill in range(KILLS):
            life = NodeProcess(tmp_path, ahead_s=kill * (LEASE_S + 1))
            await life.tell("fold")
            for number in [taken for round_, taken in TAKEN if round_ == kill]:
                invoice = await network.creators.lightning.AddInvoice(
                    ln.Invoice(value=TAKEN_SAT, expiry=86_400)
                )
                key = f"{kill}.{number}"
                request = invoice.payment_request
                await life.tell("withdraw", name="reader", request=request, key=key)
            paying = asyncio.create_task(life.tell("pay"))
            await asyncio.sleep(moment.random() * KILLED_WITHIN_S)
            life.kill()
            await paying
        life = NodeProcess(tmp_path, ahead_s=KILLS * (LEASE_S + 1))
        while (counts := await life.tell("pay")).keys() != {"paid"}:
            patience -= 1
            assert patience, f"payouts are stuck: {counts}"
        life.kill()
    assert counts == {"paid": len(CREATORS) + len(TAKEN)}
    after = await _settled(network.creators)
    arrived = sorted(msat for hash_, msat in after.items() if hash_ not in before)
    net_msat = SHARE_SAT * 900
    assert arrived == [TAKEN_SAT * 1000] * len(TAKEN) + [net_msat] * len(CREATORS)
    await _judge(tmp_path, set(after) - set(before))


async def _month(network: LightningNetwork, folder: Path, targets: dict[str, str | None]) -> None:
    """Money in, clicks, and the close; the payouts are due after it."""
    life = NodeProcess(folder)
    await life.tell("settle_in", people=targets)
    for sat, to_pot, key in ((POT_SAT, True, "pot"), (FREE_SAT, False, "free")):
        order: dict[str, Any] = {"name": "reader", "sat": sat, "to_pot": to_pot, "key": key}
        request = (await life.tell("deposit", **order))["request"]
        await _pay(network.readers, request)
        assert await life.tell("credited", **order)
    month = await life.tell("click", clicks=[("reader", name, "") for name in CREATORS])
    await life.tell("fold")
    await life.tell("close", month=month)
    life.kill()


async def _judge(folder: Path, arrived: set[str]) -> None:
    """Every payment that arrived is one of ours, and the books are clean."""
    async with open_store(f"sqlite:///{folder / 'flattr.sqlite'}") as store, store.read() as tx:
        assert await checks.breaches(tx, deep=True) == []
        paid = await payouts.in_state(tx, Asset.SAT, PayoutState.PAID, 1000)
        settled = await tx.rows("SELECT reference FROM attempt WHERE state = 'settled'")
        tried = await tx.value("SELECT count(*) FROM attempt")
    assert {row.reference for row in settled} == arrived
    assert len(paid) == len(arrived)
    assert tried >= len(paid)


async def _settled(node: DevNode) -> dict[str, int]:
    """Payment hash → msat of every invoice of a node that was paid, as it says itself."""
    answer = await node.lightning.ListInvoices(ln.ListInvoiceRequest(num_max_invoices=100_000))
    paid = ln.Invoice.InvoiceState.Value("SETTLED")
    return {i.r_hash.hex(): i.amt_paid_msat for i in answer.invoices if i.state == paid}


async def _pay(payer: DevNode, request: str) -> None:
    order = router.SendPaymentRequest(
        payment_request=request, timeout_seconds=30, fee_limit_msat=100_000
    )
    async with asyncio.timeout(60):
        *_, last = [word async for word in payer.router_rpc.SendPaymentV2(order)]
    assert last.status == ln.Payment.PaymentStatus.Value("SUCCEEDED")
