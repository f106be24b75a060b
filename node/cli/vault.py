"""`contract surplus`, `attribute`, `reseal`, …: what an operator does with the vault by hand."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from node.cli.options import FOLDER_DEFAULT, Folder, open_node, screen
from node.errors import ConfigError, NotFound
from node.flows.node import Node
from node.flows.vault import chain_money
from node.flows.vault.attribute import attribute as ask
from node.flows.vault.attribute import stray_in
from node.flows.vault.chain_key import account_key as run_account_key
from node.flows.vault.reseal import reseal as run_reseal
from node.flows.vault.stablecoin import Stablecoin
from node.flows.vault.transferred import mark_transferred
from node.ids import PayoutId
from node.month import Month
from node.store import members


async def surplus(*, folder: Folder = FOLDER_DEFAULT) -> None:
    """Show what the vault holds and owes nobody: plain transfers, which it can't credit."""
    async with open_node(folder) as node:
        found = await chain_money.surplus(_coin(node).money)
    screen().print(
        f"{found} in the vault is nobody's."
        + (" Find the transfers in an explorer, and give each: contract attribute" if found else "")
    )


async def attribute(
    *,
    transfer: Annotated[str, Parameter(help="The hash of the transaction that sent it.")],
    member: Annotated[str, Parameter(help="The name of the member who sent it.")],
    folder: Folder = FOLDER_DEFAULT,
) -> None:
    """Give a plain transfer to the member who has sent it to the vault, once.

    Ask the member to prove that the sender is theirs. A serving node sends it, and credits it when
    it is final; `payouts --run` does as well.
    """
    async with open_node(folder) as node:
        coin = _coin(node)
        async with node.store.read() as tx:
            found = await members.by_name(tx, member)
        if found is None:
            raise NotFound(f"there is no member {member}")
        stray = await stray_in(coin, transfer.lower())
        address = await ask(coin, stray, found.id)
    screen().print(
        f"{stray.amount} from {stray.sender} goes to the account of {address} ({member})."
    )


async def reseal(
    *,
    month: Annotated[str, Parameter(help="Like 2026-11.")],
    folder: Folder = FOLDER_DEFAULT,
) -> None:
    """Seal a month again that the guardian has vetoed, once it is clear that it is right.

    The same batches, the same file. If they are wrong, do nothing: the vault gives the month back
    to its members 60 days after it was opened.
    """
    async with open_node(folder) as node:
        await run_reseal(_coin(node), Month.parse(month))
    screen().print(f"{month} is sealed again by a serving node, or by payouts --run")


async def transferred(
    *,
    payout: Annotated[str, Parameter(help="The payout's id, as `payouts` lists it.")],
    transaction: Annotated[str, Parameter(help="The hash of the transaction that has paid it.")],
    folder: Folder = FOLDER_DEFAULT,
) -> None:
    """Say that a payout was paid by a transaction that the database has forgotten.

    After a restore, before account-key. The chain must say that it was exactly this payment.
    """
    async with open_node(folder) as node:
        paid = await mark_transferred(_coin(node), PayoutId(payout), transaction.lower())
    screen().print(f"{paid} is booked as paid by {transaction}")


async def account_key(*, folder: Folder = FOLDER_DEFAULT) -> None:
    """Say that all transactions of the node's key are known to you, and are not payouts to be.

    After a restore, or when somebody else has used the key: look at them in an explorer first. What
    they have paid already must not be due any more, or it is paid twice.
    """
    async with open_node(folder) as node:
        coin = _coin(node)
        money, address = coin.money, coin.signer.address
        count = await run_account_key(money.store, money.chain, money.chain_id, address)
    screen().print(f"the {count} transactions that {address} has made are accounted for")


def _coin(node: Node) -> Stablecoin:
    if node.stablecoin is None:
        raise ConfigError("the stablecoin is not switched on: flattr-node contract deploy does it")
    return node.stablecoin
