"""Quotes: an LNURL server that tries everything, and invoices that must not be paid."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import pytest
from aiohttp import web
from bech32 import CHARSET, bech32_encode, convertbits

from node.errors import FetchRefused, QuoteRefused
from node.wallet.fetch import Fetcher, open_fetcher
from node.wallet.hosts import FetchLimits
from node.wallet.lightning.bolt11 import Invoice, RouteHop, parse_invoice
from node.wallet.lightning.targets import LightningAddress, check_invoice, probe, quote
from tests.hostile.bolt11_parts import key_of, sign

AMOUNT_MSAT = 21_000
NOW_S = 1_800_000_000
OWN = "02" + "aa" * 32
QUICK = FetchLimits(total_s=5.0, failures_max=1000)
METADATA = json.dumps([["text/plain", "Anna's songs"], ["text/identifier", "anna@x"], ["x", {}]])


def invoice(head: str = "lnsb210n", payment_hash: str = "22" * 32) -> str:
    values = [NOW_S >> 5 * (6 - at) & 31 for at in range(7)]
    for name, text in (("p", payment_hash), ("s", "11" * 32), ("d", "6869")):
        value = convertbits(bytes.fromhex(text), 8, 5)
        values += [CHARSET.index(name), len(value) >> 5, len(value) & 31, *value]
    return str(bech32_encode(head, [*values, *sign(head, values, key_of(1), 0)]))


Answer = Callable[[dict[str, Any]], object]
"""Turns the honest answer into what is sent: an object as JSON, or a text as it is."""


def honest(answer: dict[str, Any]) -> object:
    return answer


@dataclass
class Server:
    """An LNURL-pay server that answers as it is told, and what it was asked."""

    first: Answer = honest
    second: Answer = honest
    place: str = ""
    asked: tuple[str, ...] = ()

    async def offer(self, request: web.Request) -> web.Response:
        self.asked += (request.raw_path,)
        return _response(
            self.first(
                {
                    "tag": "payRequest",
                    "callback": f"http://{self.place}/pay?k=1",
                    "minSendable": 1000,
                    "maxSendable": 1_000_000,
                    "metadata": METADATA,
                    "commentAllowed": 10,
                }
            )
        )

    async def pay(self, request: web.Request) -> web.Response:
        self.asked += (request.raw_path,)
        return _response(self.second({"pr": invoice(), "routes": []}))


def _response(answer: object) -> web.Response:
    text = answer if isinstance(answer, str) else json.dumps(answer)
    return web.Response(text=text, content_type="application/json")


@asynccontextmanager
async def running(server: Server) -> AsyncIterator[tuple[Fetcher, LightningAddress]]:
    app = web.Application()
    app.router.add_get("/.well-known/lnurlp/{name}", server.offer)
    app.router.add_get("/pay", server.pay)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        server.place = f"127.0.0.1:{runner.addresses[0][1]}"
        async with open_fetcher(allow=frozenset({server.place}), limits=QUICK) as fetcher:
            yield fetcher, LightningAddress("anna", server.place)
    finally:
        await runner.cleanup()


def changed(**fields: object) -> Answer:
    return lambda answer: {**answer, **fields}


def without(key: str) -> Answer:
    return lambda answer: {name: value for name, value in answer.items() if name != key}


def instead(answer: object) -> Answer:
    return lambda _: answer


async def test_an_honest_server_is_asked_twice_and_gives_its_invoice() -> None:
    server = Server()
    async with running(server) as (fetcher, target):
        assert await quote(fetcher, target, AMOUNT_MSAT, comment="flattr 2026-11") == invoice()
    assert server.asked == (
        "/.well-known/lnurlp/anna",
        "/pay?k=1&amount=21000&comment=flattr%20202",
    )


async def test_no_comment_is_sent_where_none_is_taken() -> None:
    for first in (
        without("commentAllowed"),
        changed(commentAllowed=0),
        changed(commentAllowed=True),
    ):
        server = Server(first=first)
        async with running(server) as (fetcher, target):
            await quote(fetcher, target, AMOUNT_MSAT, comment="hello")
        assert server.asked[1] == "/pay?k=1&amount=21000"


async def test_the_limits_are_inclusive_and_shown() -> None:
    server = Server(first=changed(minSendable=AMOUNT_MSAT, maxSendable=AMOUNT_MSAT))
    async with running(server) as (fetcher, target):
        limits = await probe(fetcher, target)
        assert (limits.min_msat, limits.max_msat, limits.comment_chars) == (21_000, 21_000, 10)
        assert limits.description == "Anna's songs"
        assert await quote(fetcher, target, AMOUNT_MSAT)


async def test_a_picture_in_the_metadata_is_within_the_limit() -> None:
    metadata = json.dumps([["text/plain", "a"], ["image/png;base64", "A" * 136_536]])
    async with running(Server(first=changed(metadata=metadata))) as (fetcher, target):
        assert await quote(fetcher, target, AMOUNT_MSAT)


FIRST: dict[str, Answer] = {
    "an error": instead({"status": "ERROR", "reason": "no such user"}),
    "an error in small letters": changed(status="error"),
    "an error without words": instead({"status": "ERROR"}),
    "a withdraw": changed(tag="withdrawRequest"),
    "a login": changed(tag="login"),
    "no tag": without("tag"),
    "a list": instead([]),
    "nothing": instead("null"),
    "HTML": instead("<html>"),
    "amount below the minimum": changed(minSendable=21_001),
    "amount above the maximum": changed(maxSendable=20_999),
    "minimum above maximum": changed(minSendable=30_000, maxSendable=20_000),
    "zero": changed(minSendable=0),
    "negative": changed(minSendable=-1),
    "a fraction": changed(minSendable=1000.5),
    "NaN": instead('{"tag":"payRequest","minSendable":NaN}'),
    "infinite": lambda answer: json.dumps(answer).replace("1000000", "1e400"),
    "beyond 64 bits": changed(maxSendable=2**63),
    "numbers as text": changed(minSendable="1000"),
    "a truth value": changed(minSendable=True),
    "no minimum": without("minSendable"),
    "no maximum": without("maxSendable"),
    "two maxima": lambda answer: json.dumps(answer)[:-1] + ',"maxSendable":5}',
    "no callback": without("callback"),
    "a callback that is no text": changed(callback=["https://pay.example"]),
    "a callback to a literal": changed(callback="https://127.0.0.1/"),
    "a callback to the metadata service": changed(callback="http://169.254.169.254/latest/"),
    "a callback to another port": changed(callback="http://127.0.0.1:1/"),
    "a callback to a local name": changed(callback="https://lnd:8080/"),
    "a callback with a user": changed(callback="https://pay.example@127.0.0.1/"),
    "a callback with a line end": changed(callback="https://pay.example/\r\nX: y"),
    "a callback with a fragment": lambda a: {**a, "callback": a["callback"] + "#x"},
    "a callback with an amount": lambda a: {**a, "callback": a["callback"] + "&amount=1"},
    "a callback with an escaped amount": lambda a: {**a, "callback": a["callback"] + "&%61mount"},
    "a file": changed(callback="file:///etc/passwd"),
    "no metadata": without("metadata"),
    "metadata that is no text": changed(metadata=[["text/plain", "a"]]),
    "metadata that is no JSON": changed(metadata="[["),
    "metadata that is no list": changed(metadata='{"text/plain":"a"}'),
    "metadata without a description": changed(metadata='[["text/identifier","a"]]'),
    "metadata with two descriptions": changed(metadata='[["text/plain","a"],["text/plain","b"]]'),
    "metadata with a number": changed(metadata='[["text/plain",1]]'),
    "metadata with a bare entry": changed(metadata='["text/plain"]'),
    "metadata that is deep": changed(metadata="[" * 5000),
    "too much metadata": changed(metadata="[" + " " * 200_000),
    "mandatory payer data": changed(payerData={"name": {"mandatory": True}}),
}

SECOND: dict[str, Answer] = {
    "an error": instead({"status": "ERROR", "reason": "try later"}),
    "no invoice": without("pr"),
    "an empty invoice": changed(pr=""),
    "an invoice that is no text": changed(pr=[invoice()]),
    "a list": instead([invoice()]),
    "one msat more": changed(pr=invoice("lnsb210010p")),
    "one msat less": changed(pr=invoice("lnsb209990p")),
    "a thousand times as much": changed(pr=invoice("lnsb210u")),
    "a thousandth": changed(pr=invoice("lnsb210p")),
    "any amount": changed(pr=invoice("lnsb")),
    "part of a msat": changed(pr=invoice("lnsb210001p")),
    "a damaged invoice": changed(pr=invoice()[:-1] + "q"),
    "two invoices": changed(pr=invoice() + invoice()),
    "a link": changed(pr="lightning:" + invoice()),
    "an offer": changed(pr="lno1qgsqvgnwgcg35z6ee2h3yczraddm72xrfua9uve2rlrm9deu7xyfzrc"),
    "an on-chain address": changed(pr="bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"),
    "two keys": lambda answer: json.dumps(answer)[:-1] + f',"pr":"{invoice("lnsb1")}"}}',
    "too much": changed(x="a" * 70_000),
}


@pytest.mark.parametrize("answer", FIRST.values(), ids=FIRST)
async def test_a_bad_offer_is_refused_and_no_invoice_is_asked_for(answer: Answer) -> None:
    server = Server(first=answer)
    async with running(server) as (fetcher, target):
        with pytest.raises((QuoteRefused, FetchRefused)) as caught:
            await quote(fetcher, target, AMOUNT_MSAT)
    assert len(server.asked) == 1
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("answer", SECOND.values(), ids=SECOND)
async def test_a_bad_invoice_is_refused(answer: Answer) -> None:
    async with running(Server(second=answer)) as (fetcher, target):
        with pytest.raises((QuoteRefused, FetchRefused)) as caught:
            await quote(fetcher, target, AMOUNT_MSAT)
    assert str(caught.value).isprintable()


async def test_a_strangers_words_are_cut_and_cannot_change_the_page() -> None:
    reason = "no\r\n\x1b[31m\u202e<b>" + "a" * 9999
    async with running(Server(first=instead({"status": "ERROR", "reason": reason}))) as (
        fetcher,
        target,
    ):
        with pytest.raises(QuoteRefused, match="the server refuses: no") as caught:
            await quote(fetcher, target, AMOUNT_MSAT)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 250


HOP = RouteHop("02" + "bb" * 32, 1, fee_base_msat=1000, fee_ppm=10_000, cltv_delta=40)
GOOD = replace(parse_invoice(invoice()), route_hints=((HOP,),), min_final_cltv=144)


def check(candidate: Invoice, **changes: Any) -> None:
    terms: dict[str, Any] = {
        "amount_msat": AMOUNT_MSAT,
        "network_prefix": "sb",
        "now_s": NOW_S,
        "own_pubkey": OWN,
        "fee_limit_msat": 1210,
    }
    check_invoice(candidate, **{**terms, **changes})


def test_a_good_invoice_passes_at_the_very_limits() -> None:
    check(GOOD)
    check(replace(GOOD, route_hints=(), payee="03" + "cc" * 32, features=frozenset({8, 14, 17})))
    check(GOOD, now_s=GOOD.expires_at_s - 120)
    check(GOOD, now_s=NOW_S - 7200)
    expensive = replace(HOP, fee_base_msat=1001)
    check(replace(GOOD, route_hints=((expensive,), (HOP,))))


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (replace(GOOD, amount_msat=AMOUNT_MSAT + 1), "were agreed"),
        (replace(GOOD, amount_msat=AMOUNT_MSAT - 1), "were agreed"),
        (replace(GOOD, amount_msat=None), "no amount"),
        (replace(GOOD, network_prefix="bc"), "lnbc, not lnsb"),
        (replace(GOOD, payee=OWN), "itself"),
        (replace(GOOD, features=frozenset({31})), "AMP"),
        (replace(GOOD, timestamp_s=NOW_S - 3481), "expires within 120"),
        (replace(GOOD, expiry_s=0), "expires within"),
        (replace(GOOD, expiry_s=365 * 86_400), "more than a month"),
        (replace(GOOD, timestamp_s=NOW_S + 7201), "future"),
        (replace(GOOD, min_final_cltv=145), "145 blocks"),
        (replace(GOOD, min_final_cltv=1900), "1900 blocks"),
        (replace(GOOD, min_final_cltv=2**60), "blocks"),
        (replace(GOOD, route_hints=((replace(HOP, fee_base_msat=1001),),)), "costs more"),
        (replace(GOOD, route_hints=((replace(HOP, fee_ppm=10_048),),)), "costs more"),
        (replace(GOOD, route_hints=((HOP, HOP),)), "costs more"),
        (replace(GOOD, route_hints=((replace(HOP, cltv_delta=433),),)), "costs more"),
        (replace(GOOD, route_hints=((replace(HOP, fee_base_msat=2**32 - 1),),)), "costs more"),
    ],
)
def test_each_breach_is_refused(bad: Invoice, words: str) -> None:
    with pytest.raises(QuoteRefused, match=words):
        check(bad)


def test_the_own_key_is_known_in_capitals_too() -> None:
    with pytest.raises(QuoteRefused, match="itself"):
        check(replace(GOOD, payee=OWN), own_pubkey=OWN.upper())
