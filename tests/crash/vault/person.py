"""What an operator does who reads what the node says: the node waits for a person, and this is one.

unknown transactions   each transfer among them is told (`contract transferred`), then the key
                       is accounted for (`contract account-key`)
a vetoed seal          sealed again, once the storm is over (`contract reseal`)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from node.errors import NodeError
from node.flows.vault.chain_key import account_key
from node.flows.vault.reseal import reseal
from node.flows.vault.stablecoin import Stablecoin
from node.flows.vault.transferred import mark_transferred
from node.ids import PayoutId
from node.money import Asset
from node.settlement.payout import PayoutState
from node.store import payouts, vault_months
from node.wallet.stablecoin.transfers import transfers_in
from tests.crash.vault.key import address_of
from tests.crash.vault.town import CHAIN_ID, TOKEN, Life

if TYPE_CHECKING:
    from tests.crash.vault.story import Story

_OPEN = (PayoutState.DUE, PayoutState.HELD, PayoutState.IN_FLIGHT)


async def look(story: Story, life: Life) -> None:
    """Read what the node needs, and do it."""
    coin = life.coin
    if coin is None or not life.process.alive:
        return
    if "account-key" in life.trouble and _is_all_final(story):
        await life.process.run(_account(story, coin))
    if "reseal" in life.trouble:
        await life.process.run(_reseal(story, coin))


async def _account(story: Story, coin: Stablecoin) -> None:
    money = coin.money
    try:
        for tx_hash in await _forgotten(story, coin):
            if (payout := await _paid_by(story, coin, tx_hash)) is None:
                story.say(f"{tx_hash[:10]} has paid nothing that is open")
                continue
            await mark_transferred(coin, payout, tx_hash)
            story.say(f"a person has told of {tx_hash[:10]}")
        await account_key(money.store, money.chain, CHAIN_ID, coin.signer.address)
    except NodeError as error:
        story.say(f"account-key: {error}")
        return
    story.say("a person has looked: account-key")


async def _forgotten(story: Story, coin: Stablecoin) -> list[str]:
    """Transfers of the node's key, in blocks, of which its database does not know."""
    key = address_of("operator")
    async with coin.money.store.read() as tx:
        rows = await tx.rows("SELECT tx_hash FROM signed_transaction")
        told = await tx.rows("SELECT hash FROM used_hash WHERE used_by = 'transferred'")
    known = {row.tx_hash for row in rows} | {row.hash for row in told}
    return [
        one.tx_hash
        for mined in story.town.chain.blocks
        for one in mined.sent
        if one.sender == key and one.order.to == TOKEN and one.tx_hash not in known
    ]


async def _paid_by(story: Story, coin: Stablecoin, tx_hash: str) -> PayoutId | None:
    """The open payout that this transaction has paid, as an explorer shows it; None: none."""
    receipt = story.town.chain.receipt(tx_hash)
    made = next(iter(transfers_in(receipt.logs, TOKEN)), None) if receipt else None
    if made is None:
        return None
    async with coin.money.store.read() as tx:
        for state in _OPEN:
            for payout in await payouts.in_state(tx, Asset.USD, state, 1000):
                if (payout.target, payout.amount.units) == (made.to, made.units):
                    return payout.id
    return None


async def _reseal(story: Story, coin: Stablecoin) -> None:
    async with coin.money.store.read() as tx:
        found = await vault_months.unfinished(tx, CHAIN_ID, coin.money.vault.address)
    try:
        await reseal(coin, found[0].month)
    except NodeError as error:
        story.say(f"reseal: {error}")
        return
    story.say("a person seals again")


def _is_all_final(story: Story) -> bool:
    chain, key = story.town.chain, address_of("operator")
    final = chain.blocks[chain.final].state.nonces.get(key, 0)
    waits = any(sender == key for sender, _ in chain.pool)
    return not waits and final == chain.state.nonces.get(key, 0)
