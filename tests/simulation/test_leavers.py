"""Random readers leave a random month of the vault; what everybody gets is worked out by hand."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

import pytest

from node.devnet.evm_vault import DOLLAR
from node.flows.vault import chain_money
from node.money import sats
from node.settlement.split import PotSplit, split_pot
from node.store.engine import open_store
from node.wallet.stablecoin.calldata import request_exit_calldata, set_pot_calldata
from tests.flows.vault.leavers import act, arrived_at, end_and_ask, judge, leave
from tests.flows.vault.vault_town import Town, open_town

READERS, THINGS = 5, 7
CREATORS = ("cleo", "cora")


@dataclass
class Plan:
    """What each reader has in pot, flattrs, and leaves there before the charge."""

    pots: dict[str, int] = field(default_factory=dict)
    marks: dict[str, list[int]] = field(default_factory=dict)
    there: dict[str, int] = field(default_factory=dict)

    def splits(self) -> dict[str, tuple[int, PotSplit]]:
        """What is charged, and how it is split."""
        found = {}
        for name, pot in self.pots.items():
            number = len(self.marks[name])
            asked = split_pot(pot, number, 1000)
            got = min(asked.distributed, self.there[name])
            found[name] = (got, asked if got == asked.distributed else split_pot(got, number, 1000))
        return found


async def begin(town: Town, chance: random.Random) -> Plan:
    """Readers with a pot and as much again, and two creators of all things."""
    plan, world = Plan(), town.world
    await world.join(*CREATORS)
    for name in CREATORS:
        await town.target(name)
        await world.fund(name, sats(2000), to_pot=True, at_s=None)
    for thing in range(THINGS):
        await world.thing(f"thing-{thing}", owner=CREATORS[thing % 2])
    for name in (f"reader-{number}" for number in range(READERS)):
        await world.join(name)
        pot = plan.pots[name] = chance.randrange(DOLLAR, 9 * DOLLAR)
        await town.fill(name, 2 * pot, pot)
        plan.marks[name] = chance.sample(range(THINGS), chance.randrange(THINGS))
        for thing in plan.marks[name]:
            await world.flattr(name, f"thing-{thing}")
        await act(town, name, request_exit_calldata())
    return plan


async def go(town: Town, chance: random.Random, plan: Plan) -> None:
    """Some take out some of it, some lower the pot, some stay; the node may read meanwhile."""
    for name, pot in plan.pots.items():
        plan.there[name] = pot
        keeps = chance.choice([0, chance.randrange(100), chance.randrange(pot), pot])
        match chance.randrange(3):
            case 0:
                await leave(town, name, keeps)
                plan.there[name] = keeps
            case 1:
                await act(town, name, set_pot_calldata(keeps))
                plan.there[name] = keeps
            case _:
                pass
        if chance.randrange(2):
            await chain_money.read(town.coin.money)


@pytest.mark.parametrize("seed", range(4))
async def test_everybody_gets_what_is_worked_out_by_hand(tmp_path, clock, seed):
    chance = random.Random(seed)
    async with (
        open_store(f"sqlite:///{tmp_path / 'flattr.sqlite'}") as store,
        open_town(store, clock) as town,
    ):
        plan = await begin(town, chance)
        await end_and_ask(town)
        await go(town, chance, plan)
        await town.play()
        splits = plan.splits()
        gross, _ = await judge(town)
        assert gross == sum(got for got, _ in splits.values())
        back = {name: got - split.distributed for name, (got, split) in splits.items()}
        whole = 0
        for name, units in back.items():
            tenth = (whole + units) // 10 - whole // 10
            whole += units
            assert await arrived_at(town, name) == units - tenth, name
        assert await arrived_at(town, "treasury") == gross // 10
        for creator in CREATORS:
            earned = sum(
                split.net
                for name, (_, split) in splits.items()
                for thing in plan.marks[name]
                if CREATORS[thing % 2] == creator
            )
            assert await arrived_at(town, creator) == (earned if earned >= DOLLAR else 0)
