"""Who works alone, what is stopped, how far a stream was read, and which keys were used."""

from __future__ import annotations

from dataclasses import dataclass

from node.errors import LeaseLost
from node.ids import MemberId
from node.store.engine import Tx


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to work alone under a name, until `until_us`. `epoch` grows with each holder."""

    name: str
    holder: str
    epoch: int
    until_us: int

    @property
    def rail(self) -> str:
        """The rail that is paid on under a lease `pay.<rail>`."""
        return self.name.removeprefix("pay.")


@dataclass(frozen=True, slots=True)
class Answered:
    """What was answered to a request with this Idempotency-Key. `body`: a hash of what it asked."""

    body: str
    status: int
    answer: str


async def take(tx: Tx, name: str, holder: str, now_us: int, until_us: int) -> Lease | None:
    """Take or renew a lease; None while another holds it."""
    await tx.run(
        "INSERT INTO lease (name, holder, epoch, until_us) VALUES (:name, '', 0, 0)"
        " ON CONFLICT DO NOTHING",
        name=name,
    )
    row = await tx.row(
        "UPDATE lease SET epoch = CASE WHEN holder = :holder THEN epoch ELSE epoch + 1 END,"
        " holder = :holder, until_us = :until_us"
        " WHERE name = :name AND (holder = :holder OR until_us <= :now_us) RETURNING epoch",
        name=name, holder=holder, now_us=now_us, until_us=until_us,
    )  # fmt: skip
    return Lease(name, holder, row.epoch, until_us) if row else None


async def renew(tx: Tx, lease: Lease, now_us: int, until_us: int) -> None:
    """Go on only if the lease is still ours, and prolong it. Raises LeaseLost."""
    ours = await tx.run(
        "UPDATE lease SET until_us = :until_us WHERE name = :name AND epoch = :epoch"
        " AND until_us > :now_us",
        name=lease.name, epoch=lease.epoch, now_us=now_us, until_us=until_us,
    )  # fmt: skip
    if not ours:
        raise LeaseLost(f"{lease.name} has run out, or another process has taken it over")


async def give_up(tx: Tx, holder: str) -> None:
    """End all leases of a process that ends: the next one need not wait for them to run out."""
    await tx.run("UPDATE lease SET until_us = 0 WHERE holder = :holder", holder=holder)


async def stop(tx: Tx, name: str, reason: str, now_us: int) -> bool:
    """Open the breaker of a rail: nothing more is sent on it. False: it is, the reason stays."""
    opened = await tx.run(
        "INSERT INTO breaker (name, reason, since_us) VALUES (:name, :reason, :now_us)"
        " ON CONFLICT DO NOTHING",
        name=name, reason=reason, now_us=now_us,
    )  # fmt: skip
    return opened == 1


async def halt(tx: Tx, rail: str, reason: str, now_us: int) -> bool:
    """Open the breaker and be sure: no transaction that leads to a send is half done by then.

    Such a transaction holds the row of the rail's lease; this one waits for it, and those that come
    later see the breaker.
    """
    await tx.run("UPDATE lease SET holder = holder WHERE name = :name", name=f"pay.{rail}")
    return await stop(tx, rail, reason, now_us)


async def resume(tx: Tx, name: str) -> bool:
    """Close the breaker; False if it was closed."""
    return await tx.run("DELETE FROM breaker WHERE name = :name", name=name) == 1


async def stopped(tx: Tx, name: str) -> str | None:
    """Why a rail must not send; None if it may."""
    reason: str | None = await tx.value(
        "SELECT reason FROM breaker WHERE name = :name"
        " UNION ALL SELECT words FROM quarantine WHERE rail = :name",
        name=name,
    )
    return reason


async def quarantine(tx: Tx, rail: str, words: str, now_us: int) -> None:
    """Nothing is sent on this rail until `reconcile` lifts it: no `resume` does."""
    await tx.run(
        "INSERT INTO quarantine (rail, words, since_us) VALUES (:rail, :words, :now_us)"
        " ON CONFLICT (rail) DO UPDATE SET words = excluded.words, since_us = excluded.since_us",
        rail=rail, words=words, now_us=now_us,
    )  # fmt: skip


async def quarantined(tx: Tx, rail: str) -> str | None:
    """Why a rail is in quarantine; None if it is not."""
    words: str | None = await tx.value("SELECT words FROM quarantine WHERE rail = :rail", rail=rail)
    return words


async def end_quarantine(tx: Tx, rail: str) -> bool:
    """All that the rail has done is known here again; False if it was in no quarantine."""
    return await tx.run("DELETE FROM quarantine WHERE rail = :rail", rail=rail) == 1


async def cursor(tx: Tx, name: str) -> int:
    """How far a stream was read; 0 if never."""
    return int(await tx.value("SELECT value FROM cursor WHERE name = :name", name=name) or 0)


async def set_cursor(tx: Tx, name: str, value: int) -> None:
    """Remember how far a stream was read; never backwards."""
    await tx.run(
        "INSERT INTO cursor (name, value) VALUES (:name, :value) ON CONFLICT (name)"
        " DO UPDATE SET value = excluded.value WHERE cursor.value < excluded.value",
        name=name, value=value,
    )  # fmt: skip


async def forget_answers(tx: Tx, before_us: int, limit: int) -> int:
    """Delete some answers that were kept before a time; how many."""
    return await tx.run(
        "DELETE FROM request_key WHERE (member, key) IN (SELECT member, key FROM request_key"
        " WHERE created_us < :before_us LIMIT :limit)",
        before_us=before_us, limit=limit,
    )  # fmt: skip


async def answered(tx: Tx, member: MemberId, key: str) -> Answered | None:
    """What was answered before to this member's key."""
    row = await tx.row(
        "SELECT body, status, answer FROM request_key WHERE member = :member AND key = :key",
        member=member, key=key,
    )  # fmt: skip
    return Answered(row.body, row.status, row.answer) if row else None


async def remember(tx: Tx, member: MemberId, key: str, answer: Answered, now_us: int) -> None:
    """Keep an answer for the next time the key is used. The first one stays."""
    await tx.run(
        "INSERT INTO request_key (member, key, body, status, answer, created_us)"
        " VALUES (:member, :key, :body, :status, :answer, :now_us) ON CONFLICT DO NOTHING",
        member=member, key=key, body=answer.body, status=answer.status, answer=answer.answer,
        now_us=now_us,
    )  # fmt: skip
