"""What the audit reads: the same facts from two places, to be compared.

Nothing here changes anything. Sums come back as 64-bit numbers in both databases.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from node.money import Asset
from node.settlement.attempt import AttemptState
from node.settlement.payout import PayoutKind
from node.store.attempts import BY_PREIMAGE
from node.store.closes import Close
from node.store.engine import Tx

Units: TypeAlias = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class LedgerSize:
    """How much is in an asset's books, and where its chain ends."""

    entries: int
    postings: int
    accounts: int
    lowest: int
    """The smallest balance of an account."""
    seq: int
    head: str


@dataclass(frozen=True, slots=True)
class SettledAttempt:
    """A payment that the books call paid, as the attempt, the payout and the ledger have it."""

    reference: str
    sender: str
    proof: str
    kind: PayoutKind
    units: int
    fee: int
    fee_limit: int
    payout_units: int
    payout_fee: int
    payout_proof: str
    booked_units: int
    """What the ledger moved from the payout out of the wallet."""
    by_preimage: bool
    """The receiver has proved it, and lnd may keep it open."""


@dataclass(frozen=True, slots=True)
class CreditedDeposit:
    """A deposit, and what the ledger booked under its hash (0: nothing)."""

    payment_hash: str
    payment_request: str | None
    state: str
    paid_units: int
    booked_units: int
    member: int
    credited: int | None
    """Whom the ledger has credited; None: nobody."""


@dataclass(frozen=True, slots=True)
class LiveSum:
    """Attempts of one live state: how many, base units, and when the oldest was made."""

    state: AttemptState
    number: int
    units: int
    oldest_us: int


async def ledger_size(tx: Tx, asset: Asset) -> LedgerSize:
    """Counts over the whole ledger of an asset."""
    row = await tx.row(
        "SELECT (SELECT count(*) FROM entry WHERE asset = :asset) AS entries,"
        " (SELECT count(*) FROM posting JOIN entry ON entry.number = posting.entry"
        " WHERE entry.asset = :asset) AS postings,"
        " (SELECT count(*) FROM account WHERE asset = :asset) AS accounts,"
        " (SELECT coalesce(min(balance), 0) FROM account WHERE asset = :asset) AS lowest,"
        " (SELECT coalesce(max(seq), 0) FROM chain WHERE asset = :asset) AS seq,"
        " (SELECT max(head) FROM chain WHERE asset = :asset) AS head",
        asset=asset,
    )
    assert row is not None, "a SELECT without FROM has one row"
    return LedgerSize(
        row.entries, row.postings, row.accounts, row.lowest, row.seq, row.head or "0" * 64
    )


async def begun_s(tx: Tx) -> int | None:
    """When the first member joined: no payment of this node is older. None on an empty node."""
    first_us = await tx.value("SELECT min(created_us) FROM member")
    return None if first_us is None else int(first_us) // 1_000_000


async def references(tx: Tx, rail: str) -> dict[str, AttemptState]:
    """Every payment hash that an attempt of this rail has, and the attempt's state."""
    rows = await tx.rows("SELECT reference, state FROM attempt WHERE rail = :rail", rail=rail)
    return {row.reference: AttemptState(row.state) for row in rows}


async def foreign_hashes(tx: Tx) -> set[str]:
    """Payment hashes that the operator has named as none of this node's."""
    rows = await tx.rows("SELECT hash FROM used_hash WHERE used_by LIKE 'foreign:%'")
    return {row.hash for row in rows}


async def hashes_not_kept(tx: Tx) -> int:
    """Attempts and deposits whose hash is not in the book of used hashes: it could come twice."""
    found = await tx.value(
        "SELECT count(*) FROM (SELECT reference AS hash FROM attempt"
        " UNION ALL SELECT payment_hash FROM deposit) AS used"
        " WHERE hash NOT IN (SELECT hash FROM used_hash)"
    )
    return int(found)


