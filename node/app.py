"""The one place where a node is put together: database, wallet, rails, and the tasks.

folder/flattr-node.toml     settings
folder/flattr.sqlite        the database, unless the settings name another
folder/seed                 32 secret bytes: preimages of deposits and keysends come from it
"""

from __future__ import annotations

import os
import secrets
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Final

from node.clock import Clock
from node.config import LndSettings, Settings, database_url
from node.errors import ConfigError
from node.flows.flattr import open_clicks
from node.flows.node import Node
from node.flows.rules import lightning_rules
from node.store.engine import Store, open_store
from node.wallet.fetch import open_fetcher
from node.wallet.lightning.connection import LndConnection
from node.wallet.lightning.invoices import LightningInvoices
from node.wallet.lightning.lnd import Lnd, open_lnd
from node.wallet.lightning.rail import LightningRail

SEED_NAME: Final = "seed"
SEED_BYTES: Final = 32


@asynccontextmanager
async def open_node(settings: Settings, folder: Path, clock: Clock) -> AsyncIterator[Node]:
    """A whole node, connected and checked. Raises ConfigError, RailUnavailable."""
    async with AsyncExitStack() as stack:
        seed = read_seed(folder)
        store = await stack.enter_async_context(open_store(database_url(settings, folder)))
        lnd = await stack.enter_async_context(
            open_lnd(lnd_connection(settings.lnd), send_wait_s=settings.lnd.send_wait_s)
        )
        await _check_lnd(settings, lnd)
        fetcher = await stack.enter_async_context(open_fetcher(allow=settings.fetch_allow))
        clicks = await stack.enter_async_context(open_clicks(store, clock))
        yield Node(
            settings=settings,
            store=store,
            clock=clock,
            rules=lightning_rules(settings.money),
            clicks=clicks,
            fetcher=fetcher,
            lnd=lnd,
            invoices=LightningInvoices(lnd, clock, seed),
            rail=LightningRail(lnd, fetcher, clock, seed),
            holder=f"{os.getpid()}-{secrets.token_hex(4)}",
        )


@asynccontextmanager
async def open_books(settings: Settings, folder: Path) -> AsyncIterator[Store]:
    """The database alone, for commands that need no wallet. Raises ConfigError."""
    async with open_store(database_url(settings, folder)) as store:
        yield store


def lnd_connection(settings: LndSettings) -> LndConnection:
    """How to reach LND by the settings. Raises ConfigError with what to write."""
    if settings.lndconnect:
        return LndConnection.from_lndconnect(settings.lndconnect)
    if settings.cert_path is None or settings.macaroon_path is None:
        raise ConfigError(
            "say how to reach LND: lnd.lndconnect = 'lndconnect://…', or lnd.address, "
            "lnd.cert_path and lnd.macaroon_path"
        )
    return LndConnection.from_paths(settings.address, settings.cert_path, settings.macaroon_path)


def read_seed(folder: Path) -> bytes:
    """The node's secret seed, made at the first start. Raises ConfigError for a damaged one."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / SEED_NAME
    if not path.exists():
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_bytes(SEED_BYTES))
            file.flush()
            os.fsync(file.fileno())
    seed = path.read_bytes()
    if len(seed) != SEED_BYTES:
        raise ConfigError(f"{path} has {len(seed)} bytes instead of {SEED_BYTES}: restore it")
    return seed


async def _check_lnd(settings: Settings, lnd: Lnd) -> None:
    """Refuse another network than the settings say, and a macaroon that could delete payments."""
    info = await lnd.read_node()
    if info.network != settings.network:
        raise ConfigError(
            f"LND is on {info.network}, and the settings say network = {settings.network}"
        )
    allowed = settings.network in {"simnet", "regtest"} or settings.lnd.allow_admin_macaroon
    if not allowed and await lnd.holds_dangerous_permissions():
        raise ConfigError(
            "the macaroon may delete payments, which lets LND pay an invoice twice. Bake one with "
            "only what is needed: see docs/operate.md"
        )
