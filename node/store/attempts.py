"""Attempts to pay, and the legs that tie each to its payouts.

`move` is the lock, as with payouts. The schema adds what no code can forget: one leg that is not
dead per payout, and one attempt per payment hash.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from sqlalchemy import Row

from node.errors import CorruptBooks
from node.ids import AttemptId, PayoutId
from node.money import Amount, Asset
from node.settlement import attempt as states
from node.settlement.attempt import Attempt, AttemptEvent, AttemptState
from node.store.engine import Tx

BY_PREIMAGE: Final = "proved by its preimage, which the receiver has shown"
"""The reason of an attempt that is settled although lnd keeps it open."""


async def next_number(tx: Tx, rail: str) -> int:
    """The number of the rail's next attempt."""
    sql = "SELECT coalesce(max(number), 0) + 1 FROM attempt WHERE rail = :rail"
    return int(await tx.value(sql, rail=rail))


async def add(tx: Tx, attempt: Attempt, epoch: int, now_us: int) -> None:
    """Store an attempt and its legs. From now on it counts as sent.

    The one_live index refuses a second live attempt of a payout; it is checked first, for words.
    """
    await tx.run(
        "INSERT INTO attempt (id, rail, number, state, reference, message, asset, units,"
        " fee_limit, expires_s, sender, seen, sent_s, epoch, created_us) VALUES (:id, :rail,"
        " :number, :state, :reference, :message, :asset, :units, :fee_limit, :expires_s, :sender,"
        " false, CAST(:sent_s AS bigint), :epoch, :now_us)",
        id=attempt.id, rail=attempt.rail, number=attempt.number, state=attempt.state,
        reference=attempt.reference, message=attempt.message, asset=attempt.amount.asset,
        units=attempt.amount.units, fee_limit=attempt.fee_limit.units,
        expires_s=attempt.expires_s, sender=attempt.sender, sent_s=attempt.sent_s, epoch=epoch,
        now_us=now_us,
    )  # fmt: skip
    await tx.run_rows(
        "INSERT INTO leg (attempt, payout) SELECT CAST(:attempt AS text), c0"
        f" FROM {tx.dialect.json_rows(('text',))} WHERE true",
        [(payout,) for payout in attempt.payouts],
        attempt=attempt.id,
    )


async def revive(tx: Tx, attempt: Attempt) -> None:
    """Try a dead attempt again: the same payment hash, and the message that was prepared now."""
    await move(tx, replace(attempt, state=AttemptState.DEAD), AttemptEvent.REVIVED)
    await unbury(tx, attempt.id)
    await tx.run(
        "UPDATE attempt SET sent_s = NULL, reason = NULL, message = :message, sender = :sender,"
        " expires_s = :expires_s WHERE id = :id",
        id=attempt.id, message=attempt.message, sender=attempt.sender, expires_s=attempt.expires_s,
    )  # fmt: skip


async def lose_again(tx: Tx, attempt: Attempt, reason: str) -> None:
    """A dead attempt is open again, with nothing behind it: its legs count, and a person looks."""
    await move(tx, attempt, AttemptEvent.LOST, reason=reason)
    await unbury(tx, attempt.id)


async def move(
    tx: Tx, attempt: Attempt, event: AttemptEvent, *, reason: str | None = None
) -> AttemptState:
    """Take an attempt through an event. Raises CorruptBooks when it is no longer in its state."""
    after = states.next_state(attempt.state, event)
    moved = await tx.run(
        "UPDATE attempt SET state = :after, reason = coalesce(:reason, reason) WHERE id = :id"
        " AND state = :before",
        after=after, reason=reason, id=attempt.id, before=attempt.state,
    )  # fmt: skip
    _one(moved, f"attempt {attempt.id} is no longer {attempt.state}")
    if after is AttemptState.DEAD:
        await tx.run("UPDATE leg SET dead = true WHERE attempt = :id", id=attempt.id)
    return after


async def send(tx: Tx, attempt: Attempt, epoch: int, now_s: int) -> Attempt:
    """It is about to be sent, under this lease; as it is then. Raises CorruptBooks as `move`."""
    sent = states.sent(attempt, now_s)
    moved = await tx.run(
        "UPDATE attempt SET state = :after, sent_s = :sent_s, epoch = :epoch"
        " WHERE id = :id AND state = :before",
        after=sent.state, sent_s=sent.sent_s, epoch=epoch, id=attempt.id, before=attempt.state,
    )  # fmt: skip
    _one(moved, f"attempt {attempt.id} is no longer {attempt.state}")
    return sent


