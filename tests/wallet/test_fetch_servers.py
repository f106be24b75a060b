"""The fetcher against servers that mean harm: a typed refusal, in time, within the limits."""

from __future__ import annotations

import asyncio
import gzip
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from node.errors import FetchRefused
from node.wallet.fetch import HEADER_LINES_MAX, open_fetcher
from node.wallet.hosts import FetchLimits

PATIENT = FetchLimits(total_s=30, connect_s=30, failures_max=3)
HASTY = FetchLimits(total_s=0.3)

Answer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def serving(
    answer: Answer, tls: ssl.SSLContext | None = None
) -> AsyncIterator[tuple[str, list[bytes]]]:
    """(host:port of a loopback server that reads one request and answers so, the requests)."""
    requests: list[bytes] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            requests.append(await reader.readuntil(b"\r\n\r\n"))
            await answer(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0, ssl=tls)
    port = server.sockets[0].getsockname()[1]
    try:
        yield f"127.0.0.1:{port}", requests
    finally:
        server.close()


def raw(*parts: bytes) -> Answer:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        del reader
        for part in parts:
            writer.write(part)
            await writer.drain()

    return answer


def http(body: bytes, *headers: str, status: str = "200 OK") -> Answer:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]
    return raw("\r\n".join(lines).encode() + body)


async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    del writer
    await reader.read()


def endless(start: bytes, chunk: bytes) -> Answer:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        del reader
        writer.write(start)
        while not writer.is_closing():
            writer.write(chunk)
            await writer.drain()
            await asyncio.sleep(0)

    return answer


async def refused(answer: Answer, *, limits: FetchLimits = PATIENT) -> str:
    """The sentence with which this server's answer is refused."""
    async with (
        serving(answer) as (place, _),
        open_fetcher(allow=frozenset({place}), limits=limits) as fetcher,
    ):
        with pytest.raises(FetchRefused) as caught:
            await fetcher.get_json(f"http://{place}/")
    assert "\n" not in str(caught.value)
    return str(caught.value)


async def test_a_plain_answer_is_read_and_the_request_tells_nothing() -> None:
    content = {"tag": "payRequest", "list": [1, -2, {"x": "é"}]}
    async with (
        serving(http(json.dumps(content).encode(), "Set-Cookie: a=b")) as (place, requests),
        open_fetcher(allow=frozenset({place}), limits=PATIENT) as fetcher,
    ):
        for _ in range(2):
            assert await fetcher.get_json(f"http://{place}/a%2Fb?c=%20&c") == content
    lines = requests[1].split(b"\r\n")
    assert lines[0] == b"GET /a%2Fb?c=%20&c HTTP/1.1"
    names = {line.split(b":")[0].lower() for line in lines[1:] if line}
    assert names == {b"host", b"accept", b"accept-encoding", b"user-agent", b"connection"}
    assert b"Accept-Encoding: identity" in lines


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_not_followed(status: int) -> None:
    async with serving(http(b"{}")) as (inside, requests):
        location = f"Location: http://{inside}/"
        assert "redirects" in await refused(http(b"", location, status=f"{status} Found"))
        assert requests == []


@pytest.mark.parametrize(
    "status", ["201 Created", "202 Later", "400 Bad", "404 No", "500 Oh", "503 No"]
)
async def test_only_status_200_is_an_answer(status: str) -> None:
    assert f"status {status[:3]}" in await refused(http(b"{}", status=status))


@pytest.mark.parametrize(
    "answer",
    [
        hang,
        endless(b"HTTP/1.1 200 OK\r\n", b""),
        endless(b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 100 Continue\r\n\r\n"),
        endless(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{", b""),
        endless(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b""),
    ],
    ids=["silence", "half a head", "100 for ever", "half a body", "no chunk"],
)
async def test_a_tarpit_is_left_at_the_deadline(answer: Answer) -> None:
    assert "in time" in await refused(answer, limits=HASTY)


@pytest.mark.parametrize(
    "answer",
    [
        endless(b"HTTP/1.1 200 OK\r\n\r\n", b"a" * 9999),
        endless(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\na\r\n" * 999),
        http(b" " * 65_537 + b"{}"),
    ],
    ids=["no length", "chunks", "a length"],
)
async def test_a_body_has_a_limit(answer: Answer) -> None:
    assert "more than 65536 bytes" in await refused(answer)


@pytest.mark.parametrize(
    "answer",
    [
        endless(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n" * 99),
        endless(b"HTTP/1.1 200 OK\r\nX: ", b"y" * 999),
        endless(b"HTTP/1.1 200 ", b"y" * 999),
        http(b"{}", *[f"X-{n}: y" for n in range(HEADER_LINES_MAX + 1)]),
        http(b"{}", "X: " + "y" * 9000),
        raw(b"nonsense\r\n\r\n"),
        raw(b""),
        raw(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n{}"),
        raw(b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n{}"),
        raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n"),
        http(b"{}", "Content-Length: 1"),
    ],
)
async def test_what_is_not_proper_http_is_refused(answer: Answer) -> None:
    assert "could not be asked" in await refused(answer)


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd", "x-gzip", "identity, gzip"])
async def test_a_compressed_answer_is_refused(encoding: str) -> None:
    bomb = gzip.compress(b" " * 10_000_000 + b"{}")
    assert "compressed" in await refused(http(bomb, f"Content-Encoding: {encoding}"))


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", b"[]", b'{"a":1,"a":1}', b"\xef\xbb\xbf{}", b'{"a":"\xff"}', b"[" * 60_000],
)
async def test_what_is_not_one_plain_json_object_is_refused(body: bytes) -> None:
    assert await refused(http(body))


@pytest.fixture
def own_certificate(tmp_path: Path) -> ssl.SSLContext:
    """A server's TLS with a certificate for 127.0.0.1 that nobody has signed but itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    alternative = x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))])
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2100, 1, 1, tzinfo=UTC))
        .add_extension(alternative, critical=False)
        .sign(key, hashes.SHA256())
    )
    form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    secret = key.private_bytes(*form, serialization.NoEncryption())
    (tmp_path / "pem").write_bytes(secret + certificate.public_bytes(form[0]))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "pem")
    return context


async def test_a_certificate_that_nobody_signed_is_refused(own_certificate: ssl.SSLContext) -> None:
    async with (
        serving(http(b"{}"), own_certificate) as (place, requests),
        open_fetcher(allow=frozenset({place}), limits=PATIENT) as fetcher,
    ):
        with pytest.raises(FetchRefused, match="no valid certificate"):
            await fetcher.get_text(f"https://{place}/")
    assert requests == []


async def test_the_environments_proxy_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    async with (
        serving(http(b"{}")) as (proxy, seen),
        serving(http(b"{}")) as (place, _),
        open_fetcher(allow=frozenset({place}), limits=PATIENT) as fetcher,
    ):
        for name in ("http_proxy", "https_proxy", "all_proxy"):
            monkeypatch.setenv(name, f"http://{proxy}")
        assert await fetcher.get_text(f"http://{place}/") == "{}"
        assert seen == []
