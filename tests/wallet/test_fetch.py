"""The fetcher against URLs and names that lead where it must not go: no connection is opened."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult

from node.errors import FetchRefused
from node.wallet.addresses import is_public
from node.wallet.fetch import check_url, open_fetcher
from node.wallet.hosts import FetchLimits

LIMITS = FetchLimits(total_s=20, connect_s=20)
PUBLIC = "93.184.216.34"


class Names(AbstractResolver):
    """A DNS that answers what it is told; with several answers, each in its turn."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        del family
        self.asked.append(host)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
            for address in answer
        ]

    async def close(self) -> None:
        pass


@pytest.fixture
async def connections(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Every address that somebody tries to connect to; none is."""
    tried: list[Any] = []

    async def sock_connect(sock: socket.socket, address: Any) -> None:
        del sock
        tried.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(asyncio.get_running_loop(), "sock_connect", sock_connect)
    return tried


URLS = [
    "https://127.0.0.1/",
    "https://127.0.0.1:{port}/",
    "http://127.0.0.1:{port}/",
    "https://127.1/",
    "https://127.1:{port}/",
    "https://2130706433/",
    "https://2130706433:{port}/",
    "https://0x7f000001/",
    "https://0x7f.0.0.1/",
    "https://0177.0.0.1/",
    "https://017700000001/",
    "https://127.0.0.1./",
    "https://0/",
    "https://0.0.0.0/",
    "https://10.0.0.1/",
    "https://192.168.0.1/",
    "https://172.16.0.1/",
    "https://100.64.0.1/",
    "https://169.254.169.254/latest/meta-data/",
    "https://[::1]/",
    "https://[::1]:{port}/",
    "https://[::]/",
    "https://[::ffff:127.0.0.1]/",
    "https://[::ffff:7f00:1]/",
    "https://[0:0:0:0:0:ffff:127.0.0.1]/",
    "https://[64:ff9b::7f00:1]/",
    "https://[2002:7f00:1::]/",
    "https://[2001:0:7f00:1::]/",
    "https://[fe80::1%25lo]/",
    "https://[fd00::1]/",
    f"https://{PUBLIC}/",
    "https://[2606:2800:220:1::]/",
    "https://localhost/",
    "https://localhost:{port}/",
    "https://localhost./",
    "https://LOCALHOST/",
    "https://a.localhost/",
    "https://printer.local/",
    "https://metadata.google.internal/",
    "https://lnd/",
    "https://expyuzz4wqqyqhjn.onion/",
    "https://user@pay.example/",
    "https://pay.example@127.0.0.1/",
    "https://pay.example:secret@127.0.0.1:{port}/",
    "https://127.0.0.1\\@pay.example/",
    "https://pay.example\\.evil.example/",
    "https://pay.example#@127.0.0.1/",
    "https://pay.example/\r\nHost: lnd/",
    "https://pay.example/ HTTP/1.1",
    "https://pay.example/\x00",
    "https://pay.example\t/",
    " https://pay.example/",
    "https://pay.example:8443/",
    "https://pay.example:22/",
    "https://pay.example:99999999/",
    "https://pay.example:0/",
    "https://pay.example:/",
    "http://pay.example/",
    "http://pay.example:443/",
    "ftp://pay.example/",
    "file:///etc/passwd",
    "gopher://127.0.0.1:{port}/_x",
    "unix:///var/run/docker.sock",
    "//pay.example/",
    "https:pay.example",
    "https:///pay.example/",
    "https://",
    "",
    "https://pay..example/",
    "https://.pay.example/",
    "https://pay.example./",
    "https://-pay.example/",
    "https://p\u00e4y.example/",
    "https://\u2460\u2461\u2466.0.0.1/",
    "https://pay\u3002example/",
    "https://127.0.0.1%2f.pay.example/",
    "https://pay.example/" + "a" * 5000,
    "https://" + "a" * 64 + ".example/",
    "https://" + "a." * 127 + "example/",
]


@pytest.mark.parametrize("url", URLS)
async def test_a_bad_url_opens_no_connection_and_asks_no_dns(
    url: str, connections: list[Any]
) -> None:
    names = Names(["127.0.0.1"])
    with socket.create_server(("127.0.0.1", 0)) as canary:
        canary.setblocking(False)
        port = canary.getsockname()[1]
        async with open_fetcher(resolver=names, limits=LIMITS) as fetcher:
            with pytest.raises(FetchRefused):
                await fetcher.get_text(url.replace("{port}", str(port)))
        with pytest.raises(BlockingIOError):
            canary.accept()
    assert connections == []
    assert names.asked == []


PRIVATE = [
    "127.0.0.1",
    "0.0.0.0",
    "10.1.2.3",
    "100.64.0.1",
    "169.254.169.254",
    "172.31.255.255",
    "192.0.0.8",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.1.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::7f00:1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "2001:db8::1",
    "2002:7f00:1::1",
    "2002:5db8:d822::1",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd12::1",
    "fe80::1",
    "fe80::1%lo",
    "fec0::1",
    "ff02::1",
    "4000::1",
    "2130706433",
    "127.1",
    "nonsense",
    "",
]


@pytest.mark.parametrize("address", PRIVATE)
async def test_a_name_that_resolves_to_the_own_network_is_not_connected(
    address: str, connections: list[Any]
) -> None:
    assert not is_public(address)
    for answer in ([address], [PUBLIC, address], [address, PUBLIC]):
        async with open_fetcher(resolver=Names(answer), limits=LIMITS) as fetcher:
            with pytest.raises(FetchRefused):
                await fetcher.get_text("https://127.0.0.1.nip.example/")
    assert connections == []


@pytest.mark.parametrize(
    "address", [PUBLIC, "1.1.1.1", "2606:4700::1111", "::ffff:93.184.216.34", "64:ff9b::5db8:d822"]
)
async def test_a_public_address_is_connected_exactly_as_the_dns_gave_it(
    address: str, connections: list[Any]
) -> None:
    assert is_public(address)
    async with open_fetcher(resolver=Names([address]), limits=LIMITS) as fetcher:
        with pytest.raises(FetchRefused):
            await fetcher.get_text("https://pay.example/")
    assert [place[:2] for place in connections] == [(address, 443)]


async def test_a_rebinding_dns_is_asked_anew_and_judged_anew(connections: list[Any]) -> None:
    names = Names([PUBLIC], ["127.0.0.1"])
    async with open_fetcher(resolver=names, limits=LIMITS) as fetcher:
        for _ in range(3):
            with pytest.raises(FetchRefused):
                await fetcher.get_text("https://pay.example/")
    assert connections == [(PUBLIC, 443)]


async def test_the_socket_judges_again_when_the_resolver_was_passed_by(
    connections: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    names = Names(["127.0.0.1"])
    monkeypatch.setattr(
        "node.wallet.fetch._Guard.resolve", lambda _, *a, **k: names.resolve(*a, **k)
    )
    async with open_fetcher(resolver=names, limits=LIMITS) as fetcher:
        with pytest.raises(FetchRefused):
            await fetcher.get_text("https://pay.example/")
    assert names.asked == ["pay.example"]
    assert connections == []


async def test_the_operators_own_public_addresses_can_be_refused(connections: list[Any]) -> None:
    refuse = frozenset({"93.184.216.0/24"})
    async with open_fetcher(resolver=Names([PUBLIC]), refuse=refuse, limits=LIMITS) as fetcher:
        with pytest.raises(FetchRefused):
            await fetcher.get_text("https://pay.example/")
    assert connections == []


async def test_an_exemption_is_for_that_host_and_port_alone(connections: list[Any]) -> None:
    assert check_url("http://127.0.0.1:8080/x", frozenset({"127.0.0.1:8080"})) == "127.0.0.1:8080"
    names = Names(["127.0.0.1"])
    allow = frozenset({"127.0.0.1:8080", "shop.test:443"})
    async with open_fetcher(allow=allow, resolver=names, limits=LIMITS) as fetcher:
        for url in (
            "http://127.0.0.1:8081/",
            "http://localhost:8080/",
            "http://shop.test/",
            "https://evil.example/",
        ):
            with pytest.raises(FetchRefused):
                await fetcher.get_text(url)
        assert connections == []
        with pytest.raises(FetchRefused):
            await fetcher.get_text("https://shop.test/")
    assert connections == [("127.0.0.1", 443)]
