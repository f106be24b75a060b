"""`doctor`: every part of the node, green or red, with the fix in words."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

from node.app import lnd_connection, open_books, open_rpcs, secret_files, vault_of
from node.cli.init import show
from node.cli.options import FOLDER_DEFAULT, Folder, Json, read_settings, say_json, screen
from node.clock import SystemClock
from node.config import FILE_NAME, Settings, StablecoinSettings
from node.errors import ConfigError, NodeError
from node.flows.diagnose import (
    Finding,
    bad,
    channel_findings,
    good,
    lnd_findings,
    operator_finding,
    place_findings,
    store_findings,
)
from node.flows.vault.diagnose import key_finding, stablecoin_findings
from node.flows.vault.events import ChainMoney
from node.store.engine import Store
from node.wallet.fetch import open_fetcher
from node.wallet.lightning.lnd import open_lnd
from node.wallet.stablecoin.networks import chain_network


async def doctor(*, folder: Folder = FOLDER_DEFAULT, as_json: Json = False) -> int:
    """Look at every part of the node, and say what is wrong and how to mend it.

    Changes nothing. Exit status 1 when something is wrong.
    """
    wrong, found = 0, []
    async for finding in examine(folder):
        wrong += not finding.good
        found.append(finding)
        if not as_json:
            show(finding)
    if as_json:
        lines = [{"part": f.part, "good": f.good, "words": f.words, "fix": f.fix} for f in found]
        say_json({"good": not wrong, "findings": lines})
    else:
        screen().print("all is well" if not wrong else f"{wrong} to mend")
    return int(wrong > 0)


async def examine(folder: Path) -> AsyncIterator[Finding]:
    """All findings of a folder's node, part by part."""
    try:
        settings = read_settings(folder)
    except ConfigError as error:
        yield bad("settings", str(error), "correct the settings; see docs/operate.md")
        return
    yield good("settings", str(folder / FILE_NAME))
    for finding in place_findings(settings, folder, secret_files(settings, folder)):
        yield finding
    async with open_fetcher(allow=settings.fetch_allow) as fetcher:
        yield await operator_finding(settings, fetcher)
    try:
        connection = lnd_connection(settings.lnd)
    except ConfigError as error:
        yield bad("lnd", str(error), "write how to reach LND; see docs/operate.md")
        connection = None
    if connection is not None:
        async with open_lnd(connection) as lnd:
            async for finding in lnd_findings(lnd, settings, SystemClock()):
                yield finding
    async for finding in _with_books(settings, folder):
        yield finding


async def _with_chain(
    settings: Settings, chosen: StablecoinSettings, folder: Path, store: Store
) -> AsyncIterator[Finding]:
    """The second rail, as far as it can be reached."""
    key, signer = key_finding(folder / chosen.keystore, chosen.passphrase)
    yield key
    try:
        network = chain_network(chosen.network)
        async with open_rpcs(chosen, network) as chain:
            vault = vault_of(chosen, chain)
            clock, first = SystemClock(), chosen.first_block
            money = ChainMoney(store, clock, chain, vault, network.chain_id, first)
            async for finding in stablecoin_findings(money, network, settings, signer):
                yield finding
    except ConfigError as error:
        yield bad("chain", str(error), "correct [stablecoin] in the settings; see docs/operate.md")


async def _with_books(settings: Settings, folder: Path) -> AsyncIterator[Finding]:
    try:
        async with open_books(settings, folder) as store:
            async for finding in store_findings(store):
                yield finding
            if settings.stablecoin is not None:
                async for finding in _with_chain(settings, settings.stablecoin, folder, store):
                    yield finding
            try:
                async with open_lnd(lnd_connection(settings.lnd)) as lnd:
                    async for finding in channel_findings(lnd, store):
                        yield finding
            except ConfigError:
                return  # said above
    except NodeError as error:
        fix = "start the database, or correct `database` in the settings"
        yield bad("database", str(error), fix)
