"""A month in the stablecoin on anvil, in which the node and anvil are killed.

    vault, deposits ▶ clicks ▶ close, charge, seal, batches ▶ what waited ▶ judge
              kills            kills of the node and of anvil in all of it

anvil makes its blocks by the rig's word and is saved before it makes any that are final, so a kill
takes back what a fork could: the pool, and blocks above the final one. Counted are the Transfer
logs of the token.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, Final

from node.devnet.evm import EPOCH_SLOTS, Anvil, local_key, local_secret, open_anvil
from node.devnet.evm_vault import DOLLAR, LocalVault, deploy_vault
from node.month import Month
from node.store.engine import Store
from node.wallet.stablecoin.transfers import transfers_in
from tests.chaos.episode import Episode
from tests.chaos.rig import Rig
from tests.chaos.schedule import Planned

READERS: Final = 4
CREATORS: Final = 14
LATE: Final = 6
"""Creators who say only after the month where they are paid: from the node's own address."""
POT_UNITS: Final = 20 * DOLLAR
BLOCK_EVERY_S: Final = 0.15
LOST_MAX: Final = 2 * EPOCH_SLOTS - 1
"""Blocks that a kill may take back: fewer than make one final."""
PASSPHRASE: Final = "a network of one's own"
ROUNDS_MAX: Final = 40
SETTINGS: Final = """[stablecoin]
network = "anvil"
rpc_urls = ["{url}"]
vault = "{vault}"
first_block = 0
keystore = "operator.json"
passphrase = "{passphrase}"
gas_ceiling_gwei = 1000
dues_units = 0
payout_min_units = 1
"""
RAIL: Final = "stablecoin"


@dataclass
class Coin:
    """The chain of an episode, and its blocks."""

    anvil: Anvil
    vault: LocalVault
    episode: Episode
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    saved: int = 0

    @property
    def names(self) -> list[str]:
        """Everybody, readers first."""
        return [f"reader{n}" for n in range(READERS)] + self.creators

    @property
    def creators(self) -> list[str]:
        """Who are paid, the late ones last."""
        return [f"creator{n:02}" for n in range(CREATORS + LATE)]

    async def mine(self) -> None:
        """A block; saved before a block is final that was not."""
        async with self.turn:
            latest = (await self.anvil.chain.latest()).number
            if latest - self.saved >= LOST_MAX:
                await self.anvil.save()
                self.saved = latest
            await self.anvil.mine()

    async def save(self) -> None:
        """Save it as it is."""
        async with self.turn:
            await self.anvil.save()
            self.saved = (await self.anvil.chain.latest()).number

    async def restart(self) -> None:
        """kill -9 of anvil."""
        async with self.turn:
            await self.anvil.restart()
        self.episode.rig.tally.kills["anvil"] += 1

    async def mine_on(self) -> None:
        """Block after block."""
        while True:
            await self.mine()
            await asyncio.sleep(BLOCK_EVERY_S)


async def play_coin(rig: Rig, random: Random, planned: Planned, say: Callable[[str], None]) -> None:
    """A month in the stablecoin."""
    async with AsyncExitStack() as stack:
        folder = rig.folder / f"episode{planned.number}"
        opening = open_anvil(folder.with_suffix(".anvil"), instant=False, keeps=True)
        anvil = await stack.enter_async_context(opening)
        vault = await deploy_vault(anvil)
        episode = Episode(rig, random, f"episode {planned.number}", folder)
        coin = Coin(anvil, vault, episode)
        await _settle_in(coin)
        stack.push_async_exit(episode.end)
        await episode.open_store()
        await _pay_in(coin)
        month = await _end_month(coin)
        async with _blocks(coin):
            for number in range(len(planned.strikes)):
                if number == len(planned.strikes) // 2:
                    await _late(coin)
                await _strike(coin, month)
                say(f"  {RAIL}: {rig.tally.killed} kills")
            await _rest(coin, month)
        await _judge(coin)


async def _settle_in(coin: Coin) -> None:
    episode = coin.episode
    episode.folder.mkdir(parents=True)
    _write_keystore(episode.folder / "operator.json")
    more = SETTINGS.format(url=coin.anvil.url, vault=coin.vault.address, passphrase=PASSPHRASE)
    await episode.settle_in_alone(more)
    people = dict.fromkeys(coin.names[:READERS]) | dict.fromkeys(coin.creators, "")
    await episode.life.tell("settle_in_coin", people=people)
    for name in coin.names[:READERS]:
        await episode.life.tell("link", name=name, address=local_key(name).address)
    for name in coin.creators[:CREATORS]:
        await episode.life.tell("coin_target", name=name, address=local_key(name).address)


async def _pay_in(coin: Coin) -> None:
    """Deposits; the node is killed while it reads them."""
    episode = coin.episode
    for name in coin.names[:READERS]:
        await coin.vault.deposit(await coin.anvil.funded(name), POT_UNITS, POT_UNITS)
    await coin.anvil.finalize()
    await coin.save()
    for _ in range(2):
        reading = asyncio.create_task(episode.life.attempt("read_chain"))
        await asyncio.sleep(episode.random.uniform(0, 0.1))
        episode.kill()
        await reading
        await episode.live()
    await episode.life.tell("read_chain")


