"""What a close books, event by event, for all members at once.

    uncharged  pot ─▶ available             what the vault did not get
    close      pot ─▶ closing ─▶ earned | held, commission;  pot ─▶ available (carry), next pot
    release    held ─▶ earned              the dues are paid now
    means      available ─▶ next pot       the standing amounts
    dues       earned, held ─▶ next pot    "pay my dues from my earnings"
    open       earned, commission ─▶ payout

Each is one entry, named by month and asset, so a stage that runs again books nothing twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from node.ids import PayoutId, entry_id
from node.ledger import accounts
from node.ledger.accounts import Account, Kind
from node.ledger.bulk import (
    BulkEntry,
    MemberAccounts,
    PayoutAccounts,
    Transfers,
    Units,
    closing,
    pots,
    where_any,
)
from node.money import Asset
from node.month import Month


@dataclass(frozen=True, slots=True)
class ReaderRows:
    """Readers of a month: members in order, what left each pot, the carry, and whole pots kept."""

    members: Units
    distributed: Units
    carry: Units
    rolled: Units


@dataclass(frozen=True, slots=True)
class CreatorRows:
    """Creators of a month: members in order, what each earned, and whether the dues were paid."""

    members: Units
    net: Units
    paying: Units


def close(
    asset: Asset, month: Month, readers: ReaderRows, commission: int, creators: CreatorRows
) -> BulkEntry:
    """The month's split, booked."""
    of_month, through = pots(readers.members, month), closing(asset, month)
    tenth = np.array([commission], np.int64)
    paying = creators.paying > 0
    blocks = (
        where_any(of_month, through, readers.distributed),
        where_any(of_month, _members(Kind.AVAILABLE, readers.members), readers.carry),
        where_any(of_month, pots(readers.members, month.plus(1)), readers.rolled),
        where_any(through, accounts.commission(asset), tenth),
        _to_creators(through, Kind.EARNED, creators, np.where(paying, creators.net, 0)),
        _to_creators(through, Kind.HELD, creators, np.where(paying, 0, creators.net)),
    )
    return _entry("close", asset, month, blocks)


def uncharged(asset: Asset, month: Month, members: Units, units: Units) -> BulkEntry:
    """What the vault did not get of these readers is none of the month's."""
    block = where_any(pots(members, month), _members(Kind.AVAILABLE, members), units)
    return _entry("uncharged", asset, month, (block,))


def release(asset: Asset, month: Month, members: Units, units: Units) -> BulkEntry:
    """What was held of these creators is earned."""
    block = where_any(_members(Kind.HELD, members), _members(Kind.EARNED, members), units)
    return _entry("release", asset, month, (block,))


def means(asset: Asset, month: Month, members: Units, units: Units) -> BulkEntry:
    """Standing amounts fill the pots of the month after the closed one."""
    to = pots(members, month.plus(1))
    return _entry("means", asset, month, (where_any(_members(Kind.AVAILABLE, members), to, units),))


def dues(
    asset: Asset, month: Month, members: Units, from_earned: Units, from_held: Units
) -> BulkEntry:
    """Creators' earnings fill their pots of the next month up to the dues."""
    to = pots(members, month.plus(1))
    blocks = (
        where_any(_members(Kind.EARNED, members), to, from_earned),
        where_any(_members(Kind.HELD, members), to, from_held),
    )
    return _entry("dues", asset, month, blocks)


def open_payouts(
    asset: Asset, month: Month, members: Units, payouts: Sequence[PayoutId], units: Units
) -> BulkEntry:
    """Earned money is set aside, one payout each; member 0 is the operator's commission."""
    creators = np.flatnonzero(members > 0)
    operators = np.flatnonzero(members == 0)

    def opened(source: Account | MemberAccounts, some: Units) -> Transfers:
        ids = [payouts[place] for place in some.tolist()]
        return Transfers(source, PayoutAccounts(ids, members[some], month), units[some])

    blocks = (
        opened(_members(Kind.EARNED, members[creators]), creators),
        opened(accounts.commission(asset), operators),
    )
    return _entry("open", asset, month, blocks)


def _to_creators(
    through: accounts.Account, kind: Kind, creators: CreatorRows, units: Units
) -> Transfers:
    return where_any(through, _members(kind, creators.members), units)


def _members(kind: Kind, members: Units) -> MemberAccounts:
    return MemberAccounts(kind, members)


def _entry(kind: str, asset: Asset, month: Month, blocks: tuple[Transfers, ...]) -> BulkEntry:
    some = tuple(block for block in blocks if len(block.units))
    return BulkEntry(entry_id(kind, month, asset), kind, asset, month, some)
