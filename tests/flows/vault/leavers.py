"""Two readers of the vault who may leave after November, and what is true whenever they do."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from node.devnet.evm import local_key
from node.devnet.evm_vault import DOLLAR
from node.flows.audits.lines import State
from node.flows.audits.months import month_line
from node.flows.vault import chain_money
from node.ledger import accounts
from node.money import Asset, sats
from node.settlement import vault_file
from node.settlement.payout import PayoutState
from node.store import closes, payouts, vault_months
from node.wallet.stablecoin.calldata import request_exit_calldata, withdraw_calldata
from tests.conftest import MONTH
from tests.flows.vault.vault_town import Town, open_town

USD = Asset.USD
CREATORS = ("ann", "ben", "cat")
IN_FULL = 3 * 3_333_330 + 3 * DOLLAR
"""What the vault charges when nobody leaves."""


@asynccontextmanager
async def open_leavers(store, clock) -> AsyncIterator[Town]:
    """rita's ten dollars for three things, ron's three for one, and as much again above the pots.

    Both have asked for their exit, so that they may leave when November is over.
    """
    async with open_town(store, clock) as opened:
        world = opened.world
        await world.join("rita", "ron", *CREATORS)
        for name in CREATORS:
            await world.thing(f"{name}'s", owner=name)
            await opened.target(name)
            await world.fund(name, sats(2000), to_pot=True, at_s=None)
        await opened.fill("rita", 20 * DOLLAR, 10 * DOLLAR)
        await opened.fill("ron", 6 * DOLLAR, 3 * DOLLAR)
        for name in CREATORS:
            await world.flattr("rita", f"{name}'s")
        await world.flattr("ron", "ann's")
        for name in ("rita", "ron"):
            await act(opened, name, request_exit_calldata())
        yield opened


async def act(town: Town, name: str, calldata: bytes) -> None:
    await town.vault.act(await town.local.funded(name), calldata)


async def leave(town, name: str, keeps: int) -> None:
    """Take all but this out of the vault, to nobody."""
    account = await town.vault.vault.account(local_key(name).address)
    await act(town, name, withdraw_calldata(account.balance_units - keeps, local_key("x").address))


async def end_and_ask(town) -> None:
    """The month is over and split, and nothing is charged yet."""
    await town.end()
    await town.close()


async def arrived(town) -> dict[str, int]:
    """What each creator, and each reader, has by the token."""
    return {name: await arrived_at(town, name) for name in ("rita", "ron", *CREATORS)}


async def arrived_at(town, name: str) -> int:
    """What somebody has by the token."""
    return await town.has(local_key(name).address)


async def judge(town, month=MONTH) -> tuple[int, tuple[int, int, int, int]]:
    """Books, vault and file say one thing; the gross, and the figures of the close."""
    await chain_money.read(town.coin.money)
    assert await chain_money.differences(town.coin.money, {}) == []
    there = await town.has(town.vault.address) + await town.has(town.coin.signer.address)
    assert await town.units(accounts.wallet(USD)) == there
    for account in (accounts.suspense(USD), accounts.capital(USD), accounts.commission(USD)):
        assert await town.units(account) == 0, account.name
    async with town.world.store.read() as tx:
        close = await closes.get(tx, month, USD)
        charged = await vault_months.get(tx, month)
        file = await closes.parts(tx, month, USD, "file")
        line = await month_line(tx, close)
        assert await payouts.in_state(tx, USD, PayoutState.IN_FLIGHT, 1) == []
    assert line.state is State.OK, line
    seals = [e for _, e in await town.coin.months._logs(charged.number) if hasattr(e, "data_hash")]
    assert len(seals) == len(file) == int(charged.gross > 0)
    for content, seal in zip(file, seals, strict=True):
        assert vault_file.verify(content, seal.data_hash, seal.root) == []
    figures = close.figures
    return charged.gross, (
        figures.pots, figures.distributed, figures.commission, figures.carried,
    )  # fmt: skip
