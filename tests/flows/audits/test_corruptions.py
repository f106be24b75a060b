"""A sample of the kinds of corruption, each found and named; `make audits` tries all of them.

The sample has a kind of every side and line, and every third of the others.
"""

from __future__ import annotations

import pytest
import pytest_asyncio

from node.flows.audits.audit import STOPPED, stop_on_breach
from node.store import leases
from tests.flows.audits.kinds import (
    KINDS,
    LIGHTNING,
    STABLECOIN,
    found,
    open_lightning,
    open_stablecoin,
)

ONE_LOOP = pytest.mark.asyncio(loop_scope="module")
WANTED = 60


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def lightning(tmp_path_factory):
    async with open_lightning(tmp_path_factory.mktemp("lightning")) as broken:
        assert (await broken.report()).result == "pass"
        yield broken


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stablecoin(tmp_path_factory):
    async with open_stablecoin(tmp_path_factory.mktemp("stablecoin")) as broken:
        assert (await broken.report()).result == "pass"
        yield broken


def sample():
    first = {(one.rail, one.side, one.line): one for one in reversed(KINDS)}.values()
    return [one for number, one in enumerate(KINDS) if number % 3 == 0 or one in first]


def kinds(rail):
    some = [one for one in sample() if one.rail == rail]
    return pytest.mark.parametrize("kind", some, ids=[one.name for one in some])


@ONE_LOOP
@kinds(LIGHTNING)
async def test_it_is_found_and_named_in_sats(lightning, kind):
    await _is_found(lightning, kind)


@ONE_LOOP
@kinds(STABLECOIN)
async def test_it_is_found_and_named_in_the_stablecoin(stablecoin, kind):
    await _is_found(stablecoin, kind)


async def _is_found(broken, kind):
    async with broken.corrupted(kind) as (copy, report):
        said = found(kind, report)
        assert said.named, f"found by {sorted(said.lines)}"
        assert report.result == "breach"
        assert await stop_on_breach(copy, broken.clock, report)
        async with copy.read() as tx:
            stopped = await leases.stopped(tx, kind.rail)
        assert stopped is not None
        assert stopped.startswith(STOPPED)
        assert kind.line in stopped


def test_there_are_enough_kinds_of_every_side_and_each_has_a_name_of_its_own():
    assert len({one.name for one in KINDS}) == len(KINDS) >= WANTED
    assert {one.side for one in KINDS} == {"database", "lnd", "contract"}
    lines = {one.line for one in KINDS}
    checked = {f"I{number}" for number in range(1, 18)} | {"V1", "V2", "V3"}
    assert checked - lines == {"I12"}, "what is open is never a breach by itself"
