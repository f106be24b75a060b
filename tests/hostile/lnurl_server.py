"""A Lightning address server for each creator, which answers as its creator's `Behaviour` says.

    GET /.well-known/lnurlp/NAME     offer      what may be sent, and where the invoice is to be had
    GET /pay/NAME?amount=MSAT        invoice    one

Each creator has a port of their own, so a host is one creator's, unless the behaviour shares it.
Spoken is raw HTTP, for much of what a hostile server says no library would. The desk remembers
which invoices may be paid, and to whom: nothing else may ever be dispatched.
"""

from __future__ import annotations

import asyncio
import json
import ssl
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Final

from node.clock import Clock, now_s
from node.wallet.lightning.simulated import SimulatedNetwork
from node.wallet.lightning.simulated_books import Node
from tests.hostile.bolt11_parts import Parts, resigned, take_apart

HOST: Final = "127.0.0.1"
METADATA: Final = '[["text/plain","a creator"]]'
EITHER: Final = "either"
"""The owner of an invoice that two creators' servers give; also: paid, or its hash was used."""
CREATORS_A_HOST: Final = 100
WALLET: Final = "creators"
"""The simulated node that takes every creator's money."""


@dataclass
class Desk:
    """What all servers of one run share."""

    network: SimulatedNetwork
    clock: Clock
    good: dict[str, str] = field(default_factory=dict)
    """Payment hash of each invoice that may be paid, to its creator."""
    past: dict[str, str] = field(default_factory=dict)
    """Payment hash of each invoice that was paid in an earlier month, to its creator."""
    shared: dict[int, str] = field(default_factory=dict)
    """The invoice that two creators give, by amount."""
    own_request: str = ""
    """An unpaid invoice of the node's own, a deposit's."""
    inner: list[str] = field(default_factory=list)
    """`host:port` of canaries."""
    asked: Counter[tuple[str, str]] = field(default_factory=Counter)
    """(creator, step): how often each was asked."""

    @property
    def wallet(self) -> Node:
        """The creators' wallet, whose key signs."""
        return self.network._world.nodes[WALLET]

    def invoice(self, creator: str, amount_msat: int, **order: Any) -> str:
        """A payable invoice, which may be paid for this creator alone."""
        text = self.network.invoice(WALLET, amount_msat, expiry_s=3600, **order)
        self.good[hash_of(take_apart(text))] = creator
        return text

    def forged(self, amount_msat: int) -> Parts:
        """A payable invoice in parts, to be changed and never to be paid."""
        return take_apart(self.network.invoice(WALLET, amount_msat, expiry_s=3600))

    def signed(self, parts: Parts) -> str:
        """Signed by the creators' wallet."""
        return resigned(parts, self.wallet.key)

    def now_s(self) -> int:
        """The calendar that everybody shares."""
        return now_s(self.clock)


@dataclass
class Talk:
    """One request, and the means to answer it."""

    desk: Desk
    creator: str
    place: str
    scheme: str
    step: str
    amount_msat: int
    times: int
    """How often this creator's server was asked this step, with this one."""
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def send(self, *parts: bytes) -> None:
        """Bytes as they are."""
        for part in parts:
            self.writer.write(part)
            await self.writer.drain()

    async def http(self, body: bytes, *headers: str, status: str = "200 OK") -> None:
        """A proper HTTP answer."""
        lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]
        await self.send("\r\n".join(lines).encode() + body)

    async def json(self, content: object) -> None:
        """JSON, or a text that is meant to be."""
        text = content if isinstance(content, str) else json.dumps(content)
        await self.http(text.encode(), "Content-Type: application/json")

    def offer(self, **changes: Any) -> dict[str, Any]:
        """What an honest server says first."""
        return {
            "tag": "payRequest",
            "callback": f"{self.scheme}://{self.place}/pay/{self.creator}",
            "minSendable": 1000,
            "maxSendable": 10**11,
            "metadata": METADATA,
        } | changes

    async def honest(self) -> None:
        """Answer as an honest server."""
        if self.step == "offer":
            await self.json(self.offer())
        else:
            invoice = self.desk.invoice(self.creator, self.amount_msat)
            await self.json({"pr": invoice, "routes": []})

    async def hang(self) -> None:
        """Say nothing, until the other hangs up."""
        await self.reader.read()


Reply = Callable[[Talk], Awaitable[None]]


@dataclass(frozen=True)
class Behaviour:
    """One way to be. `must`: `paid`, `retried` (paid later), or the words of the refusal."""

    name: str
    must: str
    reply: Reply
    tls: str = ""
    """The kind of certificate; empty: plain HTTP, as on a test network."""
    shares_host: bool = False
    """Whether a server serves many of its creators, as those of large wallets do."""


@dataclass
class Servers:
    """The running servers: where each creator is asked."""

    places: dict[str, str]
    """`host:port` by creator."""


@asynccontextmanager
async def open_servers(
    desk: Desk, creators: Mapping[str, Behaviour], contexts: Mapping[str, ssl.SSLContext]
) -> AsyncIterator[Servers]:
    """A server for each creator. `contexts`: TLS by kind of certificate."""
    async with AsyncExitStack() as stack:
        servers = Servers({})
        room: dict[tuple[str, Behaviour], int] = {}
        for creator, behaviour in creators.items():
            place = next((p for (p, kind), left in room.items() if left and kind == behaviour), "")
            if behaviour.shares_host and place:
                servers.places[creator] = place
                room[place, behaviour] -= 1
                continue
            serve = _serving(desk, servers, behaviour)
            tls = contexts[behaviour.tls] if behaviour.tls else None
            server = await asyncio.start_server(serve, HOST, 0, ssl=tls)
            stack.callback(server.close)
            servers.places[creator] = f"{HOST}:{server.sockets[0].getsockname()[1]}"
            if behaviour.shares_host:
                room[servers.places[creator], behaviour] = CREATORS_A_HOST - 1
        yield servers


def _serving(desk: Desk, servers: Servers, behaviour: Behaviour) -> Any:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            path = head.split(b" ", 2)[1].decode()
            step = "offer" if path.startswith("/.well-known/") else "invoice"
            amount = path.partition("amount=")[2].partition("&")[0]
            creator = path.partition("?")[0].rpartition("/")[2]
            desk.asked[creator, step] += 1
            talk = Talk(
                desk, creator, servers.places[creator], "https" if behaviour.tls else "http", step,
                int(amount) if amount.isdigit() else 0, desk.asked[creator, step], reader, writer,
            )  # fmt: skip
            await behaviour.reply(talk)
        except (ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
            pass
        except asyncio.CancelledError:
            return  # the run is over, and this one would have gone on for ever
        finally:
            with suppress(RuntimeError):
                writer.close()

    return serve


def hash_of(parts: Parts) -> str:
    """The payment hash in hex."""
    number = 0
    for word in parts.of("p") or []:
        number = number << 5 | word
    return (number >> 4).to_bytes(32, "big").hex()
