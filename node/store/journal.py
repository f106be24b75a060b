"""The ledger on disk: entries appended to a hash chain, balances read.

An entry's id is a hash of what it records. Appending one that is there already changes nothing, as
long as it says the same; if it says something else, the books are corrupt.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from node.errors import CorruptBooks
from node.ids import EntryId, MemberId
from node.ledger.accounts import Account, Kind
from node.ledger.entry import GENESIS, Entry, chain_hash, transfers_digest
from node.money import Amount, Asset
from node.month import Month
from node.store.engine import Tx

_PLACES = {Asset.SAT: 0, Asset.USD: 1, Asset.ETH: 3}
"""An entry's number is its chain's `seq` times 8 and its asset's place. Databases of before there
was ETH counted by twos, so a place that is even would meet their numbers again."""
_PLACES_MAX = 8


@dataclass(frozen=True, slots=True)
class Head:
    """The end of an asset's chain."""

    seq: int
    hash: str


async def append(tx: Tx, entry: Entry, at_us: int) -> bool:
    """Write an entry, its postings and so its balances; False if it is there already.

    Raises InsufficientFunds when a balance would be negative, CorruptBooks when the entry is there
    with another content.
    """
    digest = transfers_digest((t.debit.name, t.credit.name, t.units) for t in entry.transfers)
    number = await begin(tx, entry, digest, at_us)
    if number is None:
        return False
    ids = await account_ids(tx, [a for t in entry.transfers for a in (t.debit, t.credit)])
    rows = [(ids[t.debit], ids[t.credit], t.units) for t in entry.transfers]
    await post(tx, number, 0, rows)
    return True


async def begin(tx: Tx, entry: Entry, digest: str, at_us: int) -> int | None:
    """Append the entry's own row to the chain; its number, or None if it is there already.

    The caller posts its transfers in the same transaction; `digest` covers them.
    """
    head = await lock_head(tx, entry.asset)
    seq = head.seq + 1
    number = seq * _PLACES_MAX + _PLACES[entry.asset]
    hashed = chain_hash(head.hash, seq, entry, at_us, digest)
    written = await tx.run(
        "INSERT INTO entry (id, number, asset, seq, kind, ref, month, at_us, digest, before, hash)"
        " VALUES"
        " (:id, :number, :asset, :seq, :kind, :ref, :month, :at_us, :digest, :before, :hash)"
        " ON CONFLICT (id) DO NOTHING",
        id=entry.id, number=number, asset=entry.asset, seq=seq, kind=entry.kind, ref=entry.ref,
        month=entry.month.ordinal if entry.month else None, at_us=at_us, digest=digest,
        before=head.hash, hash=hashed,
    )  # fmt: skip
    if not written:
        stored = await tx.value("SELECT digest FROM entry WHERE id = :id", id=entry.id)
        if stored != digest:
            raise CorruptBooks(f"entry {entry.id} ({entry.kind} {entry.ref}) says something else")
        return None
    await tx.run(
        "UPDATE chain SET seq = :seq, head = :head WHERE asset = :asset",
        seq=seq, head=hashed, asset=entry.asset,
    )  # fmt: skip
    return number


async def lock_head(tx: Tx, asset: Asset) -> Head:
    """Queue for the asset's chain, and read its end. Every writer of the ledger does it first."""
    sql = "SELECT seq, head FROM chain WHERE asset = :asset" + tx.for_update
    if (row := await tx.row(sql, asset=asset)) is None:
        await tx.run(
            "INSERT INTO chain (asset, seq, head) VALUES (:asset, 0, :head) ON CONFLICT DO NOTHING",
            asset=asset, head=GENESIS,
        )  # fmt: skip
        row = await tx.row(sql, asset=asset)
    assert row is not None, "the row was there, or was made now"
    return Head(row.seq, row.head)


async def post(tx: Tx, number: int, first_line: int, rows: Iterable[tuple[int, int, int]]) -> None:
    """Post transfers (debit id, credit id, units) of one entry, in order, from `first_line` on."""
    source = tx.dialect.json_rows(("bigint", "bigint", "bigint", "bigint"))
    await tx.run_rows(
        "INSERT INTO posting (entry, line, debit, credit, units)"
        f" SELECT CAST(:number AS bigint), c0, c1, c2, c3 FROM {source} ORDER BY c0",
        [(line, *row) for line, row in enumerate(rows, first_line)],
        number=number,
    )


