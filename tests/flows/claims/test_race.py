"""A thing that is being made while its site is being claimed, on a database with many writers."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from node.clock import ManualClock
from node.flows import claim, sites
from node.flows.sites import Outcome
from node.store import things
from node.store.engine import open_store
from tests.flows.claims.site_town import open_site_town

WAIT_S = 20


async def test_a_claim_waits_for_what_is_being_made_under_its_site(
    postgres_url: str, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, go_on, add = asyncio.Event(), asyncio.Event(), things.add

    async def slow(*args: Any) -> Any:
        """The thing is made, and its transaction stays open until it may go on."""
        thing = await add(*args)
        made.set()
        await go_on.wait()
        return thing

    monkeypatch.setattr(claim.things, "add", slow)
    async with open_store(postgres_url) as store, open_site_town(store, clock) as town:
        await town.join("alice")
        town.put_file("alice")
        asked = await sites.ask_site(town.claiming, town.members["alice"], town.site)
        async with asyncio.timeout(WAIT_S):
            making = asyncio.create_task(town.thing("/new"))
            await made.wait()
            checking = asyncio.create_task(
                sites.check_site(town.claiming, town.members["alice"], asked.claim.id)
            )
            while not checking.done() and not await _somebody_waits(store):
                await asyncio.sleep(0.01)
            assert not checking.done()
            go_on.set()
            thing, result = await making, await checking
        assert (result.outcome, result.given) == (Outcome.TAKEN, 1)
        assert await town.owner(thing) == "alice"


async def _somebody_waits(store: Any) -> bool:
    async with store.read() as tx:
        return bool(await tx.value("SELECT count(*) FROM pg_locks WHERE NOT granted"))
