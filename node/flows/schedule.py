"""What a serving node does by itself: one task for each, named, and ended with the node.

    watch    read paid invoices from the stored settle_index, and credit them
    sweep    ask lnd about open deposits, in case the stream missed one
    fold     when clicks pause, or the inbox is long
    months   close what is over
    pay      round after round
    late     look at attempts that were called dead a day ago or less
    audit    compare the books with lnd and the chain; a breach stops sending
    tidy     forget answers to Idempotency-Keys that are older than 30 days
    chain    read the vault's events: what is final is booked            (with the stablecoin only)
    vault    close what is over in the stablecoin, charge it, pay it     (with the stablecoin only)

A task that fails says so (`health`), waits and goes on; one whose lease another process has waits
as long, and that is no trouble. Two never end, and say themselves that they are well again. Corrupt
books stop paying, not clicking.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from typing import Final, Never

import structlog

from node.clock import Clock, now_s, this_month
from node.errors import CorruptBooks, LeaseLost, NodeError
from node.flows import answers, fund
from node.flows.audits.audit import audit, stop_on_breach
from node.flows.audits.lines import Report, State
from node.flows.calendar import demand_over
from node.flows.close import close_month
from node.flows.fold import fold
from node.flows.node import Node
from node.flows.operator.access import NODE
from node.flows.operator.acts import SENDING, may_close
from node.flows.outcome import Outcomes
from node.flows.round_report import RoundReport
from node.flows.vault import chain_money
from node.flows.vault.stablecoin import RAIL
from node.money import Asset
from node.month import Month
from node.store import attempts, closes, flattrs, journal, leases, operator_log
from node.store.engine import Store
from node.store.operator_log import Act

FOLD_QUIET_S: Final = 0.1
FOLD_EVERY: Final = 100_000
MONTHS_EVERY_S: Final = 20.0
PAY_EVERY_S: Final = 2.0
SWEEP_EVERY_S: Final = 600.0
LATE_EVERY_S: Final = 600.0
CHAIN_EVERY_S: Final = 15.0
VAULT_EVERY_S: Final = 6.0
TIDY_EVERY_S: Final = 3600.0
LATE_FOR_S: Final = 86_400
DEPOSITS_COMPARED: Final = 2000
"""By an audit that runs by itself."""
AUDIT: Final = "books"
"""The part of the node's health that a breach is said of."""
AGAIN_AFTER_S: Final = 5.0
FOLDING: Final = frozenset({"fold"})
"""What a web process does of the schedule, when it writes its own clicks."""

_log = structlog.get_logger()


@asynccontextmanager
async def open_schedule(node: Node, only: frozenset[str] | None = None) -> AsyncIterator[None]:
    """Run the tasks until the block ends. `only`: the names of those that are wanted."""
    jobs = {
        "watch": _watch, "sweep": _sweep, "fold": _fold, "months": _months, "pay": _pay,
        "late": _late, "tidy": _tidy, "audit": _audit,
    }  # fmt: skip
    if node.stablecoin is not None:
        jobs |= {"chain": _chain, "vault": _vault}
    tasks = [
        asyncio.create_task(_forever(node, name, job), name=name)
        for name, job in jobs.items()
        if only is None or name in only
    ]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def close_what_is_over(
    node: Node, progress: Callable[[str], None], audit_first: bool = True
) -> list[Month]:
    """Close every month that is over and has anything in it; the months that were closed.

    Where the settings want the operator's approval, up to the first that has none.

    What was paid before the cutoff is credited first, and the books are audited. Raises
    RailUnavailable, CorruptBooks.
    """
    over = await months_to_close(node.store, node.clock, node.rules.asset)
    over = await may_close(node.store, node.settings, node.rules.asset, over)
    if over:
        await demand_over(node.lnd, over[0])
        await fund.catch_up(node.funding)
        if audit_first:
            await audit_now(node)
    for month in over:
        await demand_over(node.lnd, month)
        await close_month(node.closing(progress), month)
    return over


async def audit_now(node: Node) -> Report:
    """Audit both rails; a breach stops sending. Of the deposits the newest are compared with lnd.

    It runs every few minutes, and before a month is closed. The command compares all.
    """
    report = await audit(
        node.store, node.clock, node.lnd, node.stablecoin, deposits_max=DEPOSITS_COMPARED
    )
    broken = ", ".join(f"{one.id} {one.law}" for one in report.lines if one.state is State.BREACH)
    if await stop_on_breach(node.store, node.clock, report):
        _log.error("the audit found a breach: nothing is sent", words=broken)
    node.health.report(AUDIT, f"the audit found a breach: {broken}" if broken else "")
    return report


async def close_in_stablecoin(node: Node, progress: Callable[[str], None]) -> list[Month]:
    """The same in the stablecoin; a month that waits for the chain or the vault is not among them.

    Raises RailUnavailable, CorruptBooks.
    """
    closed: list[Month] = []
    if (coin := node.stablecoin) is None:
        return closed
    over = await months_to_close(node.store, node.clock, coin.rules.asset)
    for month in await may_close(node.store, node.settings, coin.rules.asset, over):
        if not await chain_money.read_until(coin.money, month.ends_s):
            progress(f"{month}: waits for a final block after its end")
            break
        close = await close_month(node.closings(progress)[-1], month)
        if close.stage is not closes.Stage.CHECKED:
            break
        closed.append(month)
    return closed