async def _end_month(coin: Coin) -> Month:
    """Clicks; and the month ends on the chain."""
    life = coin.episode.life
    clicks = [(name, creator, "") for name in coin.names[:READERS] for creator in coin.creators]
    month = Month.parse(await life.tell("click", clicks=clicks))
    await life.tell("fold")
    await life.tell("close", month=str(month))
    await coin.anvil.jump_to(month.ends_s + 60)
    await coin.anvil.finalize()
    await coin.save()
    return month


async def _late(coin: Coin) -> None:
    """Who had no payout target says one; what waited is paid from the node's own address."""
    for name in coin.creators[CREATORS:]:
        await coin.episode.life.tell("coin_target", name=name, address=local_key(name).address)


async def _strike(coin: Coin, month: Month) -> None:
    """Kill the node, or anvil, or both, while the month goes its way."""
    episode, random = coin.episode, coin.episode.random
    going = asyncio.create_task(episode.life.attempt("coin", month=str(month)))
    await asyncio.sleep(random.uniform(0, 1.5))
    whom = random.choice(("node", "anvil", "both"))
    if whom != "anvil":
        episode.kill()
    if whom != "node":
        await coin.restart()
    if whom != "anvil":
        await going
        await episode.live()
    else:
        await asyncio.sleep(random.uniform(0, 1))
        episode.life.kill()  # what it is told now ends with it; the next goes on
        await going
        await episode.live()


async def _rest(coin: Coin, month: Month) -> None:
    for _ in range(ROUNDS_MAX):
        counts = await coin.episode.life.tell("coin", month=str(month))
        if counts.keys() == {"paid"}:
            return
    coin.episode.rig.tally.breaches.append(f"{coin.episode.of}: payouts are stuck: {counts}")


@asynccontextmanager
async def _blocks(coin: Coin) -> AsyncIterator[None]:
    mining = asyncio.create_task(coin.mine_on(), name="blocks")
    try:
        yield
    finally:
        mining.cancel()
        with suppress(asyncio.CancelledError):
            await mining


async def _judge(coin: Coin) -> None:
    """By the token's logs: who was paid how often, and what."""
    await coin.anvil.finalize()
    tally, of = coin.episode.rig.tally, coin.episode.of
    latest = await coin.anvil.chain.latest()
    moved = transfers_in(
        await coin.anvil.chain.logs(coin.vault.token, 0, latest.number), coin.vault.token
    )
    payers = {coin.vault.address, coin.vault.operator.address}
    received: dict[str, list[int]] = {local_key(name).address: [] for name in coin.creators}
    for one in moved:
        if one.sender in payers and one.to in received:
            received[one.to].append(one.units)
    booked = await _booked(coin.episode.store)
    for name in coin.creators:
        got, paid = received[local_key(name).address], booked.get(local_key(name).address, [])
        if len(got) > 1:
            tally.twice.append(f"{of}: {name} has {len(got)} transfers")
        elif paid and not got:
            tally.lost.append(f"{of}: {name}")
        elif got != paid:
            tally.breaches.append(f"{of}: {name} has {got}, and the books say {paid}")
        tally.arrived[f"{RAIL} payments"] += len(got)
        tally.arrived[f"{RAIL} units"] += sum(got)
        tally.booked[f"{RAIL} payments"] += len(paid)
        tally.booked[f"{RAIL} units"] += sum(paid)
    states: Counter[str] = Counter(await _states(coin.episode.store))
    tally.states.update({f"{RAIL} {state.upper()}": n for state, n in states.items()})
    _judge_commission(coin, [one.units for one in moved if one.to == coin.vault.treasury.address])
    broken = await coin.episode.life.tell("audit")
    tally.breaches += [f"{of}: audit: {words}" for words in broken]
    tally.audits += not broken


def _judge_commission(coin: Coin, got: list[int]) -> None:
    """A tenth of what was distributed, once: all of the pots, which split evenly."""
    if got != [READERS * POT_UNITS // 10]:
        coin.episode.rig.tally.breaches.append(f"{coin.episode.of}: the treasury has {got}")


async def _booked(store: Store) -> dict[str, list[int]]:
    async with store.read() as tx:
        rows = await tx.rows(
            "SELECT target, units FROM payout WHERE asset = 'usd' AND state = 'paid'"
            " AND kind = 'creator'"
        )
    booked: dict[str, list[int]] = {}
    for row in rows:
        booked.setdefault(row.target, []).append(row.units)
    return booked


async def _states(store: Store) -> list[str]:
    async with store.read() as tx:
        rows = await tx.rows("SELECT state FROM payout WHERE asset = 'usd'")
    return [row.state for row in rows]


def _write_keystore(path: Path) -> None:
    """The operator's key, opened at once: the node starts often here."""
    from eth_account import Account  # noqa: PLC0415 - it takes a second

    content: Any = Account.encrypt(local_secret("operator"), PASSPHRASE, kdf="pbkdf2", iterations=1)
    path.write_text(json.dumps(content))
