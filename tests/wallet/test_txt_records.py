"""TXT records: a text, no record, and no answer are three answers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from node.errors import ConfigError, FetchRefused
from node.wallet import txt_records
from node.wallet.txt_records import RECORDS_MAX, TxtRecords, read_server
from tests.flows.claims.site_town import Zone

NAME = "_flattr-node.blog.example"


@pytest.fixture
async def zone() -> AsyncIterator[tuple[Zone, TxtRecords]]:
    loop = asyncio.get_running_loop()
    transport, made = await loop.create_datagram_endpoint(Zone, local_addr=("127.0.0.1", 0))
    port = transport.get_extra_info("sockname")[1]
    yield made, TxtRecords(f"127.0.0.1:{port}")
    transport.close()


async def test_a_long_text_is_put_together(zone: tuple[Zone, TxtRecords]) -> None:
    made, records = zone
    made.says[NAME] = ["short", "x" * 450]
    assert sorted(await records.texts(NAME)) == ["short", "x" * 450]
    assert made.asked == [NAME]


async def test_a_name_without_records_has_none(zone: tuple[Zone, TxtRecords]) -> None:
    assert await zone[1].texts(NAME) == []


async def test_a_broken_resolver_says_nothing(zone: tuple[Zone, TxtRecords]) -> None:
    zone[0].broken = True
    with pytest.raises(FetchRefused, match="no answer"):
        await zone[1].texts(NAME)


async def test_a_silent_resolver_is_not_waited_for_long(
    zone: tuple[Zone, TxtRecords], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(txt_records, "LOOKUP_S", 0.3)
    zone[0].silent = True
    with pytest.raises(FetchRefused, match="within"):
        await zone[1].texts(NAME)


async def test_very_many_records_are_not_all_read(zone: tuple[Zone, TxtRecords]) -> None:
    zone[0].says[NAME] = [f"t{number}" for number in range(RECORDS_MAX + 20)]
    assert len(await zone[1].texts(NAME)) == RECORDS_MAX


@pytest.mark.parametrize("name", ["a" * 64 + ".example", ".".join(["a" * 60] * 5), "a..example"])
async def test_a_name_that_is_none_is_refused(zone: tuple[Zone, TxtRecords], name: str) -> None:
    with pytest.raises(FetchRefused):
        await zone[1].texts(name)


@pytest.mark.parametrize(
    ("text", "server"),
    [
        ("192.0.2.1", ("192.0.2.1", 53)),
        ("192.0.2.1:5353", ("192.0.2.1", 5353)),
        ("[2001:db8::1]:5353", ("2001:db8::1", 5353)),
    ],
)
def test_the_resolver_of_the_settings_is_read(text: str, server: tuple[str, int]) -> None:
    assert read_server(text) == server


@pytest.mark.parametrize(
    "text", ["dns.example", "192.0.2.1:", "192.0.2.1:x", "::1", "dns.example:53"]
)
def test_a_resolver_that_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="dns_server"):
        read_server(text)
