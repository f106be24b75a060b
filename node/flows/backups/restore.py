"""Back from a backup, into an empty database of either kind; then both rails are in quarantine.

    demand the right file ▶ new tables ▶ all rows, one transaction ▶ compare ▶ quarantine

What was paid since the backup was taken is unknown to it, and would be paid again. So nothing is
sent on either rail until `reconcile` has asked lnd and the chain. That the seed is the same is
demanded: a keysend's hash comes from it, and another hash would be another payment.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from node.clock import Clock
from node.config import Settings
from node.errors import BadBackup
from node.flows.backups.file import Header, demand_whole, read_header, read_tables
from node.flows.backups.take import LOG, fingerprint, vault_of
from node.flows.operator.access import COMMAND_LINE
from node.flows.operator.acts import RAILS
from node.store import checks, dump, leases, operator_log
from node.store.dump import TableShape
from node.store.engine import Tx, open_store
from node.store.operator_log import Act

DIFFERENCES_SHOWN: Final = 5


@dataclass(frozen=True, slots=True)
class Restored:
    """What came back. `broken`: what is not right with the books, as it was in the backup."""

    header: Header
    rows: int
    broken: tuple[str, ...]


async def restore_backup(
    url: str, clock: Clock, settings: Settings, seed: bytes, path: Path
) -> Restored:
    """Fill the empty database at `url` from a backup.

    Raises BadBackup for a damaged file, another node's or another network's, and for a database
    that has anything in it; ConfigError for one that can't be opened. Nothing is written then.
    """
    header = read_header(path)
    _demand_same_node(header, settings, seed)
    demand_whole(path)
    async with open_store(url, header.schema) as store, store.write("backup.restore") as tx:
        if not await dump.is_empty(tx):
            raise BadBackup("the database is not empty: restore into a new one")
        stored, rows = await _fill(tx, path)
        await dump.finish(tx)
        await _quarantine(tx, clock, header, path)
    async with open_store(url) as store, store.read() as tx:
        broken = await _broken(tx, stored, header)
    return Restored(header, rows, tuple(broken))


def words_of(header: Header) -> str:
    """When a backup was taken, for people."""
    return datetime.fromtimestamp(header.taken_us // 1_000_000, UTC).strftime("%Y-%m-%d %H:%M UTC")


def _demand_same_node(header: Header, settings: Settings, seed: bytes) -> None:
    if header.network != settings.network:
        raise BadBackup(
            f"the backup is of {header.network}, and the settings say network = {settings.network}"
        )
    if header.vault != vault_of(settings):
        ours, theirs = vault_of(settings) or "none", header.vault or "none"
        raise BadBackup(f"the backup's stablecoin vault is {theirs}, and the settings' is {ours}")
    if header.seed != fingerprint(seed):
        raise BadBackup(
            "the backup is of a node with another seed: put its file `seed` into the folder."
            " With another one payments would have other hashes, and could be made twice"
        )


async def _fill(tx: Tx, path: Path) -> tuple[dict[int, int], int]:
    """(the balances that the backup has, how many rows there are)."""
    stored: dict[int, int] = {}
    number = 0
    known = {shape.name for shape in dump.shapes()}
    for shape, rows in read_tables(path):
        if shape.name not in known:
            raise BadBackup(f"the backup has a table {shape.name}, which this node does not know")
        decoded = _decoded(shape, rows)
        if shape.name == "account":
            id_, balance = shape.columns.index("id"), shape.columns.index("balance")
            stored |= {row[id_]: row[balance] for row in decoded}
        await dump.insert(tx, shape, decoded)
        number += len(rows)
    return stored, number


def _decoded(shape: TableShape, rows: list[list[Any]]) -> Sequence[Sequence[Any]]:
    """Rows as the database wants them: JSON has no bytes, and SQLite no truth."""
    for place, kind in enumerate(shape.kinds):
        if kind:
            for row in rows:
                if row[place] is not None:
                    row[place] = b64decode(row[place]) if kind == "bytes" else bool(row[place])
    return rows


async def _quarantine(tx: Tx, clock: Clock, header: Header, path: Path) -> None:
    now_us = clock.now_us()
    words = f"restored from a backup of {words_of(header)}: flattr-node reconcile compares it first"
    for rail in RAILS:
        await leases.quarantine(tx, rail, words, now_us)
    act = Act(COMMAND_LINE, "restored", path.name[:200], words)
    await operator_log.append(tx, act, now_us)


async def _broken(tx: Tx, stored: dict[int, int], header: Header) -> list[str]:
    """What the backup's books say that their postings don't, and every law that is broken."""
    posted = await dump.balances(tx)
    wrong = [number for number, units in stored.items() if posted.get(number) != units]
    broken = [
        f"account {number}: its postings come to {posted.get(number)}, and it was {stored[number]}"
        for number in wrong[:DIFFERENCES_SHOWN]
    ]
    if await dump.heads(tx) != {name: head for name, head in header.heads.items() if name != LOG}:
        broken.append("the chains end elsewhere than the backup says")
    breaches = await checks.breaches(tx, deep=True)
    return broken + [f"{one.invariant} {one.law}: {'; '.join(one.rows)}" for one in breaches]
