"""The web of one seed: LNURL-pay servers of creators, behind the fetcher's seam.

`name@pay.example.org` is a wallet of the network; `name+words` is the same wallet. A new
invoice for each request, unless the weather says otherwise:

    lnurl_amount     an invoice for another amount        lnurl_error    status ERROR
    lnurl_reused     an invoice that was given before     lnurl_slow     no answer within 10 s
    lnurl_short      an invoice that expires in a minute  lnurl_rubbish  an answer that is none
"""

from __future__ import annotations

import asyncio
from typing import Final
from urllib.parse import parse_qs, urlsplit

from node.errors import FetchRefused
from tests.crash.lightning.network import Network
from tests.crash.lightning.weather import Weather
from tests.crash.process import Process

HOST: Final = "pay.example.org"
DEADLINE_S: Final = 10.0
EXPIRIES_S: Final = (600, 3600, 86_400)


class Servers:
    """What all creators' servers have answered."""

    def __init__(self, network: Network, weather: Weather) -> None:
        self.network = network
        self.weather = weather
        self.given: list[tuple[str, str]] = []
        """(wallet, invoice), oldest first."""

    async def answer(self, url: str) -> dict[str, object]:
        """The JSON object of this URL. Raises FetchRefused."""
        await asyncio.sleep(self.weather.latency_s())
        parts = urlsplit(url)
        name = parts.path.rpartition("/")[2].partition("+")[0]
        fault = self.weather.at_lnurl()
        if fault == "lnurl_slow":
            await asyncio.sleep(DEADLINE_S)
            raise FetchRefused(f"{HOST} did not answer within {DEADLINE_S} s")
        if fault == "lnurl_error":
            return {"status": "ERROR", "reason": "come back tomorrow"}
        if fault == "lnurl_rubbish":
            return {"pr": "lnsb1nothing", "tag": "payRequest"}
        if parts.path.startswith("/.well-known/"):
            return {
                "tag": "payRequest",
                "minSendable": 1000,
                "maxSendable": 10**12,
                "callback": f"https://{HOST}/callback/{name}",
                "metadata": '[["text/plain","a wallet"]]',
            }
        return {"pr": self._invoice(name, int(parse_qs(parts.query)["amount"][0]), fault)}

    def _invoice(self, name: str, amount_msat: int, fault: str) -> str:
        draw = self.weather.random
        if fault == "lnurl_reused" and (used := self._used(name, amount_msat)):
            return draw.choice(used)
        if fault == "lnurl_amount":
            amount_msat += draw.choice((-1000, 1000, 1, 999 * amount_msat))
        expiry_s = 60 if fault == "lnurl_short" else draw.choice(EXPIRIES_S)
        text = self.network.invoice(name, amount_msat, expiry_s=expiry_s)
        self.given.append((name, text))
        return text

    def _used(self, name: str, amount_msat: int) -> list[str]:
        """What this wallet gave before, and what anybody was paid by; of this amount if it can be.

        Another amount's is refused before anybody asks whether it was used.
        """
        paid = {one for node in self.network.world.nodes.values() for one, _ in node.receipts}
        known = self.network.known
        used = [
            text for of, text in self.given if of == name or known[text].payment_hash.hex() in paid
        ]
        return [text for text in used if known[text].amount_msat == amount_msat] or used


class DirectFetcher:
    """As much of `Fetcher` as paying uses, for one process."""

    allow: frozenset[str] = frozenset()

    def __init__(self, servers: Servers, process: Process) -> None:
        self._servers = servers
        self._process = process

    async def get_json(self, url: str, *, limit_bytes: int | None = None) -> dict[str, object]:
        """See `Fetcher.get_json`."""
        del limit_bytes
        self._process.demand_alive()
        found = await self._servers.answer(url)
        self._process.demand_alive()
        return found
