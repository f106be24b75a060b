"""A whole node on the simulated LND, its server on a loopback port, and members who speak HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import aiohttp
import grpc.aio
import pytest

from node.app import open_node
from node.clock import ManualClock
from node.config import (
    LndSettings,
    MoneySettings,
    Settings,
    StablecoinSettings,
    WebSettings,
)
from node.devnet.evm import open_tester
from node.devnet.evm_vault import LocalVault, deploy_vault
from node.devnet.lnurl import open_lnurl_server
from node.flows import fund
from node.flows.node import Node
from node.flows.rules import stablecoin_rules
from node.flows.vault.events import ChainMoney
from node.flows.vault.months import VaultMonths
from node.flows.vault.stablecoin import Stablecoin
from node.flows.vault.transact import Transactor
from node.store import checks
from node.wallet.lightning.simulated import SimulatedNetwork, open_simulated_network
from node.wallet.lightning.stubs import lightning_pb2_grpc, router_pb2, router_pb2_grpc
from node.web.keys import DESK
from node.web.server import open_server
from tests.conftest import MONTH

WAIT_S = 10
BALANCES = {"node": 100_000_000, "reader": 50_000_000, "creator": 0}


@dataclass
class Answer:
    """What came back, read whole."""

    status: int
    headers: Any
    body: Any

    @property
    def slug(self) -> str:
        return str(self.body["type"]).removeprefix("/problems/")


@dataclass
class Client:
    """One caller. `token` empty: nobody."""

    http: aiohttp.ClientSession
    url: str
    token: str = ""
    id: int = 0
    name: str = ""

    async def __call__(self, method: str, path: str, json=None, *, api="/api/v1", **options):
        headers = dict(options.pop("headers", {}))
        if self.token:
            headers.setdefault("Authorization", f"Bearer {self.token}")
        if (key := options.pop("key", None)) is not None:
            headers["Idempotency-Key"] = key
        async with self.http.request(
            method, self.url + api + path, json=json, headers=headers, **options
        ) as response:
            raw = await response.read()
            is_json = raw and "json" in response.content_type
            return Answer(
                response.status, response.headers, await response.json() if is_json else raw
            )


@dataclass
class World:
    """The node, the network around it, and how to speak to it."""

    node: Node
    clock: ManualClock
    network: SimulatedNetwork
    url: str
    http: aiohttp.ClientSession
    wallets: dict[str, Any] = field(default_factory=dict)
    channels: dict[str, Any] = field(default_factory=dict)
    lnurl: Any = None
    vault: Any = None
    streams: Any = None

    @property
    def nobody(self) -> Client:
        return Client(self.http, self.url)

    async def join(self, name: str) -> Client:
        """A new member with a token that may do everything."""
        answer = await self.nobody("POST", "/members", {"name": name})
        assert answer.status == 201, answer.body
        told = answer.body
        return Client(self.http, self.url, told["token"]["secret"], told["member"], name)

    async def pay(self, payment_request: str, funding: Any = None) -> None:
        """The reader's wallet pays, and the node hears of it, or another process."""
        stub = router_pb2_grpc.RouterStub(self.channels["reader"])
        request = router_pb2.SendPaymentRequest(
            payment_request=payment_request, fee_limit_msat=100_000, timeout_seconds=10
        )
        async with asyncio.timeout(WAIT_S):
            seen = [payment async for payment in stub.SendPaymentV2(request)]
        assert seen[-1].status == 2, seen  # SUCCEEDED
        await fund.catch_up(funding or self.node.funding)

    async def fund(self, client: Client, amount_sat: int, to: str = "pot") -> None:
        answer = await client("POST", "/deposits", {"amount_sat": amount_sat, "to": to})
        assert answer.status == 201, answer.body
        await self.pay(answer.body["payment_request"])


@asynccontextmanager
async def open_world(
    folder, clock, *, database="", web=None, money=None, vault=None, allow=frozenset()
) -> AsyncIterator[World]:
    """Everything, in one process; with a vault the stablecoin is switched on."""
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        network = await enter(open_simulated_network(folder / "network", BALANCES, clock=clock))
        channels = {}
        for name in ("reader", "creator"):
            channels[name] = await enter(_channel(network.nodes[name]))
        wallets = {"creator": lightning_pb2_grpc.LightningStub(channels["creator"])}
        lnurl = await enter(open_lnurl_server(wallets))
        settings = Settings(
            network="simnet",
            database=database,
            fetch_allow=frozenset({f"127.0.0.1:{lnurl.port}"}) | allow,
            lnd=LndSettings(lndconnect=network.nodes["node"].lndconnect),
            money=money or MoneySettings(target_lock_hours=0),
            web=web or WebSettings(port=0, requests_per_minute=100_000, joins_per_hour=100_000),
        )
        node = await enter(open_node(settings, folder / "node", clock))
        if vault is not None:
            node = replace(node, stablecoin=await switch_on(node, vault))
        server = await enter(open_server(node))
        http = await enter(aiohttp.ClientSession())
        yield World(
            node, clock, network, server.url, http, wallets, channels, lnurl, vault,
            server.app[DESK].streams,
        )  # fmt: skip
        async with node.store.read() as tx:
            assert await checks.breaches(tx, deep=True) == []


async def switch_on(node: Node, vault: LocalVault) -> Stablecoin:
    """The second rail of a node, on a vault of its own."""
    chain, chain_id = vault.local.chain, vault.local.chain_id
    first_block = (await chain.latest()).number
    money = ChainMoney(node.store, node.clock, chain, vault.vault, chain_id, first_block)
    transactor = Transactor(node.store, node.clock, chain, chain_id, vault.operator, 10**12)
    treasury = vault.treasury.address
    asked = StablecoinSettings(
        network="eth-tester", rpc_urls=("http://127.0.0.1",), vault=vault.address,
        first_block=first_block, keystore=Path("key.json"), dues_units=0,
    )  # fmt: skip
    return Stablecoin(
        network="eth-tester",
        money=money,
        token=vault.token,
        treasury=treasury,
        signer=vault.operator,
        transactor=transactor,
        months=VaultMonths(chain, chain_id, vault.vault, transactor),
        rules=stablecoin_rules(node.settings.money, asked, treasury),
        secret=bytes(32),
    )


@asynccontextmanager
async def _channel(place):
    macaroon = place.macaroon_path.read_bytes().hex()
    call = grpc.metadata_call_credentials(lambda _, answer: answer((("macaroon", macaroon),), None))
    tls = grpc.ssl_channel_credentials(place.cert_path.read_bytes())
    credentials = grpc.composite_channel_credentials(tls, call)
    async with grpc.aio.secure_channel(f"{place.host}:{place.port}", credentials) as channel:
        yield channel


@pytest.fixture
async def world(tmp_path, clock) -> AsyncIterator[World]:
    """A node on SQLite."""
    async with open_world(tmp_path, clock) as opened:
        yield opened


@pytest.fixture
async def both_worlds(tmp_path, clock, database_url) -> AsyncIterator[World]:
    """A node on each database."""
    async with open_world(tmp_path, clock, database=database_url) as opened:
        yield opened


@pytest.fixture
async def vault() -> AsyncIterator[LocalVault]:
    """A vault that nobody has used, on a chain in this process."""
    async with open_tester(starts_s=MONTH.starts_s + 3600) as local:
        yield await deploy_vault(local)


@pytest.fixture
async def usd_world(tmp_path, clock, vault) -> AsyncIterator[World]:
    """A node on SQLite that pays in both assets."""
    async with open_world(tmp_path, clock, vault=vault) as opened:
        yield opened
