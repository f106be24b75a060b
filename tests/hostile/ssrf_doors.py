"""The doors through which the node asks a stranger's host, and what in the code is behind them."""

from __future__ import annotations

import ast
import json as json_
import re
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

from bech32 import bech32_encode, convertbits

from node.canonical import canonical_url
from node.config import MoneySettings, Settings
from node.errors import NodeError
from node.flows import claim, join, sites
from node.flows.diagnose import operator_finding
from node.flows.proofs import read_places
from node.flows.rules import lightning_rules
from node.wallet.lightning.targets import LnurlPay, quote
from tests.hostile.ssrf_place import Place
from tests.hostile.ssrf_vectors import Vector

Door = Callable[[Place, str, Vector], Awaitable[object]]


async def text(place: Place, url: str, vector: Vector) -> None:
    """The fetcher itself."""
    del vector
    await place.fetcher.get_text(url)


async def json(place: Place, url: str, vector: Vector) -> None:
    """The same for JSON."""
    del vector
    await place.fetcher.get_json(url)


async def redirected(place: Place, url: str, vector: Vector) -> None:
    """A redirect of a host that may be asked."""
    del vector
    place.says = _http(b"", "302 Found", f"Location: {url}")
    await place.fetcher.get_text(f"http://{place.server}/")


async def target(place: Place, url: str, vector: Vector) -> None:
    """A payout target, as a creator types it: the LNURL, the link, the address."""
    rules = lightning_rules(MoneySettings())
    host = vector.host.replace("{port}", str(place.canaries.port))
    for typed in (_lnurl(url), url.replace("https", "lnurlp", 1), url, f"anna@{host}"):
        with suppress(NodeError):
            await join.set_target(
                place.store, place.clock, rules, place.fetcher, place.member, typed, fresh=True
            )


async def callback(place: Place, url: str, vector: Vector) -> None:
    """The callback that a payout's server names."""
    del vector
    offer = (
        '{"tag":"payRequest","minSendable":1,"maxSendable":9999999,"callback":'
        + _quoted(url)
        + ',"metadata":"[[\\"text/plain\\",\\"x\\"]]"}'
    )
    place.says = _http(offer.encode(), "200 OK")
    await quote(place.fetcher, LnurlPay(f"http://{place.server}/"), 21_000)


async def stored_target(place: Place, url: str, vector: Vector) -> None:
    """A target that was stored when the rules were others."""
    del vector
    await quote(place.fetcher, LnurlPay(url), 21_000)


async def proofs(place: Place, url: str, vector: Vector) -> None:
    """Where a claim is proved: the file, the page, the home page, NIP-05, the DNS."""
    del vector
    with suppress(IndexError):  # what has no host at all is no canonical URL, which this one takes
        await read_places(place.claiming.eyes, url)
    await read_places(place.claiming.eyes, canonical_url(url))


async def thing(place: Place, url: str, vector: Vector) -> None:
    """The claim of a thing, from its URL on."""
    del vector
    made = await claim.add_thing(place.store, place.clock, f"{url}{next(place.numbers)}", "x")
    await claim.claim(place.claiming, place.member, made.id)


async def site(place: Place, url: str, vector: Vector) -> None:
    """The claim of a whole site."""
    host = vector.host.replace("{port}", str(place.canaries.port))
    for typed in (url, host):
        with suppress(NodeError):
            asked = await sites.ask_site(place.claiming, place.member, typed)
            await sites.check_site(place.claiming, place.member, asked.claim.id)
            await sites.release_site(place.claiming, place.member, asked.claim.id)


async def operator(place: Place, url: str, vector: Vector) -> None:
    """The operator's own target, which `doctor` and the console try."""
    del vector
    settings = Settings(money=MoneySettings(operator_target=_lnurl(url)))
    await operator_finding(settings, place.fetcher)


DOORS: Final[dict[str, Door]] = {
    door.__name__: door
    for door in (
        text, json, redirected, target, callback, stored_target, proofs, thing, site, operator,
    )
}  # fmt: skip
BEHIND: Final = {
    "node/flows/proofs.py:_read_file": "proofs",
    "node/flows/proofs.py:_read_page": "proofs",
    "node/flows/proofs.py:_read_nostr": "proofs",
    "node/flows/proofs.py:_read_dns": "proofs",
    "node/flows/join.py:_try": "target",
    "node/flows/diagnose.py:operator_finding": "operator",
    "node/wallet/lightning/quotes.py:probe": "target",
    "node/wallet/lightning/quotes.py:quote": "callback",
    "node/wallet/lightning/rail.py:prepare": "stored_target",
}
"""Each function that fetches, and the door that leads to it."""
_FETCHING: Final = frozenset({"get_text", "get_json", "probe", "quote", "txt_records.texts"})
_OPENING: Final = frozenset({"ClientSession", "open_connection", "create_connection", "urlopen"})
OPENERS: Final = {
    "node/wallet/fetch.py": "the fetcher",
    "node/wallet/stablecoin/endpoint.py": "the RPCs that the operator's settings name",
}
"""Who opens connections at all, beside what a demo or a test needs."""


def fetching(root: Path) -> set[str]:
    """Every function of the node that asks a stranger, by `file:function`, as the code stands."""
    return {
        f"{path.relative_to(root)}:{function.name}"
        for path in sorted((root / "node").rglob("*.py"))
        if path.name != "fetch.py" and "devnet" not in path.parts
        if re.search(r"[Ff]etcher|Eyes|TxtRecords", path.read_text())
        for function in ast.walk(ast.parse(path.read_text()))
        if isinstance(function, ast.AsyncFunctionDef)
        if _calls(function) & _FETCHING
    }


def opening(root: Path) -> set[str]:
    """Every file of the node that opens connections."""
    return {
        str(path.relative_to(root))
        for path in (root / "node").rglob("*.py")
        if "devnet" not in path.parts and _calls(ast.parse(path.read_text())) & _OPENING
    }


def _calls(tree: ast.AST) -> set[str]:
    """The last name of what is called, and the last two."""
    called = [ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return {".".join(one.split(".")[-size:]) for one in called for size in (1, 2)}


def _http(body: bytes, status: str, *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode(errors="surrogatepass") + body


def _lnurl(url: str) -> str:
    return str(bech32_encode("lnurl", convertbits(url.encode(), 8, 5)))


def _quoted(words: str) -> str:
    return json_.dumps(words)
