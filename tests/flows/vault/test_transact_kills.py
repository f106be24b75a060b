"""A call of the vault, killed at each step that it can take: it happens once."""

from __future__ import annotations

import json

import pytest

from node import failpoints
from node.failpoints import FailpointHit
from node.flows.vault.call import Done, Failed, Waiting
from node.flows.vault.transact import BUMP_AFTER_S
from node.wallet.stablecoin.signer import Order
from tests.flows.vault.fake_mempool import GAS, GWEI, VAULT, FakeSigner
from tests.flows.vault.test_transact import CEILING_WEI, PAY, STEPS_MAX, Stand, gas_booked
from tests.killed import AT, points_of


@pytest.fixture
def stand(store, clock) -> Stand:
    return Stand(store, clock)


async def reorged(stand) -> None:
    await stand.step()
    stand.chain.mine()
    await stand.step()
    stand.chain.reorg(1)


async def displaced(stand) -> None:
    stand.chain.lose = 2
    await stand.step()
    stand.chain.steal()
    stand.chain.mine(stand.chain.depth + 1)


async def elsewhere(stand) -> None:
    order = Order(1, 0, VAULT, PAY, GAS, GWEI, 10 * GWEI)
    stand.chain.waiting.append(FakeSigner().sign(order).raw)
    stand.chain.mine(6)


async def too_dear(stand) -> None:
    stand.chain.base_fee_wei = 2 * CEILING_WEI
    stand.chain.mine()


async def nothing(stand) -> None:
    del stand


BEFORE = {
    "chain.reorged": reorged, "chain.displaced": displaced, "chain.elsewhere": elsewhere,
    "chain.why": too_dear,
}  # fmt: skip
"""What the chain does first, so that a step is passed."""
KILLED = points_of(
    "chain.ask", "chain.bump", "chain.displaced", "chain.elsewhere", "chain.mined",
    "chain.reorged", "chain.retried", "chain.send", "chain.settle", "chain.sign", "chain.why",
)  # fmt: skip


@pytest.mark.parametrize("point", sorted(x for x in KILLED if not x.startswith("chain.retried")))
async def test_a_kill_anywhere_leaves_it_to_happen_once(stand, point):
    await BEFORE.get(point.rpartition(".")[0], nothing)(stand)
    progress, hits = await _through_a_kill(stand, point)
    assert isinstance(progress, Done)
    assert hits == 1
    assert stand.chain.happened[PAY] == 1


@pytest.mark.parametrize("at", AT)
async def test_a_refused_call_that_is_killed_before_its_next_try_happens_once(stand, at):
    stand.chain.refused.add(PAY)
    assert isinstance(await stand.until_over(), Failed)
    progress, hits = await _through_a_kill(stand, f"chain.retried.{at}")
    assert isinstance(progress, Failed)
    assert hits == 1
    nonces = [json.loads(raw)["nonce"] for raw in dict.fromkeys(stand.chain.heard)]
    assert sorted(set(nonces)) == [0, 1], "each try has a nonce of its own, and one only"
    assert await gas_booked(stand.store) >= 2 * GAS * GWEI


async def _through_a_kill(stand, point):
    """Step after step until it is over, and how often it was killed."""
    failpoints.arm({point: "raise"})
    hits = 0
    try:
        for turn in range(STEPS_MAX):
            try:
                progress = await stand.step()
            except FailpointHit:
                hits += 1
                stand.holder = f"life {hits}"
                stand.clock.advance(3600)
                continue
            if not isinstance(progress, Waiting):
                break
            stand.chain.base_fee_wei = (20 if turn < 4 else 1) * GWEI
            stand.chain.mine()
            stand.clock.advance(BUMP_AFTER_S)
    finally:
        failpoints.arm({})
    return progress, hits
