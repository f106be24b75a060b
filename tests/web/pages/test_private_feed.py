"""The private feed of payments: what it tells, whom it tells nothing, what its token can't do."""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime
from xml.etree import ElementTree as ET

import structlog

from node import log
from node.config import WebSettings
from node.flows import join
from node.flows.look import payouts_of
from node.flows.pay import pay_until_quiet
from node.settlement.payout import HeldReason, PayoutEvent
from node.store import members, payouts
from node.store.engine import NEWEST
from tests.conftest import MONTH
from tests.web.conftest import open_world
from tests.web.pages.conftest import People
from tests.web.pages.earning import EVIL, close, earn, target

ATOM = "{http://www.w3.org/2005/Atom}"
PAGE = "/creator/payouts"


async def address(people, person):
    """Make a feed, and take the path of its address from the page."""
    made = await person.send(PAGE, PAGE)
    assert made.status == 200, made.text
    base = people.world.node.settings.web.public_url
    return re.search(rf'value="{base}(/feeds/flattr_[\w-]+/payments\.atom)"', made.html)[1]


async def token(people, person, *scopes, days=9):
    """A token of these scopes, as the path of a feed."""
    node = people.world.node
    made = await join.make_token(
        node.store, node.clock, person.member, "x", frozenset(scopes), days
    )
    return f"/feeds/{made.secret}/payments.atom"


def entries(shown):
    """(id, title, updated in seconds, words) of each."""
    assert shown.status == 200, shown.text
    found = ET.fromstring(shown.html).findall(f"{ATOM}entry")
    texts = [
        [one.findtext(ATOM + name) for name in ("id", "title", "updated", "content")]
        for one in found
    ]
    return [
        (name, title.replace("\u202f", " "), seconds(updated), words)
        for name, title, updated, words in texts
    ]


def seconds(text):
    return int(datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC).timestamp())


async def hold(people, payout, reason):
    """It waits for this reason since now."""
    async with people.world.node.store.write() as tx:
        found = await payouts.get(tx, payout.id)
        if found.state == "held":
            await payouts.move(tx, found, PayoutEvent.RELEASED)
            found = await payouts.get(tx, payout.id)
        await payouts.move(tx, found, PayoutEvent.HELD, reason=reason)


async def the_payout(people, person):
    [one] = await payouts_of(people.world.node.store, person.member, 5, NEWEST)
    return one


async def test_a_feed_tells_what_is_held_and_what_to_do_and_then_that_it_was_paid(both_people):
    people, world = both_people, both_people.world
    ann, eve = await earn(people)
    await close(people)
    await people.sign_in(ann, eve)
    path, other = await address(people, eve), await address(people, ann)
    nobody = await people.visitor()
    [(held, title, updated_s, words)] = entries(await nobody.get(path))
    payout = await the_payout(people, eve)
    assert title == "900 sat held of November 2026"
    assert words == "No payout target is set. Say where to be paid, and it is sent by itself."
    assert updated_s == payout.created_us // 10**6
    assert held == f"urn:flattr-node:payout:{payout.id}:{payout.created_us}:held"
    assert entries(await nobody.get(other)) == []

    world.clock.advance(7_000)
    await target(people, eve)
    await pay_until_quiet(world.node.payer, world.clock, 50)
    shown = await nobody.get(path)
    notes = [one for one in entries(shown) if ":payout:" in one[0]]
    payout = await the_payout(people, eve)
    [(paid, title, updated_s, words)] = notes
    assert paid == held.replace(":held", ":paid")
    assert title == "900 sat paid for November 2026"
    assert words == f"Proof: the preimage: {payout.proof}"
    assert hashlib.sha256(bytes.fromhex(payout.proof)).hexdigest() == payout.reference
    assert updated_s == payout.paid_us // 10**6 >= MONTH.ends_s + 7_000
    assert seconds(ET.fromstring(shown.html).findtext(f"{ATOM}updated")) == updated_s
    assert entries(await nobody.get(other)) == []
    german = await nobody.get(path, **{"Accept-Language": "de"})
    assert "für November 2026 ausgezahlt" in german.html


