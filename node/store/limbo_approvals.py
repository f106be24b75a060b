"""People's words that a payment in LIMBO is dead, each with what was seen when it was given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from node.ids import AttemptId
from node.store.engine import Tx

NEEDED: Final = 2
"""Different people who must say it."""


@dataclass(frozen=True, slots=True)
class LimboApproval:
    """One person's word. `proof`: the evidence in words; `hash`: its sha256."""

    attempt: AttemptId
    actor: str
    proof: str
    hash: str
    at_us: int


async def add(tx: Tx, approval: LimboApproval) -> bool:
    """Keep a word; False if this person has given it before: the newer proof is kept then."""
    before = await tx.value(
        "SELECT 1 FROM limbo_approval WHERE attempt = :attempt AND actor = :actor",
        attempt=approval.attempt, actor=approval.actor,
    )  # fmt: skip
    await tx.run(
        "INSERT INTO limbo_approval (attempt, actor, proof, hash, at_us)"
        " VALUES (:attempt, :actor, :proof, :hash, :at_us) ON CONFLICT (attempt, actor)"
        " DO UPDATE SET proof = excluded.proof, hash = excluded.hash, at_us = excluded.at_us",
        attempt=approval.attempt, actor=approval.actor, proof=approval.proof, hash=approval.hash,
        at_us=approval.at_us,
    )  # fmt: skip
    return before is None


async def of_attempt(tx: Tx, attempt: AttemptId) -> list[LimboApproval]:
    """The words on one attempt, oldest first."""
    rows = await tx.rows(
        "SELECT attempt, actor, proof, hash, at_us FROM limbo_approval WHERE attempt = :attempt"
        " ORDER BY at_us, actor",
        attempt=attempt,
    )
    return [LimboApproval(AttemptId(r.attempt), r.actor, r.proof, r.hash, r.at_us) for r in rows]


async def proved(tx: Tx, attempts: Sequence[AttemptId]) -> set[AttemptId]:
    """Those of the attempts that enough people have proved dead."""
    if not attempts:
        return set()
    rows = await tx.rows_of(
        "SELECT attempt FROM limbo_approval"
        f" WHERE attempt IN (SELECT c0 FROM {tx.dialect.json_rows(('text',))})"
        f" GROUP BY attempt HAVING count(*) >= {NEEDED}",
        [(one,) for one in attempts],
    )
    return {AttemptId(row.attempt) for row in rows}
