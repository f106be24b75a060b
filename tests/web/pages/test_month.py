"""The month by the pages, without scripts: pot, flattrs, undo, receipts, money out."""

from __future__ import annotations

import re

from node.flows import claim, close
from node.flows.pay import pay_until_quiet
from node.ids import ThingId
from tests.conftest import MONTH

MOSS = "https://moss.example/guide"
TRAINS = "https://trains.example/map"


async def _flattr(person, url) -> object:
    return await person.send("/month", "/month/flattr", url=url)


async def _own(world, owner, url) -> ThingId:
    """Somebody else owns the thing of this URL."""
    thing = await claim.add_thing(world.node.store, world.clock, url, "")
    await claim.grant(world.node.store, world.clock, owner.member, thing.id)
    return thing.id


async def _pot(people, person, amount_sat) -> None:
    shown = await person.send("/fund", "/fund", amount="other", other=str(amount_sat))
    await people.world.pay(shown.invoice)


async def test_a_month_from_the_pot_to_the_receipt(both_people) -> None:
    people, world = both_people, both_people.world
    alice, bob = await people.member("alice"), await people.member("bob")
    for url in (MOSS, TRAINS):
        await _own(world, bob, url)
    shown = await alice.get("/month")
    assert "Your pot is empty" in shown.text
    assert "Closes in" in shown.text
    await _pot(people, alice, 12_000)
    assert "for the first thing that you flattr 12 000 sat" in (await alice.get("/month")).text
    shown = await _flattr(alice, MOSS)
    assert "Flattred." in shown.text
    assert "for one thing 12 000 sat with one more 6 000 sat" in shown.text
    shown = await _flattr(alice, TRAINS)
    assert "for each of 2 things 6 000 sat with one more 4 000 sat" in shown.text
    shown = await alice.post("/month/undo", _first_form(shown, "/month/undo"))
    assert "It is taken back." in shown.text
    assert "for one thing 12 000 sat" in shown.text
    assert MOSS not in shown.html

    world.clock.set(MONTH.ends_s)
    await close.close_month(world.node.closing(lambda _: None), MONTH)
    await people.sign_in(alice, bob)
    shown = await alice.get("/months")
    assert "You gave November 2026 1 12 000 sat 12 000 sat" in shown.text
    shown = await alice.get(f"/months/{MONTH}")
    assert "Receipt for November 2026" in shown.text
    assert "To the creators 10 800 sat" in shown.text
    assert "Commission of the node (10 %) 1 200 sat" in shown.text
    assert "To compute it anew takes the node's books" in shown.text
    for there in (TRAINS, 'href="/api/v1/public/months"'):
        assert there in shown.html
    assert MOSS not in shown.html
    assert (await bob.get(f"/months/{MONTH}")).status == 404


async def test_a_node_without_the_stablecoin_does_not_say_that_anybody_can_recompute(people):
    shown = await (await people.visitor()).get("/")
    assert "Everybody sees what a closed month came to" in shown.text
    assert "anybody can compute" not in shown.text


async def test_what_nobody_has_claimed_waits(people) -> None:
    alice = await people.member("alice")
    await _pot(people, alice, 1000)
    shown = await _flattr(alice, MOSS)
    assert "waits for its owner" in shown.text
    assert "for the first thing that you flattr 1 000 sat" in shown.text


async def test_what_waited_and_is_claimed_shares_the_pot_and_is_said(people) -> None:
    alice, bob, world = await people.member("alice"), await people.member("bob"), people.world
    await _own(world, bob, TRAINS)
    await _flattr(alice, MOSS)
    world.clock.set(MONTH.ends_s)
    await close.close_month(world.node.closing(lambda _: None), MONTH)
    world.clock.advance(60)
    await people.sign_in(alice)
    await _pot(people, alice, 1000)
    shown = await _flattr(alice, TRAINS)
    assert "for one thing 1 000 sat" in shown.text
    await _own(world, bob, MOSS)
    shown = await alice.get("/month")
    assert "for each of 2 things 500 sat with one more 333.33 sat" in shown.text
    assert "With one flattr of an earlier month" in shown.text
    assert "One thing flattred" in shown.text
    window = await alice.get(f"/click?url={TRAINS}")
    assert "Worth 500 sat if the month ended now: your pot, shared by 2" in window.text


