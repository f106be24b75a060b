"""Bring a call of the vault to its final block, once, through whatever the chain does.

    sign        nonce and raw bytes stored        then the first broadcast
    watch       the same bytes again; dearer under the same nonce; or mined
    finalize    taken back by a reorg; or final: done, or refused, and its gas booked

One step a call of `advance`, which is as safe to repeat as the rounds of `flows/pay.py`: a start
after a crash is a step like any other. What the nodes answer to a broadcast is no verdict; a
receipt in a final block is, and the vault's own word on whether a call has happened.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import structlog

from node.clock import Clock
from node.errors import Reverted
from node.failpoints import failpoint
from node.flows.lease import writing
from node.flows.vault.call import Call, Done, Failed, Progress, Waiting
from node.flows.vault.chain_key import UNACCOUNTED, accounted_cursor
from node.ledger import bookings
from node.settlement.gas_fees import (
    TRANSACTION_GAS_MAX,
    Fees,
    bumped,
    first_fees,
    gas_limit,
)
from node.settlement.transaction import TransactionEvent, TransactionState
from node.store import journal, leases, transactions
from node.store.engine import Store
from node.store.leases import Lease
from node.store.transactions import ChainTransaction, SignedTransaction
from node.wallet.stablecoin.chain import Chain, Receipt
from node.wallet.stablecoin.signer import Order, Signer

BUMP_AFTER_S: Final = 60
"""How long the same bytes are broadcast before the same call is signed dearer."""
NOT_BEGUN: Final = Waiting("it waits for its turn")
_BUSY: Final = "another transaction of this key is not mined yet, or not final"

_log = structlog.get_logger()


class Transactor:
    """Signs with one key, for one chain. Whoever calls it holds the key's lease."""

    def __init__(
        self, store: Store, clock: Clock, chain: Chain, chain_id: int, signer: Signer,
        ceiling_wei: int,
    ) -> None:  # fmt: skip
        self._store = store
        self._clock = clock
        self._chain = chain
        self._chain_id = chain_id
        self._signer = signer
        self._ceiling_wei = ceiling_wei
        """The most that is paid for a unit of gas."""

    async def advance(self, call: Call, lease: Lease, *, begin: bool = True) -> Progress:
        """One step; without `begin` only for what is under way. Raises RailUnavailable, LeaseLost.

        What is signed must be watched in every round: nothing else of the key is signed before.
        """
        transaction = await self._stored(call)
        match transaction.state:
            case TransactionState.DUE:
                return await self._sign(call, transaction, lease) if begin else NOT_BEGUN
            case TransactionState.SENT:
                return await self._watch(call, transaction, lease)
            case TransactionState.MINED:
                return await self._finalize(transaction, lease)
            case TransactionState.DONE:
                return Done(transaction.tx_hash)
            case TransactionState.FAILED:
                return await self._retry(transaction, lease)

    async def block_of(self, purpose: str) -> int | None:
        """The block of a call that this node has made, if it has."""
        async with self._store.read() as tx:
            found = await transactions.get(tx, purpose)
        return None if found is None else found.block_number

    async def _stored(self, call: Call) -> ChainTransaction:
        fresh = ChainTransaction(
            call.purpose, self._signer.address, call.recipient, call.calldata
        )  # fmt: skip
        async with self._store.write("chain.ask") as tx:
            await transactions.add(tx, fresh, self._clock.now_us())
            stored = await transactions.get(tx, call.purpose)
        assert stored is not None, "it was there, or was added"
        return stored

    async def _sign(self, call: Call, transaction: ChainTransaction, lease: Lease) -> Progress:
        if call.happened is not None and await call.happened():
            return await self._elsewhere(transaction, lease)
        priced = await self._price(transaction)
        if isinstance(priced, Waiting):
            return await self._not_now(transaction, priced)
        if (nonce := await self._next_nonce()) is None:
            return Waiting(_BUSY)
        gas, fees = priced
        signed = self._signature(transaction, nonce, gas, fees)
        async with writing(self._store, self._clock, lease, "chain.sign") as tx:
            if (stopped := await leases.stopped(tx, lease.rail)) is not None:
                return Waiting(f"nothing is sent: {stopped}")
            if not await transactions.sign(tx, transaction, self._signer.address, nonce):
                return Waiting(_BUSY)
            await transactions.add_signed(tx, signed)
        await self._broadcast(signed)
        return Waiting("broadcast")

    async def _price(self, transaction: ChainTransaction) -> tuple[int, Fees] | Waiting:
        """(gas, fees) of a first signature; or why there is none now."""
        try:
            gas = await self._chain.estimate_gas(
                self._signer.address, transaction.recipient, transaction.calldata
            )
        except Reverted as error:
            return Waiting(f"it would be refused: {error}", refused=True)
        if gas > TRANSACTION_GAS_MAX:
            return Waiting(f"{gas} gas is more than a transaction may ask for")
        latest = await self._chain.latest()
        if latest.base_fee_wei > self._ceiling_wei:
            return Waiting("gas costs more than the ceiling")
        tip_wei = await self._chain.tip_wei()
        return gas_limit(gas), first_fees(latest.base_fee_wei, tip_wei, self._ceiling_wei)

    async def _watch(self, call: Call, transaction: ChainTransaction, lease: Lease) -> Progress:
        assert transaction.nonce is not None, "it was signed"
        async with self._store.read() as tx:
            signed = await transactions.signatures(tx, transaction.purpose, transaction.nonce)
        if (receipt := await self._mined(signed)) is not None:
            return await self._note_mined(transaction, receipt, lease)
        if await self._chain.nonce(transaction.sender, finalized=True) > transaction.nonce:
            return await self._displaced(call, transaction, signed, lease)
        newest = signed[0]
        ours = transaction.sender == self._signer.address  # another key's can't be signed dearer
        if ours and self._clock.now_us() - newest.signed_us >= BUMP_AFTER_S * 1_000_000:
            newest = await self._bump(transaction, newest, lease)
        await self._broadcast(newest)
        return Waiting("broadcast, and not mined yet")

    async def _finalize(self, transaction: ChainTransaction, lease: Lease) -> Progress:
        assert transaction.tx_hash is not None, "it was mined"
        receipt = await self._chain.receipt(transaction.tx_hash)
        if receipt is None or receipt.block_hash != transaction.block_hash:
            bare = replace(transaction, tx_hash=None, block_number=None, block_hash=None)
            await self._move("chain.reorged", transaction, TransactionEvent.REORGED, bare, lease)
            return Waiting("a reorganization of the chain took it back")
        final = await self._chain.finalized()
        block = await self._chain.block(receipt.block_number)
        if receipt.block_number > final.number or block is None or block.hash != receipt.block_hash:
            words = f"mined in block {receipt.block_number}, final is {final.number}"
            return Waiting(words, mined=True)
        return await self._settle(transaction, receipt, lease)

    async def _settle(
        self, transaction: ChainTransaction, receipt: Receipt, lease: Lease
    ) -> Progress:
        event = TransactionEvent.FINAL if receipt.ok else TransactionEvent.REFUSED
        reason = None if receipt.ok else f"refused in block {receipt.block_number}"
        after = replace(transaction, cost_wei=receipt.fee_wei, reason=reason)
        async with writing(self._store, self._clock, lease, "chain.settle") as tx:
            await transactions.move(tx, transaction, event, after)
            if receipt.fee_wei:
                entry = bookings.gas(receipt.tx_hash, receipt.fee_wei)
                await journal.append(tx, entry, self._clock.now_us())
        return Done(receipt.tx_hash) if reason is None else Failed(reason)

    async def _note_mined(
        self, transaction: ChainTransaction, receipt: Receipt, lease: Lease
    ) -> Progress:
        mined = replace(
            transaction, tx_hash=receipt.tx_hash, block_number=receipt.block_number,
            block_hash=receipt.block_hash,
        )  # fmt: skip
        await self._move("chain.mined", transaction, TransactionEvent.MINED, mined, lease)
        return Waiting(f"mined in block {receipt.block_number}, not final yet", mined=True)

    async def _displaced(
        self, call: Call, transaction: ChainTransaction, signed: Sequence[SignedTransaction],
        lease: Lease,
    ) -> Progress:  # fmt: skip
        """The nonce is used, finally. Receipts that are read after that are complete."""
        if (receipt := await self._mined(signed)) is not None:
            return await self._note_mined(transaction, receipt, lease)
        assert transaction.nonce is not None, "it was signed"
        if call.happened is None and not await self._is_accounted(transaction):
            return Waiting(UNACCOUNTED, trouble=True)
        _log.warning("a nonce of ours was used by another", purpose=transaction.purpose)
        if call.happened is not None and await call.happened():
            return await self._elsewhere(transaction, lease)
        bare = replace(transaction, nonce=None)
        await self._move("chain.displaced", transaction, TransactionEvent.DISPLACED, bare, lease)
        return Waiting("another transaction of this key took its nonce; it is signed anew")

    async def _is_accounted(self, transaction: ChainTransaction) -> bool:
        """Whether a person has looked at the transaction that took the nonce of this one."""
        name = accounted_cursor(self._chain_id, transaction.sender)
        async with self._store.read() as tx:
            accounted = await leases.cursor(tx, name)
        return transaction.nonce is not None and transaction.nonce < accounted

    async def _elsewhere(self, transaction: ChainTransaction, lease: Lease) -> Progress:
        after = replace(transaction, nonce=None, reason="it had happened already")
        await self._move("chain.elsewhere", transaction, TransactionEvent.ELSEWHERE, after, lease)
        return Done(None)

    async def _bump(
        self, transaction: ChainTransaction, newest: SignedTransaction, lease: Lease
    ) -> SignedTransaction:
        """Sign it dearer, under the same nonce; at the ceiling the last one stays."""
        latest = await self._chain.latest()
        fees = bumped(Fees(newest.tip_wei, newest.cap_wei), latest.base_fee_wei, self._ceiling_wei)
        if fees is None:
            _log.warning("a transaction waits at the ceiling", purpose=transaction.purpose)
            return newest
        signed = self._signature(transaction, newest.nonce, newest.gas, fees)
        async with writing(self._store, self._clock, lease, "chain.bump") as tx:
            if await transactions.get(tx, transaction.purpose) != transaction:
                return newest
            if await leases.stopped(tx, lease.rail) is not None:
                return newest
            await transactions.add_signed(tx, signed)
        return signed

    def _signature(
        self, transaction: ChainTransaction, nonce: int, gas: int, fees: Fees
    ) -> SignedTransaction:
        order = Order(
            self._chain_id, nonce, transaction.recipient, transaction.calldata, gas, fees.tip_wei,
            fees.cap_wei,
        )  # fmt: skip
        signed = self._signer.sign(order)
        return SignedTransaction(
            signed.tx_hash, transaction.purpose, nonce, signed.raw, gas, fees.tip_wei,
            fees.cap_wei, self._clock.now_us(),
        )  # fmt: skip

    async def _next_nonce(self) -> int | None:
        """The chain's count, unless it lags behind what is stored here.

        Nonces that another program has used must be final: if a reorganization took them back, ours
        behind them would wait for ever.
        """
        address = self._signer.address
        async with self._store.read() as tx:
            ours = await transactions.highest_nonce(tx, address)
        count = await self._chain.nonce(address, mined=True)
        after_ours = 0 if ours is None else ours + 1
        if count > after_ours and count != await self._chain.nonce(address, finalized=True):
            return None
        return count if count >= after_ours else None

    async def _mined(self, signed: Sequence[SignedTransaction]) -> Receipt | None:
        for one in signed:
            if (receipt := await self._chain.receipt(one.tx_hash)) is not None:
                return receipt
        return None

    async def _broadcast(self, signed: SignedTransaction) -> None:
        words = await self._chain.broadcast(signed.raw)
        _log.info("chain_broadcast", purpose=signed.purpose, tx=signed.tx_hash, answer=words)
        failpoint("chain.send.after_effect")

    async def _not_now(self, transaction: ChainTransaction, why: Waiting) -> Progress:
        async with self._store.write("chain.why") as tx:
            await transactions.say_why(tx, transaction.purpose, why.words)
        return why

    async def _retry(self, transaction: ChainTransaction, lease: Lease) -> Progress:
        """A refusal that is final has moved nothing; the next step signs it anew, if it can."""
        bare = replace(
            transaction, nonce=None, tx_hash=None, block_number=None, block_hash=None, cost_wei=None
        )
        await self._move("chain.retried", transaction, TransactionEvent.RETRIED, bare, lease)
        return Waiting(f"it is tried again: {transaction.reason}")

    async def _move(
        self, step: str, before: ChainTransaction, event: TransactionEvent,
        after: ChainTransaction, lease: Lease,
    ) -> None:  # fmt: skip
        async with writing(self._store, self._clock, lease, step) as tx:
            await transactions.move(tx, before, event, after)
