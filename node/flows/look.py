"""What a member may look at: the own rows, each read in one transaction that changes nothing."""

from __future__ import annotations

from node.errors import NotFound
from node.flows.rules import Rules
from node.ids import MemberId, PayoutId, ThingId
from node.store import deposits, history, members, things
from node.store.deposits import Deposit
from node.store.engine import Store
from node.store.history import PayoutRecord
from node.store.members import Member, Notice, StoredTarget, Token
from node.store.things import Subscription, Thing


async def member_of(store: Store, member: MemberId) -> Member:
    """A member by id. Raises NotFound."""
    async with store.read() as tx:
        found = await members.get(tx, member)
    if found is None:
        raise NotFound("there is no such member")
    return found


async def set_dues_from_earnings(store: Store, member: MemberId, on: bool) -> None:
    """Whether the member's dues are taken from earnings."""
    async with store.write() as tx:
        await members.set_dues_from_earnings(tx, member, on)


async def tokens_of(store: Store, member: MemberId) -> list[Token]:
    """A member's tokens, oldest first."""
    async with store.read() as tx:
        return await members.tokens_of(tx, member)


async def target_of(store: Store, rules: Rules, member: MemberId) -> StoredTarget | None:
    """Where a member is paid."""
    async with store.read() as tx:
        return await members.target_of(tx, member, rules.asset)


async def notices_of(
    store: Store, member: MemberId, limit: int, after: tuple[int, str]
) -> list[Notice]:
    """A page of a member's notices, newest first."""
    async with store.read() as tx:
        return await members.notices_of(tx, member, limit, after)


async def deposits_of(
    store: Store, member: MemberId, limit: int, after: tuple[int, str]
) -> list[Deposit]:
    """A page of a member's deposits, newest first."""
    async with store.read() as tx:
        return await deposits.of_member(tx, member, limit, after)


async def deposit_of(store: Store, member: MemberId, deposit: str) -> Deposit:
    """One of the member's deposits. Raises NotFound, for another's as well."""
    async with store.read() as tx:
        found = await deposits.get(tx, deposit)
    if found is None or found.member != member:
        raise NotFound("you have no deposit with this id")
    return found


async def payouts_of(
    store: Store, member: MemberId, limit: int, after: tuple[int, str]
) -> list[PayoutRecord]:
    """A page of a member's payouts, newest first."""
    async with store.read() as tx:
        return await history.payouts_of(tx, member, limit, after)


async def payout_of(store: Store, member: MemberId, payout: str) -> PayoutRecord:
    """One of the member's payouts. Raises NotFound, for another's as well."""
    async with store.read() as tx:
        found = await history.payout_of(tx, member, PayoutId(payout))
    if found is None:
        raise NotFound("you have no payout with this id")
    return found


async def things_of_owner(store: Store, owner: MemberId, limit: int, after: ThingId) -> list[Thing]:
    """A page of a creator's things, in order of id."""
    async with store.read() as tx:
        return await things.of_owner(tx, owner, after, limit)


async def thing_by_url(store: Store, canonical: str) -> Thing:
    """The thing of a canonical URL. Raises NotFound."""
    async with store.read() as tx:
        found = await things.by_url(tx, canonical)
    if found is None:
        raise NotFound("nobody has flattred this yet, and nobody has added it")
    return found


async def subscriptions_of(store: Store, member: MemberId) -> list[Subscription]:
    """A member's subscriptions, oldest first."""
    async with store.read() as tx:
        return await things.subscriptions_of(tx, member)
