"""Payouts a second: the node's payer against a bare loop of SendPaymentV2, on the same channel.

    bare     keysends with fresh preimages, 32 at a time, each waited for; nothing is stored
    node     `flows/pay.py`: stored, sent, judged, booked, 32 at a time, one for each creator

Both send the same amounts from the operator's lnd to the creators' lnd over two hops, in turn, so
that a slow minute of the machine slows both. lnd's own commits are the limit of either.
"""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any, Final

from lndgrpc.compiled import lightning_pb2, router_pb2

from node.app import open_node
from node.clock import ManualClock, SystemClock
from node.config import LndSettings, MoneySettings, Settings
from node.devnet.bench_child import median
from node.devnet.daemons import ensure_daemons
from node.devnet.lightning import LightningNetwork, open_lightning_network
from node.errors import DaemonError
from node.flows import claim, fund, join
from node.flows.close import Closing, close_month
from node.flows.node import Node
from node.flows.pay import pay_until_quiet
from node.ids import MemberId
from node.money import Amount, Asset, msat, sats
from node.month import Month
from node.settlement.fold import PackedMonth
from node.settlement.payout import PayoutState
from node.store import flattrs, payouts
from node.wallet.lightning.answers import SettledInvoice

AT_ONCE: Final = 32
SHARE_SAT: Final = 100
NET: Final = msat(SHARE_SAT * 900)
_KEYSEND: Final = 5482373484


@dataclass(frozen=True, slots=True)
class PayoutFigures:
    """Medians over the rounds, in payouts a second."""

    lightning: str
    payouts: int
    rounds: int
    bare_per_s: float
    node_per_s: float
    ratio: float
    """The node's rate over the bare loop's of the same round: the median of them."""


async def bench_payouts(
    folder: Path, number: int, rounds: int, tell: Callable[[str], None]
) -> PayoutFigures:
    """Pay `number` creators a round, and as many keysends bare. Raises DaemonError."""
    daemons = await ensure_daemons(tell)
    async with AsyncExitStack() as stack:
        network = await stack.enter_async_context(
            open_lightning_network(folder / "net", daemons, tell)
        )
        bare, through = [], []
        for one in range(rounds):
            bare.append(await _bare(network, number))
            async with open_node(_settings(network), folder / f"node{one}", SystemClock()) as node:
                await _make_due(node, [network.creators.identity_pubkey] * number)
                through.append(await _through_node(node, number))
            tell(f"round {one + 1}: bare {bare[-1]:.1f}/s, the node {through[-1]:.1f}/s")
    ratios = [ours / theirs for ours, theirs in zip(through, bare, strict=True)]
    return PayoutFigures(
        f"lnd {network.version}", number, rounds, median(bare), median(through), median(ratios)
    )


async def _bare(network: LightningNetwork, number: int) -> float:
    places = asyncio.Semaphore(AT_ONCE)
    paid = lightning_pb2.Payment.PaymentStatus.Value("SUCCEEDED")

    async def one() -> None:
        preimage = secrets.token_bytes(32)
        order = router_pb2.SendPaymentRequest(
            dest=bytes.fromhex(network.creators.identity_pubkey),
            amt_msat=NET.units,
            payment_hash=hashlib.sha256(preimage).digest(),
            dest_custom_records={_KEYSEND: preimage},
            fee_limit_msat=2000,
            timeout_seconds=60,
            cltv_limit=576,
            no_inflight_updates=True,
        )
        words = [word async for word in network.operator.router_rpc.SendPaymentV2(order)]
        if words[-1].status != paid:
            raise DaemonError("a payment of the bare loop failed")

    async def placed() -> None:
        async with places:
            await one()

    began = perf_counter()
    await asyncio.gather(*(placed() for _ in range(number)))
    return number / (perf_counter() - began)


async def _through_node(node: Node, number: int) -> float:
    began = perf_counter()
    await pay_until_quiet(node.payer, node.clock, 1000)
    seconds = perf_counter() - began
    async with node.store.read() as tx:
        counts = await payouts.counts(tx, Asset.SAT)
    if counts.get(PayoutState.PAID, (0, 0))[0] != number:
        raise DaemonError(f"the node paid {counts}, not {number}")
    return number / seconds


async def _make_due(node: Node, targets: list[str]) -> None:
    """A closed month that owes each creator one share; its deposit is booked past the network."""
    month = Month.at(node.clock.now_us() // 1_000_000).plus(-1)
    in_month = ManualClock(month.starts_s + 3600)
    reader, _ = await join.join(node.store, in_month, "reader")
    funding = fund.Funding(node.store, in_month, node.rules, node.invoices)
    asked = await _asked(funding, reader, sats(SHARE_SAT * len(targets)))
    await fund.credit(funding, asked)
    things = []
    for number, target in enumerate(targets):
        member, _ = await join.join(node.store, in_month, f"creator{number}")
        await join.set_target(node.store, in_month, node.rules, node.fetcher, member, target)
        url = f"https://example.org/{number}"
        thing = await claim.add_thing(node.store, in_month, url, str(number))
        things.append(await claim.grant(node.store, in_month, member, thing.id))
    await _mark(node, reader, month, [thing.id for thing in things])
    closing = Closing(node.store, node.clock, node.rules, lambda _: None)
    await close_month(closing, month)


async def _asked(funding: fund.Funding, reader: MemberId, amount: Amount) -> SettledInvoice:
    deposit = await fund.ask_deposit(funding, reader, amount, to_pot=True, key="bench")
    return SettledInvoice(
        deposit.payment_hash, amount.units, 1, funding.clock.now_us() // 1_000_000
    )


async def _mark(node: Node, reader: MemberId, month: Month, things: list[Any]) -> None:
    """The reader's month, packed as folding would."""
    async with node.store.write() as tx:
        await flattrs.put_packed(tx, {(month, reader): PackedMonth(set(things), set())})


def _settings(network: LightningNetwork) -> Settings:
    lndconnect = network.operator.lndconnect_with(network.operator.payer_macaroon_path)
    return Settings(
        network="simnet",
        lnd=LndSettings(lndconnect=lndconnect),
        money=MoneySettings(dues_sat=0),
    )
