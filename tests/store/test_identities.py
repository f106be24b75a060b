"""Identities: one wallet is one member's."""

from __future__ import annotations

import pytest
from sqlalchemy.exc import IntegrityError

from node.store import identities, members
from node.store.identities import Identity


async def test_one_wallet_is_one_members(store):
    async with store.write() as tx:
        alice, bob = await members.add(tx, "alice", 1), await members.add(tx, "bob", 1)
        mine = Identity("a", "nostr", "ff", alice, 1, 1)
        assert await identities.add(tx, mine)
        assert not await identities.add(tx, Identity("b", "nostr", "ff", bob, 2, 2))
        assert await identities.add(tx, Identity("c", "lightning", "ff", bob, 2, 2))
        assert await identities.find(tx, "nostr", "ff") == mine
        assert await identities.find(tx, "ethereum", "ff") is None
        assert await identities.of_member(tx, alice) == [mine]
        assert await identities.count(tx, bob) == 1


async def test_an_identity_is_removed_by_its_member_alone(store):
    async with store.write() as tx:
        alice, bob = await members.add(tx, "alice", 1), await members.add(tx, "bob", 1)
        await identities.add(tx, Identity("a", "nostr", "ff", alice, 1, 1))
        await identities.used(tx, "a", 7)
        assert (await identities.find(tx, "nostr", "ff")).used_us == 7
        assert not await identities.remove(tx, bob, "a")
        assert await identities.remove(tx, alice, "a")
        assert await identities.find(tx, "nostr", "ff") is None


_ASKED = "sign_in_challenge (hash, kind, action, browser, member, expires_us) VALUES "


@pytest.mark.parametrize(
    "row",
    [
        "identity (kind, key, id, member, created_us, used_us) VALUES ('post', 'k', 'i', 1, 1, 1)",
        _ASKED + "('h', 'post', 'login', 'b', NULL, 1)",
        _ASKED + "('h', 'nostr', 'withdraw', 'b', 1, 1)",
        _ASKED + "('h', 'nostr', 'link', 'b', NULL, 1)",
        _ASKED + "('h', 'nostr', 'login', 'b', 1, 1)",
        _ASKED + "('h', 'nostr', 'link', 'b', 2, 1)",
        "sign_in_proof VALUES ('b', 'nostr', 'k', 'login', 1, 1)",
        "sign_in_proof VALUES ('b', 'nostr', 'k', 'link', NULL, 1)",
    ],
)
async def test_the_tables_refuse_what_makes_no_sense(store, row):
    async with store.write() as tx:
        assert await members.add(tx, "alice", 1) == 1
    with pytest.raises(IntegrityError):
        async with store.write() as tx:
            await tx.run(f"INSERT INTO {row}")


async def test_the_tables_take_what_makes_sense(store):
    async with store.write() as tx:
        await members.add(tx, "alice", 1)
        await tx.run(f"INSERT INTO {_ASKED}('h', 'nostr', 'login', 'b', NULL, 1)")
        await tx.run(f"INSERT INTO {_ASKED}('i', 'nostr', 'link', 'b', 1, 1)")
        await tx.run("INSERT INTO sign_in_proof VALUES ('b', 'nostr', 'k', 'link', 1, 1)")
