"""A chaos run: one episode after the other, each judged when it has come to rest."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AsyncExitStack
from random import Random

from node.devnet.postgres import open_database, open_postgres
from tests.chaos.coin import play_coin
from tests.chaos.episode import Episode
from tests.chaos.restore import backed_up, restored
from tests.chaos.rig import Rig
from tests.chaos.schedule import (
    KILLS_WHILE_CLOSED,
    KILLS_WHILE_CREDITED,
    RESTORE,
    Planned,
)
from tests.chaos.strikes import STRIKES
from tests.chaos.tally import Tally

Say = Callable[[str], None]


async def run(rig: Rig, seed: int, episodes: Iterable[Planned], say: Say) -> None:
    """Play them. What goes wrong in one is a breach, and names how to play it again."""
    for planned in episodes:
        before = rig.tally.killed
        say(f"episode {planned.number}: {planned.words}")
        random = Random(f"{seed}/{planned.number}")
        try:
            await (play_coin if planned.coin else play)(rig, random, planned, say)
        except Exception as error:  # noqa: BLE001  the run goes on, and fails at its end
            words = f"{type(error).__name__}: {error}"
            rig.tally.breaches.append(f"episode {planned.number}: {words}")
        say(f"episode {planned.number}: {rig.tally.killed - before} kills; {_so_far(rig.tally)}")


async def play(rig: Rig, random: Random, planned: Planned, say: Say) -> None:
    """A month over Lightning."""
    async with AsyncExitStack() as stack:
        database = ""
        if planned.postgres:
            server = stack.enter_context(open_postgres())
            database = await stack.enter_async_context(open_database(server))
        folder = rig.folder / f"episode{planned.number}"
        episode = Episode(rig, random, f"episode {planned.number}", folder, database)
        await episode.settle_in()
        stack.push_async_exit(episode.end)
        await episode.open_store()
        await episode.deposits(KILLS_WHILE_CREDITED)
        await episode.close(KILLS_WHILE_CLOSED)
        for kind in planned.strikes:
            if kind != RESTORE:
                await STRIKES[kind](episode)
                say(f"  {kind}: {rig.tally.killed} kills")
        if RESTORE in planned.strikes:
            await backed_up(episode)
        await episode.rest()
        await episode.judge()
        if RESTORE in planned.strikes:
            await restored(episode)


def _so_far(tally: Tally) -> str:
    return f"{tally.killed} in all, {len(tally.twice)} paid twice, {len(tally.lost)} lost"
