"""The strikes of an episode: each ends with a node that runs, and a network that does."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from node.errors import RailUnavailable
from node.store import attempts
from tests.chaos.episode import Episode
from tests.chaos.judge import RAIL
from tests.chaos.life import Died, Life

SENDS_MAX: Final = 8
AFTER_S: Final = (0.0002, 0.2)
"""How long after a send the node dies; drawn evenly on a scale of powers."""
KILLED_AGAIN: Final = 0.55
"""How often the node that takes over is killed, too."""
PHANTOM_S: Final = 3700
"""The next life's clock shows what an lnd that was killed has left open for ever."""
STOPPED_S: Final = (1.0, 4.0)
JUMP_S: Final = 40 * 86_400


async def strike_node(episode: Episode) -> None:
    """kill -9 of the node in the midst of paying; the next one pays on, and may be killed too."""
    await episode.more()
    await _kill_while_paying(episode)
    while episode.random.random() < KILLED_AGAIN:
        await _kill_while_paying(episode)
    await episode.life.attempt("burst")


async def strike_lnd(episode: Episode) -> None:
    """The sender's lnd dies in mid-payment: by kill -9, or by SIGTERM, which is little better."""
    network, tally = episode.rig.network, episode.rig.tally
    await episode.more()
    paying = await _paying(episode, episode.random.uniform(0.02, 0.7))
    if episode.random.random() < 0.7:
        tally.kills["lnd, sender"] += 1
        await network.kill(network.operator)
    else:
        tally.others["SIGTERM of the sender's lnd"] += 1
        await network.stop(network.operator)
    if episode.random.random() < 0.3:
        episode.kill()
    await network.start(network.operator)
    await paying
    episode.life.kill()
    await episode.live(PHANTOM_S)
    await episode.life.tell("burst")


async def strike_router(episode: Episode) -> None:
    """kill -9 of the lnd between sender and receivers."""
    await _kill_lnd(episode, "router")


async def strike_receiver(episode: Episode) -> None:
    """kill -9 of a receiver's lnd."""
    await _kill_lnd(episode, "creators")


async def strike_stop(episode: Episode) -> None:
    """An lnd stands still for some seconds (SIGSTOP): sender, router or receiver."""
    network = episode.rig.network
    node = network.nodes[episode.random.choice(("operator", "router", "creators"))]
    await episode.more()
    paying = await _paying(episode, episode.random.uniform(0, 0.5))
    network.pause(node)
    await asyncio.sleep(episode.random.uniform(*STOPPED_S))
    if episode.random.random() < 0.5:
        episode.kill()
    network.resume(node)
    episode.rig.tally.others["SIGSTOP of an lnd"] += 1
    await paying
    await _live_again(episode)
    await episode.life.tell("burst")


async def strike_lock(episode: Episode) -> None:
    """The sender's lnd comes back with its wallet locked: that is trouble, and no verdict."""
    network, tally = episode.rig.network, episode.rig.tally
    await episode.more()
    paying = await _paying(episode, episode.random.uniform(0, 0.5))
    await network.kill(network.operator)
    tally.kills["lnd, sender"] += 1
    await network.start_locked(network.operator)
    before = await _ended(episode)
    started = episode.new_life()
    try:
        await started.begin()
        tally.breaches.append(f"{episode.of}: a node starts although its lnd is locked")
    except RailUnavailable as error:
        if "locked" not in str(error):
            tally.breaches.append(f"{episode.of}: a locked lnd is called: {error}")
    started.kill()
    await asyncio.sleep(1)
    if (after := await _ended(episode)) != before:
        tally.breaches.append(f"{episode.of}: a locked lnd was a verdict: {before} {after}")
    await network.kill(network.operator)
    tally.others["lnd's wallet locked"] += 1
    await network.start(network.operator)
    await paying
    episode.life.kill()
    await episode.live(PHANTOM_S)
    await episode.life.tell("burst")


async def strike_clock(episode: Episode) -> None:
    """The clock jumps: forward, when no month may be closed; and back, when nothing is sent."""
    tally = episode.rig.tally
    await episode.more()
    closed = await episode.life.attempt("close_by_clock", jump_s=JUMP_S)
    if closed:
        tally.breaches.append(f"{episode.of}: a clock that jumped has closed {closed}")
    sent = len(await _references(episode))
    episode.kill()
    back = Life(episode.folder, episode.ahead_s - 86_400)
    await back.begin()
    await back.attempt("burst")
    if len(await _references(episode)) != sent:
        tally.breaches.append(f"{episode.of}: a clock put back has sent under another's lease")
    episode.kill(back)
    tally.others["clock jumps"] += 2
    await episode.live()
    await episode.life.tell("burst")


