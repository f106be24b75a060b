"""Months on a vault, step by step, for tests of what the vault says."""

from __future__ import annotations

import hashlib

from node.devnet.evm import LocalChain
from node.devnet.evm_vault import LocalVault, act, set_blocked_calldata
from node.settlement.tree import Tree, leaf
from node.wallet.stablecoin.calldata import pay_batch_calldata, seal_calldata
from node.wallet.stablecoin.chain import Receipt
from node.wallet.stablecoin.events import VaultEvent

DAY_S = 86_400
FILE = hashlib.sha256(b"the month's file").digest()


def events(vault: LocalVault, receipt: Receipt) -> list[VaultEvent]:
    return [event for _, event in vault.vault.events(receipt.logs)]


def tree(vault: LocalVault, month: int, batches: list[list[int]]) -> Tree:
    chain_id = vault.local.chain_id
    leaves = [leaf(vault.address, chain_id, month, at, each) for at, each in enumerate(batches)]
    return Tree(leaves)


async def seal(vault: LocalVault, month: int, batches: list[list[int]]) -> Receipt:
    root = tree(vault, month, batches).root
    return await vault.act(vault.operator, seal_calldata(month, root, len(batches), FILE))


async def pay(vault: LocalVault, month: int, batches: list[list[int]], index: int) -> Receipt:
    proof = tree(vault, month, batches).proof(index)
    calldata = pay_batch_calldata(month, index, batches[index], proof)
    return await vault.act(vault.operator, calldata)


async def block(vault: LocalVault, who: str, blocked: bool) -> None:
    await act(vault.local, vault.owner, vault.token, set_blocked_calldata(who, blocked))


async def pay_while_the_token_is_down(vault: LocalVault, batches: list[list[int]]) -> None:
    """Pay while the vault itself is blocked: the token pays nobody then."""
    await block(vault, vault.address, True)
    try:
        await pay(vault, 1, batches, 0)
    finally:
        await block(vault, vault.address, False)


async def time_s(receipt: Receipt, local: LocalChain) -> int:
    found = await local.chain.block(receipt.block_number)
    assert found is not None
    return found.time_s
