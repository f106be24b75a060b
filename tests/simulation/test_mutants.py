"""The guards against paying twice, each taken away: then somebody is paid twice, and it is seen.

A test that can't fail proves nothing. Each mutant here is a mistake that some payer has made; the
same month under the same switches is safe with the guard in place (`test_switches.py` and the
second test here), and the receivers show the double payment without it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import pytest

from node import failpoints
from node.clock import ManualClock
from node.failpoints import FailpointHit
from node.flows.pay import Payer
from node.settlement.rail import Refused
from node.wallet.lightning import verdict
from node.wallet.lightning.verdict import Verdicts
from tests.simulation.scene import Scene, open_scene

CREATORS: Final = 4
STEPS_S: Final = (31,) * 30
Patch = pytest.MonkeyPatch


def believe_not_found(patch: Patch) -> None:
    async def missing(self: Verdicts, attempt: Any) -> Refused:
        del self, attempt
        return Refused("lnd does not know it")

    patch.setattr(Verdicts, "_missing", missing)


def believe_the_first_failed(patch: Patch) -> None:
    patch.setattr(verdict, "FAILED_STABLE_S", 0)


def believe_the_failure_reason(patch: Patch) -> None:
    succeeded = verdict._succeeded

    def judged(attempt: Any, view: Any) -> Any:
        return Refused("timeout") if view.failure_reason else succeeded(attempt, view)

    patch.setattr(verdict, "_succeeded", judged)


def forget_the_dead(patch: Patch) -> None:
    async def all_dead(*_: Any) -> bool:
        return True

    patch.setattr(Payer, "_all_dead", all_dead)


def send_before_storing(patch: Patch) -> None:
    store_attempt = Payer._store_attempt

    async def send_first(self: Payer, payout: Any, attempt: Any, *rest: Any) -> bool:
        await self._rail.send(attempt)
        return await store_attempt(self, payout, attempt, *rest)

    patch.setattr(Payer, "_store_attempt", send_first)


NOT_FOUND: Final = {"not_found": {"next_count": 3, "reads": 2, "seconds": 300}}
FLAPPING: Final = {"flapping": {"next_count": 3, "reads": 2, "seconds": 100}}
LATE: Final = {"late": {"next_count": 3}}
MUTANTS: Final[list[tuple[Callable[[Patch], None], dict[str, Any]]]] = [
    (believe_not_found, NOT_FOUND),
    (believe_the_first_failed, FLAPPING),
    (believe_the_failure_reason, LATE),
    (forget_the_dead, FLAPPING),
    (send_before_storing, {}),
]


@pytest.mark.parametrize(
    ("mutant", "faults"), MUTANTS, ids=lambda one: getattr(one, "__name__", "")
)
async def test_without_its_guard_somebody_is_paid_twice(
    tmp_path, clock: ManualClock, monkeypatch, mutant, faults
):
    mutant(monkeypatch)
    async with open_scene(tmp_path, clock, creators=CREATORS, keysend=False) as scene:
        await _play(scene, faults)
        assert scene.paid_twice(), f"{mutant.__name__} was not caught"


@pytest.mark.parametrize(
    ("mutant", "faults"), MUTANTS, ids=lambda one: getattr(one, "__name__", "")
)
async def test_with_its_guard_nobody_is(tmp_path, clock: ManualClock, mutant, faults):
    del mutant
    async with open_scene(tmp_path, clock, creators=CREATORS, keysend=False) as scene:
        await _play(scene, faults)
        assert scene.paid_twice() == []
        assert await scene.judge() == {"paid": CREATORS + 1}


async def _play(scene: Scene, faults: dict[str, Any]) -> None:
    """A month, whose first round ends as if the process were killed before a commit."""
    await scene.play()
    scene.network.faults.change(faults)
    if not faults:
        failpoints.arm({"pay.store.before_commit": "raise"})
        with pytest.raises(BaseExceptionGroup) as killed:
            await scene.round()
        assert killed.group_contains(FailpointHit)
        failpoints.arm({})
    await scene.pay(STEPS_S)
