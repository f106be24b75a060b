"""A suspended member sees everything and takes the own money out, and neither clicks nor claims."""

from __future__ import annotations

from node.flows import answers
from node.store import leases, members
from node.store.leases import Answered


async def _suspend(world, client, since_us):
    """As the operator's command does, in another process."""
    async with world.node.store.write() as tx:
        await members.set_suspended(tx, client.id, since_us)
    world.clock.advance(60)


async def test_who_is_suspended_reads_and_withdraws_and_does_nothing_else(world):
    alice = await world.join("alice")
    await world.fund(alice, 3_000)
    await world.fund(alice, 500, "available")
    thing = (await alice("POST", "/things", {"url": "https://a.example/"})).body["id"]
    assert (await alice("POST", "/flattrs", {"thing": thing})).status == 200
    await _suspend(world, alice, 1)
    for method, path, body in [
        ("POST", "/flattrs", {"thing": thing}),
        ("DELETE", f"/flattrs?thing={thing}", None),
        ("POST", f"/things/{thing}/flattr", None),
        ("DELETE", f"/things/{thing}/flattr", None),
        ("POST", "/subscriptions", {"thing": thing, "months": 3}),
        ("POST", "/things", {"url": "https://b.example/"}),
        ("POST", f"/things/{thing}/claim", None),
    ]:
        answer = await alice(method, path, body)
        assert (answer.status, answer.slug) == (403, "forbidden"), path
        assert "suspended" in answer.body["detail"]
    assert (await alice("GET", "/me")).body["suspended"]
    assert (await alice("GET", "/month")).body["flattrs"] == 0
    assert (await alice("PUT", "/pot", {"amount_sat": 0})).status == 200
    asked = {"target": world.lnurl.address("creator"), "amount_sat": 3_000}
    assert (await alice("POST", "/withdrawals", asked)).status == 201


async def test_a_suspension_that_is_lifted_ends_within_a_minute(world):
    alice = await world.join("alice")
    async with world.node.store.write() as tx:
        await members.set_suspended(tx, alice.id, 1)
    asked = {"url": "https://a.example/"}
    assert (await alice("POST", "/flattrs", asked)).status == 403
    await _suspend(world, alice, None)
    assert (await alice("POST", "/flattrs", asked)).status == 200


async def test_answers_to_keys_are_kept_for_thirty_days_and_no_longer(store, clock, monkeypatch):
    monkeypatch.setattr(answers, "FORGET_AT_ONCE", 2)
    old = clock.now_us() - 1
    async with store.write() as tx:
        member = await members.add(tx, "alice", old)
        for key in ("a", "b", "c", "d", "e"):
            await leases.remember(tx, member, key, Answered("asked", 200, "{}"), old)
        await leases.remember(tx, member, "new", Answered("asked", 200, "{}"), old + 1)
    clock.advance(answers.KEPT_FOR_S)
    assert await answers.forget_old(store, clock) == 5
    assert await answers.recall(store, member, "a", "another") is None
    assert (await answers.recall(store, member, "new", "asked")).status == 200
