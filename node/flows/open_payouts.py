"""The close's stage that turns balances into payouts (design.md §3.5, §3.9, §3.10).

    1  what was held of creators who pay their dues now is released
    2  standing amounts fill the pots of the next month
    3  "pay my dues from my earnings" fills them up to the dues
    4  what was held too long goes back to its readers
    5  whole sats of what is earned become payouts; the rest stays the creator's. The stablecoin is
       paid to the base unit

Two to four are Lightning's: in the stablecoin no money can be put into a member's account. All of
it is one transaction, and each step one entry named by the month: it happens once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from node.flows.dues import dues_paid_by
from node.flows.return_held import return_what_was_held_too_long
from node.flows.rules import Rules
from node.ids import OPERATOR, payout_id, payout_ids
from node.ledger import accounts, closing
from node.ledger.accounts import Kind
from node.money import Amount, Asset
from node.settlement.fees import payout_fee_limit
from node.settlement.payout import HeldReason, Payout, PayoutKind
from node.store import bulk_journal, closes, held, journal, payout_openings, payouts
from node.store.closes import Close
from node.store.engine import Tx
from node.store.members import StoredTarget

Units: TypeAlias = NDArray[np.int64]


async def open_payouts(
    tx: Tx, close: Close, rules: Rules, others: Sequence[Rules], now_us: int
) -> None:
    """Run the five steps for a closed month. `others`: the rules of the node's other assets."""
    await _release(tx, close, others)
    if close.asset is not Asset.USD:  # there the vault decides what a pot is (decision 0010)
        await _fill_pots(tx, close)
        await _dues_from_earnings(tx, close)
        await return_what_was_held_too_long(tx, close, rules, now_us)
    await _open(tx, close, rules, now_us)


async def _release(tx: Tx, close: Close, others: Sequence[Rules]) -> None:
    creators, units = await closes.balances(tx, Kind.HELD, close.asset)
    dues = Amount(close.dues_units, close.asset)
    payers = await dues_paid_by(tx, close.month, dues, others)
    if payers is not None:
        paying = np.isin(creators, payers)
        creators, units = creators[paying], units[paying]
    entry = closing.release(close.asset, close.month, creators, units)
    if await bulk_journal.append(tx, entry, close.frozen_us):
        await held.take_tranches(tx, close.asset, creators, units)


async def _fill_pots(tx: Tx, close: Close) -> None:
    wanting, wanted = await closes.means(tx, close.asset)
    have = await closes.pots(tx, close.month.plus(1), close.asset)
    free = await closes.balances(tx, Kind.AVAILABLE, close.asset)
    missing = np.maximum(wanted - _held_by(have, wanting), 0)
    units = np.minimum(missing, _held_by(free, wanting))
    await bulk_journal.append(
        tx, closing.means(close.asset, close.month, wanting, units), close.frozen_us
    )


async def _dues_from_earnings(tx: Tx, close: Close) -> None:
    if not close.dues_units:
        return
    have = await closes.pots(tx, close.month.plus(1), close.asset)
    earned = await closes.balances(tx, Kind.EARNED, close.asset)
    waiting = await closes.balances(tx, Kind.HELD, close.asset)
    creators = np.union1d(earned[0], waiting[0])
    creators = creators[np.isin(creators, await closes.dues_payers(tx))]
    missing = np.maximum(close.dues_units - _held_by(have, creators), 0)
    of_earned, of_held = _held_by(earned, creators), _held_by(waiting, creators)
    missing[of_earned + of_held < missing] = 0
    from_earned = np.minimum(missing, of_earned)
    from_held = missing - from_earned
    entry = closing.dues(close.asset, close.month, creators, from_earned, from_held)
    if await bulk_journal.append(tx, entry, close.frozen_us):
        await held.take_tranches(tx, close.asset, creators, from_held)


async def _open(tx: Tx, close: Close, rules: Rules, now_us: int) -> None:
    earners, earned = await closes.balances(tx, Kind.EARNED, close.asset)
    units = earned - earned % smallest_payable(close.asset)
    enough = (units > 0) & (units >= rules.payout_min.units)
    members, units = earners[enough], units[enough]
    tenth = await journal.balance(tx, accounts.commission(close.asset))
    tenth = Amount(tenth.units - tenth.units % smallest_payable(close.asset), close.asset)
    pays_operator = rules.operator_target is not None and bool(tenth)
    if pays_operator:
        members = np.concatenate([[OPERATOR], members])
        units = np.concatenate([[tenth.units], units])
    ids = payout_ids(close.month, members.tolist(), close.asset)
    entry = closing.open_payouts(close.asset, close.month, members, ids, units)
    if not await bulk_journal.append(tx, entry, close.frozen_us):
        return
    if pays_operator:
        await payouts.add(tx, [_commission(close, rules, tenth)], now_us)
    await payout_openings.add(tx, close, now_us)


def _commission(close: Close, rules: Rules, tenth: Amount) -> Payout:
    return Payout(
        payout_id(close.month, OPERATOR, close.asset), PayoutKind.COMMISSION, OPERATOR, tenth,
        payout_fee_limit(tenth), rules.operator_target, close.month,
    )  # fmt: skip


def smallest_payable(asset: Asset) -> int:
    """The smallest amount that a rail can pay, in base units."""
    return asset.units_per_coin if asset is Asset.SAT else 1


def held_reason(target: StoredTarget | None, suspended: bool, now_us: int) -> HeldReason | None:
    """Why a creator can't be paid now; None if nothing is in the way."""
    if suspended:
        return HeldReason.SUSPENDED
    if target is None:
        return HeldReason.NO_TARGET
    return HeldReason.TARGET_CHANGED if target.active_us > now_us else None


def _held_by(balances: tuple[Units, Units], members_: Units) -> Units:
    """What each of these members has in `balances` (members in order, units)."""
    holders, units = balances
    if not len(holders):
        return np.zeros(len(members_), np.int64)
    place = np.minimum(np.searchsorted(holders, members_), len(holders) - 1)
    return np.where(holders[place] == members_, units[place], 0)
