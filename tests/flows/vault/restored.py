"""A node that begins again on a copy of its database, as after a restore from an older backup."""

from __future__ import annotations

import sqlite3
from contextlib import asynccontextmanager
from dataclasses import replace

from node.devnet.evm_vault import LocalVault
from node.flows.vault.transact import Transactor
from node.store.engine import open_store
from tests.flows.vault.vault_town import CEILING_WEI, Town


@asynccontextmanager
async def restored(town: Town, copy: str):
    """A node on the copy of a database, with the same key."""
    async with open_store(f"sqlite:///{copy}") as old:
        world = replace(town.world, store=old)
        local: LocalVault = town.vault
        transactor = Transactor(
            old, world.clock, local.local.chain, local.local.chain_id, local.operator, CEILING_WEI
        )
        coin = replace(
            town.coin,
            money=replace(town.coin.money, store=old),
            transactor=transactor,
            months=type(town.coin.months)(
                local.local.chain, local.local.chain_id, local.vault, transactor
            ),
        )
        world.clock.advance(3600)
        yield replace(town, world=world, coin=coin, lives=7, said=[])


def copy_of(town: Town, tmp_path) -> str:
    """A copy of the town's database, of this moment: its path."""
    path = str(tmp_path / "copy.sqlite")
    source = sqlite3.connect(town.world.store.path)
    source.execute("VACUUM INTO ?", (path,))
    source.close()
    return path
