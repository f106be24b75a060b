"""Hostile LNURL servers: nothing wrong is dispatched, each has its end, none delays others."""

import asyncio
from dataclasses import replace

from node.clock import ManualClock
from node.settlement.payout import PayoutState
from node.wallet.hosts import FetchLimits
from tests.hostile import lnurl
from tests.hostile.lnurl_answers import ANSWERS, HONEST
from tests.hostile.lnurl_scene import open_scene
from tests.hostile.lnurl_server import WALLET

HASTY = FetchLimits(total_s=1.5)
TARPITS = 50
HONEST_ONES = 10


async def test_every_hostile_server_has_its_end(tmp_path):
    rows = await lnurl.run(tmp_path, HASTY)
    assert len(rows) >= 40
    assert all(row.fine for row in rows), lnurl.printed([one for one in rows if not one.fine])


async def test_more_tarpits_than_places_delay_nobody_who_comes_after_them(tmp_path):
    tarpit = next(one for one in ANSWERS if one.name == "tarpit, offer")
    creators = {f"tarpit{at}": tarpit for at in range(TARPITS)}
    creators |= {f"honest{at}": replace(HONEST, shares_host=True) for at in range(HONEST_ONES)}
    clock = ManualClock(lnurl.MONTH.starts_s + 3600)
    async with open_scene(tmp_path, clock, creators, limits=FetchLimits(total_s=12)) as scene:
        assert scene.payer._rail.attempts_in_flight_max < TARPITS
        await scene.play(list(creators))
        round_ = asyncio.create_task(scene.round())
        while len(scene.network.settled(WALLET)) < HONEST_ONES:
            await asyncio.sleep(0.01)
            assert not round_.done(), "the honest ones were not paid in this round"
        waiting = [one for name, one in (await scene.payouts()).items() if name.startswith("tarp")]
        assert [one.reason for one in waiting] == [None] * TARPITS, "they waited for the tarpits"
        await round_
        ends = await scene.judge()
        assert ends == {"paid": HONEST_ONES, "not paid": TARPITS}
        assert all(
            one.state is PayoutState.DUE and "in time" in (one.reason or "")
            for name, one in (await scene.payouts()).items()
            if name.startswith("tarp")
        )
