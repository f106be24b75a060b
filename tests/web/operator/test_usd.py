"""The console of a node that pays in both assets."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from node.config import StablecoinSettings
from tests.conftest import MONTH
from tests.web.operator.conftest import open_place
from tests.web.operator.test_metrics import scrape


async def test_both_rails_are_looked_at_and_shown(usd_world, tmp_path):
    world, vault = usd_world, usd_world.vault
    chosen = StablecoinSettings(
        network="eth-tester", rpc_urls=("http://127.0.0.1",), vault=vault.address, first_block=0,
        keystore=Path("key.json"), dues_units=0,
    )  # fmt: skip
    world.folder = tmp_path
    settings = world.node.settings.model_copy(update={"stablecoin": chosen})
    world.node = replace(world.node, settings=settings)
    async with open_place(world) as place:
        operator = await place.by_link()
        shown = await operator.get("/")
        assert shown.status == 200
        for part in ("Stablecoin", "0.00 USD", "chain", "treasury", "gas"):
            assert part in shown.text
        assert "0.00 USD" in (await operator.get(f"/months/usd/{MONTH}")).text
        assert (await operator.get("/payouts?asset=usd&state=due")).status == 200
        assert "Stablecoin" in (await operator.get("/held")).text
        seen = await scrape(place)
    assert seen["flattr_chain_reachable"][()] == 1
    assert seen["flattr_sending_stopped"] == {("lightning",): 0, ("stablecoin",): 0}
    assert seen["flattr_wallet_holds_coins"][("usd",)] == 0
