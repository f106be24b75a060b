"""Pay in the stablecoin, round by round: charge, seal, pay the batches, then what waited.

    collect      a month that was split      ▶ the vault charges the members
    plan         payouts were opened         ▶ batches, root and file are fixed    (plan.py)
    distribute   sealed, the delay passed    ▶ batches and commission; all is booked
    transfer     due, and in no month        ▶ from the node's own address, one after the other

As in `flows/pay.py`, recovery is not another path: a round begins with what is stored and asks the
chain about it. Each call is one transaction of the node's key that happens once (`transact.py`),
and a payout is PAID when that is in a final block. One payer holds the lease; it is demanded in
each transaction that leads to a signature.
"""

from __future__ import annotations

from typing import Final

import structlog

from node.flows.hold import hold_and_release
from node.flows.lease import take_lease, writing
from node.flows.round_report import RoundReport
from node.flows.vault.attribute import advance_attributions
from node.flows.vault.call import Failed, Waiting
from node.flows.vault.charge import shares
from node.flows.vault.months import Collected, Distributed
from node.flows.vault.plan import batch_prefix, plan, words_of
from node.flows.vault.short import keep
from node.flows.vault.stablecoin import RAIL, Stablecoin
from node.flows.vault.transfer import Transfers, book_paid
from node.money import Amount, Asset
from node.settlement.attempt import Attempt, AttemptState
from node.store import attempts, closes, journal, leases, payouts, vault_months
from node.store.closes import Stage
from node.store.leases import Lease
from node.store.vault_months import VaultMonth

CLAIMABLE: Final = "the token refused this address; it can be claimed from the vault"
_USD: Final = Asset.USD
_NOTHING: Final = Amount(0, _USD)

_log = structlog.get_logger()


class VaultPayer:
    """Moves months and payouts of the stablecoin, one round at a time. `holder` names the process.

    Raises in a round: LeaseLost while another process pays, RailUnavailable, CorruptBooks.
    """

    def __init__(self, stablecoin: Stablecoin, holder: str) -> None:
        self._stablecoin = stablecoin
        self._store = stablecoin.money.store
        self._clock = stablecoin.money.clock
        self._holder = holder
        self._transfers = Transfers(stablecoin)

    async def round(self) -> RoundReport:
        """One step for everything that is under way, and the next thing begun."""
        report = RoundReport()
        lease = await take_lease(self._store, self._clock, RAIL, self._holder)
        async with self._store.read() as tx:
            stopped = await leases.stopped(tx, RAIL)
            money = self._stablecoin.money
            months = await vault_months.unfinished(tx, money.chain_id, money.vault.address)
        if stopped is not None:
            report.say(f"nothing is sent on {RAIL}: {stopped}")
            return report
        await advance_attributions(self._stablecoin, lease, report)
        await hold_and_release(self._store, self._clock, self._stablecoin.rules)
        await self._transfers.watch(lease, report)
        for month in months[:1]:  # the vault takes the next one when this one is paid
            await self._month(month, lease, report)
        if not months:
            await self._transfers.begin(lease, report)
        return report

    async def _month(self, month: VaultMonth, lease: Lease, report: RoundReport) -> None:
        if month.gross is None:
            await self._collect(month, lease, report)
            return
        async with self._store.read() as tx:
            close = await closes.get(tx, month.month, _USD)
        if close is None or close.stage is not Stage.CHECKED:
            report.say(f"{month.month} is charged, and its close goes on")
            return
        if month.gross == 0:
            await self._finish(month, lease)  # nobody had anything left: the vault seals nothing
        elif month.data_hash is None:
            await self._plan(month, lease, report)
        else:
            await self._distribute(month, lease, report)

    async def _collect(self, month: VaultMonth, lease: Lease, report: RoundReport) -> None:
        async with self._store.read() as tx:
            close = await closes.get(tx, month.month, _USD)
            assert close is not None, "the close has asked for it"
            charged = await shares(tx, close, month.chain_id)
        found = await self._stablecoin.months.collect(month.number, charged, lease)
        if not isinstance(found, Collected):
            _wait(report, f"charging {month.month}", found)
            return
        async with writing(self._store, self._clock, lease, "vault.collect") as tx:
            await vault_months.collect(tx, month.month, found.gross)
            await keep(tx, close, month.chain_id, found.short)
        report.steps += 1
        if found.short:
            report.say(f"{month.month}: {len(found.short)} readers had less than their shares")

    async def _plan(self, month: VaultMonth, lease: Lease, report: RoundReport) -> None:
        async with writing(self._store, self._clock, lease, "vault.plan") as tx:
            await journal.lock_head(tx, _USD)
            if await vault_months.get(tx, month.month) != month:
                return
            await plan(tx, self._stablecoin, month, lease)
        report.steps += 1

    async def _distribute(self, month: VaultMonth, lease: Lease, report: RoundReport) -> None:
        assert month.gross is not None, "it was collected"
        assert month.data_hash is not None, "it was planned"
        async with self._store.read() as tx:
            batches = await attempts.with_prefix(tx, RAIL, batch_prefix(month))
        payments = [share for batch in batches for share in words_of(batch)]
        found = await self._stablecoin.months.distribute(
            month.number, Collected(month.gross, {}), payments, bytes.fromhex(month.data_hash),
            lease,
        )  # fmt: skip
        if not isinstance(found, Distributed):
            _wait(report, f"paying {month.month}", found)
            return
        for batch, tx_hash in zip(batches, found.batches, strict=True):
            if batch.state is not AttemptState.SETTLED:
                await self._settle(batch, tx_hash, found, lease)
                report.settled += len(batch.payouts)
        await self._finish(month, lease)

    async def _finish(self, month: VaultMonth, lease: Lease) -> None:
        async with writing(self._store, self._clock, lease, "vault.finish") as tx:
            await vault_months.finish(tx, month.month, self._clock.now_us())

    async def _settle(self, batch: Attempt, tx_hash: str, found: Distributed, lease: Lease) -> None:
        """Book one batch: each of its payouts is paid, or can be claimed."""
        async with writing(self._store, self._clock, lease, "vault.settle") as tx:
            await journal.lock_head(tx, _USD)
            if await attempts.get(tx, batch.id) != batch:
                return  # it was booked before
            await attempts.settle(tx, batch, _NOTHING, tx_hash)
            for payout_id in batch.payouts:
                payout = await payouts.get(tx, payout_id)
                assert payout is not None, "the schema ties it to its leg"
                words = CLAIMABLE if payout.target in found.deferred else None
                await book_paid(tx, payout, tx_hash, self._clock.now_us(), words)


def _wait(report: RoundReport, what: str, found: Waiting | Failed) -> None:
    report.pending += 1
    words = f"{what}: {found.words if isinstance(found, Waiting) else found.reason}"
    report.say(words)
    if isinstance(found, Failed) or found.refused or found.trouble:
        report.need(words)
