"""What a running node has in hand. Built by `app.py`, used by the faces and the schedule."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from node.clock import Clock
from node.config import Settings
from node.flows.arrivals import Arrivals
from node.flows.claim import Claiming
from node.flows.close import Closing
from node.flows.earnings.estimate import Estimates
from node.flows.earnings.known import KnownEarnings
from node.flows.flattr import Clicks
from node.flows.fund import Funding
from node.flows.intents import Intents
from node.flows.pay import Payer
from node.flows.proofs import Eyes
from node.flows.rules import Rules
from node.flows.vault.pay import VaultPayer
from node.flows.vault.stablecoin import Stablecoin
from node.settlement.rail import Rail
from node.store import leases
from node.store.engine import Store
from node.wallet.fetch import Fetcher
from node.wallet.lightning.invoices import LightningInvoices
from node.wallet.lightning.lnd import Lnd
from node.wallet.txt_records import TxtRecords


@dataclass(slots=True)
class Health:
    """What the tasks of the schedule last saw: words per part, empty when it is fine."""

    troubles: dict[str, str] = field(default_factory=dict)

    def report(self, part: str, trouble: str = "") -> None:
        """A part works (no trouble), or doesn't."""
        if trouble:
            self.troubles[part] = trouble
        else:
            self.troubles.pop(part, None)


@dataclass(frozen=True, slots=True)
class Node:
    """One node: its database, its clock, its rules, its wallet."""

    settings: Settings
    store: Store
    clock: Clock
    rules: Rules
    clicks: Clicks
    fetcher: Fetcher
    lnd: Lnd
    invoices: LightningInvoices
    rail: Rail
    holder: str
    """Names this process in leases."""
    health: Health = field(default_factory=Health)
    arrivals: Arrivals = field(default_factory=Arrivals)
    intents: Intents | None = None
    """The journal beside the database; None where nothing is kept, as in some tests."""
    stablecoin: Stablecoin | None = None
    """The second rail; None: the operator has not switched it on."""
    earnings: KnownEarnings = field(default_factory=KnownEarnings)
    estimates: Estimates = field(default_factory=Estimates)
    txt_records: TxtRecords = field(default_factory=TxtRecords)

    @property
    def funding(self) -> Funding:
        """For money in."""
        return Funding(self.store, self.clock, self.rules, self.invoices, self.arrivals)

    @property
    def every_rules(self) -> tuple[Rules, ...]:
        """The rules of each asset of the node, sats first."""
        return (self.rules,) if self.stablecoin is None else (self.rules, self.stablecoin.rules)

    @property
    def claiming(self) -> Claiming:
        """For claims of things and sites."""
        eyes = Eyes(self.fetcher, self.txt_records)
        return Claiming(self.store, self.clock, eyes, self.settings.web.public_url)

    @property
    def payer(self) -> Payer:
        """For money out."""
        return Payer(self.store, self.clock, self.rules, self.rail, self.holder, self.intents)

    @property
    def vault_payer(self) -> VaultPayer | None:
        """For the stablecoin's money out; None when it is not switched on."""
        return None if self.stablecoin is None else VaultPayer(self.stablecoin, self.holder)

    def closing(self, progress: Callable[[str], None]) -> Closing:
        """For closes in sats."""
        others = () if self.stablecoin is None else (self.stablecoin.rules,)
        return Closing(self.store, self.clock, self.rules, progress, others=others)

    def closings(self, progress: Callable[[str], None]) -> list[Closing]:
        """For closes in every asset, sats first: they wait for nobody."""
        if (coin := self.stablecoin) is None:
            return [self.closing(progress)]
        in_coin = Closing(self.store, self.clock, coin.rules, progress, coin, (self.rules,))
        return [self.closing(progress), in_coin]


async def give_up_leases(node: Node) -> None:
    """A process that ends lets the next one pay at once."""
    async with node.store.write("lease.give_up") as tx:
        await leases.give_up(tx, node.holder)
