"""The invariants that the books alone can show."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from node.flows.audits.lines import Line, count, judge, sat, words_of
from node.flows.audits.recomputed import Recomputed, recompute
from node.ledger import accounts
from node.money import Amount, Asset
from node.settlement.attempt import AttemptState
from node.settlement.payout import PayoutKind, PayoutState
from node.store import audits, checks, inbox, journal, operator_log, payouts, soundness
from node.store.audits import CreditedDeposit, LedgerSize, LiveSum, SettledAttempt
from node.store.checks import Breach
from node.store.engine import Store, Tx

ASSET: Final = Asset.SAT
OTHERS: Final = (Asset.USD, Asset.ETH)
"""They are said where there is something of them."""
OLD_S: Final = 3600
"""A payment that is open for longer is worth a look."""


@dataclass(frozen=True, slots=True)
class Books:
    """What the books say, of one moment, and what was computed again beside it."""

    at_s: int
    again: Recomputed
    queried: Sequence[Breach]
    """The laws that a query has found broken."""
    size: LedgerSize
    others: dict[Asset, LedgerSize]
    """Of the assets besides sats, those that the books have entries in."""
    wallet: Amount
    """What is owed: the members' money and the commission."""
    expense: Amount
    suspense: Amount
    payouts: dict[PayoutState, tuple[int, int]]
    held: dict[str, int]
    attempts: dict[str, AttemptState]
    settled: Sequence[SettledAttempt]
    live: Sequence[LiveSum]
    deposits: Sequence[CreditedDeposit]
    orphans: int
    foreign: frozenset[str]
    not_kept: int
    begun_s: int | None
    clicks_waiting: int
    log: tuple[int, str]
    """The operator's log: how many rows, and the last one's hash."""
    guards: int
    """Triggers and indexes that keep the money, as many as there should be."""

    @property
    def breaches(self) -> list[Breach]:
        """Every broken law."""
        return [*self.queried, *self.again.breaches]


async def read_books(store: Store, rail: str, at_s: int) -> Books:
    """All that the audit needs of the books; every posting and every month is read."""
    try:
        async with asyncio.TaskGroup() as group:
            again = group.create_task(recompute(store), name="audit: compute again")
            async with store.read() as tx:
                return await _read(tx, rail, at_s, again)
    except BaseExceptionGroup as failures:
        raise failures.exceptions[0] from None


async def _read(tx: Tx, rail: str, at_s: int, again: asyncio.Task[Recomputed]) -> Books:
    sizes = {asset: await audits.ledger_size(tx, asset) for asset in OTHERS}
    held: dict[str, int] = {}
    for payout in await payouts.in_state(tx, ASSET, PayoutState.HELD, 1_000_000):
        held[payout.reason or "no reason"] = held.get(payout.reason or "no reason", 0) + 1
    return Books(
        at_s=at_s,
        queried=await checks.queried(tx, deep=True),
        size=await audits.ledger_size(tx, ASSET),
        others={asset: size for asset, size in sizes.items() if size.seq},
        wallet=await journal.balance(tx, accounts.wallet(ASSET)),
        expense=await journal.balance(tx, accounts.expense(ASSET, "routing")),
        suspense=await journal.balance(tx, accounts.suspense(ASSET)),
        payouts=await payouts.counts(tx, ASSET),
        held=held,
        attempts=await audits.references(tx, rail),
        settled=await audits.settled_attempts(tx, rail),
        live=await audits.live_sums(tx, rail),
        deposits=await audits.all_deposits(tx),
        orphans=await audits.deposits_without_row(tx),
        foreign=frozenset(await audits.foreign_hashes(tx)),
        not_kept=await audits.hashes_not_kept(tx),
        begun_s=await audits.begun_s(tx),
        clicks_waiting=await inbox.length(tx),
        log=await operator_log.head(tx),
        guards=await soundness.guards(tx),
        again=await again,
    )


def postings_line(books: Books) -> Line:
    """I1."""
    size = books.size
    figures = (
        f"{count(size.postings)} transfers in {count(size.entries)} entries,"
        f" each sums to 0; wallet {sat(books.wallet.units)} = owed"
    ) + _others(books, lambda size: f"{count(size.postings)} in {count(size.entries)}")
    return judge("I1", "postings balance", figures, words_of(books.breaches, "I1"))


def negative_line(books: Books) -> Line:
    """I2."""
    figures = f"{count(books.size.accounts)} accounts, the lowest holds {sat(books.size.lowest)}"
    return judge("I2", "no negative balance", figures, words_of(books.breaches, "I2"))