async def test_what_is_held_for_dues_is_told_with_the_dues(both_people):
    people = both_people
    _, eve = await earn(people, dues=False)
    async with people.world.node.store.write() as tx:
        await members.set_dues_from_earnings(tx, eve.member, False)
    await close(people)
    await people.sign_in(eve)
    [(name, title, updated_s, words)] = entries(await eve.get(await address(people, eve)))
    assert name.startswith("urn:flattr-node:held:2026-11:sat:")
    assert title == "900 sat held of November 2026"
    assert updated_s == MONTH.ends_s
    assert "Have 2\u202f000\u202fsat or more in your pot" in words


async def test_it_is_nobodys_but_its_readers_and_asked_for_by_what_was_had(people):
    eve = await people.member("eve")
    path, nobody = await address(people, eve), await people.visitor()
    shown = await nobody.get(path)
    assert "<name>flattr-node (simnet)</name>" in shown.html
    assert shown.headers["Content-Type"] == "application/atom+xml; charset=utf-8"
    assert shown.headers["Cache-Control"] == "private, no-store"
    assert shown.headers["Referrer-Policy"] == "no-referrer"
    assert "Set-Cookie" not in shown.headers
    assert path.split("/")[2] not in shown.html
    again = await nobody.get(path, **{"If-None-Match": shown.headers["ETag"]})
    assert (again.status, again.html) == (304, "")
    assert again.headers["Cache-Control"] == "private, no-store"
    node = people.world.node
    async with node.store.write() as tx:
        words = "your payout target is x now"
        await members.notify(tx, eve.member, "target", "1", words, node.clock.now_us())
        await members.notify(tx, eve.member, "sign-in", "1", "not here", node.clock.now_us())
    changed = await nobody.get(path, **{"If-None-Match": shown.headers["ETag"]})
    [(name, _, updated_s, told)] = entries(changed)
    assert (name.split(":")[2:5], told) == (["notice", "target", "1"], "Your" + words[4:] + ".")
    assert updated_s == node.clock.now_us() // 10**6


async def test_an_address_that_is_not_good_says_only_that_nothing_is_there(people):
    eve, nobody = await people.member("eve"), await people.visitor()
    path = await address(people, eve)
    people.world.clock.advance(1)  # tokens are listed by age
    revoked = await address(people, eve)
    node = people.world.node
    mine = await eve.get("/settings/tokens")
    assert mine.text.count("feed of my payments feed ·") == 2
    listed = re.findall(r"/settings/tokens/\w+/end", mine.html)
    ended = await eve.send("/settings/tokens", listed[-1])
    assert "The token has ended." in ended.text
    bad = [
        revoked,
        await token(people, eve, *join.SCOPES),
        *[await token(people, eve, scope) for scope in join.SCOPES],
        f"/feeds/flattr_{'A' * 43}/payments.atom",
        "/feeds/x/payments.atom",
        f"/feeds/{'x' * 900}/payments.atom",
        "/feeds/%C3%A9%00/payments.atom",
    ]
    short = await token(people, eve, join.FEED, days=1)
    assert (await nobody.get(short)).status == 200
    told = {((await nobody.get(one)).status, (await nobody.get(one)).text) for one in bad}
    assert [status for status, _ in told] == [404]
    assert (await nobody.get(path)).status == 200
    people.world.clock.advance(86_400)
    late = await nobody.get(short)
    assert {(late.status, late.text)} == told
    async with node.store.write() as tx:  # as another process does
        await members.set_suspended(tx, eve.member, 1)
    people.world.clock.advance(60)
    assert (await nobody.get(path)).status == 200  # as all that only reads


async def test_a_feed_says_that_it_ends_soon(people):
    eve = await people.member("eve")
    path = await address(people, eve)
    assert entries(await eve.get(path)) == []
    people.world.clock.advance((join.TOKEN_DAYS_MAX - 30) * 86_400)
    [(_, title, updated_s, words)] = entries(await eve.get(path))
    assert title.startswith("This feed ends on ")
    assert updated_s == people.world.clock.now_us() // 10**6
    assert words.startswith("Make another address")


