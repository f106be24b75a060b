"""A call of the vault happens once, whatever the chain and the process do in between."""

import json
from dataclasses import dataclass, field
from itertools import pairwise

import pytest

from node.clock import ManualClock
from node.errors import LeaseLost, RailUnavailable
from node.flows.vault.call import Call, Done, Failed, Waiting
from node.flows.vault.transact import BUMP_AFTER_S, Transactor
from node.ledger import accounts
from node.money import Asset
from node.store import journal, leases, transactions
from node.store.engine import Store
from node.wallet.stablecoin.signer import Order
from tests.flows.vault.fake_mempool import GAS, GWEI, VAULT, FakeMempool, FakeSigner

CEILING_WEI = 100 * GWEI
STEPS_MAX = 60
PAY, SEAL = b"pay the batch", b"seal the month"


@dataclass
class Stand:
    """One process with the key, on one chain."""

    store: Store
    clock: ManualClock
    chain: FakeMempool = field(default_factory=FakeMempool)
    holder: str = "one"

    async def step(self, data: bytes = PAY, *, lease=None):
        parts = (self.store, self.clock, self.chain, 1, FakeSigner(), CEILING_WEI)
        call = Call(f"call:{data.decode()}", VAULT, data, lambda: self._final(data))
        return await Transactor(*parts).advance(call, lease or await self.lease())

    async def lease(self):
        now_us = self.clock.now_us()
        async with self.store.write() as tx:
            lease = await leases.take(
                tx, "pay.stablecoin", self.holder, now_us, now_us + 120 * 10**6
            )
        assert lease is not None
        return lease

    async def until_over(self, data: bytes = PAY, between=lambda: None):
        """Step after step, with a block between two, until it is done or has failed."""
        for _ in range(STEPS_MAX):
            progress = await self.step(data)
            if not isinstance(progress, Waiting):
                return progress
            between()
            self.chain.mine()
            self.clock.advance(10)
        raise AssertionError(f"still waiting: {progress.words}")

    async def stored(self, data: bytes = PAY):
        async with self.store.read() as tx:
            found = await transactions.get(tx, f"call:{data.decode()}")
        assert found is not None
        return found

    async def _final(self, data: bytes) -> bool:
        blocks = self.chain.chain[: -self.chain.depth]
        raws = [json.loads(raw)["data"] for mined in blocks for raw in mined.raws]
        return data.hex() in raws and data not in self.chain.refused


@pytest.fixture
def stand(store: Store, clock: ManualClock) -> Stand:
    return Stand(store, clock)


async def gas_booked(store: Store) -> int:
    async with store.read() as tx:
        return (await journal.balance(tx, accounts.expense(Asset.ETH, "gas"))).units


async def test_a_call_is_done_when_its_block_is_final_and_its_gas_is_booked(stand):
    assert isinstance(await stand.step(), Waiting)
    stand.chain.mine()
    assert "not final" in (await stand.step()).words
    stand.chain.mine(stand.chain.depth - 1)
    assert "final is" in (await stand.step()).words
    assert await gas_booked(stand.store) == 0
    stand.chain.mine()
    done = await stand.step()
    assert isinstance(done, Done)
    assert await stand.step() == done
    assert stand.chain.happened[PAY] == 1
    assert await gas_booked(stand.store) == GAS * GWEI


async def test_what_a_second_layer_takes_on_top_is_booked_with_the_gas(stand):
    stand.chain.l1_fee_wei = 777
    assert isinstance(await stand.until_over(), Done)
    assert await gas_booked(stand.store) == GAS * GWEI + 777


async def test_lost_broadcasts_are_repeated_byte_by_byte(stand):
    stand.chain.lose = 3
    assert isinstance(await stand.until_over(), Done)
    assert stand.chain.happened[PAY] == 1
    assert len(set(stand.chain.heard)) == 1


async def test_what_the_mempool_forgets_is_broadcast_again(stand):
    await stand.step()
    stand.chain.drop()
    assert isinstance(await stand.until_over(), Done)
    assert stand.chain.happened[PAY] == 1


async def test_a_call_that_waits_is_signed_dearer_under_the_same_nonce(stand):
    await stand.step()
    stand.chain.base_fee_wei = 20 * GWEI
    for _ in range(12):
        stand.chain.mine()
        stand.clock.advance(BUMP_AFTER_S)
        if not isinstance(await stand.step(), Waiting):
            break
    assert isinstance(await stand.until_over(), Done)
    assert stand.chain.happened[PAY] == 1
    orders = list({raw: json.loads(raw) for raw in stand.chain.heard}.values())
    assert len(orders) > 1
    assert {order["nonce"] for order in orders} == {0}
    for before, after in pairwise(orders):
        assert after["cap_wei"] * 1000 >= before["cap_wei"] * 1125
        assert after["tip_wei"] * 1000 >= before["tip_wei"] * 1125
    assert all(order["cap_wei"] <= CEILING_WEI for order in orders)


