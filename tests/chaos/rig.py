"""The network around the node, and the truth about it: what the receivers' own lnds have.

operator ── router ── creators, readers       payouts go to creators, readers and router
                                              (Lightning addresses, invoices, keysends)
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import grpc
import grpc.aio
from lndgrpc.compiled import lightning_pb2 as ln
from lndgrpc.compiled import router_pb2 as router

from node.devnet.daemons import ensure_daemons
from node.devnet.lightning import LightningNetwork, open_lightning_network
from node.devnet.lnurl import LnurlServer, open_lnurl_server
from node.devnet.nodes import DevNode
from tests.chaos.tally import UNASKED, Tally

EXPIRY_S: Final = 30 * 86_400
"""Of all invoices: the node's clock is moved on from kill to kill."""
RACE_S: Final = 0.8
"""So long lnd may say NOT_FOUND of a payment that it has begun (reliability, fact 1)."""
LOOK_EVERY_S: Final = 0.05


@dataclass(frozen=True, slots=True)
class Receipt:
    """A settled invoice, as the receiver's lnd has it."""

    payee: str
    msat: int
    keysend: bool


@dataclass
class Purse:
    """A creator's Lightning address: makes invoices at its lnd, and remembers them."""

    payee: DevNode
    hashes: set[str] = field(default_factory=set)

    async def AddInvoice(self, order: Any) -> Any:  # noqa: N802  the stub's name
        """As lnd's stub."""
        made = await self.payee.lightning.AddInvoice(order)
        self.hashes.add(made.r_hash.hex())
        return made


@dataclass
class Rig:
    """The running network."""

    network: LightningNetwork
    lnurl: LnurlServer
    purses: dict[str, Purse]
    folder: Path
    tally: Tally

    @property
    def payees(self) -> tuple[DevNode, ...]:
        """Who is paid."""
        return (self.network.creators, self.network.readers, self.network.router)

    async def marks(self) -> dict[str, int]:
        """Where each payee's list of invoices ends now."""
        answers = {p.name: await self._invoices(p, 0) for p in self.payees}
        return {name: answer.last_index_offset for name, answer in answers.items()}

    async def receipts(self, marks: dict[str, int]) -> dict[str, Receipt]:
        """Payment hash → what was received since the marks."""
        settled = ln.Invoice.InvoiceState.Value("SETTLED")
        found = {}
        for payee in self.payees:
            for one in (await self._invoices(payee, marks[payee.name])).invoices:
                if one.state == settled:
                    receipt = Receipt(payee.name, one.amt_paid_msat, one.is_keysend)
                    found[one.r_hash.hex()] = receipt
        return found

    async def held(self) -> set[str]:
        """Payment hashes on the channels of the sender's lnd."""
        request = ln.ListChannelsRequest()
        answer = await self.network.operator.lightning.ListChannels(request)
        return {one.hash_lock.hex() for c in answer.channels for one in c.pending_htlcs}

    async def invoice(self, payee: DevNode, sat: int) -> str:
        """A payee's invoice."""
        made = await payee.lightning.AddInvoice(ln.Invoice(value=sat, expiry=EXPIRY_S))
        return str(made.payment_request)

    async def deposit(self, request: str) -> None:
        """A reader pays an invoice of the node; sent again until it is paid."""
        order = router.SendPaymentRequest(
            payment_request=request, timeout_seconds=30, fee_limit_msat=100_000
        )
        async with asyncio.timeout(90):
            *_, last = [one async for one in self.network.readers.router_rpc.SendPaymentV2(order)]
        assert last.status == ln.Payment.PaymentStatus.Value("SUCCEEDED"), last

    async def first_look(self, hashes: Iterable[str]) -> None:
        """Ask the sender's lnd at once after a kill, and see what it shows without being asked."""
        hashes = list(hashes)
        shown = await asyncio.gather(*map(self.shown, hashes))
        missing = {one for one, found in zip(hashes, shown, strict=True) if not found}
        self.tally.seen["looks after a kill"] += len(hashes)
        self.tally.seen["NOT_FOUND at the first look"] += len(missing)
        until_s = asyncio.get_running_loop().time() + RACE_S
        while missing and asyncio.get_running_loop().time() < until_s:
            await asyncio.sleep(LOOK_EVERY_S)
            asked = sorted(missing)
            shown = await asyncio.gather(*map(self.shown, asked))
            late = {one for one, found in zip(asked, shown, strict=True) if found}
            self.tally.seen[UNASKED] += len(late)
            missing -= late

    async def shown(self, payment_hash: str) -> bool:
        """Whether the sender's lnd shows a payment: one TrackPaymentV2."""
        request = router.TrackPaymentRequest(payment_hash=bytes.fromhex(payment_hash))
        call = self.network.operator.router_rpc.TrackPaymentV2(request, timeout=10)
        try:
            await call.read()
        except grpc.aio.AioRpcError as error:
            if error.code() is grpc.StatusCode.NOT_FOUND:
                return False
            raise
        finally:
            call.cancel()
        return True

    async def _invoices(self, payee: DevNode, since: int) -> Any:
        request = ln.ListInvoiceRequest(index_offset=since, num_max_invoices=100_000)
        return await payee.lightning.ListInvoices(request)


@asynccontextmanager
async def open_rig(folder: Path, tally: Tally, progress: Any) -> AsyncIterator[Rig]:
    """btcd, four lnds and a server of Lightning addresses."""
    daemons = await ensure_daemons(progress)
    async with (
        open_lightning_network(folder / "lightning", daemons, progress) as network,
        open_rig_on(network, folder, tally) as rig,
    ):
        yield rig


@asynccontextmanager
async def open_rig_on(network: LightningNetwork, folder: Path, tally: Tally) -> AsyncIterator[Rig]:
    """The same on a network that runs."""
    purses: dict[str, Purse] = {}
    async with open_lnurl_server(purses, expiry_s=EXPIRY_S) as lnurl:
        yield Rig(network, lnurl, purses, folder, tally)