async def account_ids(tx: Tx, accounts: Sequence[Account]) -> dict[Account, int]:
    """The numbers of these accounts; those that are not there are made, empty."""
    wanted = sorted(set(accounts), key=lambda account: (account.asset, account.name))
    numbers = await _known(tx, wanted)
    if missing := [a for a in wanted if (a.asset, a.name) not in numbers]:
        await _make(tx, missing)
        numbers |= await _known(tx, missing)
    return {account: numbers[account.asset, account.name] for account in wanted}


async def _make(tx: Tx, accounts: Sequence[Account]) -> None:
    source = tx.dialect.json_rows(("text", "text", "text", "bigint", "bigint", "bigint"))
    await tx.run_rows(
        "INSERT INTO account (asset, kind, name, member, month, side)"
        f" SELECT c0, c1, c2, c3, c4, c5 FROM {source} WHERE true ON CONFLICT DO NOTHING",
        [
            (a.asset, a.kind, a.name, a.member, a.month.ordinal if a.month else None, _side(a.kind))
            for a in accounts
        ],
    )


async def _known(tx: Tx, accounts: Sequence[Account]) -> dict[tuple[str, str], int]:
    source = tx.dialect.json_rows(("text", "text"))
    found = await tx.rows_of(
        "SELECT account.id, account.asset, account.name FROM account"
        f" JOIN {source} ON account.asset = c0 AND account.name = c1",
        [(a.asset, a.name) for a in accounts],
    )
    return {(row.asset, row.name): int(row.id) for row in found}


async def balance(tx: Tx, account: Account) -> Amount:
    """What the account holds; nothing if it was never used."""
    units = await tx.value(
        "SELECT balance FROM account WHERE asset = :asset AND name = :name",
        asset=account.asset, name=account.name,
    )  # fmt: skip
    return Amount(units or 0, account.asset)


async def total(tx: Tx, asset: Asset, kind: Kind, month: Month | None = None) -> Amount:
    """The sum over all accounts of a kind, of one month if it is given."""
    units = await tx.value(
        "SELECT CAST(coalesce(sum(balance), 0) AS bigint) FROM account WHERE asset = :asset"
        " AND kind = :kind AND (CAST(:month AS integer) IS NULL OR month = :month)",
        asset=asset, kind=kind, month=month.ordinal if month else None,
    )  # fmt: skip
    return Amount(units, asset)


async def pots_of(tx: Tx, member: MemberId, asset: Asset) -> dict[Month, Amount]:
    """A member's pots that are not empty, by month."""
    rows = await tx.rows(
        "SELECT month, balance FROM account WHERE kind = 'pot' AND asset = :asset"
        " AND member = :member AND balance > 0 ORDER BY month",
        asset=asset, member=member,
    )  # fmt: skip
    return {Month.from_ordinal(row.month): Amount(row.balance, asset) for row in rows}


async def first_month(tx: Tx, asset: Asset) -> list[Month]:
    """The month in which the asset's first entry was written; none in empty books."""
    rows = await tx.rows("SELECT at_us FROM entry WHERE asset = :asset AND seq = 1", asset=asset)
    return [Month.at(row.at_us // 1_000_000) for row in rows]


async def has(tx: Tx, entry: EntryId) -> bool:
    """Whether an entry is in the books."""
    return await tx.value("SELECT 1 FROM entry WHERE id = :id", id=entry) is not None


def _side(kind: Kind) -> int:
    return 1 if kind.debit_side else -1


async def months_with_pots(tx: Tx, asset: Asset) -> list[Month]:
    """Months in which somebody's pot is not empty."""
    rows = await tx.rows(
        "SELECT DISTINCT month FROM account WHERE kind = 'pot' AND asset = :asset"
        " AND balance > 0 ORDER BY month",
        asset=asset,
    )
    return [Month.from_ordinal(row.month) for row in rows]
