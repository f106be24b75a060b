"""Laws that no constraint can say: queries that must return no row.

They run before and after each close, in `audit`, and after each test. The deep ones read every
posting and entry, and run in `audit` and in tests. Each is one text for both databases.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from node.store import operator_log
from node.store.chains import broken_chains
from node.store.engine import Tx
from node.store.names import misnamed_accounts, misnamed_payouts


@dataclass(frozen=True, slots=True)
class Check:
    """One law. `invariant` is its number in the audit; the query returns what breaks it."""

    invariant: str
    law: str
    query: str
    deep: bool = False


@dataclass(frozen=True, slots=True)
class Breach:
    """A law that is broken, and the first rows that break it."""

    invariant: str
    law: str
    rows: tuple[str, ...]


CHECKS: Final = (
    Check(
        "I1", "the wallet holds exactly what is owed, and capital met every expense",
        "SELECT asset, wallet, expense FROM (SELECT min(asset) AS asset,"
        " sum(CASE WHEN kind = 'wallet' THEN balance"
        " WHEN kind IN ('expense', 'suspense', 'capital') THEN 0 ELSE -balance END) AS wallet,"
        " sum(CASE WHEN kind IN ('expense', 'suspense') THEN balance"
        " WHEN kind = 'capital' THEN -balance ELSE 0 END) AS expense"
        # Grouped by an expression: an index would have every row visited out of order.
        " FROM account WHERE balance <> 0 GROUP BY asset || '') AS sums"
        " WHERE wallet <> 0 OR expense <> 0",
    ),
    Check("I2", "no balance is negative", "SELECT name, balance FROM account WHERE balance < 0"),
    Check(
        "I9", "no money is left in the middle of a close",
        "SELECT name, balance FROM account WHERE kind = 'closing' AND balance <> 0",
    ),
    Check(
        "I9", "a closed month distributed what left its pots, and the commission is exact",
        "SELECT month, asset FROM close WHERE stage NOT IN ('frozen', 'folded') AND"
        " (pots <> distributed + carried OR distributed % 10000 * commission_bps % 10000 <> 0 OR"
        # In two steps, so that no product leaves 64 bits.
        " commission <> distributed / 10000 * commission_bps"
        " + distributed % 10000 * commission_bps / 10000)",
    ),
    Check(
        "I9", "the pots of a booked month are empty",
        "SELECT account.name, balance FROM account JOIN close ON close.month = account.month"
        " AND close.asset = account.asset WHERE kind = 'pot' AND balance <> 0"
        " AND stage NOT IN ('frozen', 'folded', 'split', 'charged')",
    ),
    Check(
        "I5", "a payout in flight has one live attempt, and only such a payout has one",
        "SELECT id, state FROM payout WHERE (state = 'in_flight') <> (EXISTS (SELECT 1 FROM leg"
        " JOIN attempt ON attempt.id = leg.attempt WHERE leg.payout = payout.id AND NOT leg.dead"
        " AND attempt.state IN ('ready', 'sent', 'limbo')))",
    ),
    Check(
        "I5", "a paid payout has one settled attempt, and nothing else is settled",
        "SELECT id, state FROM payout WHERE (state = 'paid') <> (1 = (SELECT count(*) FROM leg"
        " JOIN attempt ON attempt.id = leg.attempt WHERE leg.payout = payout.id AND NOT leg.dead"
        " AND attempt.state = 'settled'))",
    ),
    Check(
        "I5", "a payout holds its money until it is paid or returned",
        "SELECT payout.id, payout.state, coalesce(balance, 0) AS balance FROM payout"
        " LEFT JOIN account ON account.asset = payout.asset"
        " AND account.name = 'payout:' || payout.id WHERE coalesce(balance, 0) <> CASE"
        " WHEN state IN ('paid', 'returned') THEN 0"
        " WHEN payout.kind = 'withdrawal' THEN payout.units + payout.fee_limit"
        " ELSE payout.units END",
    ),
    Check(
        "I6", "a settled attempt has a proof",
        "SELECT id FROM attempt WHERE state = 'settled' AND (proof IS NULL OR fee IS NULL)",
    ),
    Check(
        "I10", "a settled deposit is in the books once, and no other deposit is",
        # By a list that is made once: an EXISTS would read all entries for each deposit.
        "SELECT id, state FROM deposit WHERE (state = 'settled') <> (payment_hash IN"
        " (SELECT ref FROM entry WHERE kind = 'deposit'))",
    ),
    Check(
        "I10", "a credited event of the vault is in the books, and no other event is",
        "SELECT chain_event.id, state FROM chain_event LEFT JOIN entry ON entry.id = chain_event.id"
        " WHERE chain_event.kind <> 'pot_set' AND units > 0"
        " AND (state = 'credited') <> (entry.id IS NOT NULL)",
    ),
    Check(
        "I10", "what is booked from the vault is an event of the vault",
        "SELECT entry.id, entry.ref FROM entry LEFT JOIN chain_event ON chain_event.id = entry.id"
        " WHERE entry.kind IN ('deposited', 'withdrawn', 'reclaimed') AND chain_event.id IS NULL",
    ),
    Check(
        "I10", "what is booked of an event of the vault is what the event says",
        "SELECT id, kind, units FROM chain_event WHERE state = 'credited' AND kind <> 'pot_set'"
        " AND units > 0 AND units <> (SELECT coalesce(sum(posting.units), 0) FROM entry"
        " JOIN posting ON posting.entry = entry.number WHERE entry.id = chain_event.id)",
        deep=True,
    ),
    Check(
        "I9", "what a close has booked has its close",
        "SELECT entry.id, entry.ref FROM entry LEFT JOIN close ON close.month = entry.month"
        " AND close.asset = entry.asset WHERE entry.kind = 'close' AND close.month IS NULL",
        deep=True,
    ),
    Check(
        "I5", "an attempt pays a payout that is there",
        "SELECT attempt.id, attempt.state FROM attempt LEFT JOIN leg ON leg.attempt = attempt.id"
        " LEFT JOIN payout ON payout.id = leg.payout WHERE attempt.asset = 'sat'"
        " AND payout.id IS NULL",
        deep=True,
    ),
    Check(
        "I1", "what a month holds for a creator is in an account",
        "SELECT tranche.member, tranche.asset, units_left FROM tranche LEFT JOIN account"
        " ON account.asset = tranche.asset AND account.name = 'held:' || tranche.member"
        " WHERE units_left > 0 AND account.id IS NULL",
    ),
    Check(
        "I14", "no payment cost more than its limit",
        "SELECT id, fee, fee_limit FROM attempt WHERE fee > fee_limit",
    ),
    Check(
        "I15", "no click waits for a month that is folded",
        "SELECT flattr_inbox.id FROM flattr_inbox JOIN close ON close.month = flattr_inbox.month"
        " WHERE stage <> 'frozen'",
    ),
    Check(
        "I1", "what creators have held is what the months explain",
        "SELECT account.name, balance FROM account WHERE kind = 'held' AND balance <>"
        " (SELECT coalesce(sum(units_left), 0) FROM tranche WHERE tranche.member = account.member"
        " AND tranche.asset = account.asset)",
    ),
    Check(
        "I1", "every balance is the sum of its postings",
        "SELECT account.name, balance FROM account LEFT JOIN (SELECT id, sum(units) AS units FROM"
        " (SELECT debit AS id, units FROM posting UNION ALL SELECT credit, -units FROM posting)"
        " AS both_sides GROUP BY id) AS d ON d.id = account.id"
        " WHERE balance <> account.side * coalesce(d.units, 0)",
        deep=True,
    ),
)  # fmt: skip


async def breaches(tx: Tx, *, deep: bool = False) -> list[Breach]:
    """Every broken law; an empty list when the books are clean."""
    found = await queried(tx, deep=deep)
    return [*found, *await recomputed(tx)] if deep else found


async def queried(tx: Tx, *, deep: bool) -> list[Breach]:
    """The laws that a query can say."""
    found = []
    for check in CHECKS:
        if check.deep and not deep:
            continue
        rows = await tx.rows(check.query + " LIMIT 5")
        if rows:
            words = tuple(str(row._asdict()) for row in rows)
            found.append(Breach(check.invariant, check.law, words))
    return found


async def recomputed(tx: Tx) -> list[Breach]:
    """What no query can say: every hash and every name, computed again."""
    found = [
        Breach("I11", "the hash chain is unbroken", tuple(await broken_chains(tx))),
        Breach("I1", "an account is what its name says", tuple(await misnamed_accounts(tx))),
        Breach(
            "I5", "a payout's id is its month's and member's", tuple(await misnamed_payouts(tx))
        ),
    ]
    return [*(one for one in found if one.rows), *await _log_breaches(tx)]


async def _log_breaches(tx: Tx) -> list[Breach]:
    """Recompute the hash chain of the operator's log."""
    words = operator_log.broken(await operator_log.everything(tx), await operator_log.head(tx))
    return [Breach("I16", "the operator's log is unbroken", (words,))] if words else []
