"""Take a backup while the node serves: all tables as they were at one moment.

One transaction reads them, which sees one state from its first statement to its last in both
databases, and keeps nobody from writing.
"""

from __future__ import annotations

import hashlib
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from node.clock import Clock
from node.config import Settings
from node.flows.backups.file import Header, Writing
from node.store import dump, operator_log
from node.store.engine import Store, Tx

LOG = "log"


async def take_backup(
    store: Store, clock: Clock, settings: Settings, seed: bytes, path: Path
) -> Header:
    """Write `path`, which must not be there; what it is of. Raises BadBackup."""
    async with store.read() as tx:
        header = await _header(tx, store, clock, settings, seed)
        with Writing(path, header) as writing:
            for shape in dump.shapes():
                writing.table(shape)
                async for rows in dump.pages(tx, shape):
                    writing.rows(shape, rows)
    return header


def fingerprint(seed: bytes) -> str:
    """By what a seed is known without being told."""
    return hashlib.sha256(b"flattr-node seed\n" + seed).hexdigest()[:32]


def vault_of(settings: Settings) -> str:
    """The stablecoin's network and vault; empty without it."""
    chosen = settings.stablecoin
    return "" if chosen is None else f"{chosen.network} {chosen.vault.lower()}"


async def _header(tx: Tx, store: Store, clock: Clock, settings: Settings, seed: bytes) -> Header:
    return Header(
        taken_us=clock.now_us(),
        version=_version(),
        network=settings.network,
        vault=vault_of(settings),
        database=store.dialect.name,
        schema=await dump.schema(tx),
        seed=fingerprint(seed),
        heads={**await dump.heads(tx), LOG: await operator_log.head(tx)},
    )


def _version() -> str:
    try:
        return version("flattr-node")
    except PackageNotFoundError:
        return "not installed"
