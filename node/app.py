"""The one place where a node is put together: database, wallet, rails, and the tasks.

folder/flattr-node.toml     settings
folder/flattr.sqlite        the database, unless the settings name another
folder/seed                 32 secret bytes: preimages of deposits and keysends come from it
folder/payments.journal     what was about to be paid, for a database that forgets it
folder/operator.json        the stablecoin's key, encrypted, unless the settings name another file
"""

from __future__ import annotations

import os
import secrets
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Final

import structlog

from node.clock import Clock
from node.config import (
    FILE_NAME,
    LndSettings,
    Settings,
    StablecoinSettings,
    database_url,
    stablecoin_passphrase,
)
from node.errors import BadTarget, ConfigError
from node.flows.flattr import open_clicks
from node.flows.intents import FILE_NAME as JOURNAL_NAME
from node.flows.intents import Intents
from node.flows.node import Node
from node.flows.rules import lightning_rules, stablecoin_rules
from node.flows.vault import chain_key
from node.flows.vault.events import ChainMoney, demand_first_block
from node.flows.vault.months import VaultMonths
from node.flows.vault.stablecoin import Stablecoin
from node.flows.vault.transact import Transactor
from node.store.click_socket import ClickSocket
from node.store.engine import Store, open_store
from node.wallet.fetch import open_fetcher
from node.wallet.lightning.connection import LndConnection
from node.wallet.lightning.invoices import LightningInvoices
from node.wallet.lightning.lnd import Lnd, open_lnd
from node.wallet.lightning.rail import LightningRail
from node.wallet.stablecoin.chain import Chain, open_chain
from node.wallet.stablecoin.networks import (
    TESTER,
    ChainNetwork,
    chain_network,
    demand_test_chain,
)
from node.wallet.stablecoin.signer import Signer, open_signer
from node.wallet.stablecoin.vault import Vault, VaultRoles
from node.wallet.stablecoin.words import read_address
from node.wallet.txt_records import TxtRecords

SEED_NAME: Final = "seed"
SEED_BYTES: Final = 32
KEYSTORE_NAME: Final = "operator.json"
GWEI_WEI: Final = 10**9

_log = structlog.get_logger()


@asynccontextmanager
async def open_node(
    settings: Settings,
    folder: Path,
    clock: Clock,
    *,
    stablecoin_chain: Chain | None = None,
    click_socket: ClickSocket | None = None,
) -> AsyncIterator[Node]:
    """A whole node, connected and checked. Raises ConfigError, RailUnavailable.

    `stablecoin_chain`: a chain in this process, instead of the RPCs that the settings name.
    `click_socket`: where the clicks of several web processes come together.
    """
    async with AsyncExitStack() as stack:
        seed = read_seed(folder)
        store = await stack.enter_async_context(open_store(database_url(settings, folder)))
        lnd = await stack.enter_async_context(
            open_lnd(lnd_connection(settings.lnd), send_wait_s=settings.lnd.send_wait_s)
        )
        await _check_lnd(settings, lnd)
        fetcher = await stack.enter_async_context(open_fetcher(allow=settings.fetch_allow))
        clicks = await stack.enter_async_context(open_clicks(store, clock, click_socket))
        stablecoin = None
        if settings.stablecoin is not None:
            opening = open_stablecoin(settings, folder, store, clock, chain=stablecoin_chain)
            stablecoin = await stack.enter_async_context(opening)
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
            intents=Intents(folder / JOURNAL_NAME),
            stablecoin=stablecoin,
            txt_records=TxtRecords(settings.dns_server),
        )


@asynccontextmanager
async def open_stablecoin(
    settings: Settings,
    folder: Path,
    store: Store,
    clock: Clock,
    *,
    chain: Chain | None = None,
    signer: Signer | None = None,
) -> AsyncIterator[Stablecoin]:
    """The second rail, connected and checked: its chain, its vault, its key.

    `chain` and `signer` stand for what the settings name. Raises ConfigError, RailUnavailable.
    """
    chosen = settings.stablecoin
    if chosen is None:
        raise ConfigError("the stablecoin is not switched on: flattr-node contract deploy does it")
    network = chain_network(chosen.network)
    async with AsyncExitStack() as stack:
        if chain is None:
            chain = await stack.enter_async_context(open_rpcs(chosen, network))
        signer = signer or stablecoin_signer(chosen, folder)
        vault = vault_of(chosen, chain)
        roles = await _check_vault(vault, network, signer.address)
        rules = stablecoin_rules(settings.money, chosen, roles.treasury)
        money = ChainMoney(store, clock, chain, vault, network.chain_id, chosen.first_block)
        await demand_first_block(money)
        await _look_at_key(money, signer.address)
        ceiling_wei = chosen.gas_ceiling_gwei * GWEI_WEI
        transactor = Transactor(store, clock, chain, network.chain_id, signer, ceiling_wei)
        yield Stablecoin(
            network=network.name,
            money=money,
            token=roles.token,
            treasury=roles.treasury,
            signer=signer,
            transactor=transactor,
            months=VaultMonths(
                chain, network.chain_id, vault, transactor, first_block=chosen.first_block
            ),
            rules=rules,
            secret=read_seed(folder),
        )


@asynccontextmanager
async def open_rpcs(chosen: StablecoinSettings, network: ChainNetwork) -> AsyncIterator[Chain]:
    """The chain by the RPCs of the settings. Raises ConfigError."""
    if network.name == TESTER:
        raise ConfigError(f"{TESTER} lives inside of a demo: write network = 'anvil', or another")
    async with open_chain(chosen.rpc_urls, alone=network.local, final=network.final) as chain:
        yield chain


@asynccontextmanager
async def open_books(settings: Settings, folder: Path) -> AsyncIterator[Store]:
    """The database alone, for commands that need no wallet. Raises ConfigError."""
    async with open_store(database_url(settings, folder)) as store:
        yield store


def secret_files(settings: Settings, folder: Path) -> tuple[Path, ...]:
    """The files of a node's folder that nobody else may read."""
    chosen = settings.stablecoin
    keystore = KEYSTORE_NAME if chosen is None else chosen.keystore
    return tuple(folder / name for name in (FILE_NAME, SEED_NAME, keystore))


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


def stablecoin_signer(chosen: StablecoinSettings, folder: Path) -> Signer:
    """The key of the settings' keystore, by their passphrase. Raises ConfigError."""
    passphrase = chosen.passphrase or stablecoin_passphrase()
    return open_signer(folder / chosen.keystore, passphrase)


def vault_of(chosen: StablecoinSettings, chain: Chain) -> Vault:
    """The settings' vault on this chain, not looked at yet. Raises ConfigError."""
    try:
        return Vault(chain, read_address(chosen.vault))
    except BadTarget as error:
        raise ConfigError(f"stablecoin.vault: {error}") from error


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


async def _check_vault(vault: Vault, network: ChainNetwork, operator: str) -> VaultRoles:
    demand_test_chain(await vault.chain.chain_id())
    return await vault.check(network.chain_id, operator=operator, delay_min_s=network.delay_min_s)


async def _look_at_key(money: ChainMoney, address: str) -> None:
    """Say in the log what the chain and the store do not agree on about the key."""
    if strange := await chain_key.strange_nonces(
        money.store, money.chain, address, money.vault.address
    ):
        _log.warning("the key has transactions that this node did not sign", nonces=strange)
    forgotten = await chain_key.forgotten_nonce(money.store, money.chain, address)
    if forgotten is not None:
        _log.warning("the chain does not show a transaction of the key yet", nonce=forgotten)
