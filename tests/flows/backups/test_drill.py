"""A node that is lost and restored is in quarantine, and pays nobody twice: a few of the points.

`python -m tests.flows.backups.drill 50` is the whole drill.
"""

from __future__ import annotations

import pytest

from node.errors import Conflict, NotFound
from node.flows.audits.audit import audit
from node.flows.reconcile import quarantine, reconcile
from node.flows.withdraw import withdraw
from node.ids import PayoutId
from node.ledger import accounts
from node.money import Asset
from node.settlement.payout import PayoutState
from node.store import journal, leases
from tests.flows.backups.drill import drill, free_money
from tests.flows.backups.lives import restored, save
from tests.simulation.scene import READER, open_scene


@pytest.mark.parametrize("seed", range(4))
async def test_a_restored_node_pays_nobody_twice(tmp_path, seed):
    (tmp_path / "scene").mkdir()
    done = await drill(tmp_path, seed)
    assert done.quarantined
    assert done.sent_before == 0, "nothing is sent before reconcile has compared"
    assert done.twice == []
    if done.journal:
        assert set(done.ends) == {"paid"}, "what the journal names needs no person"


async def test_without_its_journal_a_person_says_which_payment_was_whose(tmp_path, clock):
    """An invoice of a creator's server names nobody: until then nothing at all is sent."""
    async with open_scene(tmp_path, clock, creators=2, keysend=False) as scene:
        await scene.play()
        saved = await save(scene, tmp_path / "saved")
        await scene.pay([31])
        paid = {
            payment_hash: payout for payout, payment_hash, state, _ in await scene.attempts()
            if state == "settled"
        }  # fmt: skip
        assert len(paid) == 3
        async with restored(scene, saved, tmp_path / "new", journal=False) as back:
            assert await quarantine(back.node) is not None
            done = await reconcile(back.node, adopt=True)
            assert (len(done.unknown), done.adopted) == (3, 0), "each equals a waiting payout"
            some = next(iter(paid))
            with pytest.raises(NotFound, match="no payout"):
                await reconcile(back.node, adopt=False, paid={some: PayoutId("nobody's")})
            with pytest.raises(Conflict, match="can't have paid that payout"):
                await reconcile(back.node, adopt=False, paid={"ab" * 32: paid[some]})
            done = await reconcile(back.node, adopt=False, paid={some: paid[some]})
            assert (len(done.unknown), done.taken_up, done.round.settled) == (2, 1, 1)
            assert done.stopped is not None
            await back.pay([31] * 2)
            assert scene.paid_twice() == []
            done = await reconcile(back.node, adopt=False, paid=dict(list(paid.items())[1:]))
            assert (done.unknown, done.stopped) == ((), None)
            assert {one.state for one in await back.payouts()} == {PayoutState.PAID}
            await back.pay([31] * 2)
            assert scene.paid_twice() == []


async def test_a_withdrawal_that_only_the_journal_knows_is_taken_from_the_member_again(
    tmp_path, clock
):
    async with open_scene(tmp_path, clock, creators=1) as scene:
        await free_money(scene)
        reader, node = scene.creators[READER], scene.node
        saved = await save(scene, tmp_path / "saved")
        request = scene.network.invoice(READER, 3_000_000)
        await withdraw(node.store, clock, node.rules, reader, request, None, "", frozenset())
        await scene.pay([31])
        assert len(scene.network.settled(READER)) == 1
        async with restored(scene, saved, tmp_path / "new") as back:
            done = await reconcile(back.node, adopt=False)
            assert (done.taken_up, done.unknown) == (1, ())
            async with back.node.store.read() as tx:
                left = await journal.balance(tx, accounts.available(Asset.SAT, reader))
            async with node.store.read() as tx:
                right = await journal.balance(tx, accounts.available(Asset.SAT, reader))
            assert left == right
            assert (await audit(back.node.store, clock, back.node.lnd)).result == "pass"


async def test_what_is_restored_over_a_known_world_is_free_after_one_reconcile(tmp_path, clock):
    async with open_scene(tmp_path, clock, creators=1) as scene:
        await scene.play()
        saved = await save(scene, tmp_path / "saved")
        async with restored(scene, saved, tmp_path / "new") as back:
            await back.pay([31] * 2)
            assert all(back.network.settled(name) == [] for name in ("creator0", "operator"))
            done = await reconcile(back.node, adopt=False)
            assert (done.unknown, done.nonces, done.stopped) == ((), (), None)
            async with back.node.store.read() as tx:
                assert await leases.stopped(tx, "stablecoin") is None
            await back.pay()
            assert await back.judge() == {"paid": 2}
