"""What a seed came to: the receivers' own figures on one side, the node's books on the other."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from node.flows.audits.audit import audit
from node.flows.audits.lines import State
from node.flows.node import Node
from node.ids import MemberId
from node.ledger import accounts
from node.ledger.accounts import Kind
from node.money import Asset
from node.settlement.payout import Payout, PayoutKind, PayoutState
from node.store import closes, flattrs, journal
from node.store.closes import Close
from tests.crash.lightning.calls import call
from tests.crash.lightning.events import phantoms
from tests.crash.lightning.network import NODE, NODE_MSAT, OTHER
from tests.crash.lightning.play import all_payouts
from tests.crash.lightning.scene import CREATORS, OPERATOR, READERS, Scene

_LIVE = frozenset({"ready", "sent", "limbo"})
TAKERS = (*CREATORS, OPERATOR, *READERS)


@dataclass(frozen=True)
class Books:
    """What the node's database says."""

    payouts: Sequence[Payout]
    attempts: Mapping[str, tuple[str, str]]
    """(payout, attempt's state) by payment hash."""
    deposits: Mapping[str, tuple[str, int]]
    """(state, paid in msat) by payment hash."""
    closes: Sequence[Close]
    wallet: int
    spent: int
    """Routing fees that were the operator's, and what is in suspense."""
    marks: Mapping[Any, Any]
    lines: Sequence[Any]


async def judge(scene: Scene) -> Counter[str]:
    """Write what is wrong into `scene.breaches`; how payouts and deposits ended."""
    answer = await call(scene, scene.hosts[0], "judge", lambda node: _read(scene, node))
    if answer.failed:
        scene.breaches.append(f"waits: the books can't be read: {answer.failed}")
        return Counter()
    books: Books = answer.value
    _arrivals(scene, books)
    _deposits(scene, books)
    _withdrawals(scene, books)
    _clicks(scene, books)
    _money(scene, books)
    return _ends(scene, books)


async def _read(scene: Scene, node: Node) -> Books:
    report = await audit(node.store, node.clock, node.lnd)
    found = await all_payouts(node)
    async with node.store.read() as tx:
        attempts = await tx.rows(
            "SELECT reference, payout, state FROM attempt JOIN leg ON attempt = attempt.id"
        )
        deposits = await tx.rows("SELECT payment_hash, state, paid_units FROM deposit")
        months = await closes.all_of(tx, Asset.SAT)
        wanted = {(month, scene.members[reader]) for reader, _, month in scene.acked}
        marks = await flattrs.packed(tx, wanted)
        wallet = await journal.balance(tx, accounts.wallet(Asset.SAT))
        fees = await journal.total(tx, Asset.SAT, Kind.EXPENSE)
        suspense = await journal.balance(tx, accounts.suspense(Asset.SAT))
    return Books(
        payouts=found,
        attempts={row.reference: (row.payout, row.state) for row in attempts},
        deposits={row.payment_hash: (row.state, row.paid_units or 0) for row in deposits},
        closes=months,
        wallet=wallet.units,
        spent=fees.units + suspense.units,
        marks=marks,
        lines=report.lines,
    )


def _arrivals(scene: Scene, books: Books) -> None:
    """Each payout arrived once at most, in full, at its receiver and nowhere else."""
    by_id = {str(payout.id): payout for payout in books.payouts}
    names = {member: name for name, member in scene.members.items()} | {MemberId(0): OPERATOR}
    got: dict[str, list[int]] = defaultdict(list)
    for name in TAKERS:
        receipts = scene.network.receipts(name)
        for payment_hash, times in Counter(one for one, _ in receipts).items():
            if times > 1:
                scene.breaches.append(f"paid twice: {name} got {payment_hash[:8]} {times} times")
        for payment_hash, amount_msat in receipts:
            of = books.attempts.get(payment_hash)
            if of is None:
                scene.breaches.append(f"paid twice: {name} got {payment_hash[:8]}, for nothing")
                continue
            got[of[0]].append(amount_msat)
            if names[by_id[of[0]].member] != name:
                scene.breaches.append(f"lost: {name} got what somebody else is due")
    for payout in books.payouts:
        scene.breaches += _arrived(payout, got[payout.id])


def _arrived(payout: Payout, arrived: list[int]) -> list[str]:
    """What is wrong with what arrived for one payout."""
    name, paid = payout.id[:8], payout.state is PayoutState.PAID
    if len(arrived) > 1:
        return [f"paid twice: {name} arrived {len(arrived)} times"]
    if paid and arrived != [payout.amount.units]:
        return [f"lost: {name} is called paid, and {arrived} arrived"]
    if arrived and not paid:
        return [f"lost: {name} arrived, and is {payout.state}"]
    return []


