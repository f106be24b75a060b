"""V3: each transfer that the books call made, in the words of the token that made it.

What waited at the node's address is paid by plain transfers. Nobody's contract counts them, so each
is compared with its transaction: final, and with exactly this payout's transfer in its logs. The
wallet's sum (V2) would show one that is missing only as money too much.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from eth_hash.auto import keccak

from node.flows.audits.lines import Line, coins, count, judge
from node.flows.audits.vault_reading import receipts_of
from node.flows.vault.stablecoin import RAIL, Stablecoin
from node.flows.vault.transfer import PREFIX
from node.money import Asset
from node.settlement.attempt import AttemptState
from node.store import chain_audits
from node.store.chain_audits import ChainAttempt
from node.store.engine import Store
from node.wallet.stablecoin.answers import Receipt

COMPARED_MAX: Final = 2000
"""The newest so many; each is one question to the chain."""
LAW: Final = "transfers arrived"
_TRANSFER: Final = keccak(b"Transfer(address,address,uint256)")
_USD: Final = Asset.USD


async def transfers_line(store: Store, stablecoin: Stablecoin) -> Line:
    """The line. Raises RailUnavailable."""
    async with store.read() as tx:
        stored = await chain_audits.attempts_of(tx, RAIL, PREFIX)
    made = [one for one in stored if one.state is AttemptState.SETTLED]
    compared, broken, seen = made[-COMPARED_MAX:], [], set[str | None]()
    receipts = await receipts_of(stablecoin.money, [one.proof for one in compared])
    for one in compared:
        broken += _broken(stablecoin, one, receipts.get(one.proof))
        if one.proof in seen:
            broken.append(f"{one.reference} has the transaction of another transfer")
        seen.add(one.proof)
    units = sum(_units(made))
    figures = f"{count(len(made))} of {coins(units, _USD)} from {stablecoin.signer.address}"
    if len(compared) < len(made):
        figures += f", the newest {count(len(compared))} compared"
    return judge("V3", LAW, figures, broken)


def _broken(stablecoin: Stablecoin, one: ChainAttempt, receipt: Receipt | None) -> list[str]:
    if len(one.payouts) != 1:
        return [f"{one.reference} pays {len(one.payouts)} payouts"]
    (payout,) = one.payouts
    if receipt is None or not receipt.ok:
        return [f"{one.reference} is booked, and the chain has not made it ({one.proof})"]
    wanted = (_number(stablecoin.signer.address), _number(payout.target or "0x0"), payout.units)
    found = [
        (int.from_bytes(log.topics[1], "big"), int.from_bytes(log.topics[2], "big"),
         int.from_bytes(log.data, "big"))
        for log in receipt.logs
        if log.address == stablecoin.token and len(log.topics) == len(wanted)
        and log.topics[0] == _TRANSFER
    ]  # fmt: skip
    if found == [wanted]:
        return []
    return [f"{one.proof} is not the {coins(payout.units, _USD)} to {payout.target}"]


def _units(made: Iterable[ChainAttempt]) -> Iterable[int]:
    return (payout.units for one in made for payout in one.payouts)


def _number(address: str) -> int:
    return int(address, 16)
