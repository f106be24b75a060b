"""A month on both rails that has not ended yet: pots in either, creators of each kind."""

from __future__ import annotations

import pytest

from node.devnet.evm_vault import DOLLAR
from node.money import sats
from tests.flows.vault.vault_town import CREATORS, open_town


@pytest.fixture
async def town(store, clock):
    async with open_town(store, clock) as opened:
        world = opened.world
        await world.join("rita", "ron", *CREATORS)
        for name in CREATORS:
            await world.thing(f"{name}'s", owner=name)
        for name in ("both", "light"):
            await world.target(name)
        for name in ("both", "coin", "idle"):
            await opened.target(name)
        for name in CREATORS[:-1]:
            await world.fund(name, sats(2000), to_pot=True, at_s=None)
        await world.fund("rita", sats(10_000), to_pot=True, at_s=None)
        await opened.fill("rita", 20 * DOLLAR, 10 * DOLLAR)
        await opened.fill("ron", 3 * DOLLAR, 3 * DOLLAR)
        for name in CREATORS:
            await world.flattr("rita", f"{name}'s")
        await world.flattr("ron", "both's")
        yield opened
