"""Earnings: closed months to the base unit, the open one as an estimate that says so."""

from __future__ import annotations

from statistics import median_low

import numpy as np
import pytest

from node.errors import BadInput
from node.flows.earnings.clicks import click_values
from node.flows.earnings.estimate import FRESH_S, Estimates
from node.flows.earnings.known import Earned, KnownEarnings
from node.flows.earnings.table import table_of
from node.flows.split import PENDING_MONTHS
from node.flows.waits import DUES_WORDS, SMALL_WORDS
from node.ids import ThingId
from node.money import Asset, sats
from node.settlement.payout import HeldReason
from node.store import closes
from node.store.closes import Stage
from tests.conftest import MONTH
from tests.world import open_world

READERS = ("ann", "bob", "cid", "dee")


async def _town(world):
    """Four readers with pots of 1000, 2000, 3000 and 4000 sat; ann flattrs one thing more."""
    await world.join(*READERS, "eve", "fay")
    await world.thing("eve-1", "eve")
    await world.thing("eve-2", "eve")
    await world.thing("fay-1", "fay")
    await world.thing("nobodys")
    for number, reader in enumerate(READERS, 1):
        await world.fund(reader, sats(1000 * number), to_pot=True, at_s=None)
        await world.flattr(reader, "eve-1")
        await world.flattr(reader, "nobodys")
    await world.flattr("ann", "fay-1")
    await world.flattr("fay", "eve-2")  # fay has no pot: it counts for nothing


async def test_a_closed_month_has_clicks_average_and_median_of_each_thing(store, clock):
    async with open_world(store, clock) as world:
        await _town(world)
        known, eve = KnownEarnings(), world.members["eve"]
        assert await known.month(store, Asset.SAT, MONTH, eve) is None
        await world.close(MONTH)
        found = await known.month(store, Asset.SAT, MONTH, eve)
        (only,) = found.things
        values = [450_000, 1_800_000, 2_700_000, 3_600_000]  # ann gave her pot to two things
        assert only.thing == world.things["eve-1"].id
        assert (only.clicks, only.units) == (4, sum(values))
        assert only.median == median_low(values) == 1_800_000
        assert only.average == sum(values) // 4
        assert (found.clicks, found.total.units) == (4, sum(values))
        fay = await known.month(store, Asset.SAT, MONTH, world.members["fay"])
        assert [(one.clicks, one.units, one.median) for one in fay.things] == [
            (1, 450_000, 450_000)
        ]
        nobody = await known.month(store, Asset.SAT, MONTH, world.members["ann"])
        assert nobody.things == ()
        assert nobody.total.units == 0


async def test_flattrs_that_waited_for_the_owner_are_among_the_clicks(store, clock):
    async with open_world(store, clock) as world:
        await _town(world)
        await world.close(MONTH)
        await world.claim("nobodys", "eve")
        following = MONTH.plus(1)
        for reader in READERS:  # whose carry and new money are the pots of the month of the claim
            await world.fund(reader, sats(100), to_pot=True, at_s=None)
        await world.flattr("ann", "eve-1")
        await world.close(following)
        found = await KnownEarnings().month(store, Asset.SAT, following, world.members["eve"])
        by_thing = {one.thing: one for one in found.things}
        assert by_thing[world.things["nobodys"].id].clicks == len(READERS)
        assert PENDING_MONTHS >= 1
        assert by_thing[world.things["eve-1"].id].median == 45_000
        assert by_thing[world.things["nobodys"].id].median == 90_000


async def test_own_things_and_shared_targets_are_no_clicks(store, clock):
    async with open_world(store, clock) as world:
        await _town(world)
        await world.target("ann", "same@wallet.test")
        await world.target("eve", "same@wallet.test")
        await world.close(MONTH)
        found = await KnownEarnings().month(store, Asset.SAT, MONTH, world.members["eve"])
        assert [(one.clicks, one.units) for one in found.things] == [(3, 8_100_000)]
        async with store.read() as tx:
            marked, values = await click_values(
                tx, MONTH, Asset.SAT, np.array([world.things["eve-1"].id])
            )
        assert values.tolist() == [1_800_000, 2_700_000, 3_600_000]
        assert set(marked.tolist()) == {world.things["eve-1"].id}


