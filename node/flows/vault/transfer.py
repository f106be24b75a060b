"""Pay what waited at the node's own address: a transfer of the token for each payout.

A plain transfer has no protection of its own against being made twice, as a batch has; so it is an
attempt like any other, and only the nonce under which it is signed lets it happen: one at most
(`transact.py`). An attempt of which nothing is under way, because the token would refuse it now, is
dead at once, and its payout is due again later, perhaps at another address.
"""

from __future__ import annotations

from typing import Final

import structlog

from node.clock import now_s
from node.errors import CorruptBooks, RailUnavailable, Reverted
from node.flows.lease import writing
from node.flows.round_report import RoundReport
from node.flows.vault.accounted import is_accounted
from node.flows.vault.call import Call, Done, Failed, Waiting
from node.flows.vault.stablecoin import RAIL, Stablecoin
from node.ids import AttemptId, PayoutId, derive
from node.ledger import bookings
from node.money import Amount, Asset
from node.settlement.attempt import Attempt, AttemptEvent, sent
from node.settlement.payout import HeldReason, Payout, PayoutEvent
from node.settlement.retry import backoff_s, gives_up
from node.store import attempts, deposits, journal, payouts
from node.store.engine import Tx
from node.store.leases import Lease
from node.wallet.stablecoin.calldata import transfer_calldata
from node.wallet.stablecoin.transfers import transfers_in

PREFIX: Final = "transfer:"
DUE_MAX: Final = 1000
LIVE_MAX: Final = 10_000
_USD: Final = Asset.USD
_NOTHING: Final = Amount(0, _USD)

_log = structlog.get_logger()