async def strike_race(episode: Episode) -> None:
    """Two nodes on one database: one stands still while it pays, the other takes its place."""
    await episode.more()
    first, second = episode.life, episode.new_life()
    await second.begin()
    paying = await _paying(episode, episode.random.uniform(0, 0.3))
    first.pause()
    other = asyncio.create_task(second.attempt("burst"))
    await asyncio.sleep(episode.random.uniform(0, 0.5))
    first.resume()  # it goes on in the midst of a step, under a lease that is another's by now
    await asyncio.sleep(episode.random.uniform(0, 0.3))
    if episode.random.random() < 0.5:
        episode.kill(second)
        await other
        await paying
        episode.kill(first)
        await episode.live()
    else:
        await other
        episode.kill(first)
        await paying
        episode.life = second
    episode.rig.tally.others["races of two nodes"] += 1
    await episode.life.tell("burst")


async def _kill_while_paying(episode: Episode) -> None:
    """Kill it; either a node that is up already takes over, or lnd is looked at first."""
    random = episode.random
    heir = episode.new_life() if random.random() < 0.5 else None
    if heir is not None:
        await heir.begin()
    if random.random() < 0.8:
        after_s = AFTER_S[0] * (AFTER_S[1] / AFTER_S[0]) ** random.random()
        await episode.life.attempt("die", sends=random.randint(1, SENDS_MAX), after_s=after_s)
        await episode.life.attempt("burst")
    else:
        paying = await _paying(episode, random.uniform(0, 0.5))
        episode.life.kill()
        await paying
    episode.kill()
    if heir is not None:
        episode.life = heir
        return
    await episode.rig.first_look([attempt.reference for attempt in await episode.sent()])
    await episode.live()


async def _kill_lnd(episode: Episode, name: str) -> None:
    network = episode.rig.network
    node = network.nodes[name]
    await episode.more()
    paying = await _paying(episode, episode.random.uniform(0.02, 0.7))
    await network.kill(node)
    episode.rig.tally.kills[f"lnd, {'router' if name == 'router' else 'receiver'}"] += 1
    if episode.random.random() < 0.3:
        episode.kill()
    await asyncio.sleep(episode.random.uniform(0, 1))
    await network.start(node)
    await paying
    await _live_again(episode)
    await episode.life.tell("burst")


async def _paying(episode: Episode, for_s: float) -> asyncio.Task[object]:
    """The node pays, and has done so for so long."""
    paying: asyncio.Task[object] = asyncio.create_task(
        episode.life.attempt("burst", patient=True), name="pay"
    )
    await asyncio.sleep(for_s)
    return paying


async def _live_again(episode: Episode) -> None:
    """Another life, unless this one lives."""
    try:
        await episode.life.tell("fold")
    except Died:
        await episode.live()


async def _ended(episode: Episode) -> tuple[int, dict[str, int]]:
    """(attempts that are dead, payouts that were given up, by state)."""
    async with episode.store.read() as tx:
        dead = await tx.value("SELECT count(*) FROM attempt WHERE state = 'dead'")
        given_up = await tx.rows(
            "SELECT state, count(*) AS n FROM payout WHERE state IN ('held', 'returned')"
            " GROUP BY state ORDER BY state"
        )
    return int(dead), {row.state: row.n for row in given_up}


async def _references(episode: Episode) -> list[str]:
    async with episode.store.read() as tx:
        known = await attempts.live(tx, RAIL, 100_000)
        settled = await tx.rows("SELECT reference FROM attempt WHERE state = 'settled'")
    return [one.reference for one in known] + [row.reference for row in settled]


STRIKES: Final[dict[str, Callable[[Episode], Awaitable[None]]]] = {
    "node": strike_node,
    "lnd": strike_lnd,
    "router": strike_router,
    "receiver": strike_receiver,
    "stop": strike_stop,
    "lock": strike_lock,
    "clock": strike_clock,
    "race": strike_race,
}