async def test_a_closed_month_is_looked_through_once_and_memory_is_bounded(
    store, clock, monkeypatch
):
    async with open_world(store, clock) as world:
        await _town(world)
        await world.close(MONTH)
        await world.close(MONTH.plus(1))
        eve = world.members["eve"]
        looked = []
        real = closes.parts

        async def counting(tx, month, asset, kind):
            looked.append((month, kind))
            return await real(tx, month, asset, kind)

        monkeypatch.setattr(closes, "parts", counting)
        known = KnownEarnings(rows_kept_max=2)
        first = await known.month(store, Asset.SAT, MONTH, eve)
        assert looked == [(MONTH, "thing")]
        assert await known.month(store, Asset.SAT, MONTH, eve) is first
        assert looked == [(MONTH, "thing")]
        months = await known.months(store, Asset.SAT, eve, limit=12)
        assert [one.month for one in months] == [MONTH.plus(1), MONTH]
        assert [one.total.units for one in months] == [0, first.total.units]
        assert await known.months(store, Asset.SAT, eve, limit=1, skip=1) == [months[1]]
        again = len(looked)
        await known.month(store, Asset.SAT, MONTH.plus(1), eve)  # was let go of
        assert len(looked) == again + 1


async def test_the_estimate_is_what_a_close_now_would_bring(store, clock):
    async with open_world(store, clock) as world:
        await _town(world)
        estimates, eve = Estimates(), world.members["eve"]
        seen = await estimates.of(world.closing, eve)
        assert seen.month == MONTH
        assert seen.clicks == {world.things["eve-1"].id: 4, world.things["eve-2"].id: 1}
        assert [(one.clicks, one.units, one.median) for one in seen.things] == [
            (4, 8_550_000, None)
        ]
        await world.close(MONTH)
        known = await KnownEarnings().month(store, Asset.SAT, MONTH, eve)
        assert known.total == seen.total


async def test_a_month_is_split_for_all_who_ask_and_again_when_it_is_old(store, clock):
    async with open_world(store, clock) as world:
        await _town(world)
        estimates, eve, fay = Estimates(), world.members["eve"], world.members["fay"]
        before = await estimates.of(world.closing, eve)
        await world.flattr("bob", "eve-2")
        same = await estimates.of(world.closing, fay)
        assert same.as_of_us == before.as_of_us
        assert (await estimates.of(world.closing, eve)).total == before.total
        clock.advance(FRESH_S)
        after = await estimates.of(world.closing, eve)
        assert after.as_of_us > before.as_of_us
        assert len(after.things) == 2


async def test_the_estimate_says_why_it_would_wait(store, clock):
    async with open_world(store, clock) as world:
        await _town(world)
        eve = world.members["eve"]

        async def waits():
            clock.advance(FRESH_S)
            return (await Estimates().of(world.closing, eve)).waits

        assert await waits() == DUES_WORDS
        await world.fund("eve", world.rules.dues, to_pot=True, at_s=None)
        assert await waits() == HeldReason.NO_TARGET
        await world.target("eve")
        assert await waits() is None
        world.change_rules(payout_min=sats(100_000))
        assert await waits() == SMALL_WORDS


async def test_a_frozen_month_has_no_estimate(store, clock):
    async with open_world(store, clock) as world:
        await _town(world)
        async with store.write() as tx:
            frozen = closes.Close(
                MONTH, Asset.SAT, Stage.FROZEN, clock.now_us(), 1000, 0, closes.Figures(), None
            )
            await closes.freeze(tx, frozen)
        assert await Estimates().of(world.closing, world.members["eve"]) is None
        clock.set(MONTH.ends_s)
        await world.close(MONTH)


async def test_the_table_is_complete_in_every_order_and_page(store, clock):
    async with open_world(store, clock) as world:
        await world.join("eve")
        rows = []
        for number in range(5):
            await world.thing(f"t{number}", "eve")
            thing = world.things[f"t{number}"].id
            rows.append(Earned(ThingId(thing), number % 2 + 1, 100 * (number % 3), number))
        for order in ("earned", "-earned", "clicks", "-average", "-median", "title", "-title"):
            seen = []
            for page in (1, 2, 3):
                table = await table_of(store, rows, order, page, rows_a_page=2)
                assert (table.page, table.pages, table.rows) == (page, 3, 5)
                seen += [line.earned for line in table.lines]
            assert sorted(seen, key=lambda one: one.thing) == rows, order
        titles = await table_of(store, rows, "-title", 1)
        assert [line.thing.title for line in titles.lines] == ["t4", "t3", "t2", "t1", "t0"]
        best = await table_of(store, rows, "-earned", 1, rows_a_page=2)
        assert [line.earned.units for line in best.lines] == [200, 100]
        assert (await table_of(store, [], "title", 1)).lines == ()
        for order, page in [("worth", 1), ("--title", 1), ("title", 4), ("title", 0)]:
            with pytest.raises(BadInput):
                await table_of(store, rows, order, page, rows_a_page=2)
