"""Who has what: the receivers on one side, the books on the other. The receivers are right.

twice      two settled invoices pay one payout, or a creator has two for one month
lost       the books say PAID, and no receiver has it
breach     a receiver has what the books do not explain, or do not call PAID; another amount;
           a payout that neither is paid nor waits by a name

A payment whose HTLC stays on a channel of the sender's lnd waits for the HTLC's time lock, by name.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from node.store.engine import Store
from tests.chaos.rig import Purse, Receipt
from tests.chaos.tally import Tally

RAIL: Final = "lightning"
_SQL: Final = (
    "SELECT attempt.reference, attempt.state AS attempt_state, payout.id, payout.state,"
    " payout.kind, payout.units, payout.reason, payout.asset FROM payout LEFT JOIN leg"
    " ON leg.payout = payout.id LEFT JOIN attempt ON attempt.id = leg.attempt"
    " WHERE payout.asset = 'sat' ORDER BY payout.id"
)
_SAID: Final = frozenset({"RETURNED", "HELD"})
"""States whose reason is counted too."""


@dataclass(frozen=True, slots=True)
class Row:
    """A payout and one of its attempts, or none."""

    id: str
    state: str
    kind: str
    units: int
    reason: str | None
    reference: str | None
    attempt_state: str | None


async def rows_of(store: Store) -> list[Row]:
    """Every payout over Lightning, with every attempt."""
    async with store.read() as tx:
        rows = await tx.rows(_SQL)
    return [
        Row(r.id, r.state, r.kind, r.units, r.reason, r.reference, r.attempt_state) for r in rows
    ]


def judge(
    rows: Iterable[Row],
    receipts: Mapping[str, Receipt],
    held: Collection[str],
    tally: Tally,
    of: str,
) -> None:
    """Compare, payout by payout. `held`: hashes on the channels of the sender's lnd."""
    attempts = defaultdict(list)
    for row in rows:
        attempts[row.id].append(row)
    explained = {row.reference for found in attempts.values() for row in found}
    for payment_hash in sorted(set(receipts) - explained):
        tally.breaches.append(f"{of}: {payment_hash} arrived, and the books do not know it")
    for found in attempts.values():
        _judge(found, receipts, held, tally, of)
    tally.arrived[f"{RAIL} payments"] += len(receipts)
    tally.arrived[f"{RAIL} msat"] += sum(one.msat for one in receipts.values())


def judge_purses(
    purses: Mapping[str, Purse], receipts: Mapping[str, Receipt], tally: Tally, of: str
) -> None:
    """Without our books: a creator has one month's payout, so one settled invoice at most."""
    for name, purse in purses.items():
        if len(paid := purse.hashes & receipts.keys()) > 1:
            tally.twice.append(f"{of}: {name} has {len(paid)} invoices of one month paid")


def judge_keysends(
    creators: Mapping[str, int], receipts: Mapping[str, Receipt], tally: Tally, of: str
) -> None:
    """Without our books: a node key is paid once for each creator who named it."""
    arrived = Counter(one.payee for one in receipts.values() if one.keysend)
    for payee, number in arrived.items():
        if number > creators.get(payee, 0):
            tally.twice.append(f"{of}: {payee} has {number} keysends of {creators.get(payee, 0)}")


def _judge(
    found: list[Row],
    receipts: Mapping[str, Receipt],
    held: Collection[str],
    tally: Tally,
    of: str,
) -> None:
    payout = found[0]
    name = f"{of} {payout.kind} {payout.id[:12]}"
    limbo = any(row.attempt_state == "limbo" for row in found)
    arrived = [receipts[row.reference].msat for row in found if row.reference in receipts]
    state = "LIMBO" if limbo else payout.state.upper()
    tally.states[f"{RAIL} {state}" + (f" ({payout.reason})" if state in _SAID else "")] += 1
    if len(arrived) > 1:
        tally.twice.append(name)
    if set(arrived) - {payout.units}:
        tally.breaches.append(f"{name}: {arrived} msat arrived, {payout.units} were due")
    if payout.state == "paid":
        tally.booked[f"{RAIL} payments"] += 1
        tally.booked[f"{RAIL} msat"] += payout.units
        tally.lost += [] if arrived else [name]
    elif arrived:
        tally.breaches.append(f"{name}: it arrived, and the books call it {state}")
    elif limbo:
        tally.limbo.append(name)
    elif any(row.attempt_state == "sent" and row.reference in held for row in found):
        tally.held.append(name)
    elif payout.state not in {"returned", "held"}:
        tally.breaches.append(f"{name}: it is still {state} ({payout.reason})")
