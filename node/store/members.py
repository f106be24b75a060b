"""Members, their tokens, payout targets, means and notices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row

from node.ids import MemberId
from node.money import Amount, Asset
from node.store.engine import NEWEST, Tx


@dataclass(frozen=True, slots=True)
class Member:
    """Someone with an account."""

    id: MemberId
    name: str
    created_us: int
    suspended_us: int | None
    dues_from_earnings: bool
    shows_flattrs: bool
    """Whether creators' pages may name the member among their readers."""
    closed_us: int | None


@dataclass(frozen=True, slots=True)
class Token:
    """An API token, without the secret itself. `suspended`: whether its member is."""

    id: str
    member: MemberId
    label: str
    scopes: frozenset[str]
    created_us: int
    expires_us: int
    revoked_us: int | None
    suspended: bool = False


@dataclass(frozen=True, slots=True)
class StoredTarget:
    """Where a member is paid, from `active_us` on."""

    member: MemberId
    asset: Asset
    text: str
    fingerprint: str
    set_us: int
    active_us: int


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that a member should know."""

    kind: str
    ref: str
    words: str
    created_us: int


async def add(tx: Tx, name: str, now_us: int) -> MemberId | None:
    """Make a member; None if the name is taken."""
    number = await tx.value(
        "INSERT INTO member (name, created_us, dues_from_earnings) VALUES (:name, :now_us, true)"
        " ON CONFLICT DO NOTHING RETURNING id",
        name=name, now_us=now_us,
    )  # fmt: skip
    return None if number is None else MemberId(number)


async def get(tx: Tx, member: MemberId) -> Member | None:
    """The member with this id."""
    return _member(await tx.row("SELECT * FROM member WHERE id = :id", id=member))


async def by_name(tx: Tx, name: str) -> Member | None:
    """The member with this name."""
    return _member(await tx.row("SELECT * FROM member WHERE name = :name", name=name))


async def count(tx: Tx) -> int:
    """How many members there are."""
    return int(await tx.value("SELECT count(*) FROM member"))


async def set_dues_from_earnings(tx: Tx, member: MemberId, on: bool) -> None:
    """Whether the dues are taken from earnings."""
    await tx.run("UPDATE member SET dues_from_earnings = :on WHERE id = :id", on=on, id=member)


async def set_shows_flattrs(tx: Tx, member: MemberId, on: bool) -> None:
    """Whether creators' pages may name the member among their readers."""
    await tx.run("UPDATE member SET shows_flattrs = :on WHERE id = :id", on=on, id=member)


async def set_suspended(tx: Tx, member: MemberId, since_us: int | None) -> None:
    """Suspend a member, or lift it with None."""
    await tx.run("UPDATE member SET suspended_us = :us WHERE id = :id", us=since_us, id=member)


async def suspended(tx: Tx) -> set[MemberId]:
    """Everybody who is suspended."""
    rows = await tx.rows("SELECT id FROM member WHERE suspended_us IS NOT NULL")
    return {MemberId(row.id) for row in rows}


async def add_token(tx: Tx, token: Token, hashed: str) -> None:
    """Store a token's hash (of its secret: 64 hex digits of sha256)."""
    await tx.run(
        "INSERT INTO token (hash, id, member, label, scopes, created_us, expires_us)"
        " VALUES (:hash, :id, :member, :label, :scopes, :created_us, :expires_us)",
        hash=hashed, id=token.id, member=token.member, label=token.label,
        scopes=" ".join(sorted(token.scopes)), created_us=token.created_us,
        expires_us=token.expires_us,
    )  # fmt: skip


async def tokens_by_hash(tx: Tx, hashes: Sequence[str]) -> dict[str, Token]:
    """The tokens whose secrets have these hashes, by hash; revoked and expired ones too."""
    rows = await tx.rows_of(
        "SELECT token.*, suspended_us FROM token JOIN member ON member.id = token.member"
        f" JOIN {tx.dialect.json_rows(('text',))} ON token.hash = c0",
        [(hashed,) for hashed in hashes],
    )
    return {row.hash: _token(row, row.suspended_us is not None) for row in rows}


async def revoked_since(tx: Tx, since_us: int) -> set[str]:
    """The ids of tokens that were revoked since a time."""
    sql = "SELECT id FROM token WHERE revoked_us >= :since_us"
    return {row.id for row in await tx.rows(sql, since_us=since_us)}


async def tokens_of(tx: Tx, member: MemberId) -> list[Token]:
    """A member's tokens, oldest first."""
    sql = "SELECT * FROM token WHERE member = :member ORDER BY created_us, id"
    return [_token(row) for row in await tx.rows(sql, member=member)]


async def revoke_token(tx: Tx, member: MemberId, token: str, now_us: int) -> bool:
    """Revoke one; False if the member has no such token."""
    sql = (
        "UPDATE token SET revoked_us = coalesce(revoked_us, CAST(:now_us AS bigint))"
        " WHERE member = :member AND id = :id"
    )
    return await tx.run(sql, now_us=now_us, member=member, id=token) == 1


