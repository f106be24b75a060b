"""The payouts that one statement stores are those that the rules say, one by one."""

import numpy as np

from node.flows.open_payouts import held_reason
from node.ids import OPERATOR, MemberId, payout_ids
from node.ledger import accounts, closing
from node.ledger.bulk import BulkEntry, MemberAccounts, Transfers
from node.money import Amount, Asset
from node.settlement.fees import payout_fee_limit
from node.settlement.payout import PayoutState
from node.store import bulk_journal, members, payout_openings, payouts
from node.store.closes import Close, Figures, Stage
from node.store.engine import Store, Tx
from node.store.members import StoredTarget
from tests.conftest import MONTH

NOW_US = MONTH.ends_s * 1_000_000
UNITS = (1_000, 399_999, 400_000, 400_001, 401_000, 10_000_001, 9 * 10**17)
TARGETS = (None, NOW_US - 1, NOW_US, NOW_US + 1)
"""From when on each target counts; None: no target."""


async def test_each_payout_is_what_the_rules_say(store: Store) -> None:
    async with store.write() as tx:
        whose = await join_some(tx)
        units = np.array([UNITS[n % len(UNITS)] for n in range(len(whose))], np.int64)
        await open_for(tx, np.array(sorted(whose)), units)
        await payout_openings.add(tx, close(), NOW_US)
        await payout_openings.add(tx, close(), NOW_US)
        found = await payouts_of(tx)
    ids = payout_ids(MONTH, sorted(whose), Asset.SAT)
    assert [p.id for p in found] == ids
    for payout, amount in zip(found, units.tolist(), strict=True):
        target, suspended = whose[payout.member]
        reason = held_reason(target, suspended, NOW_US)
        assert payout.amount == Amount(amount)
        assert payout.fee_limit == payout_fee_limit(Amount(amount))
        assert payout.target == (target.text if target else None)
        assert (payout.reason, payout.month) == (reason, MONTH)
        assert payout.state is (PayoutState.HELD if reason else PayoutState.DUE)


async def test_the_operators_payout_is_not_made_here(store: Store) -> None:
    async with store.write() as tx:
        await open_for(tx, np.array([OPERATOR]), np.array([5_000]))
        await payout_openings.add(tx, close(), NOW_US)
        assert await payouts_of(tx) == []


async def join_some(tx: Tx) -> dict[MemberId, tuple[StoredTarget | None, bool]]:
    """Members with every kind of target, and the same ones suspended; one old target each."""
    whose: dict[MemberId, tuple[StoredTarget | None, bool]] = {}
    for number, (active_us, suspended) in enumerate([(a, s) for a in TARGETS for s in (0, 1)]):
        member = await members.add(tx, f"m{number}", 1)
        target = None
        if active_us is not None:
            for text in ("old", "new"):
                target = StoredTarget(
                    member, Asset.SAT, f"{text}{number}@wallet.test", "f", NOW_US, active_us
                )
                await members.set_target(tx, target)
        if suspended:
            await members.set_suspended(tx, member, 1)
        whose[member] = (target, bool(suspended))
    return whose


async def open_for(tx: Tx, whose: np.ndarray, units: np.ndarray) -> None:
    filled = Transfers(accounts.wallet(Asset.SAT), MemberAccounts("earned", whose), units)
    await bulk_journal.append(tx, BulkEntry("e", "x", Asset.SAT, MONTH, (filled,)), 1)
    tenth = Transfers(accounts.wallet(Asset.SAT), accounts.commission(Asset.SAT), np.array([10**6]))
    await bulk_journal.append(tx, BulkEntry("c", "x", Asset.SAT, MONTH, (tenth,)), 1)
    ids = payout_ids(MONTH, whose.tolist(), Asset.SAT)
    entry = closing.open_payouts(Asset.SAT, MONTH, whose, ids, units)
    assert await bulk_journal.append(tx, entry, 1)


async def payouts_of(tx: Tx) -> list[payouts.Payout]:
    rows = await tx.rows("SELECT id FROM payout ORDER BY member")
    return [await payouts.get(tx, row.id) for row in rows]


def close() -> Close:
    return Close(MONTH, Asset.SAT, Stage.PROVED, 1, 1000, 0, Figures(), None)