async def test_a_flattr_repeats_until_it_is_told_not_to(people) -> None:
    alice, bob = await people.member("alice"), await people.member("bob")
    await _own(people.world, bob, MOSS)
    shown = await _flattr(alice, MOSS)
    form = _first_form(shown, "/month/subscribe")
    shown = await alice.post("/month/subscribe", {**form, "months": "6"})
    assert "repeats to April 2027" in shown.text
    shown = await alice.post("/month/unsubscribe", _first_form(shown, "/month/unsubscribe"))
    assert "It repeats no more" in shown.text
    assert "repeats to" not in shown.text
    assert MOSS in shown.html
    for months in ("", "4", "6.0", "-3", "0", "1000"):
        shown = await alice.post("/month/subscribe", {**form, "months": months})
        assert "Choose 3, 6 or 12 months." in shown.text
        assert "repeats to" not in shown.text


async def test_the_pot_and_the_months_that_follow_are_set(people) -> None:
    alice = await people.member("alice")
    await _pot(people, alice, 10_000)
    shown = await alice.send("/month", "/month/pot", amount="4000")
    assert "In your pot 4 000 sat" in shown.text
    assert "You have 6 000 sat available" in shown.text
    shown = await alice.send("/month", "/month/pot", amount="10 001")
    assert shown.read.forms
    assert "it can hold 10 000 sat at most now" in shown.text
    assert "In your pot 4 000 sat" in shown.text
    shown = await alice.send("/month", "/month/means", amount="7000")
    assert shown.form("/month/means")["amount"] == "7000"
    shown = await alice.send("/month", "/month/means", amount="0")
    assert "Nothing is set aside" in shown.text


async def test_a_form_of_the_month_that_is_sent_twice_moves_money_once(people) -> None:
    alice = await people.member("alice")
    await _pot(people, alice, 10_000)
    form = (await alice.get("/month")).form("/month/pot")
    await alice.post("/month/pot", {**form, "amount": "4000"})
    await alice.send("/month", "/month/pot", amount="9000")
    shown = await alice.post("/month/pot", {**form, "amount": "4000"})
    assert "In your pot 9 000 sat" in shown.text


async def test_what_is_no_thing_is_said(people) -> None:
    alice = await people.member("alice")
    for url in ("", "nonsense", "ftp://example.org", "javascript:alert(1)", "http://"):
        shown = await _flattr(alice, url)
        assert shown.path == "/month"
        assert 'role="alert"' in shown.html
        assert "0 things flattred" in shown.text
    form = {**(await alice.get("/month")).form("/month/flattr")}
    for thing in ("", "0", "-1", "99", "1e3", "9" * 30):
        fields = {"token": form["token"], "once": form["once"], "thing": thing}
        assert 'role="alert"' in (await alice.post("/month/undo", fields)).html


async def test_available_money_goes_out_and_shows_its_proof(people) -> None:
    alice, world = await people.member("alice"), people.world
    await _pot(people, alice, 10_000)
    await alice.send("/month", "/month/pot", amount="0")
    target = world.lnurl.address("creator")
    shown = await alice.send("/withdraw", "/withdraw", target=target, amount="2000")
    assert shown.path.startswith("/withdraw/")
    assert "waits for its next try" in shown.text
    async with alice.http.get(alice.url + shown.path + "/events") as stream:
        await pay_until_quiet(world.node.payer, world.clock, 10)
        assert b"data: " in await stream.content.readuntil(b"\r\n\r\n")
    shown = await alice.get(shown.path)
    assert "The network has proved that it arrived" in shown.text
    assert "Preimage" in shown.text
    mallory = await people.member("mallory")
    assert (await mallory.get(shown.path)).status == 404
    assert "There is too little to withdraw." in (await mallory.get("/withdraw")).text
    (most,) = re.findall("At most (7 [0-9]{3}) sat now", (await alice.get("/withdraw")).text)
    shown = await alice.send("/withdraw", "/withdraw", target=target, amount="8000")
    assert shown.status == 409
    assert f"the most that can be withdrawn now is {most} sat" in shown.text
    assert shown.form("/withdraw")["target"] == target
    shown = await alice.send("/withdraw", "/withdraw", target=target, amount=most)
    assert shown.path.startswith("/withdraw/")


async def test_a_withdrawal_to_nowhere_is_refused_in_words(people) -> None:
    alice = await people.member("alice")
    for target in ("", "nobody", "0x" + "00" * 20, "lno1something"):
        shown = await alice.send("/withdraw", "/withdraw", target=target, amount="5")
        assert shown.status == 400, target
        assert 'role="alert"' in shown.html


def _first_form(shown, action) -> dict[str, str]:
    return next(dict(one["fields"]) for one in shown.read.forms if one["action"] == action)
