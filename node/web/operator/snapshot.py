"""What the metrics are made of: a few sums of the books and lnd's own word, read together.

A scraper may come as often as it likes: it is read at most once in FRESH_S.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from node.flows.node import Node
from node.flows.operator.overview import Solvency, assets, wallet_holds
from node.flows.operator.progress import Progress, progress
from node.ledger import accounts
from node.ledger.accounts import Kind
from node.money import Amount, Asset
from node.settlement.attempt import AttemptState
from node.settlement.payout import PayoutState
from node.store import inbox, journal, members, operator_figures, payouts
from node.store.operator_figures import AuditResult
from node.web.known_lightning import KnownLightning
from node.web.operator.known import Known

FRESH_S: Final = 5


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One reading. `inbox`: clicks that are written and not folded yet."""

    at_us: int
    progress: Progress
    amounts: dict[tuple[Asset, PayoutState], int]
    solvency: list[Solvency]
    commission: list[Amount]
    fees: list[Amount]
    attempts: dict[tuple[str, AttemptState], int]
    audit: AuditResult | None
    members: int
    inbox: int
    lnd_reached: bool
    lnd_synced: bool
    chain_reached: bool | None
    """None: the node has no second rail."""


class Snapshots:
    """The newest reading of one node."""

    def __init__(self, node: Node, lightning: KnownLightning) -> None:
        self._node = node
        self._lightning = lightning
        self._known = Known(node.clock, FRESH_S, self._read)

    async def look(self) -> Snapshot:
        """A reading that is a few seconds old at most."""
        return await self._known.look()

    async def _read(self) -> Snapshot:
        node, wanted = self._node, assets(self._node)
        seen = await self._lightning.look()
        held = {asset: (await wallet_holds(node, asset))[0] for asset in wanted}
        moving = await progress(node)
        async with node.store.read() as tx:
            owed = {asset: await journal.balance(tx, accounts.wallet(asset)) for asset in wanted}
            counts = {asset: await payouts.counts(tx, asset) for asset in wanted}
            spent = [Asset.SAT] if node.stablecoin is None else [Asset.SAT, Asset.ETH]
            return Snapshot(
                at_us=node.clock.now_us(),
                progress=moving,
                amounts={
                    (asset, state): counts[asset].get(state, (0, 0))[1]
                    for asset in wanted
                    for state in PayoutState
                },
                solvency=[Solvency(owed[asset], held[asset]) for asset in wanted],
                commission=[await journal.balance(tx, accounts.commission(a)) for a in wanted],
                fees=[await journal.total(tx, asset, Kind.EXPENSE) for asset in spent],
                attempts=await operator_figures.live_attempts(tx),
                audit=await operator_figures.last_audit(tx),
                members=await members.count(tx),
                inbox=await inbox.length(tx),
                lnd_reached=seen.node is not None,
                lnd_synced=seen.node is not None and seen.node.synced_to_chain,
                chain_reached=None if Asset.USD not in wanted else held[Asset.USD] is not None,
            )