async def months_to_close(store: Store, clock: Clock, asset: Asset) -> list[Month]:
    """Months before this one that are not closed to the end, oldest first; empty ones too.

    They begin with the first that has anything in it, and none is left out after it: standing
    amounts fill the next pots, and what is held grows older, even when nobody clicked. In the
    stablecoin they begin with its first money: clicks are older than it on many nodes.
    """
    this = this_month(clock)
    async with store.read() as tx:
        known = await closes.all_of(tx, asset)
        unfinished = [close.month for close in known if close.stage is not closes.Stage.CHECKED]
        if known:
            first = known[0].month.plus(1)
        else:
            begun = set(await journal.months_with_pots(tx, asset))
            if asset is Asset.SAT:
                begun |= set(await flattrs.months(tx))
            first = min(begun | set(await journal.first_month(tx, asset)), default=this)
    return [*sorted(unfinished), *map(Month.from_ordinal, range(first.ordinal, this.ordinal))]


async def watch_late(node: Node) -> RoundReport:
    """Ask once more about attempts that were called dead lately."""
    report = RoundReport()
    since_us = node.clock.now_us() - LATE_FOR_S * 1_000_000
    async with node.store.read() as tx:
        dead = await attempts.buried_since(tx, node.rail.name, since_us, 1000)
    outcomes = Outcomes(node.store, node.clock, node.rail)
    for attempt in dead:
        await outcomes.check_dead(attempt, report)
    return report


async def _forever(node: Node, name: str, job: Callable[[Node], Awaitable[float]]) -> None:
    """Run the job again and again; it says for how long to wait. Meanwhile it is well."""
    while True:
        wait_s = AGAIN_AFTER_S
        try:
            wait_s = await job(node)
            node.health.report(name)
        except LeaseLost as error:
            node.health.report(name)
            _log.info("another process works", job=name, words=str(error))
        except CorruptBooks as error:
            node.health.report(name, str(error))
            _log.error("the books are not clean: paying has stopped", words=str(error))
            await _stop_paying(node, str(error))
        except (NodeError, OSError) as error:
            node.health.report(name, str(error))
            _log.warning("a task failed and will be tried again", job=name, words=str(error))
        except Exception as error:  # noqa: BLE001  a database that is away too; no task may end
            node.health.report(name, f"{type(error).__name__}: see the log")
            _log.exception("a task failed and will be tried again", job=name)
        await asyncio.sleep(wait_s)


async def _stop_paying(node: Node, words: str) -> None:
    try:
        async with node.store.write("breaker.stop") as tx:
            now_us, words = node.clock.now_us(), words[:500]
            opened = [await leases.stop(tx, rail, words, now_us) for rail in (node.rail.name, RAIL)]
            if any(opened):
                await operator_log.append(tx, Act(NODE, "stopped", SENDING, words), now_us)
    except Exception:  # noqa: BLE001  the next round finds the same books, and tries again
        _log.exception("the breaker could not be opened")


async def _watch(node: Node) -> float:
    async with node.store.read() as tx:
        from_index = await leases.cursor(tx, fund.SETTLE_CURSOR)
    if from_index == 0:  # lnd replays nothing before its first index
        await fund.catch_up(node.funding)
    node.health.report("watch")
    async with aclosing(node.invoices.settled(from_index)) as paid:
        async for invoice in paid:
            await fund.credit(node.funding, invoice)
    return AGAIN_AFTER_S


async def _sweep(node: Node) -> float:
    await fund.catch_up(node.funding)
    return SWEEP_EVERY_S


async def _fold(node: Node) -> Never:
    """Fold what a process before this one left, then after each pause or so many clicks."""
    folded = node.clicks.written
    await fold(node.store, node.clock)
    node.health.report("fold")
    while True:
        seen = node.clicks.written
        await asyncio.sleep(FOLD_QUIET_S)
        quiet = node.clicks.written == seen
        if seen > folded and (quiet or seen - folded >= FOLD_EVERY):
            folded = seen
            await fold(node.store, node.clock)


async def _months(node: Node) -> float:
    await close_what_is_over(node, lambda words: _log.info("close", words=words))
    return min(MONTHS_EVERY_S, max(0.1, _until_cutoff_s(node.clock)))


async def _pay(node: Node) -> float:
    report = await node.payer.round()
    for words in report.words:
        _log.info("pay", words=words)
    return 0 if report.moved else PAY_EVERY_S


async def _chain(node: Node) -> float:
    assert node.stablecoin is not None, "the task runs only with it"
    await chain_money.read(node.stablecoin.money)
    return CHAIN_EVERY_S


async def _vault(node: Node) -> float:
    payer = node.vault_payer
    assert payer is not None, "the task runs only with it"
    await close_in_stablecoin(node, lambda words: _log.info("close", words=words))
    report = await payer.round()
    for words in report.words:
        _log.info("vault", words=words)
    node.health.report("stablecoin", report.trouble)
    return 0 if report.moved else VAULT_EVERY_S


async def _late(node: Node) -> float:
    await watch_late(node)
    return LATE_EVERY_S


async def _audit(node: Node) -> float:
    await audit_now(node)
    return node.settings.operator.audit_minutes * 60


async def _tidy(node: Node) -> float:
    await answers.forget_old(node.store, node.clock)
    return TIDY_EVERY_S


def _until_cutoff_s(clock: Clock) -> float:
    return this_month(clock).ends_s - now_s(clock)