async def test_at_the_ceiling_it_waits(stand):
    await stand.step()
    stand.chain.base_fee_wei = 2 * CEILING_WEI
    for _ in range(40):
        stand.chain.mine()
        stand.clock.advance(BUMP_AFTER_S)
        assert isinstance(await stand.step(), Waiting)
    assert all(json.loads(raw)["cap_wei"] <= CEILING_WEI for raw in stand.chain.heard)
    stand.chain.base_fee_wei = GWEI
    assert isinstance(await stand.until_over(), Done)
    assert stand.chain.happened[PAY] == 1


async def test_gas_that_is_too_dear_from_the_start_signs_nothing(stand):
    stand.chain.base_fee_wei = 2 * CEILING_WEI
    stand.chain.mine()
    assert "ceiling" in (await stand.step()).words
    assert stand.chain.heard == []
    assert (await stand.stored()).nonce is None


@pytest.mark.parametrize("drop", [False, True], ids=["kept", "lost"])
@pytest.mark.parametrize("depth", [1, 2, 3])
async def test_a_reorg_takes_it_back_and_it_happens_once(stand, depth, drop):
    await stand.step()
    stand.chain.mine()
    await stand.step()
    stand.chain.mine(depth - 1)
    stand.chain.reorg(depth, drop=drop)
    stand.chain.mine(0 if drop else depth + 1)
    assert isinstance(await stand.until_over(), Done)
    assert stand.chain.happened[PAY] == 1
    assert await gas_booked(stand.store) == GAS * GWEI


async def test_a_stolen_nonce_is_replaced_only_when_the_theft_is_final(stand):
    stand.chain.lose = 100
    await stand.step()
    stand.chain.steal()
    stand.chain.mine()
    assert isinstance(await stand.step(), Waiting)
    assert (await stand.stored()).nonce == 0
    stand.chain.lose = 0
    assert isinstance(await stand.until_over(), Done)
    assert stand.chain.happened[PAY] == 1
    assert (await stand.stored()).nonce == 1


async def test_nothing_is_signed_on_top_of_another_programs_nonce_that_is_not_final(stand):
    """It was; a reorganization then took the other one away, and ours waited for ever."""
    stand.chain.steal()
    stand.chain.mine()
    assert isinstance(await stand.step(), Waiting)
    stand.chain.mine()
    stand.chain.reorg(2, drop=True)
    assert isinstance(await stand.until_over(), Done)
    assert stand.chain.happened[PAY] == 1
    assert (await stand.stored()).nonce == 0


async def test_a_stolen_nonce_of_a_call_that_another_has_made_is_not_signed_again(stand):
    stand.chain.lose = 100
    await stand.step()
    copy = json.loads(stand.chain.heard[0])
    stand.chain.waiting.append(json.dumps({**copy, "tip_wei": 7}, sort_keys=True).encode())
    assert await stand.until_over() == Done(None)
    assert stand.chain.happened[PAY] == 1
    assert len(set(stand.chain.heard)) == 1


async def test_a_call_that_the_books_have_forgotten_is_not_made_again(stand):
    """A restored database knows nothing of it; the vault does."""
    order = Order(1, 0, VAULT, PAY, GAS, GWEI, 10 * GWEI)
    stand.chain.waiting.append(FakeSigner().sign(order).raw)
    stand.chain.mine(6)
    assert await stand.step() == Done(None)
    assert stand.chain.happened[PAY] == 1
    assert stand.chain.heard == []


async def test_a_refusal_is_final_only_in_a_final_block_and_costs_its_gas(stand):
    stand.chain.refused.add(PAY)
    await stand.step()
    stand.chain.mine()
    assert isinstance(await stand.step(), Waiting)
    assert isinstance(await stand.step(), Waiting)
    failed = await stand.until_over()
    assert isinstance(failed, Failed)
    assert await gas_booked(stand.store) == GAS * GWEI


async def test_what_the_vault_would_refuse_is_not_signed(stand):
    stand.chain.refused_before.add(PAY)
    assert "not payable" in (await stand.step()).words
    assert stand.chain.heard == []
    stand.chain.refused_before.clear()
    assert isinstance(await stand.until_over(), Done)


async def test_a_second_call_waits_until_the_first_is_mined(stand):
    await stand.step(SEAL)
    assert "not mined" in (await stand.step(PAY)).words
    stand.chain.mine()
    await stand.step(SEAL)
    assert isinstance(await stand.until_over(PAY), Done)
    assert isinstance(await stand.until_over(SEAL), Done)
    assert (stand.chain.happened[SEAL], stand.chain.happened[PAY]) == (1, 1)


async def test_a_chain_that_is_away_decides_nothing(stand):
    await stand.step()
    stand.chain.away = True
    with pytest.raises(RailUnavailable):
        await stand.step()
    stand.chain.away = False
    assert isinstance(await stand.until_over(), Done)
    assert stand.chain.happened[PAY] == 1


async def test_who_has_lost_the_lease_signs_nothing(stand):
    old = await stand.lease()
    stand.clock.advance(3600)
    stand.holder = "two"
    await stand.lease()
    with pytest.raises(LeaseLost):
        await stand.step(lease=old)
    assert stand.chain.heard == []
