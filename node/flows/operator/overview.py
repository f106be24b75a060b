"""What the console's first page shows: money owed and held, payouts, commission, fees, months."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Final

from node.errors import NodeError
from node.flows.node import Node
from node.ledger import accounts
from node.ledger.accounts import Kind
from node.money import Amount, Asset
from node.settlement.payout import PayoutState
from node.store import closes, journal, members, operator_figures, payouts
from node.store.closes import Close
from node.store.engine import Tx
from node.store.operator_figures import AuditResult, MonthFees, Waiting

MONTHS_SHOWN: Final = 12
ASK_S: Final = 5


@dataclass(frozen=True, slots=True)
class Solvency:
    """What is owed in one asset against what the wallet holds; `trouble`: it can't be asked."""

    owed: Amount
    has: Amount | None
    trouble: str = ""

    @property
    def good(self) -> bool:
        """Whether it is known that the wallet holds enough."""
        return self.has is not None and self.has.units >= self.owed.units


@dataclass(frozen=True, slots=True)
class AssetView:
    """One asset. `commission`: the tenth of all closes; `kept`: of it, what is not paid out."""

    asset: Asset
    solvency: Solvency
    payouts: dict[PayoutState, tuple[int, Amount]]
    waiting: list[Waiting]
    commission: Amount
    kept: Amount
    fees: Amount
    months: list[Close]
    fees_by_month: list[MonthFees]


@dataclass(frozen=True, slots=True)
class Overview:
    """Everything that the first page shows besides the checks."""

    assets: list[AssetView]
    members: int
    audit: AuditResult | None


async def overview(node: Node) -> Overview:
    """Read it: one moment of the books, and what the wallets hold now."""
    wanted = assets(node)
    held = [await wallet_holds(node, asset) for asset in wanted]
    async with node.store.read() as tx:
        views = [
            await _view(tx, asset, has, trouble)
            for asset, (has, trouble) in zip(wanted, held, strict=True)
        ]
        return Overview(views, await members.count(tx), await operator_figures.last_audit(tx))


def assets(node: Node) -> list[Asset]:
    """The assets that this node has."""
    return [Asset.SAT] if node.stablecoin is None else [Asset.SAT, Asset.USD]


async def wallet_holds(node: Node, asset: Asset) -> tuple[Amount | None, str]:
    """(what the wallet of an asset holds, why that is not known)."""
    try:
        async with asyncio.timeout(ASK_S):
            if asset is Asset.SAT:
                return Amount((await node.lnd.balances()).own_msat), ""
            assert node.stablecoin is not None, "only then there is this asset"
            vault, own = node.stablecoin.money.vault, node.stablecoin.signer.address
            units = await vault.token_balance(vault.address, finalized=True)
            units += await vault.token_balance(own, finalized=True)
            return Amount(units, asset), ""
    except TimeoutError:
        return None, f"no answer within {ASK_S} s"
    except NodeError as error:
        return None, str(error)


async def _view(tx: Tx, asset: Asset, has: Amount | None, trouble: str) -> AssetView:
    owed = await journal.balance(tx, accounts.wallet(asset))
    counts = await payouts.counts(tx, asset)
    known = await closes.all_of(tx, asset)
    gas = Asset.ETH if asset is Asset.USD else asset
    return AssetView(
        asset=asset,
        solvency=Solvency(owed, has, trouble),
        payouts={state: (n, Amount(units, asset)) for state, (n, units) in counts.items()},
        waiting=await operator_figures.waiting(tx, asset),
        commission=Amount(sum(one.figures.commission for one in known), asset),
        kept=await journal.balance(tx, accounts.commission(asset)),
        fees=await journal.total(tx, gas, Kind.EXPENSE),
        months=known[:MONTHS_SHOWN],
        fees_by_month=await operator_figures.fees_by_month(tx, asset, MONTHS_SHOWN),
    )