async def settled_attempts(tx: Tx, rail: str) -> list[SettledAttempt]:
    """Every payment that the books call paid, oldest first."""
    rows = await tx.rows(
        "SELECT attempt.reference, attempt.sender, attempt.proof, attempt.units, attempt.fee,"
        " attempt.fee_limit, attempt.reason, payout.kind, payout.units AS payout_units,"
        " payout.fee AS payout_fee,"
        " payout.proof AS payout_proof, CAST(coalesce(gone.units, 0) AS bigint) AS booked"
        " FROM attempt JOIN leg ON leg.attempt = attempt.id JOIN payout ON payout.id = leg.payout"
        # Grouped once: looked up payout by payout, it would read all postings for each.
        " LEFT JOIN (SELECT account.asset, account.name, sum(posting.units) AS units FROM posting"
        " JOIN account ON account.id = posting.debit WHERE account.kind = 'payout'"
        " AND posting.credit IN (SELECT id FROM account WHERE kind = 'wallet')"
        " GROUP BY account.asset, account.name) AS gone"
        " ON gone.asset = payout.asset AND gone.name = 'payout:' || payout.id"
        " WHERE attempt.rail = :rail AND attempt.state = 'settled' ORDER BY attempt.number",
        rail=rail,
    )
    return [
        SettledAttempt(
            row.reference, row.sender, row.proof or "", PayoutKind(row.kind), row.units,
            row.fee or 0, row.fee_limit, row.payout_units, row.payout_fee or 0,
            row.payout_proof or "", row.booked, row.reason == BY_PREIMAGE,
        )
        for row in rows
    ]  # fmt: skip


async def live_sums(tx: Tx, rail: str) -> list[LiveSum]:
    """What may yet be paid, by state of its attempt."""
    rows = await tx.rows(
        "SELECT state, count(*) AS number, CAST(sum(units) AS bigint) AS units,"
        " min(created_us) AS oldest_us FROM attempt"
        " WHERE rail = :rail AND state IN ('ready', 'sent', 'limbo') GROUP BY state ORDER BY state",
        rail=rail,
    )
    return [LiveSum(AttemptState(r.state), r.number, r.units, r.oldest_us) for r in rows]


async def all_deposits(tx: Tx) -> list[CreditedDeposit]:
    """Every deposit, oldest first, with what was booked for it.

    Matched here and not by the database, which would sort hundreds of thousands of hashes for it.
    """
    booked: dict[str, tuple[int, int | None]] = {}
    for ref, units, member in await tx.plain_rows(
        "SELECT ref, posting.units, account.member FROM entry"
        " JOIN posting ON posting.entry = entry.number JOIN account ON account.id = posting.credit"
        " WHERE entry.kind = 'deposit' AND posting.debit IN"
        " (SELECT id FROM account WHERE kind = 'wallet')"
    ):
        before, _ = booked.get(ref, (0, None))
        booked[ref] = (before + units, member)
    rows = await tx.plain_rows(
        "SELECT payment_hash, payment_request, state, coalesce(paid_units, 0), member FROM deposit"
        " ORDER BY created_us, id"
    )
    return [
        CreditedDeposit(hashed, request, state, paid, units, member, credited)
        for hashed, request, state, paid, member in rows
        for units, credited in (booked.get(hashed, (0, None)),)
    ]


async def deposits_without_row(tx: Tx) -> int:
    """Entries that credit a deposit which is not there."""
    found = await tx.value(
        "SELECT count(*) FROM entry WHERE kind = 'deposit'"
        " AND ref NOT IN (SELECT payment_hash FROM deposit)"
    )
    return int(found)


async def left_pots(tx: Tx, close: Close) -> Units:
    """Rows (member, base units): what the entry of this close took out of each pot, by member."""
    rows = await tx.rows(
        "SELECT debit.member, CAST(sum(posting.units) AS bigint) FROM posting"
        " JOIN entry ON entry.number = posting.entry JOIN account AS debit"
        " ON debit.id = posting.debit WHERE entry.kind = 'close' AND entry.asset = :asset"
        " AND entry.month = :month AND debit.kind = 'pot' GROUP BY debit.member"
        " ORDER BY debit.member",
        asset=close.asset, month=close.month.ordinal,
    )  # fmt: skip
    return _rows(rows)


async def reached_creators(tx: Tx, close: Close) -> Units:
    """Rows (member, base units): what the entry of this close gave, earned or held; operator 0."""
    rows = await tx.rows(
        "SELECT coalesce(credit.member, 0) AS member, CAST(sum(posting.units) AS bigint)"
        " FROM posting JOIN entry ON entry.number = posting.entry JOIN account AS credit"
        " ON credit.id = posting.credit WHERE entry.kind = 'close' AND entry.asset = :asset"
        " AND entry.month = :month AND credit.kind IN ('earned', 'held', 'commission')"
        " GROUP BY coalesce(credit.member, 0) ORDER BY 1",
        asset=close.asset, month=close.month.ordinal,
    )  # fmt: skip
    return _rows(rows)


def _rows(rows: object) -> Units:
    listed = [tuple(row) for row in rows]  # type: ignore[attr-defined]  # SQLAlchemy's rows
    return np.array(listed, np.int64).reshape(-1, 2)
