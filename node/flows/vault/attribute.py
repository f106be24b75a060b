"""Give what came to the vault by a plain transfer to the member who has sent it.

Somebody who sends the token to the vault, instead of depositing it, is credited with nothing: the
vault can't know whose it is. The operator can say so, once for each such transfer. It is asked for
here and sent by whoever holds the key (`flows/vault/pay.py`); the vault's own event books it.
"""

from __future__ import annotations

from dataclasses import dataclass

from node.errors import BadInput, Conflict, NotFound
from node.flows.round_report import RoundReport
from node.flows.vault.accounted import is_accounted
from node.flows.vault.call import Call, Failed, Waiting
from node.flows.vault.stablecoin import Stablecoin
from node.ids import MemberId
from node.money import Amount, Asset
from node.store import chain_addresses, transactions
from node.store.leases import Lease
from node.store.transactions import ChainTransaction
from node.wallet.stablecoin.calldata import attribute_calldata
from node.wallet.stablecoin.events import Deposited
from node.wallet.stablecoin.transfers import transfers_in


@dataclass(frozen=True, slots=True)
class Stray:
    """Transfers to the vault in one final transaction, which nobody was credited with."""

    tx_hash: str
    sender: str
    amount: Amount


async def stray_in(stablecoin: Stablecoin, tx_hash: str) -> Stray:
    """What this transaction sent to the vault without depositing it.

    Raises NotFound, Conflict when it was a deposit, BadInput while it is not final.
    """
    chain, vault = stablecoin.money.chain, stablecoin.money.vault
    receipt = await chain.receipt(tx_hash)
    if receipt is None:
        raise NotFound(f"no block has the transaction {tx_hash}")
    if receipt.block_number > (await chain.finalized()).number:
        raise BadInput(f"{tx_hash} is not final yet: try again in some minutes")
    if any(isinstance(event, Deposited) for _, event in vault.events(receipt.logs)):
        raise Conflict(f"{tx_hash} is a deposit: the vault has credited it")
    found = transfers_in(receipt.logs, stablecoin.token)
    sent = [one for one in found if one.to == vault.address]
    if not sent:
        raise NotFound(f"{tx_hash} sent nothing of the token to the vault")
    units = sum(one.units for one in sent)
    return Stray(tx_hash, sent[0].sender, Amount(units, Asset.USD))


async def attribute(stablecoin: Stablecoin, stray: Stray, member: MemberId) -> str:
    """Ask that the member be credited with it, once; the address whose account grows.

    Raises NotFound when the member has no address, Conflict when it was given to another.
    """
    money = stablecoin.money
    async with money.store.write("vault.attribute") as tx:
        linked = await chain_addresses.of_member(tx, money.chain_id, member)
        if linked is None:
            raise NotFound("the member has linked no address yet: there is no account to credit")
        wanted = ChainTransaction(
            _prefix(stablecoin) + stray.tx_hash, stablecoin.signer.address, money.vault.address,
            attribute_calldata(linked.address, stray.amount.units),
        )  # fmt: skip
        await transactions.add(tx, wanted, money.clock.now_us())
        stored = await transactions.get(tx, wanted.purpose)
    if stored is None or stored.calldata != wanted.calldata:
        raise Conflict(f"{stray.tx_hash} was given to another member")
    return linked.address


async def advance_attributions(stablecoin: Stablecoin, lease: Lease, report: RoundReport) -> None:
    """A step for each that is under way. Raises RailUnavailable, LeaseLost."""
    money = stablecoin.money
    async with money.store.read() as tx:
        waiting = await transactions.not_done(tx, _prefix(stablecoin))
    if not waiting:
        return
    begin = await is_accounted(stablecoin, report)
    for one in waiting:
        call = Call(one.purpose, one.recipient, one.calldata, None)
        found = await stablecoin.transactor.advance(call, lease, begin=begin)
        if isinstance(found, Waiting | Failed):
            words = found.words if isinstance(found, Waiting) else found.reason
            report.pending += 1
            report.say(f"crediting a plain transfer: {words}")


def _prefix(stablecoin: Stablecoin) -> str:
    money = stablecoin.money
    return f"{money.chain_id}:{money.vault.address}:attribute:"
