"""V3: each transfer that the books call made, in the words of the token that made it.

What waited at the node's address is paid by plain transfers. Nobody's contract counts them, so each
is compared with its transaction: final, and with exactly this payout's transfer in its logs. The
wallet's sum (V2) would show one that is missing only as money too much.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

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
from node.wallet.stablecoin.transfers import Transfer, transfers_in
from node.wallet.stablecoin.words import ZERO_ADDRESS

COMPARED_MAX: Final = 2000
"""The newest so many; each is one question to the chain."""
LAW: Final = "transfers arrived"
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
    wanted = Transfer(stablecoin.signer.address, payout.target or ZERO_ADDRESS, payout.units)
    found = transfers_in(receipt.logs, stablecoin.token)
    if found == [wanted]:
        return []
    return [f"{one.proof} is not the {coins(payout.units, _USD)} to {payout.target}"]


def _units(made: Iterable[ChainAttempt]) -> Iterable[int]:
    return (payout.units for one in made for payout in one.payouts)
