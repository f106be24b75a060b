"""A deposit without an invoice is in the way of leaving until lnd has said that it has none."""

from __future__ import annotations

import pytest

from node.errors import Conflict, RailUnavailable
from node.flows.fund import EXPIRY_S
from node.flows.leave import leave, look_at_leaving
from node.money import sats
from tests.flows.test_leave import node_of, refused
from tests.world import open_world

IN_THE_WAY = "an invoice of yours may still be paid"


@pytest.fixture
async def world(store, clock):
    async with open_world(store, clock) as opened:
        await opened.join("ann")
        yield opened


async def _leave(world) -> None:
    await leave(node_of(world), world.members["ann"], "ann", (), fresh=True)


async def _seen(world) -> tuple[str, ...]:
    return (await look_at_leaving(node_of(world), world.members["ann"])).in_the_way


async def _ask(world) -> None:
    await world.ask("ann", sats(500), to_pot=False, key="k")


async def test_what_never_became_an_invoice_is_in_the_way_only_while_lnd_is_away(world):
    world.invoices.away = True
    with pytest.raises(RailUnavailable):
        await _ask(world)
    (said,) = await _seen(world)
    assert IN_THE_WAY in said
    with pytest.raises(RailUnavailable):
        await _leave(world)
    world.invoices.away = False
    assert await _seen(world) == ()
    await _leave(world)


async def test_an_invoice_that_was_made_without_our_knowing_stays_in_the_way(world, clock):
    world.invoices.lose_answers = True
    with pytest.raises(RailUnavailable):
        await _ask(world)
    await refused(world, "ann", IN_THE_WAY)
    clock.advance(EXPIRY_S + 1)
    await refused(world, "ann", IN_THE_WAY)
    world.invoices.still_open.clear()
    await _leave(world)


async def test_an_invoice_that_is_made_while_the_account_closes_is_shown_to_nobody(world):
    made = world.invoices.create

    async def slowly(*asked):
        found = await made(*asked)
        await _leave(world)  # lnd had no such invoice when it was asked
        return found

    world.invoices.create = slowly
    with pytest.raises(Conflict, match="ask for a new one"):
        await _ask(world)


async def test_an_account_stays_open_for_an_invoice_that_was_shown_meanwhile(world):
    looked = world.invoices.lookup

    async def meanwhile(payment_hash):
        found = await looked(payment_hash)
        world.invoices.lookup = looked
        await _ask(world)
        return found

    world.invoices.away = True
    with pytest.raises(RailUnavailable):
        await _ask(world)
    world.invoices.away, world.invoices.lookup = False, meanwhile
    with pytest.raises(Conflict, match=IN_THE_WAY):
        await _leave(world)


async def test_who_looks_sees_that_an_invoice_has_run_out(world, clock):
    await _ask(world)
    assert len(await _seen(world)) == 1
    clock.advance(EXPIRY_S + 1)
    assert await _seen(world) == ()
