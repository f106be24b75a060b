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

_HOUR_US = 3_600_000_000


async def wallets_of(store: Store, member: MemberId) -> list[Identity]:
    """A member's wallets, oldest first."""
    async with store.read() as tx:
        return await identities.of_member(tx, member)


async def remove_wallet(
    store: Store, clock: Clock, by: Session, identity: str, lock_hours: int
) -> None:
    """Forget a wallet of the member who is signed in, and end all other sessions, with a notice.

    Who removes a wallet may have lost it: what it has signed in must not stay. One that stays must
    have been there for `lock_hours`, as long as a changed payout target waits (design.md §3.12):
    else who comes in once could take the owner's place before the owner can undo it.

    Raises FreshSignInNeeded, NotFound (for another's as well), Conflict when none is old enough.
    """
    if not is_fresh(clock, by):
        raise FreshSignInNeeded("sign in again with a wallet of yours, and then remove one")
    async with store.write() as tx:
        mine = {one.id: one for one in await identities.of_member(tx, by.member)}
        if (gone := mine.get(identity)) is None:
            raise NotFound("you have no wallet with this id")
        if len(mine) == 1:
            raise Conflict("this is your only wallet: add another one first")
        old_us = clock.now_us() - lock_hours * _HOUR_US
        if not any(one.created_us <= old_us for one in mine.values() if one is not gone):
            raise Conflict(
                f"your other wallet is new: {lock_hours} hours after you added it, remove this one"
            )
        await identities.remove(tx, by.member, identity)
        await sessions.end_others(tx, by.member, by.id)
        words = f"{wallet_name(gone.kind, gone.key)} can't sign in as you any more."
        await members.notify(tx, by.member, "identity-removed", gone.id, words, clock.now_us())
