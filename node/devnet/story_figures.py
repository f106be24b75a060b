"""What the month came to: our books on one side, the receivers' own Lightning nodes on the other.

    Result     the last line of `demo --json`
    GiverRow   one reader's pot: what each flattr was worth, and what stayed the reader's
    EarnerRow  one creator's month: earned = dues set aside + held + paid + what is left below a sat

`received` is never read from the node's database: a payment hash counts when the wallet that it was
sent to lists its invoice as settled.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from node.devnet.story import Story
from node.flows import receipts
from node.ids import MemberId
from node.ledger import accounts
from node.ledger.accounts import Kind
from node.money import Asset
from node.settlement.payout import Payout, PayoutKind, PayoutState
from node.store import closes, journal, payouts
from node.store.closes import Close
from node.store.engine import Tx

ASSET: Final = Asset.SAT
PAYOUTS_MAX: Final = 10_000
UNPAID_DUES: Final = "held until the dues are paid"


@dataclass(frozen=True, slots=True)
class GiverRow:
    """One pot, in base units."""

    name: str
    pot: int
    flattrs: int
    share: int
    carry: int


@dataclass(frozen=True, slots=True)
class EarnerRow:
    """One creator's month, in base units. `why` says why something waits."""

    name: str
    flattrs: int
    earned: int
    dues: int
    held: int
    paid: int
    received: int
    why: str


@dataclass(frozen=True, slots=True)
class Result:
    """The month as numbers, in msat. `paid`, `held`, `in_flight` count payouts."""

    lightning: str
    month: str
    pots_msat: int
    distributed_msat: int
    commission_msat: int
    carried_msat: int
    paid: int
    held: int
    in_flight: int
    paid_to_creators_msat: int
    received_by_creators_msat: int
    received_by_operator_msat: int
    routing_fees_msat: int
    audit: str
    stablecoin: VaultResult | None = None

    def line(self) -> dict[str, Any]:
        """The keys and the order of the demo's last line."""
        return {
            "lightning": self.lightning,
            "month": self.month,
            "pots_msat": self.pots_msat,
            "distributed_msat": self.distributed_msat,
            "commission_msat": self.commission_msat,
            "carried_msat": self.carried_msat,
            "payouts": {"paid": self.paid, "held": self.held, "in_flight": self.in_flight},
            "paid_to_creators_msat": self.paid_to_creators_msat,
            "received_by_creators_msat": self.received_by_creators_msat,
            "received_by_operator_msat": self.received_by_operator_msat,
            "routing_fees_msat": self.routing_fees_msat,
            "audit": self.audit,
            **({"stablecoin": self.stablecoin.part()} if self.stablecoin else {}),
        }


@dataclass(frozen=True, slots=True)
class VaultResult:
    """The month in the stablecoin as numbers, in base units. `paid`, `claimable` count payouts."""

    chain: str
    pots_units: int
    charged_units: int
    commission_units: int
    batches: int
    paid: int
    claimable: int
    received_by_creators_units: int
    received_by_operator_units: int
    gas_per_creator: int

    def part(self) -> dict[str, Any]:
        """The keys and the order of the demo's last line."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Arrived:
    """What the receivers' own nodes list as settled: msat by payment hash."""

    creators: dict[str, int]
    operator: dict[str, int]


async def ask_receivers(story: Story) -> Arrived:
    """Ask the creators' lnd and the operator's wallet. The operator's own deposits are no part."""
    network = story.network
    return Arrived(await network.creators.received(), await network.operator.received())


async def givers(story: Story, close: Close) -> list[GiverRow]:
    """A row for each pot, in the order of the file."""
    rows = []
    async with story.node.store.read() as tx:
        for planned in story.plan.members.values():
            receipt = await receipts.receipt(
                tx, close.month, close.asset, story.visitor[planned.name].member
            )
            if receipt is not None:
                rows.append(
                    GiverRow(
                        planned.name, receipt.pot, receipt.flattrs, receipt.share, receipt.carry
                    )
                )
    return rows


async def earners(story: Story, close: Close, arrived: Arrived) -> list[EarnerRow]:
    """A row for each creator over Lightning, in the order of the file."""
    rows = []
    async with story.node.store.read() as tx:
        for planned in story.plan.creators:
            member = story.visitor[planned.name].member
            references = await payouts.of_member(tx, member, 100)
            received = sum(arrived.creators.get(row.reference or "", 0) for _, row in references)
            rows.append(await earner(tx, planned.name, member, close, received))
    return rows


async def result(story: Story, close: Close, arrived: Arrived, audit: str) -> Result:
    """The whole month. `audit`: "pass", or what is wrong."""
    async with story.node.store.read() as tx:
        counts = await payouts.counts(tx, ASSET)
        paid = await payouts.in_state(tx, ASSET, PayoutState.PAID, PAYOUTS_MAX)
        waiting, _ = await closes.balances(tx, Kind.HELD, ASSET)
        fees = await journal.balance(tx, accounts.expense(ASSET, "routing"))
    figures = close.figures
    return Result(
        lightning=story.network.label,
        month=str(close.month),
        pots_msat=figures.pots,
        distributed_msat=figures.distributed,
        commission_msat=figures.commission,
        carried_msat=figures.carried,
        paid=_count(counts, PayoutState.PAID),
        held=_count(counts, PayoutState.HELD) + len(waiting),
        in_flight=_count(counts, PayoutState.IN_FLIGHT),
        paid_to_creators_msat=_sum(one for one in paid if one.kind is PayoutKind.CREATOR),
        received_by_creators_msat=sum(arrived.creators.values()),
        received_by_operator_msat=sum(arrived.operator.values()),
        routing_fees_msat=fees.units,
        audit=audit,
    )


async def earner(tx: Tx, name: str, member: MemberId, close: Close, received: int) -> EarnerRow:
    """One creator's row in the asset of a close; `received` is what the own wallet says."""
    asset = close.asset
    earned = await receipts.earnings(tx, close.month, asset, member)
    found = await payouts.of_member(tx, member, 100)
    rows = [payout for payout, _ in found if payout.amount.asset is asset]
    held = (await journal.balance(tx, accounts.held(asset, member))).units
    why = [UNPAID_DUES] if held else []
    for payout in rows:
        if payout.state is not PayoutState.PAID:
            held += payout.amount.units
            why.append(str(payout.reason or payout.state))
    left = (await journal.balance(tx, accounts.earned(asset, member))).units
    paid = _sum(one for one in rows if one.state is PayoutState.PAID)
    net = sum(one.net for one in earned)
    return EarnerRow(
        name=name,
        flattrs=sum(one.flattrs for one in earned),
        earned=net,
        dues=net - held - paid - left,
        held=held,
        paid=paid,
        received=received,
        why="; ".join(why),
    )


def _count(counts: dict[PayoutState, tuple[int, int]], state: PayoutState) -> int:
    return counts.get(state, (0, 0))[0]


def _sum(some: Any) -> int:
    chosen: Sequence[Payout] = list(some)
    return sum(one.amount.units for one in chosen)
