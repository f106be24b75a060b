"""The demo's Lightning addresses: what a payer's wallet asks and gets."""

import hashlib
import json
from collections.abc import AsyncIterator, Callable
from types import SimpleNamespace
from typing import Any

import aiohttp
import grpc
import pytest

from node.devnet.lnurl import INVOICE_EXPIRY_S, LnurlServer, open_lnurl_server

Ask = Callable[..., Any]


class Wallet:
    """Keeps what it is asked for."""

    def __init__(self) -> None:
        self.orders: list[Any] = []

    async def AddInvoice(self, order: Any) -> Any:  # noqa: N802 - lnd's name
        self.orders.append(order)
        return SimpleNamespace(payment_request=f"lnsb{len(self.orders)}")


class DeadWallet:
    async def AddInvoice(self, order: Any) -> Any:  # noqa: N802, ARG002 - lnd's name and signature
        nothing = grpc.aio.Metadata()
        raise grpc.aio.AioRpcError(grpc.StatusCode.UNAVAILABLE, nothing, nothing)


@pytest.fixture
def ada() -> Wallet:
    return Wallet()


@pytest.fixture
async def server(ada: Wallet) -> AsyncIterator[LnurlServer]:
    async with open_lnurl_server({"ada": ada, "dead": DeadWallet()}) as running:
        yield running


@pytest.fixture
async def ask() -> AsyncIterator[Ask]:
    async with aiohttp.ClientSession() as session:

        async def get(url: str, **params: str) -> Any:
            async with session.get(url, params=params) as response:
                return await response.json()

        yield get


def offer_url(address: str) -> str:
    name, host = address.split("@")
    return f"http://{host}/.well-known/lnurlp/{name}"


async def test_an_address_leads_to_an_invoice_over_the_amount(
    server: LnurlServer, ada: Wallet, ask: Ask
) -> None:
    offer = await ask(offer_url(server.address("ada")))
    assert offer["tag"] == "payRequest"
    assert offer["minSendable"] == 1_000
    assert ["text/identifier", server.address("ada")] in json.loads(offer["metadata"])
    answer = await ask(offer["callback"], amount="21500")
    assert answer == {"pr": "lnsb1", "routes": []}
    [order] = ada.orders
    assert order.value_msat == 21_500
    assert order.expiry == INVOICE_EXPIRY_S
    assert order.description_hash == hashlib.sha256(offer["metadata"].encode()).digest()


@pytest.mark.parametrize("amount", ["", "0", "999", "1000000001", "-5", "1e6", "1.5", "٣٠٠٠"])
async def test_an_amount_that_may_not_be_sent_gets_no_invoice(
    server: LnurlServer, ada: Wallet, ask: Ask, amount: str
) -> None:
    offer = await ask(offer_url(server.address("ada")))
    answer = await ask(offer["callback"], amount=amount)
    assert answer["status"] == "ERROR"
    assert ada.orders == []


async def test_an_unknown_name_is_told_so(server: LnurlServer, ask: Ask) -> None:
    answer = await ask(offer_url(server.address("bob")))
    assert answer == {"status": "ERROR", "reason": "nobody here is called bob"}


async def test_a_wallet_that_is_down_is_an_error_of_lud_06(server: LnurlServer, ask: Ask) -> None:
    offer = await ask(offer_url(server.address("dead")))
    answer = await ask(offer["callback"], amount="1000")
    assert answer["status"] == "ERROR"
    assert "UNAVAILABLE" in answer["reason"]
