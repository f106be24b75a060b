"""Calls of the vault and their signatures.

`move` is the lock, as with payouts: it writes the state after an event only where the state before
still stands, and demands one row. `sign` is the same, and demands besides that nothing else of the
key is unmined: a nonce is given to one call at a time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row

from node.errors import CorruptBooks
from node.settlement import transaction as states
from node.settlement.transaction import TransactionEvent, TransactionState
from node.store.engine import Tx


@dataclass(frozen=True, slots=True)
class ChainTransaction:
    """One call: what for, by whose key, to whom, and how far it is."""

    purpose: str
    sender: str
    recipient: str
    calldata: bytes
    state: TransactionState = TransactionState.DUE
    nonce: int | None = None
    reason: str | None = None
    tx_hash: str | None = None
    """The signature that was mined."""
    block_number: int | None = None
    block_hash: str | None = None
    cost_wei: int | None = None

    @property
    def is_done(self) -> bool:
        """Whether it has happened, finally."""
        return self.state is TransactionState.DONE


@dataclass(frozen=True, slots=True)
class SignedTransaction:
    """One signature of a call, ready to be broadcast."""

    tx_hash: str
    purpose: str
    nonce: int
    raw: bytes
    gas: int
    tip_wei: int
    cap_wei: int
    signed_us: int


async def add(tx: Tx, transaction: ChainTransaction, now_us: int) -> None:
    """Store a call that is due; one that is there already stays as it is."""
    await tx.run(
        "INSERT INTO chain_transaction (purpose, sender, recipient, calldata, state, created_us)"
        " VALUES (:purpose, :sender, :recipient, :calldata, :state, :now_us)"
        " ON CONFLICT DO NOTHING",
        purpose=transaction.purpose, sender=transaction.sender, recipient=transaction.recipient,
        calldata=transaction.calldata, state=TransactionState.DUE, now_us=now_us,
    )  # fmt: skip


async def get(tx: Tx, purpose: str) -> ChainTransaction | None:
    """The call for this purpose."""
    row = await tx.row(
        "SELECT * FROM chain_transaction WHERE purpose = :purpose" + tx.for_update, purpose=purpose
    )
    return _transaction(row) if row else None


async def unfinished(tx: Tx, sender: str) -> list[ChainTransaction]:
    """Calls of this key that are signed and not final, in order of nonce."""
    rows = await tx.rows(
        "SELECT * FROM chain_transaction WHERE sender = :sender AND state IN ('sent', 'mined')"
        " ORDER BY nonce",
        sender=sender,
    )
    return [_transaction(row) for row in rows]


async def not_done(tx: Tx, prefix: str) -> list[ChainTransaction]:
    """Calls whose purpose begins so and that have not happened yet, oldest first."""
    rows = await tx.rows(
        "SELECT * FROM chain_transaction WHERE state <> 'done'"
        " AND substr(purpose, 1, length(CAST(:prefix AS text))) = :prefix"
        " ORDER BY created_us, purpose",
        prefix=prefix,
    )
    return [_transaction(row) for row in rows]


async def cost_wei(tx: Tx, prefix: str) -> int:
    """What the calls whose purpose begins so have cost, as far as they are final."""
    found = await tx.value(
        "SELECT CAST(coalesce(sum(cost_wei), 0) AS bigint) FROM chain_transaction"
        " WHERE substr(purpose, 1, length(CAST(:prefix AS text))) = :prefix",
        prefix=prefix,
    )
    return int(found)


async def highest_nonce(tx: Tx, sender: str) -> int | None:
    """The highest nonce that a call of this key has."""
    sql = "SELECT max(nonce) FROM chain_transaction WHERE sender = :sender"
    found = await tx.value(sql, sender=sender)
    return None if found is None else int(found)


async def sign(tx: Tx, transaction: ChainTransaction, sender: str, nonce: int) -> bool:
    """Give a due call its nonce and key; False while another call of the key is unmined."""
    after = states.next_state(transaction.state, TransactionEvent.SIGNED)
    signed = await tx.run(
        "UPDATE chain_transaction SET state = :after, nonce = :nonce, sender = :sender,"
        " reason = NULL"
        " WHERE purpose = :purpose AND state = :before AND NOT EXISTS (SELECT 1"
        " FROM chain_transaction AS other WHERE other.sender = :sender AND other.state = :after)",
        after=after, nonce=nonce, purpose=transaction.purpose, before=transaction.state,
        sender=sender,
    )  # fmt: skip
    return signed == 1


async def signed_nonces(tx: Tx, sender: str) -> set[int]:
    """Every nonce under which a call of this key was ever signed here."""
    rows = await tx.rows(
        "SELECT DISTINCT signed_transaction.nonce FROM signed_transaction JOIN chain_transaction"
        " ON chain_transaction.purpose = signed_transaction.purpose WHERE sender = :sender",
        sender=sender,
    )
    return {int(row.nonce) for row in rows}


async def is_known(tx: Tx, tx_hash: str) -> bool:
    """Whether a signature of this hash was ever made here."""
    sql = "SELECT count(*) FROM signed_transaction WHERE tx_hash = :tx_hash"
    return bool(await tx.value(sql, tx_hash=tx_hash))


async def add_signed(tx: Tx, signed: SignedTransaction) -> None:
    """Store a signature. From now on it counts as broadcast."""
    await tx.run(
        "INSERT INTO signed_transaction (tx_hash, purpose, nonce, raw, gas, tip_wei, cap_wei,"
        " signed_us) VALUES (:tx_hash, :purpose, :nonce, :raw, :gas, :tip_wei, :cap_wei,"
        " :signed_us)"
        " ON CONFLICT DO NOTHING",
        tx_hash=signed.tx_hash, purpose=signed.purpose, nonce=signed.nonce, raw=signed.raw,
        gas=signed.gas, tip_wei=signed.tip_wei, cap_wei=signed.cap_wei, signed_us=signed.signed_us,
    )  # fmt: skip


async def signatures(tx: Tx, purpose: str, nonce: int) -> list[SignedTransaction]:
    """The signatures of a call under its nonce, newest first."""
    rows = await tx.rows(
        "SELECT * FROM signed_transaction WHERE purpose = :purpose AND nonce = :nonce"
        " ORDER BY cap_wei DESC, tip_wei DESC",
        purpose=purpose, nonce=nonce,
    )  # fmt: skip
    return [_signed(row) for row in rows]


async def move(
    tx: Tx, before: ChainTransaction, event: TransactionEvent, after: ChainTransaction
) -> None:
    """Take a call through an event, to what `after` says of it otherwise.

    Raises CorruptBooks when it is no longer in its state.
    """
    state = states.next_state(before.state, event)
    moved = await tx.run(
        "UPDATE chain_transaction SET state = :state, nonce = CAST(:nonce AS bigint),"
        " reason = CAST(:reason AS text), tx_hash = CAST(:tx_hash AS text),"
        " block_number = CAST(:block_number AS bigint), block_hash = CAST(:block_hash AS text),"
        " cost_wei = CAST(:cost_wei AS bigint) WHERE purpose = :purpose AND state = :before",
        state=state, nonce=after.nonce, reason=after.reason, tx_hash=after.tx_hash,
        block_number=after.block_number, block_hash=after.block_hash, cost_wei=after.cost_wei,
        purpose=before.purpose, before=before.state,
    )  # fmt: skip
    if moved != 1:
        raise CorruptBooks(f"the transaction for {before.purpose} is no longer {before.state}")


async def say_why(tx: Tx, purpose: str, reason: str) -> None:
    """Why a call that is due can't be signed now."""
    sql = "UPDATE chain_transaction SET reason = :reason WHERE purpose = :purpose AND state = 'due'"
    await tx.run(sql, reason=reason, purpose=purpose)


def _transaction(row: Row[Any]) -> ChainTransaction:
    return ChainTransaction(
        row.purpose, row.sender, row.recipient, bytes(row.calldata), TransactionState(row.state),
        row.nonce, row.reason, row.tx_hash, row.block_number, row.block_hash, row.cost_wei,
    )  # fmt: skip


def _signed(row: Row[Any]) -> SignedTransaction:
    return SignedTransaction(
        row.tx_hash, row.purpose, row.nonce, bytes(row.raw), row.gas, row.tip_wei, row.cap_wei,
        row.signed_us,
    )  # fmt: skip
