"""Lightning addresses for the demo's creators: a small LNURL-pay server (LUD-06, LUD-16).

`name@127.0.0.1:PORT` is looked up at `http://127.0.0.1:PORT/.well-known/lnurlp/name`; the callback
makes an invoice at that name's own lnd, whose description hash is that of the metadata. It speaks
the compiled lnd stubs, so it serves the wallets of the real network and of the simulated one alike.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

import grpc.aio
from aiohttp import web
from lndgrpc.compiled import lightning_pb2 as ln
from lndgrpc.compiled.lightning_pb2_grpc import LightningStub

from node.devnet.processes import HOST

SENDABLE_MIN_MSAT = 1_000
SENDABLE_MAX_MSAT = 1_000_000_000
INVOICE_EXPIRY_S = 3600


@dataclass(frozen=True, slots=True)
class LnurlServer:
    """A running server on 127.0.0.1."""

    port: int

    def address(self, name: str) -> str:
        """The Lightning address of this name."""
        return f"{name}@{HOST}:{self.port}"


@asynccontextmanager
async def open_lnurl_server(
    wallets: Mapping[str, LightningStub], *, expiry_s: int = INVOICE_EXPIRY_S
) -> AsyncIterator[LnurlServer]:
    """Serve a Lightning address for each name, whose invoices are its wallet's.

    The mapping is read at each request: names may be added while the server runs.
    """
    desk = _Desk(wallets, expiry_s)
    app = web.Application()
    app.router.add_get("/.well-known/lnurlp/{name}", desk.offer)
    app.router.add_get("/lnurlp/{name}/invoice", desk.invoice)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, HOST, 0).start()
        yield LnurlServer(port=runner.addresses[0][1])
    finally:
        await runner.cleanup()


class _Desk:
    def __init__(self, wallets: Mapping[str, LightningStub], expiry_s: int) -> None:
        self._wallets = wallets
        self._expiry_s = expiry_s

    async def offer(self, request: web.Request) -> web.Response:
        """LUD-06, step 3: what may be sent, and where the invoice is to be had."""
        name = request.match_info["name"]
        if name not in self._wallets:
            return _error(f"nobody here is called {name}", status=404)
        return web.json_response(
            {
                "tag": "payRequest",
                "callback": f"http://{request.host}/lnurlp/{name}/invoice",
                "minSendable": SENDABLE_MIN_MSAT,
                "maxSendable": SENDABLE_MAX_MSAT,
                "metadata": _metadata(name, request.host),
            }
        )

    async def invoice(self, request: web.Request) -> web.Response:
        """LUD-06, step 6: an invoice for `amount` millisatoshi."""
        name, amount = request.match_info["name"], request.query.get("amount", "")
        if name not in self._wallets:
            return _error(f"nobody here is called {name}", status=404)
        amount_msat = int(amount) if amount.isascii() and amount.isdecimal() else 0
        if not SENDABLE_MIN_MSAT <= amount_msat <= SENDABLE_MAX_MSAT:
            return _error(f"amount is {SENDABLE_MIN_MSAT} to {SENDABLE_MAX_MSAT} millisatoshi")
        order = ln.Invoice(
            value_msat=amount_msat,
            description_hash=hashlib.sha256(_metadata(name, request.host).encode()).digest(),
            expiry=self._expiry_s,
        )
        try:
            made = await self._wallets[name].AddInvoice(order)
        except grpc.aio.AioRpcError as error:
            return _error(f"{name}'s wallet makes no invoice now: {error.code().name}")
        return web.json_response({"pr": made.payment_request, "routes": []})


def _metadata(name: str, host: str) -> str:
    entries = [["text/plain", f"To {name}"], ["text/identifier", f"{name}@{host}"]]
    return json.dumps(entries, separators=(",", ":"))


def _error(reason: str, status: int = 200) -> web.Response:
    """LUD-06's error: a JSON object, whatever the HTTP status."""
    return web.json_response({"status": "ERROR", "reason": reason}, status=status)
