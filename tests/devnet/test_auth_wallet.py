"""The demo's wallet signs in as LUD-04 says, and signs nothing else."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from aiohttp import web
from bech32 import bech32_encode, convertbits
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, decode_dss_signature

from node.devnet.auth_wallet import ORDER, AuthWallet
from node.errors import BadInput, NodeError

K1S = [f"{number:064x}" for number in range(40)]


def lnurl(url: str) -> str:
    return str(bech32_encode("lnurl", convertbits(url.encode(), 8, 5)))


def verify(url: str) -> dict[str, str]:
    """Check the signature of a called back URL as a node does; its query."""
    query = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
    key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256K1(), bytes.fromhex(query["key"]))
    signature = bytes.fromhex(query["sig"])
    key.verify(signature, bytes.fromhex(query["k1"]), ec.ECDSA(Prehashed(hashes.SHA256())))
    assert decode_dss_signature(signature)[1] <= ORDER // 2
    return query


@pytest.mark.parametrize("k1", K1S)
def test_the_signature_is_that_of_the_key_and_low(k1: str) -> None:
    link = lnurl(f"https://node.test/in?tag=login&k1={k1}")
    query = verify(AuthWallet("alice").signed(f"lightning:{link.upper()}"))
    assert query["key"] == AuthWallet("alice").public_key("node.test")
    assert (query["tag"], query["k1"]) == ("login", k1)


def test_each_person_is_another_key_and_so_is_each_domain() -> None:
    keys = {
        AuthWallet(seed).public_key(domain)
        for seed in ("alice", "bob")
        for domain in ("a.test", "b.test")
    }
    assert len(keys) == 4


@pytest.mark.parametrize(
    "text",
    [
        "", "lnbc1", "LNURL1", "https://node.test/in?tag=login&k1=" + K1S[1],
        lnurl("https://node.test/in?tag=payRequest"),
        lnurl("https://node.test/in?tag=login"),
        lnurl("https://node.test/in?tag=login&k1=abcd"),
        lnurl("https://node.test/in?tag=login&k1=" + "zz" * 32),
    ],
)  # fmt: skip
def test_what_is_no_sign_in_is_not_signed(text: str) -> None:
    with pytest.raises(BadInput):
        AuthWallet("alice").signed(text)


@asynccontextmanager
async def open_site(answer: Any) -> AsyncIterator[tuple[str, list[str]]]:
    """A site that answers every sign-in so: (its link, what was called back)."""
    called: list[str] = []

    async def serve(request: web.Request) -> web.Response:
        called.append(str(request.url))
        return web.json_response(answer)

    app = web.Application()
    app.router.add_get("/in", serve)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        url = f"http://127.0.0.1:{runner.addresses[0][1]}/in?tag=login&k1={K1S[1]}"
        yield lnurl(url), called
    finally:
        await runner.cleanup()


async def test_the_site_is_called_back_once() -> None:
    async with open_site({"status": "OK"}) as (link, called):
        await AuthWallet("alice").sign_in(link)
    (url,) = called
    verify(url)


@pytest.mark.parametrize(
    ("answer", "said"), [({"status": "ERROR", "reason": "too late"}, "too late"), ([], "refused")]
)
async def test_a_refusal_is_said_in_the_sites_words(answer: Any, said: str) -> None:
    async with open_site(answer) as (link, _):
        with pytest.raises(NodeError, match=said):
            await AuthWallet("alice").sign_in(link)
