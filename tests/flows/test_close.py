"""A close that is stopped, raced or moved to another database comes to the same result."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from node import failpoints
from node.clock import ManualClock
from node.errors import BadMonth, Conflict
from node.failpoints import FailpointHit
from node.flows import fund
from node.flows.close import close_month, preview
from node.money import sats
from node.store import checks
from node.store.engine import Store, open_store
from tests.conftest import MONTH
from tests.killed import points_of
from tests.world import World, open_world

POINTS = sorted(points_of(
    "close.book", "close.check", "close.fold", "close.freeze", "close.open", "close.prove",
    "close.split",
))  # fmt: skip
LEDGER = "SELECT asset, seq, hash FROM entry ORDER BY asset, seq"


@asynccontextmanager
async def one(file: Path, members: int = 9) -> AsyncIterator[World]:
    """A seeded month in an own SQLite file."""
    clock = ManualClock(MONTH.starts_s + 3600)
    async with (
        open_store(f"sqlite:///{file}") as store,
        open_world(store, clock) as world,
    ):
        await seed(world, members)
        yield world


async def seed(world: World, members: int) -> None:
    """A month of so many members: each third has things, everybody flattrs a few."""
    chosen = random.Random(members)
    names = [f"m{number}" for number in range(members)]
    await world.join(*names)
    owners = names[::3]
    for owner in owners:
        await world.target(owner)
        await world.thing(f"of-{owner}", owner)
    for name in names:
        amount = sats(chosen.randint(2000, 90_000))
        deposit = await world.ask(name, amount, to_pot=True, key="the first")
        paid = world.invoices.pay(deposit.payment_hash, amount.units, MONTH.starts_s + 3600)
        assert await fund.credit(world.funding, paid)
        for owner in chosen.sample(owners, min(4, len(owners))):
            if owner != name:
                await world.flattr(name, f"of-{owner}")


@pytest.mark.parametrize("point", POINTS)
async def test_stopped_anywhere_and_run_again_it_is_the_same(tmp_path, point):
    async with one(tmp_path / "whole") as whole, one(tmp_path / "stopped") as stopped:
        expected = await whole.close(MONTH)
        failpoints.arm({point: "raise"})
        try:
            with pytest.raises(FailpointHit):
                await stopped.close(MONTH)
        finally:
            failpoints.arm({})
        found = await stopped.close(MONTH)
        assert (found.digest, found.figures) == (expected.digest, expected.figures)
        assert await ledger(stopped.store) == await ledger(whole.store)


async def test_two_nodes_that_race_close_it_once(database_url, clock):
    async with (
        open_store(database_url) as first,
        open_store(database_url) as second,
        open_world(first, clock) as world,
    ):
        await seed(world, 12)
        clock.set(MONTH.ends_s)
        other = replace(world.closing, store=second)
        closes = await asyncio.gather(close_month(world.closing, MONTH), close_month(other, MONTH))
        assert closes[0] == closes[1]
        async with first.read() as tx:
            assert await tx.value("SELECT count(*) FROM entry WHERE kind = 'close'") == 1
            assert await checks.breaches(tx, deep=True) == []


async def test_the_digest_is_the_same_in_every_database(tmp_path, postgres_url):
    async with (
        one(tmp_path / "sqlite", 60) as here,
        open_store(postgres_url) as store,
        open_world(store, ManualClock(MONTH.starts_s + 3600)) as there,
    ):
        await seed(there, 60)
        left, right = await here.close(MONTH), await there.close(MONTH)
        assert left.digest is not None
        assert (left.digest, left.figures) == (right.digest, right.figures)


async def test_a_preview_is_the_close_and_changes_nothing(store, clock):
    async with open_world(store, clock) as world:
        await seed(world, 12)
        before = await ledger(store)
        shown = (await preview(world.closing, MONTH)).split
        assert await ledger(store) == before
        closed = (await world.close(MONTH)).figures
        assert (shown.pots, shown.distributed, shown.commission, shown.carried) == (
            closed.pots, closed.distributed, closed.commission, closed.carried,
        )  # fmt: skip
        with pytest.raises(Conflict):
            await preview(world.closing, MONTH)


async def test_a_month_is_not_closed_before_its_end(store, clock):
    async with open_world(store, clock) as world:
        clock.set(MONTH.ends_s - 1)
        with pytest.raises(BadMonth):
            await close_month(world.closing, MONTH)


async def ledger(store: Store) -> list[tuple[object, ...]]:
    async with store.read() as tx:
        return [tuple(row) for row in await tx.rows(LEDGER)]