async def set_target(tx: Tx, target: StoredTarget) -> None:
    """Make this the member's payout target of its asset; an earlier one is kept as history."""
    await tx.run(
        "UPDATE target SET replaced_us = :now_us WHERE member = :member AND asset = :asset"
        " AND replaced_us IS NULL",
        now_us=target.set_us, member=target.member, asset=target.asset,
    )  # fmt: skip
    await tx.run(
        "INSERT INTO target (member, asset, text, fingerprint, set_us, active_us)"
        " VALUES (:member, :asset, :text, :fingerprint, :set_us, :active_us)",
        member=target.member, asset=target.asset, text=target.text,
        fingerprint=target.fingerprint, set_us=target.set_us, active_us=target.active_us,
    )  # fmt: skip


async def target_of(tx: Tx, member: MemberId, asset: Asset) -> StoredTarget | None:
    """A member's payout target."""
    row = await tx.row(
        "SELECT * FROM target WHERE member = :member AND asset = :asset AND replaced_us IS NULL",
        member=member, asset=asset,
    )  # fmt: skip
    return _target(row) if row else None


async def targets(tx: Tx, asset: Asset) -> dict[MemberId, StoredTarget]:
    """Everybody's payout target."""
    sql = "SELECT * FROM target WHERE asset = :asset AND replaced_us IS NULL"
    return {MemberId(row.member): _target(row) for row in await tx.rows(sql, asset=asset)}


async def set_means(tx: Tx, member: MemberId, amount: Amount) -> None:
    """The standing amount that fills the pot each month; zero ends it."""
    await tx.run(
        "INSERT INTO means (member, asset, units) VALUES (:member, :asset, :units)"
        " ON CONFLICT (member, asset) DO UPDATE SET units = excluded.units",
        member=member, asset=amount.asset, units=amount.units,
    )  # fmt: skip


async def means_of(tx: Tx, member: MemberId, asset: Asset) -> Amount:
    """A member's means."""
    sql = "SELECT units FROM means WHERE member = :member AND asset = :asset"
    return Amount(await tx.value(sql, member=member, asset=asset) or 0, asset)


async def notify(tx: Tx, member: MemberId, kind: str, ref: str, words: str, now_us: int) -> None:
    """Tell a member something, once for each (kind, ref)."""
    await tx.run(
        "INSERT INTO notice (member, kind, ref, words, created_us)"
        " VALUES (:member, :kind, :ref, :words, :now_us) ON CONFLICT DO NOTHING",
        member=member, kind=kind, ref=ref, words=words, now_us=now_us,
    )  # fmt: skip


async def noticed_us(tx: Tx, member: MemberId, kind: str, ref: str) -> int | None:
    """When a member was told this; None if never."""
    told: int | None = await tx.value(
        "SELECT created_us FROM notice WHERE member = :member AND kind = :kind AND ref = :ref",
        member=member, kind=kind, ref=ref,
    )  # fmt: skip
    return told


async def notices_of(
    tx: Tx, member: MemberId, limit: int, after: tuple[int, str] = NEWEST
) -> list[Notice]:
    """A member's notices, newest first; those after (created_us, kind:ref) of the last one."""
    rows: Sequence[Row[Any]] = await tx.rows(
        "SELECT kind, ref, words, created_us FROM notice WHERE member = :member"
        " AND (created_us < :us OR (created_us = :us AND kind || ':' || ref > :place))"
        " ORDER BY created_us DESC, kind || ':' || ref LIMIT :limit",
        member=member, limit=limit, us=after[0], place=after[1],
    )  # fmt: skip
    return [Notice(row.kind, row.ref, row.words, row.created_us) for row in rows]


async def money_notices_of(tx: Tx, member: MemberId, limit: int) -> list[Notice]:
    """A member's notices on being paid: money going back, another target; newest first."""
    rows = await tx.rows(
        "SELECT kind, ref, words, created_us FROM notice WHERE member = :member"
        " AND kind IN ('held', 'target', 'withdrawal') ORDER BY created_us DESC, kind, ref"
        " LIMIT :limit",
        member=member, limit=limit,
    )  # fmt: skip
    return [Notice(row.kind, row.ref, row.words, row.created_us) for row in rows]


def _member(row: Row[Any] | None) -> Member | None:
    if row is None:
        return None
    return Member(
        MemberId(row.id), row.name, row.created_us, row.suspended_us,
        bool(row.dues_from_earnings), bool(row.shows_flattrs), row.closed_us,
    )  # fmt: skip


def _token(row: Row[Any], suspended: bool = False) -> Token:
    return Token(
        row.id, MemberId(row.member), row.label, frozenset(row.scopes.split()), row.created_us,
        row.expires_us, row.revoked_us, suspended,
    )  # fmt: skip


def _target(row: Row[Any]) -> StoredTarget:
    return StoredTarget(
        MemberId(row.member), Asset(row.asset), row.text, row.fingerprint, row.set_us,
        row.active_us,
    )  # fmt: skip
