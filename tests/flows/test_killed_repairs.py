"""What a person does after a fault, killed on both sides of its commit, and done again."""

from __future__ import annotations

from functools import partial

import pytest

from node.errors import BadBackup, Conflict, NotFound
from node.flows.limbo import approve, cases, settle_by_preimage
from node.flows.reconcile import quarantine, reconcile
from node.store import dump, limbo_approvals
from node.store.engine import open_store
from tests.flows.backups.lives import restored, save
from tests.flows.test_limbo import in_limbo, phantom, prove, world
from tests.killed import AT, killed, points_of
from tests.simulation.scene import OPERATOR, open_scene

RECONCILE = ("reconcile.compare", "reconcile.take_up")
KILLED = points_of("backup.restore", "limbo.approve", "limbo.note", *RECONCILE)
pytestmark = pytest.mark.parametrize("at", AT)


@pytest.fixture
async def scene(tmp_path, clock):
    async with open_scene(tmp_path, clock, creators=1, keysend=False) as opened:
        yield opened


async def test_a_person_s_word_on_a_payment_in_limbo_counts_once(scene, at):
    await in_limbo(scene)
    await prove(scene)
    (case,) = await cases(scene.node)
    for name in ("ann", "ben"):
        say = partial(approve, scene.node, case.payout, name)
        await killed(say, f"limbo.approve.{at}")
        if at == "before_commit":
            await say()
        else:
            with pytest.raises((Conflict, NotFound)):
                await say()
    async with scene.node.store.read() as tx:
        given = await limbo_approvals.of_attempt(tx, case.attempt.id)
    assert [one.actor for one in given] == ["ann", "ben"]
    await scene.pay()
    assert await scene.judge() == {"paid": 2}
    assert scene.paid_twice() == []


async def test_a_preimage_settles_once(scene, at):
    await in_limbo(scene)
    (case,) = await cases(scene.node)
    wanted = phantom(scene).intent.payment_hash
    (preimage,) = [
        world(scene).nodes[name].invoices[wanted].r_preimage.hex()
        for name in ("creator0", OPERATOR)
        if wanted in world(scene).nodes[name].invoices
    ]
    settle = partial(settle_by_preimage, scene.node, case.payout, "ann", preimage)
    await killed(settle, f"limbo.note.{at}")
    with pytest.raises(NotFound):  # that it is paid was booked before
        await settle()
    assert await cases(scene.node) == []


@pytest.mark.parametrize("step", RECONCILE)
async def test_a_payment_is_taken_up_once(scene, at, tmp_path, step):
    await scene.play()
    saved = await save(scene, tmp_path / "backup")
    await scene.pay()
    async with restored(scene, saved, tmp_path / "new") as back:
        assert await quarantine(back.node) is not None
        again = partial(reconcile, back.node, adopt=False)
        await killed(again, f"{step}.{at}")
        for _ in range(3):
            await again()
        assert await quarantine(back.node) is None
        await back.pay()
        assert await back.judge() == {"paid": 2}
        assert back.paid_twice() == []


async def test_a_restore_is_whole_or_nothing(scene, at, tmp_path):
    await scene.play()
    saved = await save(scene, tmp_path / "backup")
    url = f"sqlite:///{tmp_path / 'new' / 'flattr.sqlite'}"

    async def restore():
        async with restored(scene, saved, tmp_path / "new", url=url):
            pass

    await killed(restore, f"backup.restore.{at}")
    async with open_store(url) as store, store.read() as tx:
        assert await dump.is_empty(tx) is (at == "before_commit")
    (tmp_path / "new").rename(tmp_path / "old")
    if at == "after_commit":
        with pytest.raises(BadBackup, match="not empty"):
            async with restored(
                scene, saved, tmp_path / "again", url=url.replace("/new/", "/old/")
            ):
                pass
    async with restored(scene, saved, tmp_path / "new") as back:
        assert await quarantine(back.node) is not None
