"""The node's key on its chain: which of its transactions the store does not know.

Nobody else may sign with this key. Where somebody does, a nonce of ours can be used by another; the
transactor survives that, and the operator should hear of it.
"""

from __future__ import annotations

from decimal import ROUND_UP, Decimal
from typing import Final

from node.errors import Conflict
from node.store import leases, transactions
from node.store.engine import Store
from node.wallet.stablecoin.artifact import created
from node.wallet.stablecoin.chain import Chain

UNACCOUNTED: Final = (
    "transactions of the node's key are not known here: was the database restored, or the key used"
    " elsewhere? Look at them, then `flattr-node contract account-key`"
)
_DIGITS: Final = 18
_SHOWN: Final = Decimal("0.000001")


async def strange_nonces(store: Store, chain: Chain, address: str, vault: str) -> list[int]:
    """Nonces of transactions that wait for their final block and that nobody here has signed.

    The one that deployed the vault, and those before it, are known. Raises RailUnavailable.
    """
    final = await chain.nonce(address, finalized=True)
    pending = await chain.nonce(address)
    async with store.read() as tx:
        ours = {one.nonce for one in await transactions.unfinished(tx, address)}
    strange = [nonce for nonce in range(final, pending) if nonce not in ours]
    return _since_deployment(strange, address, vault)


def accounted_cursor(chain_id: int, address: str) -> str:
    """The cursor that says up to which nonce the key's transactions are known, all of them."""
    return f"key.{chain_id}.{address}"


async def unaccounted_nonces(
    store: Store, chain: Chain, chain_id: int, address: str, vault: str
) -> list[int]:
    """Nonces that were used, or wait, and that are not in this database.

    It was restored from a backup that is older than they are, or somebody else has the key. What
    only a nonce keeps from happening twice must not be signed then. Raises RailUnavailable.
    """
    name = accounted_cursor(chain_id, address)
    async with store.read() as tx:
        known, since = await transactions.signed_nonces(tx, address), await leases.cursor(tx, name)
    count = await chain.nonce(address)
    strange = [nonce for nonce in range(since, count) if nonce not in known]
    return _since_deployment(strange, address, vault)


async def account_key(store: Store, chain: Chain, chain_id: int, address: str) -> int:
    """A person has looked: all that the key has done so far is known; the next nonce.

    Raises Conflict while anything of it is not final: what is not in a final block nobody can have
    looked at, and it may yet pay a payout that is due.
    """
    count = await chain.nonce(address)
    if count != await chain.nonce(address, finalized=True):
        raise Conflict("transactions of the key are not final yet: look again in some minutes")
    async with store.write("chain.account") as tx:
        await leases.set_cursor(tx, accounted_cursor(chain_id, address), count)
    return count


async def forgotten_nonce(store: Store, chain: Chain, address: str) -> int | None:
    """The highest nonce that was given here, if the chain does not count that far.

    It waits to be broadcast, or this is another chain than before. Raises RailUnavailable.
    """
    async with store.read() as tx:
        highest = await transactions.highest_nonce(tx, address)
    if highest is None or highest < await chain.nonce(address):
        return None
    return highest


def _since_deployment(nonces: list[int], address: str, vault: str) -> list[int]:
    """Without the one that deployed the vault, and those before it: they are known."""
    deployed = next((nonce for nonce in nonces if created(address, nonce) == vault), -1)
    return [nonce for nonce in nonces if nonce > deployed]


def ether(wei: int) -> str:
    """An amount of coin for people, rounded up to a millionth."""
    return f"{Decimal(wei).scaleb(-_DIGITS).quantize(_SHOWN, rounding=ROUND_UP):f} ETH"
