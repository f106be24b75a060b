"""A wallet is removed by who has just signed, beside an old one, and never the last."""

from __future__ import annotations

import asyncio

import pytest

from node.errors import Conflict, FreshSignInNeeded, NotFound
from node.flows import sessions
from node.flows.look import notices_of
from node.flows.sign_in.asking import new_browser
from node.flows.sign_in.finish import NameWanted
from node.flows.sign_in.wallets import remove_wallet, wallets_of
from node.store.engine import NEWEST
from tests.flows.sign_in.conftest import Person


async def test_a_wallet_is_removed_and_the_last_one_stays(ann, bob, sign_in, clock):
    store = sign_in.store
    await ann.enter("ann")
    await bob.enter("bob")
    await ann.prove("nostr", "link")
    await ann.finish()
    thief = Person(sign_in, ann.number, new_browser())
    await thief.enter()
    mine = {one.kind: one for one in await wallets_of(store, ann.session.member)}
    first, second = mine["lightning"], mine["nostr"]
    with pytest.raises(NotFound):
        await remove_wallet(store, clock, bob.session, first.id, 72)
    await age_wallets(store)
    await remove_wallet(store, clock, ann.session, first.id, 72)
    assert await sessions.find_session(store, clock, thief.session_secret) is None
    assert await sessions.find_session(store, clock, ann.session_secret)
    notices = await notices_of(store, ann.session.member, 50, NEWEST)
    assert "identity-removed" in [one.kind for one in notices]
    with pytest.raises(Conflict):
        await remove_wallet(store, clock, ann.session, second.id, 72)
    await thief.prove()
    assert isinstance(await thief.finish(), NameWanted)


async def test_a_new_wallet_does_not_take_the_place_of_the_old_one_at_once(ann, sign_in, clock):
    await ann.enter("ann")
    await age_wallets(sign_in.store)
    await ann.prove("nostr", "link")
    await ann.finish()
    old, new = await wallets_of(sign_in.store, ann.session.member)
    with pytest.raises(Conflict, match="72 hours"):
        await remove_wallet(sign_in.store, clock, ann.session, old.id, 72)
    with pytest.raises(Conflict, match="1 hours"):
        await remove_wallet(sign_in.store, clock, ann.session, old.id, 1)
    await remove_wallet(sign_in.store, clock, ann.session, new.id, 72)
    assert await wallets_of(sign_in.store, ann.session.member) == [old]


async def age_wallets(store):
    """All wallets that there are were added long ago."""
    async with store.write() as tx:
        await tx.run("UPDATE identity SET created_us = 0")


async def test_two_wallets_that_are_removed_at_once_leave_one(ann, sign_in, clock):
    await ann.enter("ann")
    await ann.prove("nostr", "link")
    await ann.finish()
    await age_wallets(sign_in.store)
    mine = await wallets_of(sign_in.store, ann.session.member)
    gone = [remove_wallet(sign_in.store, clock, ann.session, one.id, 72) for one in mine]
    done = await asyncio.gather(*gone, return_exceptions=True)
    assert sorted(type(one).__name__ for one in done) == ["Conflict", "NoneType"]
    assert len(await wallets_of(sign_in.store, ann.session.member)) == 1


async def test_a_wallet_is_removed_only_just_after_one_has_signed(ann, sign_in, clock):
    await ann.enter("ann")
    await ann.prove("nostr", "link")
    await ann.finish()
    first, _ = await wallets_of(sign_in.store, ann.session.member)
    clock.advance(sessions.FRESH_S)
    with pytest.raises(FreshSignInNeeded):
        await remove_wallet(sign_in.store, clock, ann.session, first.id, 72)


async def test_a_node_that_locks_no_target_locks_no_wallet(ann, sign_in, clock):
    await ann.enter("ann")
    await ann.prove("nostr", "link")
    await ann.finish()
    old, new = await wallets_of(sign_in.store, ann.session.member)
    await remove_wallet(sign_in.store, clock, ann.session, old.id, 0)
    assert await wallets_of(sign_in.store, ann.session.member) == [new]
