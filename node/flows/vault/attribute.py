"""Give what came to the vault by a plain transfer to the member who has sent it.

Somebody who sends the token to the vault, instead of depositing it, is credited with nothing: the
vault can't know whose it is. The operator can say so, once for each such transfer. It is asked for
here and sent by whoever holds the key (`flows/vault/pay.py`); the vault's own event books it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from eth_hash.auto import keccak

from node.errors import BadInput, Conflict, NotFound
from node.flows.round_report import RoundReport
from node.flows.vault.call import Call, Failed, Waiting
from node.flows.vault.stablecoin import Stablecoin
from node.ids import MemberId
from node.money import Amount, Asset
from node.store import chain_addresses, transactions
from node.store.leases import Lease
from node.store.transactions import ChainTransaction
from node.wallet.stablecoin.answers import Log
from node.wallet.stablecoin.calldata import attribute_calldata
from node.wallet.stablecoin.events import Deposited
from node.wallet.stablecoin.words import to_address

_TRANSFER: Final = keccak(b"Transfer(address,address,uint256)")
_TOPICS: Final = 3


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
    sent = [log for log in receipt.logs if _is_to(log, stablecoin.token, vault.address)]
    if not sent:
        raise NotFound(f"{tx_hash} sent nothing of the token to the vault")
    units = sum(int.from_bytes(log.data, "big") for log in sent)
    return Stray(tx_hash, _address(sent[0].topics[1]), Amount(units, Asset.USD))


async def attribute(stablecoin: Stablecoin, stray: Stray, member: MemberId) -> str:
    """Ask that the member be credited with it, once; the address whose account grows.

    Raises NotFound when the member has no address, Conflict when it was given to another.
    """
    money = stablecoin.money
    async with money.store.write() as tx:
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
    async with stablecoin.money.store.read() as tx:
        waiting = await transactions.not_done(tx, _prefix(stablecoin))
    for one in waiting:
        call = Call(one.purpose, one.recipient, one.calldata, _never_elsewhere)
        found = await stablecoin.transactor.advance(call, lease)
        if isinstance(found, Waiting | Failed):
            words = found.words if isinstance(found, Waiting) else found.reason
            report.pending += 1
            report.say(f"crediting a plain transfer: {words}")


async def _never_elsewhere() -> bool:
    """The vault does not say which transfer a credit was for."""
    return False


def _prefix(stablecoin: Stablecoin) -> str:
    money = stablecoin.money
    return f"{money.chain_id}:{money.vault.address}:attribute:"


def _is_to(log: Log, token: str, vault: str) -> bool:
    if log.address != token or len(log.topics) != _TOPICS or log.topics[0] != _TRANSFER:
        return False
    return _address(log.topics[2]) == vault


def _address(topic: bytes) -> str:
    return to_address(int.from_bytes(topic[-20:], "big"))
