"""The wallets that a member signs in with: listed, and removed; the last one stays."""

from __future__ import annotations

from node.clock import Clock
from node.errors import Conflict, FreshSignInNeeded, NotFound
from node.flows.sessions import is_fresh
from node.flows.sign_in.words import wallet_name
from node.ids import MemberId
from node.store import identities, members, sessions
from node.store.engine import Store
from node.store.identities import Identity
from node.store.sessions import Session


async def wallets_of(store: Store, member: MemberId) -> list[Identity]:
    """A member's wallets, oldest first."""
    async with store.read() as tx:
        return await identities.of_member(tx, member)


async def remove_wallet(store: Store, clock: Clock, by: Session, identity: str) -> None:
    """Forget a wallet of the member who is signed in, and end all other sessions, with a notice.

    Who removes a wallet may have lost it: what it has signed in must not stay.

    Raises FreshSignInNeeded, NotFound (for another's as well), Conflict for the last one.
    """
    if not is_fresh(clock, by):
        raise FreshSignInNeeded("sign in again with a wallet of yours, and then remove one")
    async with store.write() as tx:
        mine = {one.id: one for one in await identities.of_member(tx, by.member)}
        if (gone := mine.get(identity)) is None:
            raise NotFound("you have no wallet with this id")
        if len(mine) == 1:
            raise Conflict("this is your only wallet: add another one first")
        await identities.remove(tx, by.member, identity)
        await sessions.end_others(tx, by.member, by.id)
        words = f"{wallet_name(gone.kind, gone.key)} can't sign in as you any more."
        await members.notify(tx, by.member, "identity-removed", gone.id, words, clock.now_us())
