"""Say that a payout was transferred already: by a transaction that this database does not know.

After a restore the node's address has made transfers of which the copy knows nothing, and their
payouts are due again. A person names the transaction; the chain must say that it is exactly this
payout's, finally, and no other payout may have it. Then the payout is paid, as it was.

Its gas is not booked: the entry about it was lost with the database, as those of other calls were.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from node.errors import BadInput, Conflict, NotFound
from node.flows.vault.stablecoin import RAIL, Stablecoin
from node.flows.vault.transfer import PREFIX, book_paid, transfer_attempt
from node.ids import PayoutId
from node.money import Amount, Asset
from node.settlement.attempt import Attempt, sent
from node.settlement.payout import Payout, PayoutState
from node.settlement.transaction import TransactionEvent, TransactionState
from node.store import attempts, deposits, journal, members, payouts, transactions
from node.store.engine import Tx
from node.store.transactions import ChainTransaction
from node.wallet.stablecoin.transfers import Transfer, transfers_in

_USD: Final = Asset.USD
_LIVE_MAX: Final = 10_000


async def mark_transferred(stablecoin: Stablecoin, payout_id: PayoutId, tx_hash: str) -> Amount:
    """Book a payout as paid by this transaction of the node's key; what it was.

    Raises NotFound, BadInput while it is not final, Conflict when it is not this payout's, or when
    anything of this payout is under way.
    """
    made = await _transfer_in(stablecoin, tx_hash)
    lost = await _lost(stablecoin, payout_id)
    money = stablecoin.money
    async with money.store.write("vault.transferred") as tx:
        await journal.lock_head(tx, _USD)
        payout = await payouts.get(tx, payout_id)
        if payout is None or payout.amount.asset is not _USD:
            raise NotFound(f"there is no payout {payout_id} in the stablecoin")
        await _demand_unknown(tx, tx_hash)
        await _demand_its_own(tx, payout, made)
        now_us = money.clock.now_us()
        attempt = await _attempt_of(tx, stablecoin, payout, made.to, now_us, lost)
        await attempts.settle(tx, attempt, Amount(0, _USD), tx_hash)
        await book_paid(tx, payout, tx_hash, now_us, None)
    return payout.amount


async def _transfer_in(stablecoin: Stablecoin, tx_hash: str) -> Transfer:
    """The one transfer that a final transaction of the node's key has made."""
    chain, sender = stablecoin.money.chain, stablecoin.signer.address
    receipt = await chain.receipt(tx_hash)
    if receipt is None:
        raise NotFound(f"no block has the transaction {tx_hash}")
    if receipt.block_number > (await chain.finalized()).number:
        raise BadInput(f"{tx_hash} is not final yet: try again in some minutes")
    found = transfers_in(receipt.logs, stablecoin.token)
    if not receipt.ok or len(found) != 1 or found[0].sender != sender:
        raise Conflict(f"{tx_hash} is not a transfer of the token from {sender}")
    return found[0]


async def _lost(stablecoin: Stablecoin, payout_id: PayoutId) -> ChainTransaction | None:
    """What is signed for this payout and can't be mined any more: its nonce was used by another.

    So it is after a restore, when the signature that was mined, a dearer one, was lost with the
    database. Raises RailUnavailable.
    """
    chain = stablecoin.money.chain
    async with stablecoin.money.store.read() as tx:
        attempt = await _live(tx, payout_id)
        stored = attempt and await transactions.get(tx, attempt.reference)
        if not stored or stored.state is not TransactionState.SENT or stored.nonce is None:
            return None
        signed = await transactions.signatures(tx, stored.purpose, stored.nonce)
    if await chain.nonce(stored.sender, finalized=True) <= stored.nonce:
        return None
    receipts = [await chain.receipt(one.tx_hash) for one in signed]
    return None if any(receipts) else stored


async def _live(tx: Tx, payout_id: PayoutId) -> Attempt | None:
    """The transfer of this payout that is under way."""
    for attempt in await attempts.live(tx, RAIL, _LIVE_MAX):
        if attempt.payouts == (payout_id,) and attempt.reference.startswith(PREFIX):
            return attempt
    return None


async def _demand_unknown(tx: Tx, tx_hash: str) -> None:
    if await transactions.is_known(tx, tx_hash):
        raise Conflict(f"{tx_hash} is this node's own: what it has paid is booked by itself")
    if not await deposits.use_hash_first(tx, tx_hash, "transferred"):
        raise Conflict(f"{tx_hash} has paid another payout")


async def _demand_its_own(tx: Tx, payout: Payout, made: Transfer) -> None:
    target = await members.target_of(tx, payout.member, _USD)
    own = {payout.target} | ({target.text} if target is not None else set())
    if made.units != payout.amount.units or made.to not in own:
        raise Conflict(
            f"it has moved {Amount(made.units, _USD)} to {made.to}, and the payout is"
            f" {payout.amount} to {payout.target}; if the address is an earlier one of the member,"
            " let the member set it again first"
        )


async def _attempt_of(
    tx: Tx, stablecoin: Stablecoin, payout: Payout, to: str, now_us: int,
    lost: ChainTransaction | None,
) -> Attempt:  # fmt: skip
    """The attempt that this was: a stored one of which nothing can be mined any more, or a new one.

    Raises Conflict.
    """
    match payout.state:
        case PayoutState.DUE | PayoutState.HELD:
            await payouts.retarget(tx, payout, to)
            attempt = transfer_attempt(
                stablecoin, payout.id, to, payout.amount, await attempts.next_number(tx, RAIL)
            )
            await deposits.use_hash(tx, attempt.reference, f"attempt:{attempt.id}")
            made = sent(attempt, now_us // 1_000_000)
            await attempts.add(tx, made, 0, now_us)
            return made
        case PayoutState.IN_FLIGHT:
            if (live := await _live(tx, payout.id)) is None:
                raise Conflict(f"payout {payout.id} is in a batch of the vault, which pays it once")
            await _call_off(tx, stablecoin, live, now_us, lost)
            return live
        case PayoutState.PAID | PayoutState.RETURNED:
            raise Conflict(f"payout {payout.id} is {payout.state} already")


async def _call_off(
    tx: Tx, stablecoin: Stablecoin, attempt: Attempt, now_us: int, lost: ChainTransaction | None
) -> None:
    """Nothing can be signed for it any more, also by who reads it now. Raises Conflict."""
    calldata = bytes.fromhex(attempt.message)
    call = ChainTransaction(attempt.reference, attempt.sender, stablecoin.token, calldata)
    await transactions.add(tx, call, now_us)
    stored = await transactions.get(tx, attempt.reference)
    assert stored is not None, "it was there, or was added"
    if stored.state is not TransactionState.DUE and stored != lost:
        raise Conflict(f"{attempt.reference} is under way by itself: wait until it is final")
    after = replace(stored, nonce=None, reason="it was transferred already")
    await transactions.move(tx, stored, TransactionEvent.ELSEWHERE, after)
