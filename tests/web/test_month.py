"""A month over HTTP, from joining to the proof of a payout, on both databases."""

from __future__ import annotations

import hashlib

from node.clock import now_s
from node.flows.claim import grant
from node.flows.pay import pay_until_quiet
from node.flows.schedule import close_what_is_over
from tests.conftest import MONTH


async def _close(world):
    world.clock.set(MONTH.ends_s + 60)
    assert await close_what_is_over(world.node, lambda _: None) == [MONTH]
    await pay_until_quiet(world.node.payer, world.clock, 50)


async def test_a_month_from_joining_to_the_proof_of_a_payout(both_worlds):
    world = both_worlds
    alice, blog = await world.join("alice"), await world.join("blog")
    thing = await _become_payable(world, blog)
    await world.fund(alice, 10_000)
    await world.fund(alice, 500, "available")
    await world.fund(blog, 2_000)
    balance = (await alice("GET", "/balance")).body
    assert (balance["pot_msat"], balance["available_msat"]) == (10_000_000, 500_000)
    await _click_and_undo(world, alice, thing)

    await _close(world)
    receipt = (await alice("GET", f"/months/{MONTH}")).body
    assert receipt["closed"]
    assert receipt["things"][0]["share_msat"] == 10_000_000
    assert (await blog("GET", f"/earnings/{MONTH}")).body["earned_msat"] == 9_000_000
    payout = (await blog("GET", "/payouts")).body["items"][0]
    assert payout["state"] == "paid"
    proof = hashlib.sha256(bytes.fromhex(payout["preimage"])).hexdigest()
    assert proof == payout["payment_hash"]
    assert world.network.received_msat("creator") == payout["amount_msat"]
    assert (await blog("GET", f"/payouts/{payout['id']}")).body == payout
    public = (await world.nobody("GET", "/public/months")).body["items"][0]
    assert public["commission_msat"] * 10 == public["distributed_msat"]
    assert public["digest"] == receipt["digest"]
    assert public["digest"]


async def _become_payable(world, blog):
    thing = (await blog("POST", "/things", {"url": "https://blog.example/a?utm_source=x"})).body
    assert thing["url"] == "https://blog.example/a"
    await _claim(world, blog, thing["id"])
    tried = await blog("PUT", "/payout-target", {"target": world.lnurl.address("creator")})
    assert tried.status == 200, tried.body
    assert tried.body["active"]
    assert "it answers" in tried.body["tested"]
    return thing["id"]


async def _click_and_undo(world, alice, thing):
    clicked = await alice("POST", "/flattrs", {"url": "https://blog.example/a"}, key="click-1")
    assert clicked.body == {
        "thing": thing, "month": str(MONTH), "flattred": True, "network": "simnet",
    }  # fmt: skip
    other = (await alice("POST", "/flattrs", {"url": "https://other.example/"})).body["thing"]
    month = (await alice("GET", "/month")).body
    assert (month["share_msat"], month["share_with_one_more_msat"]) == (10_000_000, 5_000_000)
    assert [line["counts"] for line in month["things"]] == [True, False]
    assert month["seconds_left"] == MONTH.ends_s - now_s(world.clock)
    undone = await alice("DELETE", f"/things/{other}/flattr")
    assert not undone.body["flattred"]
    assert len((await alice("GET", "/month")).body["things"]) == 1


async def test_a_withdrawal_arrives_and_is_asked_for_once(both_worlds):
    world = both_worlds
    alice = await world.join("alice")
    await world.fund(alice, 500, "available")
    asked = {"target": world.lnurl.address("creator"), "amount_sat": 100}
    first = await alice("POST", "/withdrawals", asked, key="w1")
    again = await alice("POST", "/withdrawals", asked, key="w1")
    assert first.status == again.status == 201, first.body
    assert first.body["id"] == again.body["id"]
    await pay_until_quiet(world.node.payer, world.clock, 50)
    assert world.network.received_msat("creator") == 100_000
    done = (await alice("GET", f"/payouts/{first.body['id']}")).body
    assert (done["state"], done["kind"]) == ("paid", "withdrawal")
    balance = (await alice("GET", "/balance")).body
    assert balance["available_msat"] == 400_000 - done["fee_msat"]


async def test_the_pot_is_set_means_are_kept_and_subscriptions_repeat(both_worlds):
    world = both_worlds
    alice = await world.join("alice")
    await world.fund(alice, 5_000, "available")
    pot = await alice("PUT", "/pot", {"amount_sat": 3_000}, key="p1")
    assert pot.body == {"month": str(MONTH), "pot_msat": 3_000_000}
    assert (await alice("PUT", "/pot", {"amount_msat": 1_500})).body["pot_msat"] == 1_500
    assert (await alice("PUT", "/pot", {"amount_sat": 3_000}, key="p1")).body == pot.body
    assert (await alice("GET", "/balance")).body["pot_msat"] == 1_500
    too_much = await alice("PUT", "/pot", {"amount_sat": 6_000})
    assert (too_much.status, too_much.slug) == (409, "insufficient-funds")
    assert (await alice("PUT", "/means", {"amount_sat": 7})).body == {"means_msat": 7_000}
    made = await alice("POST", "/subscriptions", {"url": "https://a.example/", "months": 3})
    assert made.body["last_month"] == str(MONTH.plus(2))
    thing = made.body["thing"]
    assert [line["thing"] for line in (await alice("GET", "/month")).body["things"]] == [thing]
    ended = await alice("DELETE", f"/subscriptions/{thing}")
    assert [one["running"] for one in ended.body["items"]] == [False]
    assert (await alice("DELETE", f"/subscriptions/{thing}")).status == 404


async def _claim(world, client, thing):
    """On the operator's word: no page of this host can be read here."""
    answer = await client("POST", f"/things/{thing}/claim")
    assert answer.status == 200, answer.body
    assert not answer.body["claimed"]
    assert answer.body["line"] == (await client("GET", "/me")).body["claim_line"]
    await grant(world.node.store, world.clock, client.id, thing)
