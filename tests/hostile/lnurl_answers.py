"""Hostile answers around an invoice: the offer, the JSON, the HTTP, the pace, the certificate."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Callable
from typing import Any, Final

from tests.hostile.lnurl_server import Behaviour, Reply, Talk

INNER: Final = (
    "http://{inner}/",
    "http://127.0.0.1:1/",
    "http://[::1]/",
    "http://0.0.0.0/",
    "http://[::ffff:127.0.0.1]/",
    "http://2130706433/",
    "http://0177.0.0.1/",
    "http://169.254.169.254/latest/meta-data/",
    "http://metadata.google.internal/",
    "http://expyuzz4wqqyqhjn.onion/",
    "http://localhost/",
    "https://user@pay.example/",
    "gopher://{inner}/_x",
)
SLOW_S: Final = 0.3


def offered(change: Callable[[Talk], dict[str, Any]]) -> Reply:
    """An offer with some of it changed, and an honest invoice behind it."""

    async def reply(talk: Talk) -> None:
        if talk.step == "offer":
            await talk.json(talk.offer(**change(talk)))
        else:
            await talk.honest()

    return reply


def offering(**changes: Any) -> Reply:
    """An offer with some of it changed, the same for everybody."""
    return offered(lambda _: changes)


def at(step: str, bad: Callable[[Talk], Any]) -> Reply:
    """Honest at one step, and bad at this one."""

    async def reply(talk: Talk) -> None:
        if talk.step == step:
            await bad(talk)
        else:
            await talk.honest()

    return reply


def both(name: str, must: str, bad: Callable[[Talk], Any]) -> tuple[Behaviour, ...]:
    """The same at either step."""
    return (
        Behaviour(f"{name}, offer", must, at("offer", bad)),
        Behaviour(f"{name}, invoice", must, at("invoice", bad)),
    )


def called_back(place: str) -> Reply:
    """The callback at an inner address."""
    return offered(lambda talk: {"callback": place.replace("{inner}", talk.desk.inner[0])})


def redirecting(status: int, location: str) -> Callable[[Talk], Any]:
    async def bad(talk: Talk) -> None:
        where = location.replace("{inner}", talk.desk.inner[0])
        await talk.http(b"", f"Location: {where}", status=f"{status} Found")

    return bad


def saying(body: bytes, *headers: str, status: str = "200 OK") -> Callable[[Talk], Any]:
    async def bad(talk: Talk) -> None:
        await talk.http(body, *headers, status=status)

    return bad


def raw(*parts: bytes) -> Callable[[Talk], Any]:
    async def bad(talk: Talk) -> None:
        await talk.send(*parts)

    return bad


def endless(start: bytes, chunk: bytes, pause_s: float = 0.0) -> Callable[[Talk], Any]:
    async def bad(talk: Talk) -> None:
        await talk.send(start)
        while not talk.writer.is_closing():
            await talk.send(chunk)
            await asyncio.sleep(pause_s)

    return bad


async def hang(talk: Talk) -> None:
    await talk.hang()


async def reset(talk: Talk) -> None:
    talk.writer.transport.abort()


async def reset_in_the_body(talk: Talk) -> None:
    await talk.send(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{")
    talk.writer.transport.abort()


async def slow_and_honest(talk: Talk) -> None:
    await asyncio.sleep(SLOW_S)
    await talk.honest()


def flapping(status: str) -> Reply:
    """Fails the first time it is asked, and is honest from then on."""

    async def reply(talk: Talk) -> None:
        if talk.step == "offer" and talk.times == 1:
            await talk.http(b"{}", status=status)
        else:
            await talk.honest()

    return reply


async def honest(talk: Talk) -> None:
    await talk.honest()


async def called_back_elsewhere(talk: Talk) -> None:
    """The callback at another host of the open net, which is allowed (LUD-06)."""
    if talk.step == "offer":
        elsewhere = talk.place.replace("127.0.0.1", "localhost")
        await talk.json(talk.offer(callback=f"http://{elsewhere}/pay/{talk.creator}"))
    else:
        await talk.honest()


HEAD: Final = b"HTTP/1.1 200 OK\r\n"
DEEP: Final = b'{"a":' * 40 + b"1" + b"}" * 40
BOMB: Final = gzip.compress(b" " * 5_000_000 + b"{}")
HONEST: Final = Behaviour("honest", "paid", honest)
OFFERS: Final = (
    Behaviour("least above the amount", "the server takes", offering(minSendable=10**10)),
    Behaviour("most below the amount", "the server takes", offering(maxSendable=1000)),
    Behaviour("least above most", "contradict", offering(minSendable=9, maxSendable=8)),
    Behaviour("least of zero", "contradict", offering(minSendable=0)),
    Behaviour("least below zero", "no amount", offering(minSendable=-1)),
    Behaviour("limits as text", "no amount", offering(minSendable="1")),
    Behaviour("limits as truth", "no amount", offering(minSendable=True)),
    Behaviour("no tag", "something else", offering(tag=None)),
    Behaviour("tag to withdraw", "something else", offering(tag="withdrawRequest")),
    Behaviour("metadata that is no text", "metadata", offering(metadata=[["a"]])),
    Behaviour("metadata that is no JSON", "metadata", offering(metadata="[[")),
    Behaviour("two descriptions", "exactly one", offering(
        metadata='[["text/plain","a"],["text/plain","b"]]')),
    Behaviour("metadata of another than the invoice", "paid", offering(
        metadata='[["text/plain","somebody else"]]')),
    Behaviour("payer must say who", "know the payer", offering(
        payerData={"name": {"mandatory": True}})),
    Behaviour("comment of a million allowed", "paid", offering(commentAllowed=10**6)),
    Behaviour("comment below zero allowed", "paid", offering(commentAllowed=-5)),
    Behaviour("callback with an amount", "amount or a comment", offered(
        lambda t: {"callback": f"http://{t.place}/pay/{t.creator}?amount=1"})),
    Behaviour("no callback", "no callback", offering(callback=None)),
    Behaviour("callback over plain HTTP elsewhere", "callback is refused", offering(
        callback="http://pay.example/pay")),
    Behaviour("callback with a line break", "callback is refused", offering(
        callback="https://pay.example/\r\nHost: lnd")),
    *(Behaviour(f"callback to {place}", "callback is refused", called_back(place))
      for place in INNER),
    Behaviour("callback to another host", "paid", called_back_elsewhere),
)  # fmt: skip
REDIRECTS: Final = (
    *(
        Behaviour(f"{status} to {place}", "redirects", at("offer", redirecting(status, place)))
        for status, place in zip([301, 302, 303, 307, 308] * 3, INNER, strict=False)
    ),
    Behaviour("302 of the callback", "redirects", at("invoice", redirecting(302, INNER[0]))),
)
BODIES: Final = (
    *both("compressed bomb", "compressed", saying(BOMB, "Content-Encoding: gzip")),
    *both("objects within objects", "nested", saying(DEEP)),
    Behaviour("NaN", "no whole number", at("offer", saying(b'{"minSendable": NaN}'))),
    Behaviour("1e400", "no whole number", at("offer", saying(b'{"minSendable": 1e400}'))),
    Behaviour(
        "beyond 64 bits", "64 bits", at("offer", saying(b'{"minSendable": 99999999999999999999}'))
    ),
    Behaviour("a key twice", "twice", at("offer", saying(b'{"tag":"x","tag":"payRequest"}'))),
    Behaviour("byte order mark", "not JSON", at("offer", saying(b"\xef\xbb\xbf{}"))),
    Behaviour("UTF-16", "UTF-8", at("offer", saying("{}".encode("utf-16")))),
    Behaviour("half of a pair", "not JSON", at("offer", saying(b'{"a":"\\ud800"}'))),
    Behaviour("a list", "no object", at("offer", saying(b"[]"))),
    *both("a page of HTML", "not JSON", saying(b"<html>oops</html>", "Content-Type: text/html")),
    *both("status ERROR", "refuses: nope", saying(b'{"status":"ERROR","reason":"nope\\u202e\\n"}')),
    *both("nothing", "not JSON", saying(b"")),
)
HTTP: Final = (
    *both("503", "status 503", saying(b"", status="503 No")),
    *both("429", "status 429", saying(b"", "Retry-After: 99999", status="429 Slow")),
    *both("404", "status 404", saying(b"", status="404 No")),
    *both("no HTTP", "could not be asked", raw(b"nonsense\r\n\r\n")),
    *both("reset at once", "could not be asked", reset),
    *both("reset in the body", "could not be asked", reset_in_the_body),
    *both("10,000 headers", "could not be asked", endless(HEAD, b"X: y\r\n" * 100)),
    Behaviour("too short for its length", "could not be asked", at(
        "offer", raw(b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{}"))),
    Behaviour("a length below zero", "could not be asked", at(
        "offer", raw(b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n{}"))),
    Behaviour("a broken chunk", "could not be asked", at(
        "offer", raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n"))),
    Behaviour("503 once", "retried", flapping("503 No")),
    Behaviour("429 once", "retried", flapping("429 Slow")),
)  # fmt: skip
ENDLESS_CHUNKS: Final = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
PACE: Final = (
    *both("tarpit", "in time", hang),
    *both("a byte a second", "in time", endless(b"HTTP/1.1 200 OK\r\n\r\n", b" ", 1.0)),
    *both("a header a second", "in time", endless(HEAD, b"X: y\r\n", 1.0)),
    *both("an endless body", "more than", endless(b"HTTP/1.1 200 OK\r\n\r\n", b" " * 9999)),
    *both("chunks without end", "more than", endless(ENDLESS_CHUNKS, b"8\r\n        \r\n" * 999)),
    *both("continue for ever", "in time", endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n", 0.1)),
    Behaviour("slow and honest", "paid", slow_and_honest),
)
CERTIFICATES: Final = (
    Behaviour("a good certificate", "paid", honest, "good"),
    Behaviour("an expired certificate", "no valid certificate", honest, "expired"),
    Behaviour("another's certificate", "no valid certificate", honest, "mismatch"),
    Behaviour("a certificate of its own", "no valid certificate", honest, "self-signed"),
)
ANSWERS: Final = (*OFFERS, *REDIRECTS, *BODIES, *HTTP, *PACE, *CERTIFICATES)
