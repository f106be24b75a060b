"""Claims and the wallet, by a person without scripts, who is told exactly what was seen."""

from __future__ import annotations

import html as markup
import re
from contextlib import asynccontextmanager

import pytest

from node.config import MoneySettings
from node.devnet.evm import local_key
from node.flows import claim, sessions, sites
from tests.flows.claims.site_town import open_site_town
from tests.flows.sign_in.keys import LightningWallet
from tests.web.conftest import open_world
from tests.web.pages.conftest import People

SECRET = "4c0883a69102937d6231471b5dbb6204fe5129617082792ae468d01a3f362318"


@asynccontextmanager
async def people_of(world):
    """Persons of a world, whose browsers are closed at the end."""
    people = People(world)
    try:
        yield people
    finally:
        for http in people.opened:
            await http.close()


@pytest.fixture
async def claims(tmp_path, clock, database_url, store):
    """(people, a site that the node may ask), on each database."""
    async with (
        open_site_town(store, clock) as town,
        open_world(tmp_path, clock, database=database_url, allow=frozenset({town.site})) as world,
        people_of(world) as people,
    ):
        yield people, town


def _texts(shown):
    """What is to be copied, by how it begins."""
    return [markup.unescape(text) for text in re.findall(r'value="([^"]+)" readonly', shown.html)]


async def test_a_site_is_claimed_by_hand(claims):
    people, town = claims
    alice = await people.member("alice")
    node = people.world.node
    await claim.add_thing(node.store, node.clock, f"{town.home}old", "")
    start = await alice.send("/creator/claim", "/creator/claim", url=town.site, what="site")
    assert re.fullmatch(r"/creator/claim/site/\d+", start.path)
    assert "not proved yet" in start.text
    assert "1 thing of it is here" in start.text
    assert "Put this tag into the <head> of your home page" in start.text
    line, tag, record = _texts(start)
    assert line == record
    assert tag == f'<meta name="flattr-node" content="{line}">'

    missed = await alice.send(start.path, start.path)
    assert "not seen at any of these places" in missed.text
    assert missed.text.count("not there") == 4
    assert f"{town.site} answered with status 404" in missed.text
    town.pages.says["/"] = "<head><meta name='flattr-node' content='flattr-node=eve:" + "0" * 32
    town.pages.says["/"] += "'></head>"
    town.pages.says["/.well-known/flattr-node.txt"] = (500, "")
    missed = await alice.send(start.path, start.path)
    assert "it is another's: flattr-node=eve:" in missed.text
    assert "no answer" in missed.text


async def test_a_site_that_is_proved_is_mine_until_it_is_released(claims):
    people, town = claims
    alice = await people.member("alice")
    node = people.world.node
    await claim.add_thing(node.store, node.clock, f"{town.home}old", "")
    start = await alice.send("/creator/claim", "/creator/claim", url=town.site, what="site")
    tag = _texts(start)[1]
    town.pages.says["/"] = f"<html><head>{tag}</head><body>hello</body></html>"
    found = await alice.send(start.path, start.path)
    assert "The site is yours, and so is the one thing of it" in found.text
    home = await alice.get("/creator")
    assert town.site in home.text
    assert "yours" in home.text
    assert f"{town.home}old" in home.text
    assert "say where to" in home.text
    gone = await alice.send(start.path, f"{start.path}/release")
    assert gone.path == "/creator"
    assert f"{town.site} is released" in gone.text
    assert (await alice.get(start.path)).status == 404


async def test_a_page_is_claimed_by_hand(claims):
    people, town = claims
    alice = await people.member("alice")
    typed = f"{town.home}user/post?a=1"
    form = await alice.get(f"/creator/claim?url={town.home}user/post")
    assert form.form("/creator/claim")["what"] == "page"
    start = await alice.send("/creator/claim", "/creator/claim", url=typed, what="page")
    assert re.fullmatch(r"/creator/claim/thing/\d+", start.path)
    missed = await alice.send(start.path, start.path)
    assert "not seen at any of these places" in missed.text
    town.pages.says["/user/post"] = f"<head>{_texts(start)[1]}</head>"
    found = await alice.send(start.path, start.path)
    assert "This page is yours" in found.text
    assert "Check now" not in found.text
    bob = await people.member("bob")
    theirs = await bob.get(start.path)
    assert "This page has an owner" in theirs.text
    assert "Check now" not in theirs.text


async def test_what_was_typed_stays_when_it_is_refused(claims):
    people, town = claims
    alice = await people.member("alice")
    shown = await alice.send("/creator/claim", "/creator/claim", url="github.com/me", what="site")
    assert shown.status == 400
    assert "A site is claimed whole" in shown.text
    assert shown.form("/creator/claim")["url"] == "github.com/me"
    neither = await alice.send("/creator/claim", "/creator/claim", url=town.site, what="all")
    assert neither.status == 400
    assert town.pages.asked == []