async def test_an_entry_says_since_when_a_payout_is_held(both_people):
    people, world = both_people, both_people.world
    _, eve = await earn(people)
    await close(people)
    await people.sign_in(eve)
    path, payout = await address(people, eve), await the_payout(people, eve)
    store, ends_s = world.node.store, MONTH.ends_s

    async def updated_s():
        shown = entries(await eve.get(path))
        [(at_s, words)] = [(one[2], one[3]) for one in shown if ":payout:" in one[0]]
        return at_s, words

    world.clock.advance(5)
    await target(people, eve)
    await hold(people, payout, HeldReason.TARGET_CHANGED)
    at_s, words = await updated_s()
    assert at_s == ends_s + 5
    assert "It goes on by itself when that is over." in words
    await hold(people, payout, HeldReason.SUSPENDED)
    async with store.write() as tx:
        await members.set_suspended(tx, eve.member, (ends_s + 9) * 10**6)
    assert (await updated_s())[0] == ends_s + 9
    await hold(people, payout, HeldReason.NO_ROUTE)
    async with store.write() as tx:
        await tx.run("UPDATE payout SET tries = 3 WHERE id = :id", id=payout.id)
    at_s, words = await updated_s()
    assert at_s == ends_s + 60 + 120  # what two tries have waited
    assert "try it again among your payouts" in words


async def test_the_newest_fifty_are_told(people):
    eve = await people.member("eve")
    path, clock = await address(people, eve), people.world.clock
    async with people.world.node.store.write() as tx:
        for number in range(60):
            at_us = clock.now_us() + number * 10**6
            await members.notify(tx, eve.member, "target", str(number), f"{number}", at_us)
    told = [words for *_, words in entries(await eve.get(path))]
    assert told == [f"{number}." for number in range(59, 9, -1)]


async def test_what_members_have_written_is_text_in_the_feed(people):
    eve, node = await people.member("eve"), people.world.node
    evil = f"{EVIL} ]]> &amp; \x0b\x1f\ufffe"
    async with node.store.write() as tx:
        await members.notify(tx, eve.member, "target", EVIL, evil, node.clock.now_us())
    shown = await eve.get(await address(people, eve))
    assert "<script" not in shown.html
    [(name, _, _, words)] = entries(shown)
    assert words == f"{EVIL} ]]> &amp; \ufffd\ufffd\ufffd."
    assert name.split(":notice:target:")[1].startswith(EVIL)


async def test_an_address_is_made_by_a_fresh_sign_in_on_our_own_page_alone(people):
    eve = await people.member("eve")
    form = (await eve.get(PAGE)).form(PAGE)
    refused = await eve.post(PAGE, form, headers={"Origin": "https://evil.example"})
    assert refused.status == 403
    assert (await eve.post(PAGE, {})).status == 403
    people.world.clock.advance(601)
    assert (await eve.post(PAGE, form)).path.startswith("/sign-in?")
    async with people.world.node.store.read() as tx:
        assert len(await members.tokens_of(tx, eve.member)) == 1  # the first one, of joining


async def test_a_feeds_token_opens_no_session(people):
    eve, nobody = await people.member("eve"), await people.visitor()
    secret = (await address(people, eve)).split("/")[2]
    shown = await nobody.send("/sign-in", "/sign-in/token", secret=secret)
    assert "lacks click, money, read, things" in shown.text


async def test_the_token_is_in_no_log(people, capfd, caplog, monkeypatch):
    eve, nobody = await people.member("eve"), await people.visitor()
    path = await address(people, eve)
    secret = path.split("/")[2]
    assert (await nobody.get(path)).status == 200

    async def fail(*_):
        raise RuntimeError(f"{path} {secret} {path.replace('flattr_', 'flattr%5F')}")

    monkeypatch.setattr("node.web.pages.creator.feed.news_of", fail)
    before = structlog.get_config()
    log.set_up(json=True)
    try:
        shown = await nobody.get(path)
        await nobody.get(path.replace("payments", "nothing"))
    finally:
        structlog.configure(**before)
    out = "".join(capfd.readouterr()) + caplog.text
    assert shown.status == 500
    assert "a request failed" in out
    assert secret.removeprefix("flattr_") not in out


async def test_feeds_are_counted_by_address(tmp_path, clock):
    web = WebSettings(port=0, requests_per_minute=20, joins_per_hour=100)
    async with open_world(tmp_path, clock, web=web) as world:
        people = People(world)
        eve = await people.member("eve")
        good, bad = await token(people, eve, join.FEED), await token(people, eve, "read")
        statuses = [(await eve.get(path)).status for path in [good, bad] * 10 + [good, bad]]
        await eve.http.close()
    assert statuses == [200, 404] * 10 + [429, 429]
