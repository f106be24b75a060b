"""One member's postings, out of a ledger that is written for everybody.

There is no index on the accounts of postings: a close writes them by the hundred thousand, and one
would cost it more than all that it serves. So a member's postings are found by reading the ledger
once from end to end, in pieces that each go on where the last one stopped.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from node.ids import MemberId
from node.ledger.accounts import Kind
from node.money import Asset
from node.month import Month
from node.store.engine import Tx


@dataclass(frozen=True, slots=True)
class OwnAccount:
    """One of a member's accounts, or of the member's payouts; `balance` in base units."""

    id: int
    kind: Kind
    name: str
    balance: int


@dataclass(frozen=True, slots=True)
class Side:
    """An account as a posting names it."""

    id: int
    kind: Kind
    name: str
    member: MemberId | None


@dataclass(frozen=True, slots=True)
class Posting:
    """`units` base units from one account's books to another's. `number` and `line` order them."""

    number: int
    line: int
    entry: str
    kind: str
    ref: str
    month: Month | None
    at_us: int
    debit: Side
    credit: Side
    units: int


async def newest(tx: Tx, asset: Asset) -> int:
    """The number of an asset's newest entry; 0 in empty books."""
    found = await tx.value(
        "SELECT number FROM entry WHERE asset = :asset ORDER BY seq DESC LIMIT 1", asset=asset
    )
    return int(found or 0)


async def own_accounts(
    tx: Tx, member: MemberId, asset: Asset, names: Sequence[str]
) -> dict[int, OwnAccount]:
    """The accounts of these names that there are, and those of the member's payouts, by id."""
    rows = await tx.rows_of(
        "SELECT account.id, account.kind, account.name, balance FROM account"
        f" JOIN {tx.dialect.json_rows(('text',))} ON account.name = c0 WHERE asset = :asset"
        " UNION ALL SELECT account.id, account.kind, account.name, balance FROM payout"
        " JOIN account ON account.asset = payout.asset AND account.name = 'payout:' || payout.id"
        " WHERE payout.member = :member AND payout.asset = :asset",
        [(name,) for name in names],
        asset=asset, member=member,
    )  # fmt: skip
    return {
        int(row.id): OwnAccount(int(row.id), Kind(row.kind), row.name, int(row.balance))
        for row in rows
    }


async def withdrawals(tx: Tx, member: MemberId, asset: Asset) -> dict[str, int]:
    """What each of a member's withdrawals was for, in base units, by payout."""
    rows = await tx.rows(
        "SELECT id, units FROM payout WHERE member = :member AND asset = :asset"
        " AND kind = 'withdrawal'",
        member=member, asset=asset,
    )  # fmt: skip
    return {row.id: int(row.units) for row in rows}


async def page(
    tx: Tx, accounts: Sequence[int], after: tuple[int, int], upto: int, limit: int
) -> list[Posting]:
    """Postings that touch these accounts, in order, after (number, line), up to entry `upto`."""
    mine = f"(SELECT c0 FROM {tx.dialect.json_rows(('bigint',))})"
    rows = await tx.rows_of(
        "SELECT posting.entry AS number, line, entry.id, entry.kind, entry.ref, entry.month,"
        " entry.at_us, units, debit, d.kind AS d_kind, d.name AS d_name, d.member AS d_member,"
        " credit, c.kind AS c_kind, c.name AS c_name, c.member AS c_member"
        " FROM posting JOIN entry ON entry.number = posting.entry"
        " JOIN account AS d ON d.id = debit JOIN account AS c ON c.id = credit"
        " WHERE (posting.entry, line) > (CAST(:number AS bigint), CAST(:line AS integer))"
        f" AND posting.entry <= :upto AND (debit IN {mine} OR credit IN {mine})"
        " ORDER BY posting.entry, line LIMIT :limit",
        [(one,) for one in accounts],
        number=after[0], line=after[1], upto=upto, limit=limit,
    )  # fmt: skip
    return [
        Posting(
            int(row.number), row.line, row.id, row.kind, row.ref,
            None if row.month is None else Month.from_ordinal(row.month), row.at_us,
            _side(row.debit, row.d_kind, row.d_name, row.d_member),
            _side(row.credit, row.c_kind, row.c_name, row.c_member), int(row.units),
        )
        for row in rows
    ]  # fmt: skip


def _side(number: int, kind: str, name: str, member: int | None) -> Side:
    return Side(int(number), Kind(kind), name, None if member is None else MemberId(member))
