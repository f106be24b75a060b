"""What wallets were asked to sign, and what was signed: each is used once, by being deleted.

`browser` is the sha256 of a secret that only the browser that asked has.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from sqlalchemy import Row

from node.ids import MemberId
from node.store.engine import Tx
from node.store.identities import Kind

Action: TypeAlias = Literal["login", "link", "auth"]


@dataclass(frozen=True, slots=True)
class Challenge:
    """What a wallet is asked for. `member`: for whom, unless the action is to log in."""

    kind: Kind
    action: Action
    browser: str
    member: MemberId | None
    expires_us: int


@dataclass(frozen=True, slots=True)
class Proof:
    """A wallet has signed, for the browser that asked. `key` as an `Identity` has it."""

    kind: Kind
    key: str
    action: Action
    browser: str
    member: MemberId | None
    expires_us: int


async def ask(tx: Tx, challenge: Challenge, hashed: str) -> None:
    """Remember a challenge under the hash of its nonce."""
    await tx.run(
        "INSERT INTO sign_in_challenge (hash, kind, action, browser, member, expires_us)"
        " VALUES (:hash, :kind, :action, :browser, :member, :expires_us)",
        hash=hashed, kind=challenge.kind, action=challenge.action, browser=challenge.browser,
        member=challenge.member, expires_us=challenge.expires_us,
    )  # fmt: skip


async def find(tx: Tx, kind: Kind, hashed: str, now_us: int) -> Challenge | None:
    """The challenge with this nonce, if it can still be used."""
    row = await tx.row(
        "SELECT * FROM sign_in_challenge WHERE hash = :hash AND kind = :kind"
        " AND expires_us > :now_us",
        hash=hashed, kind=kind, now_us=now_us,
    )  # fmt: skip
    return _challenge(row) if row else None


async def spend(tx: Tx, kind: Kind, hashed: str, now_us: int) -> Challenge | None:
    """Use a challenge up; None if it was used, has run out, or never was."""
    row = await tx.row(
        "DELETE FROM sign_in_challenge WHERE hash = :hash AND kind = :kind"
        " AND expires_us > :now_us RETURNING *",
        hash=hashed, kind=kind, now_us=now_us,
    )  # fmt: skip
    return _challenge(row) if row else None


async def keep_newest(tx: Tx, browser: str, count: int) -> None:
    """A browser's challenges but for its `count` newest are forgotten."""
    await tx.run(
        "DELETE FROM sign_in_challenge WHERE browser = :browser AND hash NOT IN ("
        "SELECT hash FROM sign_in_challenge WHERE browser = :browser"
        " ORDER BY expires_us DESC, hash LIMIT :count)",
        browser=browser, count=count,
    )  # fmt: skip


async def count(tx: Tx) -> int:
    """How many wait for a signature."""
    return int(await tx.value("SELECT count(*) FROM sign_in_challenge"))


async def prove(tx: Tx, proof: Proof) -> None:
    """Keep a proof for its browser, in place of an earlier one."""
    await tx.run(
        "INSERT INTO sign_in_proof (browser, kind, key, action, member, expires_us)"
        " VALUES (:browser, :kind, :key, :action, :member, :expires_us)"
        " ON CONFLICT (browser) DO UPDATE SET kind = excluded.kind, key = excluded.key,"
        " action = excluded.action, member = excluded.member, expires_us = excluded.expires_us",
        browser=proof.browser, kind=proof.kind, key=proof.key, action=proof.action,
        member=proof.member, expires_us=proof.expires_us,
    )  # fmt: skip


async def proof_of(tx: Tx, browser: str, now_us: int) -> Proof | None:
    """The proof that waits for this browser."""
    row = await tx.row(
        "SELECT * FROM sign_in_proof WHERE browser = :browser AND expires_us > :now_us",
        browser=browser, now_us=now_us,
    )  # fmt: skip
    return _proof(row) if row else None


async def take_proof(tx: Tx, browser: str, now_us: int) -> Proof | None:
    """Use the proof of this browser up; None if there is none."""
    row = await tx.row(
        "DELETE FROM sign_in_proof WHERE browser = :browser AND expires_us > :now_us RETURNING *",
        browser=browser, now_us=now_us,
    )  # fmt: skip
    return _proof(row) if row else None


async def see_event(tx: Tx, event: str, expires_us: int) -> bool:
    """Remember a signed event; False if it was seen before."""
    seen = await tx.run(
        "INSERT INTO seen_event (id, expires_us) VALUES (:id, :expires_us) ON CONFLICT DO NOTHING",
        id=event, expires_us=expires_us,
    )  # fmt: skip
    return seen == 1


async def forget(tx: Tx, now_us: int) -> None:
    """Delete what has run out."""
    for table in ("sign_in_challenge", "sign_in_proof", "seen_event"):
        await tx.run(f"DELETE FROM {table} WHERE expires_us <= :now_us", now_us=now_us)


def _challenge(row: Row[Any]) -> Challenge:
    return Challenge(row.kind, row.action, row.browser, _member(row.member), row.expires_us)


def _proof(row: Row[Any]) -> Proof:
    return Proof(row.kind, row.key, row.action, row.browser, _member(row.member), row.expires_us)


def _member(value: int | None) -> MemberId | None:
    return None if value is None else MemberId(value)