async def test_a_holder_is_told_and_the_claimer_sees_until_when_to_wait(claims):
    people, town = claims
    alice, bob = await people.member("alice"), await people.member("bob")
    node = people.world.node
    town.members = {"alice": alice.member, "bob": bob.member}
    starts = {}
    for name, person in (("alice", alice), ("bob", bob)):
        starts[name] = await person.send(
            "/creator/claim", "/creator/claim", url=town.site, what="site"
        )
        path = "/.well-known/flattr-node.txt"
        town.pages.says[path] = _texts(starts[name])[0]
        shown = await person.send(starts[name].path, starts[name].path)
    assert "that member's proof is gone" in shown.text
    assert "Nov 8, 2026" in shown.text
    assert "another's proof is gone" in (await bob.get("/creator")).text
    (mine,) = await sites.sites_of(node.claiming, bob.member)
    assert mine.until_us == town.clock.now_us() + sites.WAIT_S * 1_000_000
    assert (await alice.get(starts["bob"].path)).status == 404


async def test_claims_are_for_members_and_forms_are_our_own(claims):
    people, town = claims
    visitor = await people.visitor()
    for path in ("/creator", "/creator/claim", "/creator/target"):
        assert (await visitor.get(path)).path.startswith("/sign-in?next=")
    alice = await people.member("alice")
    start = await alice.send("/creator/claim", "/creator/claim", url=town.site, what="site")
    form = start.form(start.path)
    foreign = await alice.post(
        start.path, form, headers={"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
    )
    assert foreign.status == 403
    assert (await alice.post(start.path, {})).status == 403
    assert town.pages.asked == []


TARGETS = [
    ("lno1qcp4256ypq", "BOLT12 offer"),
    ("₿alice@wallet.example", "BIP-353"),
    ("0x52908400098527886E0F7030069857D2E4169EE7", "over Lightning alone"),
    ("alice.eth", "over Lightning alone"),
    ("nsec1qqqq", "secret of a wallet"),
    ("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", "on-chain"),
    ("https://blog.example/", "web page"),
    ("rubbish", "nothing that can be paid"),
    ("02" + "ff" * 32, "no node's public key"),
    ("", "nothing that can be paid"),
    ("0x" + SECRET, "private key"),
    (SECRET, "nothing that can be paid"),
]


@pytest.mark.parametrize(("typed", "words"), TARGETS)
async def test_what_can_not_be_paid_is_refused_in_words(people, typed, words):
    alice = await people.member("alice")
    shown = await alice.send("/creator/target", "/creator/target", target=typed)
    assert shown.status == 400
    assert words in shown.text
    assert "an invoice or" not in shown.text
    assert SECRET not in shown.html
    assert "nsec1" not in shown.html
    assert "Nowhere yet" in shown.text


async def test_an_invoice_is_no_payout_target(people):
    world = people.world
    alice = await people.member("alice")
    reader = await world.join("reader")
    made = await reader("POST", "/deposits", {"amount_sat": 10})
    shown = await alice.send(
        "/creator/target", "/creator/target", target=made.body["payment_request"]
    )
    assert shown.status == 400
    assert "An invoice is paid once" in shown.text


async def test_a_lightning_address_is_tried_saved_and_locked_when_it_changes(tmp_path, clock):
    money = MoneySettings(target_lock_hours=72)
    async with open_world(tmp_path, clock, money=money) as world, people_of(world) as people:
        alice = await people.member("alice")
        address = world.lnurl.address("creator")
        saved = await alice.send("/creator/target", "/creator/target", target=f" {address} ")
        assert saved.path == "/creator/target"
        assert (
            f"Saved: {address}. It is a Lightning address, and was tried: it answers" in saved.text
        )
        assert "in use" in saved.text
        missing = await alice.send(
            "/creator/target", "/creator/target", target=address.replace("creator", "nobody")
        )
        assert missing.status == 400
        assert "does not work" in missing.text
        assert address in (await alice.get("/creator/target")).text
        key = LightningWallet(7).linking_key
        changed = await alice.send("/creator/target", "/creator/target", target=key)
        assert "counts from Nov 4, 2026" in changed.text
        assert "Nothing is paid to you in this asset for another 3 days" in changed.text
        clock.advance(72 * 3600)
        new = await sessions.open_session(world.node.store, clock, alice.member, "a test")
        alice.http.cookie_jar.update_cookies({"flattr": new.secret})
        later = await alice.get("/creator/target")
        assert "in use" in later.text
        assert key in later.text


async def test_a_target_is_changed_only_after_a_fresh_sign_in(people):
    world = people.world
    alice = await people.member("alice")
    form = (await alice.get("/creator/target")).form("/creator/target")
    world.clock.advance(601)
    shown = await alice.get("/creator/target")
    assert "sign in again first" in shown.text
    assert not [one for one in shown.read.forms if one["action"] == "/creator/target"]
    sent = await alice.post("/creator/target", {**form, "target": world.lnurl.address("creator")})
    assert sent.path.startswith("/sign-in?next=/creator/target&again=1")
    assert "Nowhere yet" in (await alice.get("/creator/target")).text


async def test_an_address_of_the_chain_goes_to_the_stablecoin(usd_world):
    async with people_of(usd_world) as people:
        alice = await people.member("alice")
        address = local_key("alice").address
        saved = await alice.send("/creator/target", "/creator/target", target=address.lower())
        assert f"Saved: {address}. It is an address of the chain" in saved.text
        assert saved.text.count("in use") == 1
        assert "Nowhere yet" in saved.text
        wrong = {"0x" + SECRET: "private key", "0x12": "40", "alice.eth": "ames are not looked up"}
        for typed, words in wrong.items():
            shown = await alice.send("/creator/target", "/creator/target", target=typed)
            assert shown.status == 400
            assert words in shown.text
            assert SECRET not in shown.html