async def set_seen(tx: Tx, attempt: AttemptId) -> None:
    """The network has shown this payment."""
    await tx.run("UPDATE attempt SET seen = true WHERE id = :id", id=attempt)


async def set_reason(tx: Tx, attempt: AttemptId, reason: str) -> None:
    """Why it is as it is, for people and for the audit."""
    await tx.run("UPDATE attempt SET reason = :reason WHERE id = :id", id=attempt, reason=reason)


async def settle(tx: Tx, attempt: Attempt, fee: Amount, proof: str) -> None:
    """It has paid, and what proves that. Raises CorruptBooks as `move`."""
    settled = await tx.run(
        "UPDATE attempt SET state = :after, proof = :proof, fee = :fee WHERE id = :id"
        " AND state = :before",
        after=states.next_state(attempt.state, AttemptEvent.SETTLED), proof=proof,
        fee=fee.units, id=attempt.id, before=attempt.state,
    )  # fmt: skip
    _one(settled, f"attempt {attempt.id} is no longer {attempt.state}")
    if attempt.state is AttemptState.DEAD:
        await unbury(tx, attempt.id)


async def set_proof(tx: Tx, attempt: AttemptId, fee: Amount, proof: str) -> None:
    """What a dead attempt that paid after all proves, although its payout was paid another way."""
    sql = "UPDATE attempt SET proof = :proof, fee = :fee WHERE id = :id"
    await tx.run(sql, proof=proof, fee=fee.units, id=attempt)


async def unbury(tx: Tx, attempt: AttemptId) -> None:
    """A dead attempt has paid after all: its legs count again."""
    await tx.run("UPDATE leg SET dead = false WHERE attempt = :id", id=attempt)


async def live(tx: Tx, rail: str, limit: int) -> list[Attempt]:
    """Attempts that may yet pay, oldest first."""
    return await _attempts(
        tx, "rail = :rail AND state IN ('ready', 'sent', 'limbo') ORDER BY number LIMIT :limit",
        rail=rail, limit=limit,
    )  # fmt: skip


async def with_prefix(tx: Tx, rail: str, prefix: str) -> list[Attempt]:
    """Attempts whose reference begins so, in order of number."""
    return await _attempts(
        tx, "rail = :rail AND substr(reference, 1, length(CAST(:prefix AS text))) = :prefix"
        " ORDER BY number",
        rail=rail, prefix=prefix,
    )  # fmt: skip


async def dead(tx: Tx, rail: str) -> list[Attempt]:
    """Earlier attempts, called dead, of payouts that are due again; oldest first."""
    return await _attempts(
        tx, "rail = :rail AND state = 'dead' AND id IN (SELECT attempt FROM leg JOIN payout"
        " ON payout.id = leg.payout WHERE leg.dead AND payout.state = 'due') ORDER BY number",
        rail=rail,
    )  # fmt: skip


async def buried_since(tx: Tx, rail: str, since_us: int, limit: int) -> list[Attempt]:
    """Dead attempts made since a time: watched for a payment that comes late."""
    return await _attempts(
        tx, "rail = :rail AND state = 'dead' AND created_us >= :since_us"
        " ORDER BY number LIMIT :limit",
        rail=rail, since_us=since_us, limit=limit,
    )  # fmt: skip


async def proof_of(tx: Tx, attempt_id: AttemptId) -> str | None:
    """What proves that an attempt has paid; None until it has."""
    found: str | None = await tx.value("SELECT proof FROM attempt WHERE id = :id", id=attempt_id)
    return found


async def get(tx: Tx, attempt_id: AttemptId) -> Attempt | None:
    """The attempt with this id, locked."""
    found = await _attempts(tx, "id = :id" + tx.for_update, id=attempt_id)
    return found[0] if found else None


async def _attempts(tx: Tx, where: str, **values: object) -> list[Attempt]:
    legs = f"(SELECT {tx.dialect.listed('payout')} FROM leg WHERE leg.attempt = attempt.id) AS legs"
    rows = await tx.rows(f"SELECT attempt.*, {legs} FROM attempt WHERE {where}", **values)
    return [_attempt(row) for row in rows]


def _attempt(row: Row[Any]) -> Attempt:
    asset = Asset(row.asset)
    legs = tuple(map(PayoutId, sorted(row.legs.split(",")))) if row.legs else ()
    return Attempt(
        AttemptId(row.id), row.rail, row.number, legs, row.reference, row.message,
        Amount(row.units, asset), Amount(row.fee_limit, asset), row.expires_s, row.sender,
        AttemptState(row.state), bool(row.seen), row.sent_s,
    )  # fmt: skip


def _one(touched: int, words: str) -> None:
    if touched != 1:
        raise CorruptBooks(words)
