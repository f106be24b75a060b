"""Whether the database knows all that the node's key has done: asked before it signs again."""

from __future__ import annotations

from node.flows.round_report import RoundReport
from node.flows.vault.chain_key import UNACCOUNTED, unaccounted_nonces
from node.flows.vault.stablecoin import Stablecoin


async def is_accounted(stablecoin: Stablecoin, report: RoundReport) -> bool:
    """True when it does; otherwise the report says what to do. Raises RailUnavailable."""
    money, address = stablecoin.money, stablecoin.signer.address
    strange = await unaccounted_nonces(
        money.store, money.chain, money.chain_id, address, money.vault.address
    )
    if strange:
        report.say(UNACCOUNTED)
        report.need(UNACCOUNTED)
    return not strange
