"""What `doctor` finds out about a macaroon, against real lnd: the truth, and without any effect."""

from __future__ import annotations

from pathlib import Path

import pytest
from lndgrpc.compiled import lightning_pb2 as ln

from node.clock import SystemClock
from node.config import LndSettings, Settings
from node.devnet.lightning import LightningNetwork
from node.devnet.nodes import DevNode
from node.flows.diagnose import lnd_findings
from node.wallet.lightning.connection import LndConnection
from node.wallet.lightning.lnd import Lnd, open_lnd
from node.wallet.lightning.rpc_errors import METHODS

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.lnd,
    pytest.mark.xdist_group("lnd"),
]


@pytest.mark.parametrize("lacking", [*((method,) for method in METHODS), METHODS[:4], ()])
async def test_the_rights_that_a_macaroon_lacks_are_named(
    lightning_network: LightningNetwork, lacking: tuple[str, ...]
) -> None:
    node = lightning_network.operator
    allowed = [method for method in METHODS if method not in lacking]
    path = await lightning_network.bake(node, allowed)
    before = await _traces(node)
    async with open_lnd(_connection(node, path)) as lnd:
        assert await lnd.missing_permissions() == lacking
        assert not await lnd.holds_dangerous_permissions()
    assert await _traces(node) == before


async def test_an_admin_macaroon_is_seen(lightning_network: LightningNetwork) -> None:
    node = lightning_network.operator
    async with open_lnd(_connection(node, node.macaroon_path)) as lnd:
        assert await lnd.missing_permissions() == ()
        assert await lnd.holds_dangerous_permissions()


async def test_real_lnd_is_green(lightning_network: LightningNetwork) -> None:
    node = lightning_network.operator
    settings = Settings(
        network="simnet",
        lnd=LndSettings(lndconnect=node.lndconnect_with(node.payer_macaroon_path)),
    )
    async with open_lnd(_connection(node, node.payer_macaroon_path)) as lnd:
        found = [one async for one in lnd_findings(lnd, settings, SystemClock())]
        assert {one.part: one.words for one in found if not one.good} == {}
        assert {"lnd", "wallet", "macaroon", "admin", "network", "sync", "version", "clock"} == {
            one.part for one in found
        }
        await _balances_agree(lnd, node)


async def _balances_agree(lnd: Lnd, node: DevNode) -> None:
    """What the solvency of doctor and audit is reckoned by."""
    balances = await lnd.balances()
    answer = await node.lightning.ChannelBalance(ln.ChannelBalanceRequest())
    assert balances.own_msat == answer.local_balance.msat > 0
    assert balances.remote_msat == answer.remote_balance.msat


async def _traces(node: DevNode) -> tuple[int, int]:
    """How many invoices and payments this lnd knows."""
    invoices = await node.lightning.ListInvoices(ln.ListInvoiceRequest())
    wanted = ln.ListPaymentsRequest(include_incomplete=True)
    payments = await node.lightning.ListPayments(wanted)
    return len(invoices.invoices), len(payments.payments)


def _connection(node: DevNode, macaroon_path: Path) -> LndConnection:
    return LndConnection.from_lndconnect(node.lndconnect_with(macaroon_path))
