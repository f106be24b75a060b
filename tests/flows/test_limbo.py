"""A payment in LIMBO is dead only when every part of the evidence holds and two people say so."""

from __future__ import annotations

import json

import pytest

from node.errors import BadInput, Conflict, NotFound
from node.flows.audits.audit import audit
from node.flows.limbo import approve, cases, settle_by_preimage
from node.flows.schedule import watch_late
from node.settlement.payout import PayoutState
from node.store import leases, limbo_approvals, operator_log
from node.wallet.lightning.simulated_books import FAILED, SUCCEEDED
from tests.simulation.scene import OPERATOR, PAYER, READER, open_scene

CREATOR = "creator0"


async def in_limbo(scene, *, phantoms=1):
    """A month whose first payments are phantoms; they are in LIMBO, an hour later."""
    await scene.play()
    scene.network.faults.phantom.next_count = phantoms
    await scene.round()
    scene.clock.advance(2 * 3600)
    await scene.round()


def world(scene):
    return scene.network._world


def phantom(scene):
    (payment_hash,) = scene.network.faults.phantom.struck
    payment = world(scene).payment(payment_hash)
    assert payment is not None
    return payment


async def prove(scene):
    """All that an operator must wait for or do."""
    scene.network.mine(2000)
    scene.network.restart(PAYER)


async def missing(scene):
    (case,) = await cases(scene.node)
    assert case.complete is all(fact.holds for fact in case.facts)
    return {fact.name.split(" ", 2)[1] for fact in case.facts if not fact.holds}


@pytest.fixture
async def scene(tmp_path, clock):
    async with open_scene(tmp_path, clock, creators=1, keysend=False) as opened:
        await in_limbo(opened)
        yield opened


async def test_at_first_the_time_locks_and_the_restart_are_missing(scene):
    assert await missing(scene) == {"time", "was"}
    scene.network.restart(PAYER)
    assert await missing(scene) == {"time"}
    payment = phantom(scene)
    last = payment.attempts[0].route.total_time_lock + 144
    scene.network.mine(last - world(scene).block_height)
    assert await missing(scene) == {"time"}, "not before all 144 blocks have passed"
    scene.network.mine(1)
    assert await missing(scene) == set()


async def test_two_people_bury_it_and_the_payout_is_paid_once_by_a_fresh_invoice(scene):
    await prove(scene)
    (case,) = await cases(scene.node)
    with pytest.raises(BadInput, match="who you are"):
        await approve(scene.node, case.payout, "  ")
    _, dead = await approve(scene.node, case.payout, "ann")
    assert not dead
    with pytest.raises(Conflict, match="another person"):
        await approve(scene.node, case.payout, "ann")
    await scene.pay([31] * 3)
    assert (await scene.judge())["limbo"] == 1, "one person is not enough"
    _, dead = await approve(scene.node, case.payout, "ben")
    assert dead
    await scene.pay()
    assert await scene.judge() == {"paid": 2}
    assert scene.paid_twice() == []
    async with scene.node.store.read() as tx:
        given = await limbo_approvals.of_attempt(tx, case.attempt.id)
        log = [one.act for one in await operator_log.everything(tx)]
    assert [one.actor for one in given] == ["ann", "ben"]
    assert all(fact[1] for fact in json.loads(given[0].proof)["facts"])
    assert [act.act for act in log] == ["proved dead", "proved dead", "buried"]
    assert (await audit(scene.node.store, scene.clock, scene.node.lnd)).result == "pass"


@pytest.mark.parametrize(
    "what", ["an HTLC is out", "the channel is down", "the channels have sent it", "another lnd"]
)
async def test_nobody_can_bury_it_while_a_part_is_missing(scene, what, monkeypatch):
    await prove(scene)
    node, payment = world(scene).nodes[PAYER], phantom(scene)
    if what == "an HTLC is out":
        payment.locked_msat = payment.intent.amount_msat
    elif what == "the channel is down":
        traces = await scene.node.lnd.traces()
        payment.attempts[0].route.hops.add(chan_id=min(traces.active))
        monkeypatch.setattr(type(scene.node.lnd), "traces", _down(traces))
    elif what == "the channels have sent it":
        node.sent_msat += payment.intent.amount_msat
    else:
        async with scene.node.store.write() as tx:
            await tx.run("UPDATE attempt SET sender = 'another' WHERE state = 'limbo'")
    (case,) = await cases(scene.node)
    for name in ("ann", "ben", "cid"):
        with pytest.raises(Conflict, match="may not be called dead yet"):
            await approve(scene.node, case.payout, name)
    async with scene.node.store.read() as tx:
        assert await limbo_approvals.of_attempt(tx, case.attempt.id) == []


