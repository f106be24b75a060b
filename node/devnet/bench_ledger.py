"""A ledger for the bench of the audit: so many postings, of months that were closed and paid.

    deposits    one a reader and month, straight into the pot: an entry, a deposit, a used hash
    flattrs     ten a reader and month
    close       the node's own
    payouts     all of them paid: an attempt with a preimage, a leg, an entry with its fee

So the audit has everything to recompute that it has on a node in use. Deposits and payouts are
written as sets past the flows, and with the ledger's own hashes: the books are clean.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Final

import numpy as np

from node.clock import ManualClock
from node.config import MoneySettings
from node.devnet.bench_month import MONTH, MonthPlan, write_members, write_things
from node.flows.close import Closing, close_month
from node.flows.rules import lightning_rules
from node.ids import MemberId, PaymentHash, PayoutId, ThingId, attempt_id
from node.ledger import accounts, bookings
from node.ledger.accounts import Account
from node.ledger.entry import Entry, chain_hash, transfers_digest
from node.money import Amount, Asset, sats
from node.month import Month
from node.store import flattrs, journal
from node.store.engine import Store, Tx

MONTHS: Final = 4
POSTINGS_A_READER: Final = 5
"""About so many postings a reader and month come to, with one creator for two readers."""
_FLATTRS: Final = 10
_POT: Final = sats(5000)
_FEE: Final = sats(1)
_SENDER: Final = "02" + b"bench".hex().ljust(64, "0")


def plan_of(postings: int) -> MonthPlan:
    """The plan of months that come to about so many postings."""
    readers = max(20, postings // (MONTHS * POSTINGS_A_READER))
    return MonthPlan(readers, 2 * readers, readers // 2)


async def write_ledger(store: Store, postings: int) -> int:
    """Write the months into an empty, migrated database; how many postings there are."""
    plan = plan_of(postings)
    async with store.write() as tx:
        await write_members(tx, plan)
        await write_things(tx, plan)
    rules = lightning_rules(MoneySettings(dues_sat=0))
    for month in (MONTH.plus(number) for number in range(MONTHS)):
        async with store.write() as tx:
            await _deposits(tx, plan, month)
            await _flattrs(tx, plan, month)
        clock = ManualClock(month.ends_s + 60)
        await close_month(Closing(store, clock, rules, lambda _: None), month)
        async with store.write() as tx:
            await _pay(tx, month)
    async with store.write() as tx:
        await tx.run("ANALYZE")
        return int(await tx.value("SELECT count(*) FROM posting"))


async def _deposits(tx: Tx, plan: MonthPlan, month: Month) -> None:
    entries, rows = [], []
    for reader in range(1, plan.readers + 1):
        hashed = PaymentHash(_preimage("deposit", month, reader)[1])
        entries.append(bookings.deposit(MemberId(reader), _POT, hashed, month))
        rows.append({"id": f"{month}-{reader}", "hash": hashed, "member": reader,
                     "units": _POT.units, "at_us": month.starts_s * 1_000_000,
                     "at_s": month.starts_s + 60})  # fmt: skip
    await tx.run_each("INSERT INTO used_hash (hash, used_by) VALUES (:hash, 'deposit:' || :id)",
                      [{"hash": row["hash"], "id": row["id"]} for row in rows])  # fmt: skip
    await tx.run_each(
        "INSERT INTO deposit (id, payment_hash, member, units, to_pot, state, created_us,"
        " expires_s, paid_units, settled_s) VALUES (:id, :hash, :member, :units, true, 'settled',"
        " :at_us, :at_s, :units, :at_s)",
        rows,
    )
    await _append(tx, entries, month.starts_s * 1_000_000)


async def _flattrs(tx: Tx, plan: MonthPlan, month: Month) -> None:
    none, draw = flattrs.pack(()), np.random.default_rng(month.ordinal)
    drawn = np.sort(draw.integers(1, plan.things + 1, (plan.readers, _FLATTRS)), axis=1)
    await tx.run_each(
        "INSERT INTO flattr_month (month, member, things, undone)"
        " VALUES (:month, :member, :things, :undone)",
        [
            {"month": month.ordinal, "member": reader, "undone": none,
             "things": flattrs.pack(map(ThingId, np.unique(row).tolist()))}
            for reader, row in enumerate(drawn, 1)
        ],
    )  # fmt: skip


async def _pay(tx: Tx, month: Month) -> None:
    """Pay all that is due, as the payer would have left it."""
    due = await tx.rows(
        "SELECT id, units FROM payout WHERE state = 'due' AND target IS NOT NULL ORDER BY id"
    )
    first = int(await tx.value("SELECT coalesce(max(number), 0) FROM attempt")) + 1
    entries, rows = [], []
    for number, payout in enumerate(due, first):
        name, units = PayoutId(payout.id), Amount(payout.units)
        preimage, hashed = _preimage("payout", name)
        entries.append(bookings.settle_payout(name, units, _FEE, month))
        rows.append({"id": attempt_id(name, PaymentHash(hashed)), "number": number, "hash": hashed,
                     "units": units.units, "fee": _FEE.units, "sender": _SENDER, "proof": preimage,
                     "at_us": month.ends_s * 1_000_000, "payout": name})  # fmt: skip
    for sql in _PAID:
        await tx.run_each(sql, rows)
    await _append(tx, entries, month.ends_s * 1_000_000)


_PAID: Final = (
    ("INSERT INTO attempt (id, rail, number, state, reference, message, asset, units, fee_limit,"
    " sender, seen, epoch, created_us, sent_s, proof, fee) VALUES (:id, 'lightning', :number,"
    " 'settled', :hash, 'bench', 'sat', :units, :fee, :sender, true, 1, :at_us, 0, :proof, :fee)"),
    "INSERT INTO leg (attempt, payout, dead) VALUES (:id, :payout, false)",
    "INSERT INTO used_hash (hash, used_by) VALUES (:hash, 'attempt:' || :id)",
    ("UPDATE payout SET state = 'paid', fee = :fee, proof = :proof, paid_us = :at_us"
     " WHERE id = :payout"),
)  # fmt: skip


async def _append(tx: Tx, entries: Iterable[Entry], at_us: int) -> None:
    """Append small entries, thousands at once: the rows that `journal.append` would write."""
    head = await journal.lock_head(tx, Asset.SAT)
    entries = list(entries)
    ids = await _account_ids(tx, entries)
    before = head.hash
    written: list[dict[str, object]] = []
    posted: list[dict[str, object]] = []
    for seq, entry in enumerate(entries, head.seq + 1):
        digest = transfers_digest((t.debit.name, t.credit.name, t.units) for t in entry.transfers)
        hashed = chain_hash(before, seq, entry, at_us, digest)
        number = seq * 8
        written.append({"id": entry.id, "number": number, "seq": seq, "kind": entry.kind,
                        "ref": entry.ref, "at_us": at_us, "digest": digest, "before": before,
                        "month": entry.month.ordinal if entry.month else None,
                        "hash": hashed})  # fmt: skip
        for line, move in enumerate(entry.transfers):
            posted.append({"entry": number, "line": line, "debit": ids[move.debit.name],
                           "credit": ids[move.credit.name], "units": move.units})  # fmt: skip
        before = hashed
    await tx.run_each(
        "INSERT INTO entry (id, number, asset, seq, kind, ref, month, at_us, digest, before, hash)"
        " VALUES (:id, :number, 'sat', :seq, :kind, :ref, :month, :at_us, :digest, :before, :hash)",
        written,
    )
    await tx.run_each(
        "INSERT INTO posting (entry, line, debit, credit, units)"
        " VALUES (:entry, :line, :debit, :credit, :units)",
        posted,
    )
    await tx.run("UPDATE chain SET seq = :seq, head = :head WHERE asset = 'sat'",
                 seq=head.seq + len(entries), head=before)  # fmt: skip


async def _account_ids(tx: Tx, entries: Iterable[Entry]) -> dict[str, int]:
    wanted: dict[str, Account] = {
        account.name: account
        for entry in entries
        for move in entry.transfers
        for account in (move.debit, move.credit)
    }
    listed = [accounts.wallet(Asset.SAT), *wanted.values()]
    known: dict[str, int] = {}
    for first in range(0, len(listed), 20_000):
        some = await journal.account_ids(tx, listed[first : first + 20_000])
        known |= {account.name: number for account, number in some.items()}
    return known


def _preimage(*of: object) -> tuple[str, str]:
    """(preimage, payment hash) in hex: made up, and fitting."""
    preimage = hashlib.sha256("/".join(map(str, of)).encode()).digest()
    return preimage.hex(), hashlib.sha256(preimage).hexdigest()
