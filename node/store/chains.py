"""The hash chains of the ledger, computed again from every entry and every posting.

    entries, by seq ──▶ digest of their postings ──▶ hash ──▶ the next one's `before` … ──▶ the head

Thousands of entries are read at a time, with two queries; only the hashing goes row by row. A
posting of no entry is found as well: all that are hashed must be all that there are.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from operator import itemgetter
from typing import Any, Final, TypeAlias

from node.ledger.entry import GENESIS, link_hash, transfer_digest, transfers_digest
from node.money import Asset
from node.month import Month
from node.store.engine import Tx

ENTRIES_AT_ONCE: Final = 10_000
_EMPTY: Final = transfers_digest(())
_FIELDS: Final = "seq, number, id, kind, ref, month, at_us, digest, before, hash"

_Rows: TypeAlias = Sequence[Sequence[Any]]


@dataclass(slots=True)
class _Walk:
    """How far a chain has been followed. `broken`: where it does not fit, in words."""

    asset: Asset
    seq: int = 0
    before: str = GENESIS
    postings: int = 0
    broken: str = ""


async def broken_chains(tx: Tx) -> list[str]:
    """Where the chains don't fit together, in words; the first place of each asset."""
    rows = await tx.plain_rows("SELECT id, name FROM account")
    names: dict[int, str] = {row[0]: row[1] for row in rows}
    walks = [await _follow(tx, asset, names) for asset in Asset]
    broken = [walk.broken for walk in walks if walk.broken]
    if not broken:
        number = int(await tx.value("SELECT count(*) FROM posting"))
        if (hashed := sum(walk.postings for walk in walks)) != number:
            broken.append(f"{number - hashed} postings belong to no entry")
    return broken


async def _follow(tx: Tx, asset: Asset, names: Mapping[int, str]) -> _Walk:
    walk = _Walk(asset)
    while entries := await tx.plain_rows(
        f"SELECT {_FIELDS} FROM entry WHERE asset = :asset AND seq > :after ORDER BY seq"
        f" LIMIT {ENTRIES_AT_ONCE}",
        asset=asset, after=walk.seq,
    ):  # fmt: skip
        postings = await _postings(tx, entries)
        # Hashing takes a tenth of a second and more: a serving node goes on meanwhile.
        await asyncio.to_thread(_step, walk, entries, postings, names)
        if walk.broken:
            return walk
    head = await tx.row("SELECT seq, head FROM chain WHERE asset = :asset", asset=asset)
    end = (head.seq, head.head) if head is not None else (0, GENESIS)
    if end != (walk.seq, walk.before):
        walk.broken = f"it ends at {walk.seq}, and should at {end[0]}"
    return walk


async def _postings(tx: Tx, entries: _Rows) -> _Rows:
    numbers = [entry[1] for entry in entries]
    return await tx.plain_rows(
        "SELECT entry, debit, credit, units FROM posting WHERE entry BETWEEN :first AND :last"
        " ORDER BY entry, line",
        first=min(numbers), last=max(numbers),
    )  # fmt: skip


def _step(walk: _Walk, entries: _Rows, postings: _Rows, names: Mapping[int, str]) -> None:
    digests, asset = _digests(walk, entries, postings, names), str(walk.asset)
    for seq, number, id_, kind, ref, month, at_us, digest, before, hash_ in entries:
        walk.seq += 1
        again = digests.get(number, _EMPTY)
        named = (id_, kind, asset, ref, _month(month))
        hashed = link_hash(walk.before, walk.seq, named, at_us, again)
        if (seq, before, hash_, digest) != (walk.seq, walk.before, hashed, again):
            walk.broken = f"entry {seq} ({kind} {ref})"
            return
        walk.before = hash_


def _digests(
    walk: _Walk, entries: _Rows, postings: _Rows, names: Mapping[int, str]
) -> dict[int, str]:
    """The digests of these entries' postings, by number; an entry without any is left out."""
    numbers, digests = {entry[1] for entry in entries}, {}
    for number, rows in groupby(postings, itemgetter(0)):
        if number in numbers:
            ours = list(rows)
            walk.postings += len(ours)
            if len(ours) == 1:
                ((_, debit, credit, units),) = ours
                digests[number] = transfer_digest(
                    names.get(debit, "?"), names.get(credit, "?"), units
                )
            else:
                digests[number] = transfers_digest(_named(ours, names))
    return digests


@cache
def _month(ordinal: int | None) -> str:
    return "" if ordinal is None else str(Month.from_ordinal(ordinal))


def _named(rows: _Rows, names: Mapping[int, str]) -> Iterator[tuple[str, str, int]]:
    return (
        (names.get(debit, "?"), names.get(credit, "?"), units) for _, debit, credit, units in rows
    )
