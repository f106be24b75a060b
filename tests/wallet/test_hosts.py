"""What one host may use of the node, and who is left alone: slots and the circuit breaker."""

from __future__ import annotations

import asyncio

import pytest

from node.clock import ManualClock
from node.errors import FetchRefused
from node.wallet.fetch import open_fetcher
from node.wallet.hosts import FetchLimits
from tests.wallet.test_fetch_servers import PATIENT, hang, http, serving


async def test_a_failing_host_is_left_alone_and_tried_again_later() -> None:
    clock = ManualClock(1_800_000_000)
    async with (
        serving(http(b"{}", status="500 Oh")) as (place, requests),
        open_fetcher(allow=frozenset({place}), limits=PATIENT, clock=clock) as fetcher,
    ):
        for _ in range(9):
            with pytest.raises(FetchRefused):
                await fetcher.get_text(f"http://{place}/")
        assert len(requests) == PATIENT.failures_max
        clock.advance(PATIENT.rest_s)
        for _ in range(9):
            with pytest.raises(FetchRefused):
                await fetcher.get_text(f"http://{place}/")
        assert len(requests) == PATIENT.failures_max + 1


async def test_a_good_answer_forgives_and_a_404_does_not_count() -> None:
    statuses = ["500 Oh", "500 Oh", "200 OK", *["404 No"] * 9, "500 Oh", "500 Oh", "200 OK"]
    turn = iter(statuses)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await http(b"{}", status=next(turn))(reader, writer)

    async with (
        serving(answer) as (place, requests),
        open_fetcher(allow=frozenset({place}), limits=PATIENT) as fetcher,
    ):
        for status in statuses:
            if status == "200 OK":
                assert await fetcher.get_text(f"http://{place}/") == "{}"
                continue
            with pytest.raises(FetchRefused, match=status[:3]):
                await fetcher.get_text(f"http://{place}/")
    assert len(requests) == len(statuses)


async def test_one_tarpit_takes_four_slots_and_no_other_hosts_time() -> None:
    limits = FetchLimits(total_s=30, connect_s=30, at_once=5)
    async with (
        serving(hang) as (tarpit, requests),
        serving(http(b"{}")) as (good, _),
        open_fetcher(allow=frozenset({tarpit, good}), limits=limits) as fetcher,
    ):
        waiting = [asyncio.create_task(fetcher.get_text(f"http://{tarpit}/")) for _ in range(20)]
        while len(requests) < limits.at_once_per_host:
            await asyncio.sleep(0)
        for _ in range(9):
            assert await fetcher.get_text(f"http://{good}/") == "{}"
        assert len(requests) == limits.at_once_per_host
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        assert fetcher._hosts._slots == {}


async def test_who_gets_no_slot_in_time_is_told_so_and_the_host_is_not_blamed() -> None:
    limits = FetchLimits(total_s=30, connect_s=30, wait_s=0.05, at_once_per_host=1, failures_max=1)
    async with (
        serving(hang) as (place, requests),
        serving(http(b"{}")) as (good, _),
        open_fetcher(allow=frozenset({place, good}), limits=limits) as fetcher,
    ):
        holding = asyncio.create_task(fetcher.get_text(f"http://{place}/"))
        while not requests:
            await asyncio.sleep(0)
        for _ in range(3):
            with pytest.raises(FetchRefused, match="at once"):
                await fetcher.get_text(f"http://{place}/")
        assert len(requests) == 1
        assert await fetcher.get_text(f"http://{good}/") == "{}"
        holding.cancel()
        await asyncio.gather(holding, return_exceptions=True)


async def test_who_waits_for_a_host_that_begins_to_rest_does_not_ask_it() -> None:
    limits = FetchLimits(total_s=0.3, connect_s=30, wait_s=30, at_once_per_host=1, failures_max=2)
    clock = ManualClock(1_800_000_000)
    async with (
        serving(hang) as (place, requests),
        open_fetcher(allow=frozenset({place}), limits=limits, clock=clock) as fetcher,
    ):
        asked = [fetcher.get_text(f"http://{place}/") for _ in range(50)]
        answers = [str(answer) for answer in await asyncio.gather(*asked, return_exceptions=True)]
    assert len(requests) <= limits.failures_max
    assert sum("in time" in answer for answer in answers) == limits.failures_max
    assert sum("left alone" in answer for answer in answers) == 50 - limits.failures_max
