"""Lists for the console's pages, each read in one transaction that changes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from node.errors import NotFound
from node.flows.node import Node
from node.flows.operator.overview import assets
from node.ids import MemberId
from node.ledger import accounts
from node.money import Amount, Asset
from node.settlement.payout import Payout, PayoutState
from node.store import journal, listings, members, operator_figures, operator_log, payouts
from node.store.engine import Store
from node.store.listings import ListedMember, ListedPayout
from node.store.members import StoredTarget
from node.store.operator_figures import HeldEarnings, Waiting
from node.store.operator_log import Logged

HELD_ROWS: Final = 200
PAYOUT_ROWS: Final = 20


@dataclass(frozen=True, slots=True)
class HeldView:
    """What is not paid in one asset: earnings that wait for dues, and payouts that wait."""

    asset: Asset
    earnings: list[HeldEarnings]
    waiting: list[Waiting]


@dataclass(frozen=True, slots=True)
class MemberView:
    """One member as the operator sees it."""

    id: MemberId
    name: str
    suspended_us: int | None
    targets: list[StoredTarget]
    money: list[tuple[Asset, Amount, Amount, Amount]]
    """By asset: available, earned, held."""
    payouts: list[Payout]


async def list_payouts(
    store: Store, asset: Asset, state: PayoutState | None, offset: int, limit: int
) -> list[ListedPayout]:
    """Payouts, newest first, of one state if it is given."""
    async with store.read() as tx:
        return await listings.payouts(tx, asset, state, limit, offset)


async def held(node: Node) -> list[HeldView]:
    """All that is held or waits, by asset."""
    async with node.store.read() as tx:
        return [
            HeldView(
                asset,
                await operator_figures.held_earnings(tx, asset, HELD_ROWS),
                await operator_figures.waiting(tx, asset),
            )
            for asset in assets(node)
        ]


async def find_members(store: Store, part: str, offset: int, limit: int) -> list[ListedMember]:
    """Members whose name has this in it, in the order of joining."""
    async with store.read() as tx:
        return await listings.members(tx, Asset.SAT, limit, part, offset)


async def member_view(node: Node, member: MemberId) -> MemberView:
    """One member. Raises NotFound."""
    async with node.store.read() as tx:
        found = await members.get(tx, member)
        if found is None:
            raise NotFound("there is no such member")
        targets = [await members.target_of(tx, member, asset) for asset in assets(node)]
        money = [
            (
                asset,
                await journal.balance(tx, accounts.available(asset, member)),
                await journal.balance(tx, accounts.earned(asset, member)),
                await journal.balance(tx, accounts.held(asset, member)),
            )
            for asset in assets(node)
        ]
        paid = [one for one, _ in await payouts.of_member(tx, member, PAYOUT_ROWS)]
    known = [one for one in targets if one is not None]
    return MemberView(member, found.name, found.suspended_us, known, money, paid)


async def log_rows(
    store: Store, before: int | None, limit: int
) -> tuple[list[Logged], tuple[int, str]]:
    """(rows of the log before a number, newest first; the end of its chain)."""
    async with store.read() as tx:
        rows = await operator_log.newest(tx, before or operator_log.NEWEST, limit)
        return rows, await operator_log.head(tx)
