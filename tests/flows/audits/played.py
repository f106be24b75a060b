"""Two months that were played once, and copies of them to be corrupted.

Lightning   two deposits, a close, payouts by keysend and by address, a withdrawal
the vault   one creator is paid, one waits for an address and gets it, one the token refuses
"""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from node.clock import ManualClock
from node.flows import fund
from node.flows.operator import acts
from node.flows.vault.stablecoin import Stablecoin
from node.flows.withdraw import withdraw
from node.money import sats
from node.store.engine import Store, open_store
from tests.conftest import MONTH
from tests.flows.audits.vault_audit_town import settle_in
from tests.flows.vault.vault_town import Town, open_town
from tests.simulation.scene import READER, Scene, open_scene


async def play(scene: Scene) -> None:
    """A month that is closed and paid, and a withdrawal after it."""
    node, reader = scene.node, scene.creators[READER]
    asked = await fund.ask_deposit(node.funding, reader, sats(5000), to_pot=False, key="")
    await scene.network.pay(READER, asked.payment_request or "")
    await fund.catch_up(node.funding)
    await scene.play()
    await scene.pay()
    request = scene.network.invoice(READER, 2_000_000)
    await withdraw(node.store, node.clock, node.rules, reader, request, None, "", frozenset())
    await scene.pay()
    await acts.pause(node.store, node.clock, "the test")
    await acts.resume(node.store, node.clock, "the test")


@asynccontextmanager
async def open_played_scene(folder: Path) -> AsyncIterator[Scene]:
    """The month in sats."""
    clock = ManualClock(MONTH.starts_s + 3600)
    async with open_scene(folder, clock, creators=3) as scene:
        await play(scene)
        yield scene


@asynccontextmanager
async def open_played_town(folder: Path) -> AsyncIterator[Town]:
    """The month in the stablecoin, on a chain in this process."""
    async with (
        open_store(f"sqlite:///{folder / 'flattr.sqlite'}") as store,
        open_town(store, ManualClock(MONTH.starts_s + 3600)) as town,
    ):
        await settle_in(town)
        await town.end()
        await town.play()
        await town.target("none")
        await town.play()
        yield town


@asynccontextmanager
async def open_copy(of: Store, path: Path) -> AsyncIterator[Store]:
    """A copy of a database."""
    source, target = sqlite3.connect(of.path), sqlite3.connect(path)
    source.backup(target)
    source.close()
    target.close()
    async with open_store(f"sqlite:///{path}") as store:
        yield store


def corrupt(store: Store, statements: Sequence[str]) -> None:
    """Run these past triggers, foreign keys and checks, as a bad disk writes.

    The triggers are there again afterwards, but for those that a statement takes out of the table
    `kept_trigger`. The last statement must touch a row, or change what the tables are.
    """
    database = sqlite3.connect(store.path, isolation_level=None)
    kept = database.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
    database.execute("CREATE TEMP TABLE kept_trigger (name, sql)")
    database.executemany("INSERT INTO temp.kept_trigger VALUES (?, ?)", kept)
    for name, _ in kept:
        database.execute(f"DROP TRIGGER {name}")
    database.execute("PRAGMA foreign_keys = OFF")
    database.execute("PRAGMA ignore_check_constraints = ON")
    touched = [database.execute(statement).rowcount for statement in statements]
    assert touched[-1] != 0, f"{statements[-1]} changes nothing"
    for (sql,) in database.execute("SELECT sql FROM temp.kept_trigger").fetchall():
        database.execute(sql)
    database.close()


def on(store: Store, coin: Stablecoin) -> Stablecoin:
    """The same second rail with another database."""
    return replace(coin, money=replace(coin.money, store=store))