def _deposits(scene: Scene, books: Books) -> None:
    """What was paid to this node's own invoices is credited, once and in full."""
    paid = dict.fromkeys(books.deposits, 0)
    for payment_hash, amount_msat in scene.network.receipts(NODE):
        if payment_hash not in paid:
            scene.breaches.append(f"lost: a deposit {payment_hash[:8]} that nobody knows")
            continue
        paid[payment_hash] += amount_msat
    for payment_hash, amount_msat in paid.items():
        state, credited = books.deposits[payment_hash]
        if (amount_msat, state == "settled") != (credited, amount_msat > 0):
            words = f"{amount_msat} msat paid, {credited} credited, {state}"
            scene.breaches.append(f"lost: deposit {payment_hash[:8]}: {words}")


def _withdrawals(scene: Scene, books: Books) -> None:
    known = {str(payout.id): payout for payout in books.payouts}
    for payout_id, asked in scene.withdrawals.items():
        payout = known.get(payout_id)
        if payout is None or payout.amount.units != asked.amount_msat:
            scene.breaches.append(f"lost: the withdrawal {payout_id[:8]} was acknowledged")


def _clicks(scene: Scene, books: Books) -> None:
    """Every acknowledged click is in the month that it was told."""
    for (reader, thing, month), states in scene.acked.items():
        if states == {True, False}:
            continue
        marks = books.marks.get((month, scene.members[reader]))
        stands = marks is not None and thing in marks.things
        if stands in states or (stands and (reader, thing) in scene.subscribed):
            continue
        scene.breaches.append(f"lost: the click of {reader} on {thing} in {month}: {states}")


def _money(scene: Scene, books: Books) -> None:
    """All money is somewhere, the commission is exact, and no invariant of the audit is broken."""
    if (total := scene.network.world.total_msat()) != scene.network.total_msat:
        scene.breaches.append(f"world: {total} msat in all; this model is wrong")
    have = scene.network.own_msat() - 2 * NODE_MSAT
    if have != books.wallet - books.spent:
        words = f"{have} msat more than at first, the books say {books.wallet - books.spent}"
        scene.breaches.append(f"lost: the wallets hold {words}")
    for close in books.closes:
        figures = close.figures
        if figures.commission * 10 != figures.distributed:
            scene.breaches.append(f"books: the commission of {close.month} is {figures}")
    other_paid = bool(scene.lnds[OTHER].node.payments)
    for line in books.lines:
        foreign_msat = line.id == "I3" and other_paid  # the audit sees one lnd at a time
        if line.state is State.BREACH and not foreign_msat:
            scene.breaches.append(f"books: {line.id} {line.law}: {line.figures}")
        if line.state is State.UNCHECKED:
            scene.breaches.append(f"waits: {line.id} can't be checked: {line.figures}")


def _ends(scene: Scene, books: Books) -> Counter[str]:
    ends: Counter[str] = Counter()
    live = {of: (state, one) for one, (of, state) in books.attempts.items() if state in _LIVE}
    never = phantoms(scene)
    for payout in books.payouts:
        end = str(payout.state)
        match payout.state:
            case PayoutState.IN_FLIGHT:
                state, payment_hash = live[payout.id]
                end = "in limbo" if state == "limbo" else "in flight"
                if state != "limbo" or payment_hash not in never:
                    scene.breaches.append(f"waits: {payout.id[:8]} is {end}: nothing explains it")
            case PayoutState.HELD:
                end = f"held: {payout.reason}"
            case PayoutState.DUE | PayoutState.RETURNED | PayoutState.PAID:
                pass
        scene.breaches += _ended(payout)
        ends[f"{payout.kind} {end}"] += 1
    ends.update(f"deposit {state}" for state, _ in books.deposits.values())
    return ends


def _ended(payout: Payout) -> list[str]:
    """What is wrong with how a payout has ended that no attempt is open for."""
    name = payout.id[:8]
    if payout.state is PayoutState.DUE:
        return [f"waits: {name} is still due: {payout.reason}"]
    if payout.state is PayoutState.HELD and not payout.reason:
        return [f"waits: {name} is held for no reason"]
    if payout.state is PayoutState.RETURNED and payout.kind is not PayoutKind.WITHDRAWAL:
        return [f"lost: {name} of a creator was returned"]
    return []


def received(scene: Scene) -> dict[str, int]:
    """What each receiver got, in msat."""
    return {name: sum(msat for _, msat in scene.network.receipts(name)) for name in TAKERS}