def attempts_line(books: Books) -> Line:
    """I5."""
    number = sum(count_ for count_, _ in books.payouts.values())
    waiting = ", ".join(f"{n} {reason}" for reason, n in sorted(books.held.items()))
    figures = (
        f"{count(number)} payouts, {count(len(books.attempts))} attempts,"
        f" settled {count(len(books.settled))}, in flight {_number(books, PayoutState.IN_FLIGHT)},"
        f" due {_number(books, PayoutState.DUE)}, held {_number(books, PayoutState.HELD)}"
    )
    broken = words_of(books.breaches, "I5")
    if books.not_kept:
        broken.append(f"{books.not_kept} payment hashes are not kept, and could be used again")
    return judge("I5", "one live attempt", figures + (f" ({waiting})" if waiting else ""), broken)


def closing_line(books: Books) -> Line:
    """I9 over all months; each month has a line of its own besides."""
    figures = f"{count(len(books.again.months))} months, nothing is left in the middle of a close"
    return judge("I9", "closes are whole", figures, words_of(books.breaches, "I9"))


def chain_line(books: Books) -> Line:
    """I11."""
    size = books.size
    figures = f"seq {count(size.seq)}, head {size.head[:4]}…{size.head[-2:]}, no gap"
    figures += _others(books, lambda one: f"seq {count(one.seq)}")
    return judge("I11", "hash chain", figures, words_of(books.breaches, "I11"))


def open_line(books: Books) -> Line:
    """I12."""
    limbo = [one for one in books.live if one.state is AttemptState.LIMBO]
    others = [one for one in books.live if one.state is not AttemptState.LIMBO]
    age_s = max((books.at_s - one.oldest_us // 1_000_000 for one in books.live), default=0)
    in_limbo = sum(one.number for one in limbo)
    figures = (
        f"in flight {sum(one.number for one in others)} ({sat(sum(o.units for o in others))}),"
        f" LIMBO {in_limbo} ({sat(sum(one.units for one in limbo))}), oldest {age_s // 60} min"
    )
    warnings = []
    if in_limbo:
        warnings.append("a person must look at LIMBO: flattr-node limbo")
    if age_s > OLD_S:
        warnings.append("one is open for more than an hour")
    return judge("I12", "open payments", figures, [], warnings)


def fees_line(books: Books) -> Line:
    """I13: what routing cost by the attempts is what the operator was charged."""
    spent = sum(one.fee for one in books.settled)
    by_members = sum(
        min(one.fee, one.fee_limit) for one in books.settled if one.kind is PayoutKind.WITHDRAWAL
    )
    figures = (
        f"fees {sat(spent)} = expense {sat(books.expense.units)}"
        f" + withdrawals' {sat(by_members)}; unexplained {sat(books.suspense.units)}"
    )
    broken = []
    if spent - by_members != books.expense.units:
        broken.append("what routing cost is not what was booked as expense")
    if books.suspense:
        broken.append(f"{books.suspense} went out twice or is not explained")
    return judge("I13", "routing fees", figures, broken)


def budget_line(books: Books) -> Line:
    """I14."""
    spent = sum(one.fee for one in books.settled)
    allowed = sum(one.fee_limit for one in books.settled)
    figures = f"fees {sat(spent)} of {sat(allowed)} allowed"
    return judge("I14", "fee budget", figures, words_of(books.breaches, "I14"))


def clicks_line(books: Books) -> Line:
    """I15."""
    figures = f"{count(books.clicks_waiting)} clicks wait, none for a month that is closed"
    return judge("I15", "no late click", figures, words_of(books.breaches, "I15"))


def log_line(books: Books) -> Line:
    """I16."""
    number, head = books.log
    figures = f"{count(number)} acts, no gap, the last hash is {head}"
    return judge("I16", "operator's log", figures, words_of(books.breaches, "I16"))


def sound_line(books: Books) -> Line:
    """I17."""
    figures = f"{count(books.guards)} triggers and indexes are there, no row refers to nothing"
    return judge("I17", "database is sound", figures, books.again.unsound)


def _others(books: Books, words: Callable[[LedgerSize], str]) -> str:
    """The figures of the other assets, behind those of sats."""
    return "".join(f"; {asset} {words(size)}" for asset, size in books.others.items())


def _number(books: Books, state: PayoutState) -> str:
    return count(books.payouts.get(state, (0, 0))[0])
