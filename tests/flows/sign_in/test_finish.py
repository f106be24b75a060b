"""What a good signature is worth: a member, a session, one more wallet."""

from __future__ import annotations

import asyncio

import pytest

from node.errors import BadInput, Conflict, Forbidden, FreshSignInNeeded
from node.flows import join, sessions
from node.flows.look import notices_of
from node.flows.sign_in import lightning
from node.flows.sign_in.asking import PROOF_VALID_S, new_browser
from node.flows.sign_in.finish import (
    IDENTITIES_MAX,
    Browser,
    Linked,
    NameWanted,
    SignedIn,
    Unsigned,
    YesWanted,
    decline,
)
from node.flows.sign_in.wallets import wallets_of
from node.store import identities, members
from node.store.engine import NEWEST
from tests.flows.sign_in import keys
from tests.flows.sign_in.conftest import Person

KINDS = ["lightning", "ethereum", "nostr"]


async def told(person) -> list[str]:
    store = person.sign_in.store
    return [one.kind for one in await notices_of(store, person.session.member, 50, NEWEST)]


async def count_members(person) -> int:
    async with person.sign_in.store.read() as tx:
        return await members.count(tx)


@pytest.mark.parametrize("kind", KINDS)
async def test_a_new_wallet_joins_under_a_name_and_a_known_one_signs_in(ann, kind):
    await ann.prove(kind)
    wanted = await ann.finish()
    assert isinstance(wanted, NameWanted)
    assert kind.title() in wanted.wallet
    joined = await ann.finish("ann")
    assert isinstance(joined, SignedIn)
    assert joined.joined
    again = await Person(ann.sign_in, 11, new_browser()).enter(kind=kind)
    assert not again.joined
    assert again.new.session.member == joined.new.session.member
    assert sessions.is_fresh(ann.sign_in.clock, again.new.session)
    async with ann.sign_in.store.read() as tx:
        assert await members.tokens_of(tx, ann.session.member) == []


async def test_a_name_that_is_taken_or_bad_can_be_tried_again(ann, bob):
    await ann.enter("ann")
    await bob.prove()
    with pytest.raises(Conflict):
        await bob.finish("ann")
    with pytest.raises(BadInput):
        await bob.finish("Bob!")
    with pytest.raises(BadInput):
        await bob.finish("")
    assert await count_members(ann) == 1
    assert (await bob.finish("bob")).joined


async def test_a_proof_is_used_once(ann):
    await ann.enter("ann")
    assert await ann.finish() == Unsigned()
    assert await ann.finish("again") == Unsigned()


async def test_a_proof_waits_for_the_browser_that_asked_and_for_no_other(ann, bob):
    await ann.prove()
    assert await bob.finish("bob") == Unsigned()
    assert (await ann.finish("ann")).joined


async def test_a_proof_runs_out(ann, clock):
    await ann.prove()
    clock.advance(PROOF_VALID_S)
    assert await ann.finish("ann") == Unsigned()
    assert await count_members(ann) == 0


async def test_two_browsers_with_one_new_wallet_make_one_member(ann, sign_in):
    twin = Person(sign_in, ann.number, new_browser())
    await ann.prove()
    await twin.prove()
    one, two = await asyncio.gather(ann.finish("ann"), twin.finish("twin"))
    assert {one.joined, two.joined} == {True, False}
    assert one.new.session.member == two.new.session.member
    assert await count_members(ann) == 1


async def test_one_proof_that_is_fetched_twice_at_once_makes_one_session(ann, sign_in):
    await ann.prove()
    twin = Person(sign_in, ann.number, ann.secret)
    done = await asyncio.gather(ann.finish("ann"), twin.finish("ann"), return_exceptions=True)
    assert sorted(type(one).__name__ for one in done) == ["SignedIn", "Unsigned"]
    async with sign_in.store.read() as tx:
        assert await tx.value("SELECT count(*) FROM session") == 1


async def test_signing_in_ends_the_session_that_the_browser_had(ann, sign_in, clock):
    await ann.enter("ann")
    old = ann.session_secret
    await ann.enter()
    assert ann.session_secret != old
    assert await sessions.find_session(sign_in.store, clock, old) is None


async def test_a_sign_in_is_told_and_signing_again_is_not(ann, clock):
    await ann.enter("ann")
    assert await told(ann) == ["sign-in"]
    clock.advance(sessions.FRESH_S)
    await ann.prove("lightning", "auth")
    done = await ann.finish()
    assert isinstance(done, SignedIn)
    assert sessions.is_fresh(clock, done.new.session)
    assert await told(ann) == ["sign-in"]


async def test_signing_again_takes_one_of_the_members_own_wallets(ann, bob, clock):
    await ann.enter("ann")
    await bob.enter("bob")
    ann.number, number = bob.number, ann.number
    await ann.prove("lightning", "auth")
    with pytest.raises(Forbidden):
        await ann.finish()
    ann.number = 33
    await ann.prove("lightning", "auth")
    with pytest.raises(Forbidden):
        await ann.finish("new")
    clock.advance(sessions.FRESH_S)
    session = await sessions.find_session(ann.sign_in.store, clock, ann.session_secret)
    assert not sessions.is_fresh(clock, session)
    ann.number = number
    await ann.prove("lightning", "auth")
    assert isinstance(await ann.finish(), SignedIn)


