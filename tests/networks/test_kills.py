"""A dozen kill -9 on real lnd and anvil, counted at the receivers: a sample of `make chaos`."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest
import pytest_asyncio

from node.devnet.lightning import LightningNetwork
from tests.chaos.coin import play_coin
from tests.chaos.rig import Rig, open_rig_on
from tests.chaos.run import play
from tests.chaos.schedule import Planned
from tests.chaos.tally import Tally

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.lnd,
    pytest.mark.anvil,
    pytest.mark.xdist_group("lnd"),
]

SEED = 20_261_123


def demand_clean(tally: Tally, kills: int) -> None:
    words = "\n".join(tally.table())
    print(words)
    assert tally.clean, words
    assert tally.killed >= kills
    assert tally.audits == 1
    assert tally.arrived == tally.booked


@pytest_asyncio.fixture(loop_scope="session")
async def rig(lightning_network: LightningNetwork, tmp_path: Path):
    async with open_rig_on(lightning_network, tmp_path, Tally()) as opened:
        yield opened


async def test_kills_of_node_and_lnd_pay_everybody_once(rig: Rig) -> None:
    planned = Planned(0, coin=False, strikes=("node", "node", "lnd"))
    await play(rig, Random(SEED), planned, print)
    demand_clean(rig.tally, kills=7)
    assert rig.tally.arrived["lightning payments"] > 50


async def test_kills_of_node_and_anvil_pay_everybody_once(rig: Rig) -> None:
    planned = Planned(1, coin=True, strikes=("anvil",) * 3)
    await play_coin(rig, Random(SEED), planned, print)
    demand_clean(rig.tally, kills=5)
    assert rig.tally.arrived["stablecoin payments"] == 20