def _down(traces):
    async def answer(_lnd):
        return type(traces)(traces.sent_sat, frozenset(), traces.active, traces.watched_s)

    return answer


async def test_evidence_that_is_gone_by_the_second_word_stops_it(scene):
    await prove(scene)
    (case,) = await cases(scene.node)
    await approve(scene.node, case.payout, "ann")
    payment = phantom(scene)
    payment.locked_msat = payment.intent.amount_msat
    with pytest.raises(Conflict, match="no channel holds its HTLC"):
        await approve(scene.node, case.payout, "ben")


async def test_one_that_succeeds_after_all_is_in_suspense_and_stops_sending(scene):
    await prove(scene)
    (case,) = await cases(scene.node)
    for name in ("ann", "ben"):
        await approve(scene.node, case.payout, name)
    payment = phantom(scene)
    await scene.pay()
    assert await scene.judge() == {"paid": 2}
    invoice = next(
        one for node in world(scene).nodes.values() for one in node.invoices.values()
        if one.r_hash == payment.intent.payment_hash
    )  # fmt: skip
    payment.status, payment.preimage = SUCCEEDED, bytes(invoice.r_preimage)
    await watch_late(scene.node)
    async with scene.node.store.read() as tx:
        assert "was dead and has paid after all" in (await leases.stopped(tx, "lightning") or "")
    report = await audit(scene.node.store, scene.clock, None)
    line = next(one for one in report.lines if one.id == "I13")
    assert (report.result, "went out twice" in line.figures) == ("breach", True)


async def test_a_keysend_has_one_hash_so_its_payout_waits_for_another_target(tmp_path, clock):
    async with open_scene(tmp_path, clock, creators=1, keysend=True) as scene:
        await in_limbo(scene)
        await prove(scene)
        (case,) = await cases(scene.node)
        for name in ("ann", "ben"):
            await approve(scene.node, case.payout, name)
        states = {one.id: one.state for one in await scene.payouts()}
        if case.attempt.message.startswith("keysend:"):
            assert states[case.payout] is PayoutState.HELD


async def test_a_preimage_settles_it_and_a_wrong_one_does_not(scene):
    (case,) = await cases(scene.node)
    payment = phantom(scene)
    with pytest.raises(BadInput, match="not the preimage"):
        await settle_by_preimage(scene.node, case.payout, "ann", "ab" * 32)
    with pytest.raises(BadInput, match="not the preimage"):
        await settle_by_preimage(scene.node, case.payout, "ann", "paid, trust me")
    owner = next(
        name for name in (CREATOR, OPERATOR)
        if payment.intent.payment_hash in world(scene).nodes[name].invoices
    )  # fmt: skip
    invoice = world(scene).nodes[owner].invoices[payment.intent.payment_hash]
    await settle_by_preimage(scene.node, case.payout, "ann", invoice.r_preimage.hex())
    states = {one.id: one.state for one in await scene.payouts()}
    assert states[case.payout] is PayoutState.PAID
    report = await audit(scene.node.store, scene.clock, scene.node.lnd)
    assert report.result == "warn"
    assert "by its preimage" in next(one.figures for one in report.lines if one.id == "I6")


async def test_what_lnd_fails_after_all_is_no_case_any_more(scene):
    payment = phantom(scene)
    payment.status = FAILED
    for attempt in payment.attempts:
        attempt.status = 2
    await scene.pay([31] * 4)
    assert await cases(scene.node) == []
    with pytest.raises(NotFound, match="no payment in LIMBO"):
        await approve(scene.node, (await scene.payouts())[0].id, READER)
