"""A step that is killed on either side of its commit, and done again: nobody can tell.

Three times the same place is made: in one nothing is killed; in the others the step is, before its
commit or after it, and what was asked for is asked for again. In the end the tables of money hold
the same rows in all three. A kill is `FailpointHit`, which no handler of the node's can catch.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, suppress
from typing import Any, TypeAlias

import pytest

from node import failpoints
from node.errors import NodeError
from node.failpoints import KNOWN, FailpointHit
from node.flows.fold import fold
from node.store.engine import Store
from tests.transactions import MONEY

AT = ("before_commit", "after_commit")
Act: TypeAlias = Callable[[], Awaitable[object]]
Prepare: TypeAlias = Callable[[Any], Awaitable[Act]]
Open: TypeAlias = Callable[[], AbstractAsyncContextManager[Any]]
RUNS_ON = frozenset({"lease"})
"""Taken anew by each life: its epoch counts them."""


def points_of(*steps: str) -> frozenset[str]:
    """Every failpoint of these steps."""
    found = frozenset(point for point in KNOWN if point.rpartition(".")[0] in steps)
    assert {point.rpartition(".")[0] for point in found} == set(steps)
    return found


async def killed(act: Act, point: str) -> None:
    """Do it until it is killed at the point. It must be."""
    failpoints.arm({point: "raise"})
    try:
        with pytest.raises((FailpointHit, BaseExceptionGroup)) as hit:
            await act()
    finally:
        failpoints.arm({})
    assert isinstance(hit.value, FailpointHit) or hit.group_contains(FailpointHit), point


async def judge(open_place: Open, prepare: Prepare, step: str) -> None:
    """Kill the step on both sides of its commit, each in a place of its own."""
    never = await _play(open_place, prepare, "")
    for at in AT:
        found = await _play(open_place, prepare, f"{step}.{at}")
        other = {table: (rows, never[table]) for table, rows in found.items()
                 if rows != never[table]}  # fmt: skip
        assert not other, f"{at}: {other}"


async def _play(open_place: Open, prepare: Prepare, point: str) -> dict[str, list[str]]:
    async with open_place() as place:
        act = await prepare(place)
        if point:
            await killed(act, point)
        # What was committed may be refused now: it can't be done twice.
        with suppress(*([NodeError] if point.endswith("after_commit") else [])):
            await act()
        return await _rows(place.store, place.clock)


async def _rows(store: Store, clock: Any) -> dict[str, list[str]]:
    """Every row of money's tables, once all clicks are folded."""
    await fold(store, clock)
    async with store.read() as tx:
        return {
            table: sorted(str(tuple(row)) for row in await tx.rows(f"SELECT * FROM {table}"))
            for table in sorted(MONEY - RUNS_ON)
        }
