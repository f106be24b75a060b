"""A payout target is changed by who has just signed, and by nobody else who has a wallet."""

from __future__ import annotations

import pytest

from node.devnet.evm import local_key
from node.flows import join
from node.flows.look import notices_of
from node.flows.vault.target import set_vault_target
from node.store import identities
from node.store.engine import NEWEST
from node.store.identities import Identity
from tests.flows.sign_in.keys import LightningWallet


async def add_wallet(world, member) -> None:
    async with world.node.store.write() as tx:
        assert await identities.add(tx, Identity("w", "nostr", "ff", member, 1, 1))


def targets(world) -> tuple[str, str]:
    return world.lnurl.address("creator"), LightningWallet(7).linking_key


async def test_a_token_sets_a_first_target_and_the_same_again(both_worlds):
    alice = await both_worlds.join("alice")
    await add_wallet(both_worlds, alice.id)
    first, _ = targets(both_worlds)
    for _ in range(2):
        answer = await alice("PUT", "/payout-target", {"target": first})
        assert (answer.status, answer.body["active"]) == (200, True)


async def test_a_token_changes_no_target_of_who_has_a_wallet(both_worlds):
    world = both_worlds
    alice = await world.join("alice")
    first, second = targets(world)
    await alice("PUT", "/payout-target", {"target": first})
    await add_wallet(world, alice.id)
    refused = await alice("PUT", "/payout-target", {"target": second})
    assert (refused.status, refused.slug) == (403, "fresh-sign-in-needed")
    assert "sign in on the node's pages" in refused.body["detail"]
    assert (await alice("GET", "/payout-target")).body["target"] == first
    assert (await alice("GET", "/notices")).body["items"] == []


async def test_who_has_just_signed_changes_it_and_is_told(both_worlds):
    world, node = both_worlds, both_worlds.node
    alice = await world.join("alice")
    first, second = targets(world)
    await alice("PUT", "/payout-target", {"target": first})
    await add_wallet(world, alice.id)
    saved = await join.set_target(
        node.store, node.clock, node.rules, node.fetcher, alice.id, second, fresh=True
    )
    assert saved.target.text == second
    [notice] = await notices_of(node.store, alice.id, 5, NEWEST)
    assert second in notice.words


async def test_a_wallet_that_came_while_the_target_was_tried_refuses_the_change(world, monkeypatch):
    node = world.node
    alice = await world.join("alice")
    first, second = targets(world)
    await alice("PUT", "/payout-target", {"target": first})
    tried = join._try

    async def slow(*given):
        await add_wallet(world, alice.id)
        return await tried(*given)

    monkeypatch.setattr(join, "_try", slow)
    with pytest.raises(join.FreshSignInNeeded):
        await join.set_target(node.store, node.clock, node.rules, node.fetcher, alice.id, second)
    assert (await alice("GET", "/payout-target")).body["target"] == first


async def test_a_member_without_a_wallet_has_the_time_lock_alone(world):
    alice = await world.join("alice")
    first, second = targets(world)
    await alice("PUT", "/payout-target", {"target": first})
    changed = await alice("PUT", "/payout-target", {"target": second})
    assert (changed.status, changed.body["target"]) == (200, second)


async def test_the_same_holds_on_the_chain(usd_world):
    alice = await usd_world.join("alice")
    first, second = local_key("one").address, local_key("two").address
    await alice("PUT", "/payout-target", {"asset": "usd", "target": first})
    await add_wallet(usd_world, alice.id)
    refused = await alice("PUT", "/payout-target", {"asset": "usd", "target": second})
    assert (refused.status, refused.slug) == (403, "fresh-sign-in-needed")
    assert (await alice("GET", "/payout-target?asset=usd")).body["target"] == first
    stablecoin = usd_world.node.stablecoin
    saved = await set_vault_target(stablecoin, alice.id, second, fresh=True)
    assert saved.target.text == second


async def test_the_nodes_own_lnd_is_nobodys_target(both_worlds):
    """It can't pay itself: such a payout would wait for a week, and then for a person."""
    alice = await both_worlds.join("alice")
    own = (await both_worlds.node.lnd.read_node()).pubkey
    for text in (own, own.upper()):
        refused = await alice("PUT", "/payout-target", {"target": text})
        assert refused.status in range(400, 500)
        assert "key of this node's own lnd" in refused.body["detail"]
    assert (await alice("GET", "/payout-target")).body["target"] is None
