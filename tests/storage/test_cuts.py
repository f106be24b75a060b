"""A sample of `python -m tests.storage cuts`: each kind of commit is cut once, in each way."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from node.clock import ManualClock
from node.errors import Busy, DatabaseAway
from node.flows.fold import fold
from node.store import click_writer, engine
from node.store.engine import open_store
from tests.storage.cuts import run_cuts
from tests.storage.proxy import CLICKS, WAYS, open_proxy
from tests.world import open_world

pytestmark = pytest.mark.timeout(900)


async def test_a_commit_whose_answer_is_lost_is_neither_done_twice_nor_lost(
    tmp_path: Path, postgres_server: str
) -> None:
    report = await run_cuts(tmp_path, postgres_server, print, each_commit=False)
    print(*sorted(report.by_kind), sep="\n")
    print(report.away)
    assert report.wrong == []
    for where in WAYS:
        cut = {written for written, place in report.by_kind if place == where}
        for table in ("INTO deposit", "INTO payout", "INTO attempt", "INTO close", CLICKS):
            assert any(table in written for written in cut), f"no {table} was cut {where}"


async def test_a_network_that_swallows_everything_is_not_waited_for_for_ever(
    postgres_url: str, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(click_writer, "ANSWER_LIMIT_S", 2)
    monkeypatch.setattr(engine, "STATEMENT_LIMIT_S", 2)
    async with (
        open_proxy(postgres_url) as (url, proxy),
        open_store(url) as store,
        open_world(store, clock) as world,
    ):
        await world.join("ann", "bob")
        await world.thing("song", "bob")
        await world.flattr("ann", "song")
        proxy.swallows = True
        async with asyncio.timeout(60):
            with pytest.raises(Busy):
                await world.flattr("ann", "song")
            with pytest.raises(DatabaseAway):
                await fold(store, clock)
        proxy.swallows = False
        await world.flattr("ann", "song", "k")
        assert await fold(store, clock) > 0