@pytest.mark.parametrize("kind", ["ethereum", "nostr"])
async def test_one_more_wallet_signs_in_as_the_same_member(ann, kind, sign_in):
    await ann.enter("ann")
    await ann.prove(kind, "link")
    linked = await ann.finish()
    assert isinstance(linked, Linked)
    assert linked.new is None
    assert await told(ann) == ["sign-in", "identity"] or await told(ann) == ["identity", "sign-in"]
    other = Person(sign_in, ann.number, new_browser())
    assert (await other.enter(kind=kind)).new.session.member == ann.session.member
    assert len(await wallets_of(sign_in.store, ann.session.member)) == 2


async def test_two_members_never_share_a_wallet(ann, bob, sign_in):
    await ann.enter("ann")
    await bob.enter("bob", "nostr")
    bob.number = ann.number
    await bob.prove("lightning", "link")
    with pytest.raises(Conflict, match="another member"):
        await bob.finish()
    ann_again = Person(sign_in, ann.number, new_browser())
    assert (await ann_again.enter()).new.session.member == ann.session.member


async def test_one_wallet_that_two_members_link_at_once_is_one_members(ann, bob):
    await ann.enter("ann")
    await bob.enter("bob")
    ann.number = bob.number = 33
    await ann.prove("nostr", "link")
    await bob.prove("nostr", "link")
    done = await asyncio.gather(ann.finish(), bob.finish(), return_exceptions=True)
    assert sorted(type(one).__name__ for one in done) == ["Conflict", "Linked"]


async def test_the_own_wallet_is_not_linked_twice(ann):
    await ann.enter("ann")
    await ann.prove("lightning", "link")
    with pytest.raises(Conflict, match="yours already"):
        await ann.finish()


async def test_a_wallet_is_linked_only_just_after_one_has_signed(ann, clock):
    await ann.enter("ann")
    clock.advance(sessions.FRESH_S)
    with pytest.raises(FreshSignInNeeded):
        await ann.prove("nostr", "link")


async def test_who_signed_out_meanwhile_links_nothing(ann, sign_in):
    await ann.enter("ann")
    await ann.prove("nostr", "link")
    await sessions.end_session(sign_in.store, ann.session_secret)
    with pytest.raises(Forbidden):
        await ann.finish()
    assert len(await wallets_of(sign_in.store, ann.session.member)) == 1


async def test_who_is_somebody_else_meanwhile_links_nothing(ann, bob, sign_in):
    """The session cookie of bob in the browser in which ann has asked."""
    await ann.enter("ann")
    await bob.enter("bob")
    ann.number = 33
    for action in ("link", "auth"):
        await ann.prove("lightning", action)
        ann.session_secret, mine = bob.session_secret, ann.session_secret
        with pytest.raises(Forbidden):
            await ann.finish()
        ann.session_secret = mine
    assert len(await wallets_of(sign_in.store, bob.session.member)) == 1


async def test_whoever_scans_the_code_first_is_no_wallet_of_the_member_until_that_says_so(
    ann, bob, sign_in, clock
):
    await ann.enter("ann")
    shown = await lightning.show(sign_in, ann.secret, "link", ann.session)
    await lightning.signed(sign_in, bob.lightning.answer(shown.url))
    mine, theirs = keys.LightningWallet(33).linking_key, bob.lightning.linking_key
    for said in ("", mine):
        assert await ann.finish(mine=said) == YesWanted(theirs)
    assert len(await wallets_of(sign_in.store, ann.session.member)) == 1
    await decline(sign_in, Browser(ann.secret, "Firefox", ann.session_secret))
    assert await ann.finish(mine=theirs) == Unsigned()
    await ann.prove("lightning", "link")
    clock.advance(PROOF_VALID_S)
    assert await ann.finish() == Unsigned()
    assert len(await wallets_of(sign_in.store, ann.session.member)) == 1


async def test_the_own_wallet_is_called_mine_while_the_sign_in_is_fresh(ann, sign_in, clock):
    await ann.enter("ann")
    ann.number = 33
    clock.advance(sessions.FRESH_S - 1)
    await ann.prove("lightning", "link")
    clock.advance(1)
    with pytest.raises(FreshSignInNeeded):
        await ann.finish()
    assert len(await wallets_of(sign_in.store, ann.session.member)) == 1


async def test_a_members_first_wallet_is_linked_by_a_tokens_session(ann, sign_in, clock):
    member, _ = await join.join(sign_in.store, clock, "robot")
    await ann.by_token(member)
    assert not sessions.is_fresh(clock, ann.session)
    await ann.prove("lightning", "link")
    linked = await ann.finish()
    assert sessions.is_fresh(clock, linked.new.session)
    assert ann.session.member == member
    await ann.by_token(member)
    with pytest.raises(FreshSignInNeeded):
        await ann.prove("nostr", "link")


async def test_a_tokens_session_that_asked_first_links_no_second_wallet(ann, bob, sign_in, clock):
    member, _ = await join.join(sign_in.store, clock, "robot")
    await ann.by_token(member)
    await bob.by_token(member)
    await bob.prove("lightning", "link")
    await ann.prove("lightning", "link")
    assert isinstance(await ann.finish(), Linked)
    with pytest.raises(FreshSignInNeeded):
        await bob.finish()
    assert len(await wallets_of(sign_in.store, member)) == 1


async def test_a_member_has_so_many_wallets(ann, sign_in):
    await ann.enter("ann")
    async with sign_in.store.write() as tx:
        for number in range(IDENTITIES_MAX - 1):
            one = identities.Identity(str(number), "nostr", str(number), ann.session.member, 1, 1)
            await identities.add(tx, one)
    await ann.prove("nostr", "link")
    with pytest.raises(Conflict, match="at most"):
        await ann.finish()