class Transfers:
    """Pays one payout after the other from the node's address."""

    def __init__(self, stablecoin: Stablecoin) -> None:
        self._stablecoin = stablecoin
        self._store = stablecoin.money.store
        self._clock = stablecoin.money.clock

    async def watch(self, lease: Lease, report: RoundReport) -> None:
        """A step for each transfer that is under way. Raises RailUnavailable, LeaseLost."""
        live = await self._live()
        begin = not live or await is_accounted(self._stablecoin, report)
        for attempt in live:
            await self._advance(attempt, lease, report, begin=begin)

    async def begin(self, lease: Lease, report: RoundReport) -> None:
        """Begin the next one, when none is under way. Raises RailUnavailable, LeaseLost."""
        if not await self._live() and (payout := await self._next(report)) is not None:
            await self._begin(payout, lease, report)

    async def _live(self) -> list[Attempt]:
        async with self._store.read() as tx:
            live = await attempts.live(tx, RAIL, LIVE_MAX)
        return [attempt for attempt in live if attempt.reference.startswith(PREFIX)]

    async def _next(self, report: RoundReport) -> Payout | None:
        """The oldest payout that is due and that the node's address can pay.

        None is while the key has done what is not known here: that may have paid it, and what is at
        the address then says nothing about it.
        """
        vault, address = self._stablecoin.money.vault, self._stablecoin.signer.address
        async with self._store.read() as tx:
            every = await payouts.due(tx, _USD, now_s(self._clock), DUE_MAX)
        due = [payout for payout in every if payout.target is not None]
        if not due or not await is_accounted(self._stablecoin, report):
            return None
        there = await vault.token_balance(address, finalized=True)
        for payout in due:
            if payout.amount.units <= there:
                return payout
            report.say(f"{payout.amount} is due, and {Amount(there, _USD)} is at {address}")
        return None

    async def _begin(self, payout: Payout, lease: Lease, report: RoundReport) -> None:
        assert payout.target is not None, "it was chosen with one"
        if (why := await self._why_not(payout.target, payout.amount.units)) is not None:
            await self._postpone(payout, why)
            report.postponed += 1
            return
        async with writing(self._store, self._clock, lease, "vault.transfer") as tx:
            if not await payouts.take(tx, payout):
                return
            now_us = self._clock.now_us()
            attempt = transfer_attempt(
                self._stablecoin, payout.id, payout.target, payout.amount,
                await attempts.next_number(tx, RAIL),
            )  # fmt: skip
            await deposits.use_hash(tx, attempt.reference, f"attempt:{attempt.id}")
            await attempts.add(tx, sent(attempt, now_us // 1_000_000), lease.epoch, now_us)
        report.sent += 1

    async def _why_not(self, target: str, units: int) -> str | None:
        """Why the token would refuse this transfer; None if it would not.

        Raises RailUnavailable when it refuses everybody: that is nobody's fault here.
        """
        try:
            await self._estimate(target, units)
        except Reverted as error:
            try:
                await self._estimate(self._stablecoin.money.vault.address, 0)
            except Reverted:
                raise RailUnavailable(f"the token pays nobody now: {error}") from error
            return f"the token refuses it: {error}"
        return None

    async def _estimate(self, target: str, units: int) -> None:
        coin = self._stablecoin
        calldata = transfer_calldata(target, units)
        await coin.money.chain.estimate_gas(coin.signer.address, coin.token, calldata)

    async def _advance(
        self, attempt: Attempt, lease: Lease, report: RoundReport, *, begin: bool
    ) -> None:
        calldata = bytes.fromhex(attempt.message)
        token = self._stablecoin.token
        call = Call(attempt.reference, token, calldata, None)
        match await self._stablecoin.transactor.advance(call, lease, begin=begin):
            case Done(tx_hash=tx_hash):
                assert tx_hash is not None, "nobody else makes this transfer"
                await self._demand_moved(attempt, tx_hash)
                await self._settle(attempt, tx_hash, lease)
                report.settled += 1
            case Failed(reason=reason):
                await self._bury(attempt, lease, reason)
                report.refused += 1
            case Waiting(words=words, refused=True):
                await self._bury(attempt, lease, words)
                report.refused += 1
            case Waiting(words=words, trouble=trouble):
                report.pending += 1
                report.say(f"a transfer: {words}")
                if trouble:
                    report.need(words)

    async def _demand_moved(self, attempt: Attempt, tx_hash: str) -> None:
        """The token itself says that it has moved. Raises CorruptBooks."""
        receipt = await self._stablecoin.money.chain.receipt(tx_hash)
        units = attempt.amount.units
        if receipt is None:
            raise RailUnavailable(f"the receipt of {tx_hash} is not there any more: asked again")
        moved = transfers_in(receipt.logs, self._stablecoin.token)
        if [one.units for one in moved if one.sender == attempt.sender] != [units]:
            raise CorruptBooks(f"the transfer {tx_hash} is mined, and has not moved {units} units")

    async def _settle(self, attempt: Attempt, tx_hash: str, lease: Lease) -> None:
        async with writing(self._store, self._clock, lease, "vault.settle") as tx:
            await journal.lock_head(tx, _USD)
            if await attempts.get(tx, attempt.id) != attempt:
                return
            (payout_id,) = attempt.payouts
            payout = await payouts.get(tx, payout_id)
            assert payout is not None, "the schema ties it to its leg"
            await attempts.settle(tx, attempt, _NOTHING, tx_hash)
            await book_paid(tx, payout, tx_hash, self._clock.now_us(), None)

    async def _bury(self, attempt: Attempt, lease: Lease, reason: str) -> None:
        """Nothing of it is under way, and only the holder of the lease could change that."""
        async with writing(self._store, self._clock, lease, "vault.bury") as tx:
            await journal.lock_head(tx, _USD)
            if await attempts.get(tx, attempt.id) != attempt:
                return
            now_us = self._clock.now_us()
            (payout_id,) = attempt.payouts
            payout = await payouts.get(tx, payout_id)
            assert payout is not None, "the schema ties it to its leg"
            await attempts.move(tx, attempt, AttemptEvent.REFUSED, reason=reason)
            next_try_s = now_us // 1_000_000 + backoff_s(payout.tries + 1)
            await payouts.move(
                tx, payout, PayoutEvent.REFUSED, reason=reason, next_try_s=next_try_s
            )

    async def _postpone(self, payout: Payout, reason: str) -> None:
        async with self._store.write("vault.postpone") as tx:
            if await payouts.get(tx, payout.id) != payout:
                return
            if gives_up(payout.tries + 1):
                await payouts.move(tx, payout, PayoutEvent.HELD, reason=HeldReason.NO_ROUTE)
                return
            next_try_s = now_s(self._clock) + backoff_s(payout.tries + 1)
            await payouts.postpone(tx, payout, reason, next_try_s)


def transfer_attempt(
    stablecoin: Stablecoin, payout: PayoutId, target: str, amount: Amount, number: int
) -> Attempt:
    """One try to transfer a payout to this address; `number` is the rail's next."""
    reference = f"{PREFIX}{payout}:{number}"
    return Attempt(
        id=AttemptId(derive("attempt", reference)),
        rail=RAIL,
        number=number,
        payouts=(payout,),
        reference=reference,
        message=transfer_calldata(target, amount.units).hex(),
        amount=amount,
        fee_limit=_NOTHING,
        expires_s=None,
        sender=stablecoin.signer.address,
    )


async def book_paid(tx: Tx, payout: Payout, tx_hash: str, now_us: int, words: str | None) -> None:
    """A payout of the stablecoin is paid by this transaction; `words` on it, if any."""
    await payouts.pay(tx, payout, _NOTHING, tx_hash, now_us, words=words)
    entry = bookings.settle_payout(payout.id, payout.amount, _NOTHING, payout.month)
    await journal.append(tx, entry, now_us)
