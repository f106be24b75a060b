"""Closing an account: not while there is money, and never by losing any."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from sqlmodel import SQLModel

import node.store.chain_tables
import node.store.consent_tables
import node.store.login_tables
import node.store.money_tables
import node.store.operator_tables
import node.store.recovery_tables
import node.store.site_tables
import node.store.transaction_tables
import node.store.vault_tables  # noqa: F401  declares the tables
from node.errors import BadInput, Conflict, FreshSignInNeeded
from node.flows import join, sessions
from node.flows.earnings.known import KnownEarnings
from node.flows.fund import EXPIRY_S, set_means, set_pot
from node.flows.leave import leave, look_at_leaving
from node.flows.public import popularity
from node.flows.return_held import NOTICE_S
from node.ledger import accounts
from node.money import Amount, Asset, msat, sats
from node.store import identities, leaving, members, own_rows, things
from node.store.identities import Identity
from tests.conftest import MONTH
from tests.world import open_world, target_of

DAY_S = 86_400


def node_of(world) -> Any:
    """As much of a `Node` as leaving asks for."""
    return SimpleNamespace(
        store=world.store, clock=world.clock, rules=world.rules, stablecoin=None,
        invoices=world.invoices, funding=world.funding, every_rules=[world.rules],
    )  # fmt: skip


async def refused(world, name: str, *words: str) -> None:
    """The account stays open, and these are all the reasons."""
    member = world.members[name]
    found = await look_at_leaving(node_of(world), member)
    assert len(found.in_the_way) == len(words), found.in_the_way
    for reason, word in zip(found.in_the_way, words, strict=True):
        assert word in reason
    with pytest.raises(Conflict) as refusal:
        await leave(node_of(world), member, name, found.left, fresh=True)
    assert all(word in str(refusal.value) for word in words)
    async with world.store.read() as tx:
        assert (await members.get(tx, member)).closed_us is None


@pytest.fixture
async def settled(store, clock):
    """A world in which ann has one of everything but money."""
    async with open_world(store, clock) as world:
        await world.join("ann", "bob")
        ann = world.members["ann"]
        await world.thing("mine", "ann")
        await world.thing("bobs", "bob")
        await world.target("ann")
        await world.flattr("ann", "bobs")
        await world.subscribe("ann", "bobs", 3)
        await set_means(world.funding, ann, sats(100))
        async with store.write() as tx:
            await identities.add(tx, Identity("i", "nostr", "k" * 64, ann, 1, 1))
            await members.set_shows_flattrs(tx, ann, True)
        yield world


async def test_an_empty_account_closes_and_everything_of_it_ends(settled, store):
    ann = settled.members["ann"]
    with pytest.raises(BadInput):
        await leave(node_of(settled), ann, "bob", (), fresh=True)
    with pytest.raises(FreshSignInNeeded, match="wallet"):
        await leave(node_of(settled), ann, "ann", (), fresh=False)
    released = await leave(node_of(settled), ann, "ann", (), fresh=True)
    assert released == (settled.things["mine"].id,)
    async with store.read() as tx:
        who = await members.get(tx, ann)
        assert who.closed_us is not None
        assert not who.shows_flattrs
        assert not who.dues_from_earnings
        assert await identities.of_member(tx, ann) == []
        assert await members.target_of(tx, ann, Asset.SAT) is None
        assert not await members.means_of(tx, ann, Asset.SAT)
        assert [one.ended_us for one in await things.subscriptions_of(tx, ann)] != [None]
        assert (await things.get(tx, settled.things["mine"].id)).owner is None
    with pytest.raises(Conflict):
        await settled.join("ann")  # the name stays taken
    with pytest.raises(Conflict):
        await leave(node_of(settled), ann, "ann", (), fresh=True)
    with pytest.raises(Conflict):
        await settled.ask("ann", sats(100), to_pot=True)


async def test_tokens_and_sessions_end_with_the_account(settled, store, clock):
    ann = settled.members["ann"]
    token = await join.make_token(store, clock, ann, "phone", frozenset({"read"}), 9)
    browser = await sessions.open_session(store, clock, ann, "a browser")
    await leave(node_of(settled), ann, "ann", (), fresh=True)
    found = (await join.find_tokens(store, [token.secret]))[token.secret]
    assert found.revoked_us is not None
    assert await sessions.find_session(store, clock, browser.secret) is None


async def test_money_in_any_place_is_in_the_way(store, clock):
    async with open_world(store, clock) as world:
        await world.join("ann", "eve")
        await world.thing("eves", "eve")
        await world.fund("ann", sats(1_000), to_pot=True, at_s=None)
        await refused(world, "ann", "1\u2009000 sat is in your pot")
        await set_pot(world.funding, world.members["ann"], sats(400), "")
        await refused(world, "ann", "400 sat is in your pot", "600 sat is available")
        await world.flattr("ann", "eves")
        clock.set(MONTH.ends_s)
        await refused(world, "eve", f"{MONTH} is not closed yet")
        await world.close(MONTH)
        await refused(world, "eve", "360 sat is held until your dues are paid")
        await world.withdraw("ann", sats(590), "ann@wallet.test")
        await refused(world, "ann", "available", "is on its way to you")
        await world.pay_until_quiet()


async def test_a_payout_that_waits_is_in_the_way_until_it_is_paid(store, clock):
    async with open_world(store, clock) as world:
        world.change_rules(dues=sats(0))
        await world.join("ann", "eve")
        await world.thing("eves", "eve")
        await world.fund("ann", sats(1_000), to_pot=True, at_s=None)
        await world.flattr("ann", "eves")
        await world.close(MONTH)
        await refused(world, "eve", "900 sat is on its way to you")
        await world.target("eve")
        await world.pay_until_quiet()
        await leave(node_of(world), world.members["eve"], "eve", (), fresh=True)
        assert await world.balance(accounts.wallet(Asset.SAT)) == 0  # the operator has the tenth


async def test_what_no_payment_can_carry_must_be_named_and_stays_on_the_books(store, clock):
    async with open_world(store, clock) as world:
        await world.join("ann")
        ann = world.members["ann"]
        await world.fund("ann", sats(1_000), to_pot=False, at_s=None)
        await world.withdraw("ann", sats(995), target_of("ann"))
        await world.pay_until_quiet()
        rest = await world.balance(accounts.available(Asset.SAT, ann))
        assert 3_000 <= rest < 6_000
        await refused(world, "ann", "is available: withdraw it")
        await world.withdraw("ann", sats(rest // 1000 - 2), target_of("ann"))
        await world.pay_until_quiet()
        rest = await world.balance(accounts.available(Asset.SAT, ann))
        assert 0 < rest < 3_000
        found = await look_at_leaving(node_of(world), ann)
        assert found.in_the_way == ()
        assert found.left == (msat(rest),)
        for wrong in ((), (msat(rest - 1),), (msat(rest), Amount(1, Asset.USD))):
            with pytest.raises(BadInput, match=f"{rest} msat"):
                await leave(node_of(world), ann, "ann", wrong, fresh=True)
        await leave(node_of(world), ann, "ann", (msat(rest),), fresh=True)
        assert await world.balance(accounts.available(Asset.SAT, ann)) == rest
        await world.close(MONTH)
        assert await world.balance(accounts.available(Asset.SAT, ann)) == rest


async def test_an_invoice_is_in_the_way_until_lnd_says_that_it_was_not_paid(store, clock):
    async with open_world(store, clock) as world:
        await world.join("ann", "bob")
        for name in ("ann", "bob"):
            await world.ask(name, sats(500), to_pot=False)
        await refused(world, "ann", "an invoice of yours may still be paid")
        paid = await world.ask("bob", sats(500), to_pot=False, key="second")
        world.invoices.pay(paid.payment_hash, 500_000, clock.now_us() // 1_000_000)
        clock.advance(EXPIRY_S + 1)
        world.invoices.still_open = {(await world.ask("ann", sats(9), to_pot=False)).payment_hash}
        clock.advance(EXPIRY_S + 1)
        await refused(world, "ann", "an invoice of yours may still be paid")
        world.invoices.still_open.clear()
        await leave(node_of(world), world.members["ann"], "ann", (), fresh=True)
        with pytest.raises(Conflict, match="500 sat is available"):
            await leave(node_of(world), world.members["bob"], "bob", (), fresh=True)
        assert await world.balance(accounts.available(Asset.SAT, world.members["bob"])) == 500_000


async def test_what_the_last_owner_was_paid_for_is_not_paid_again_to_the_next(store, clock):
    async with open_world(store, clock) as world:
        world.change_rules(dues=sats(0))
        await world.join("ann", "bob", "eve", "fay")
        await world.thing("song", "eve")
        await world.thing("other", "bob")
        await world.target("eve")
        await world.fund("ann", sats(1_000), to_pot=True, at_s=None)
        await world.flattr("ann", "song")
        await world.close(MONTH)
        await world.pay_until_quiet()
        await leave(node_of(world), world.members["eve"], "eve", (), fresh=True)
        december = MONTH.plus(1)
        await world.fund("ann", sats(1_000), to_pot=True, at_s=None)
        await world.flattr("ann", "other")
        assert (await popularity(store, clock, world.things["song"].id)).waiting == 0
        await world.claim("song", "fay")
        await world.close(december)
        known = KnownEarnings()
        fay = await known.month(store, Asset.SAT, december, world.members["fay"])
        bob = await known.month(store, Asset.SAT, december, world.members["bob"])
        assert fay.total.units == 0
        assert bob.total.units == 900_000


async def test_what_was_flattred_after_the_owner_left_waits_for_the_next(store, clock):
    async with open_world(store, clock) as world:
        world.change_rules(dues=sats(0))
        await world.join("ann", "eve", "fay")
        await world.thing("song", "eve")
        await world.fund("ann", sats(1_000), to_pot=True, at_s=None)
        await leave(node_of(world), world.members["eve"], "eve", (), fresh=True)
        await world.flattr("ann", "song")
        await world.close(MONTH)
        clock.advance(DAY_S)
        assert (await popularity(store, clock, world.things["song"].id)).waiting == 1
        await world.claim("song", "fay")
        await world.close(MONTH.plus(1))
        fay = await KnownEarnings().month(store, Asset.SAT, MONTH.plus(1), world.members["fay"])
        assert fay.total.units == 900_000


async def test_who_leaves_before_the_cutoff_takes_no_flattrs_along(store, clock):
    async with open_world(store, clock) as world:
        world.change_rules(dues=sats(0))
        await world.join("ann", "eve", "fay")
        await world.thing("song")
        await world.flattr("ann", "song")
        await world.close(MONTH)
        await world.claim("song", "eve")
        await leave(node_of(world), world.members["eve"], "eve", (), fresh=True)
        assert (await popularity(store, clock, world.things["song"].id)).waiting == 1


async def test_held_money_goes_back_to_those_who_are_still_here(store, clock):
    async with open_world(store, clock) as world:
        world.change_rules(held_s=40 * DAY_S)
        await world.join("ann", "bob", "eve")
        await world.thing("eves", "eve")
        for name in ("ann", "bob"):
            await world.fund(name, sats(1_000), to_pot=True, at_s=None)
            await world.flattr(name, "eves")
        await world.close(MONTH)
        await leave(node_of(world), world.members["ann"], "ann", (), fresh=True)
        month = MONTH.plus(1)
        while await world.balance(accounts.held(Asset.SAT, world.members["eve"])):
            await world.close(month)
            clock.advance(NOTICE_S)
            month = month.plus(1)
            assert month < MONTH.plus(12)
        pots = {
            name: await world.balance(accounts.pot(Asset.SAT, world.members[name], month))
            for name in ("ann", "bob")
        }
        assert pots == {"ann": 0, "bob": 1_800_000}


KEPT = {
    "account", "click_key", "deposit", "flattr_month", "payout", "thing", "tranche",
}  # fmt: skip
"""Tables that keep what they have of a member who leaves: the history, and others' too."""
ELSEWHERE = {"account", "flattr_month", "member"}
"""Tables that a member's export reads by statements of their own."""
MOMENTARY = {"link_challenge", "sign_in_challenge", "sign_in_proof"}
"""Tables whose rows live for minutes, and are in no export."""


def _with_members() -> set[str]:
    return {
        name
        for name, table in SQLModel.metadata.tables.items()
        if {"member", "owner"} & set(table.columns.keys())
    }


def test_no_table_that_has_members_is_forgotten_by_leaving():
    ended = set(leaving.ENDED) - {"member"}
    assert _with_members() == ended | KEPT
    assert ended & KEPT == set()


def test_no_table_that_has_members_is_forgotten_by_the_export():
    read = {
        table
        for table in SQLModel.metadata.tables
        for sql in own_rows.SECTIONS.values()
        if f" {table} " in sql.replace(",", " ")
    }
    assert _with_members() - read - ELSEWHERE - MOMENTARY == set()
