"""LIMBO: what is known of a payment that lnd neither finishes nor denies, and how it ends.

    evidence, gathered by code ─▶ complete? ─▶ a person's word ─▶ another's ─▶ DEAD, paid anew
    a preimage that is the hash's ──────────────────────────────────────────▶ SETTLED

Nobody can call such a payment dead while one part of the evidence is missing, however sure they
are. The evidence is gathered anew for each word, and kept with it. If lnd finishes the payment
after all, it goes to `suspense`, sending stops, and a person is called (`outcome.py`).
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Final

from node.clock import now_s
from node.errors import BadInput, BadTarget, Conflict, NotFound
from node.flows.node import Node
from node.flows.outcome import Outcomes
from node.ids import PayoutId
from node.money import Amount
from node.settlement.attempt import Attempt, AttemptState
from node.store import attempts, limbo_approvals, operator_log, payouts
from node.store.attempts import BY_PREIMAGE
from node.store.engine import Tx
from node.store.limbo_approvals import NEEDED, LimboApproval
from node.store.operator_log import Act
from node.wallet.lightning.answers import LndNode, PaymentStatus, PaymentView
from node.wallet.lightning.targets import LightningAddress, LnurlPay, parse_target
from node.wallet.lightning.traces import Traces

LOCK_MARGIN: Final = 144
"""Blocks after its last time lock for which an HTLC is still waited for."""
UNSEEN_S: Final = 14 * 86_400
"""For so long a payment must be gone whose time lock lnd can't tell: 576 blocks, twice and more."""
ATTEMPTS_MAX: Final = 10_000
_NAME_MAX: Final = 64
_OPEN: Final = frozenset({PaymentStatus.IN_FLIGHT, PaymentStatus.INITIATED, PaymentStatus.UNKNOWN})


@dataclass(frozen=True, slots=True)
class Fact:
    """One part of the evidence: what must hold, whether it does, and what was seen."""

    name: str
    holds: bool
    seen: str


@dataclass(frozen=True, slots=True)
class LimboCase:
    """One payment in LIMBO, with the evidence as it is now."""

    attempt: Attempt
    payout: PayoutId
    facts: tuple[Fact, ...]
    approvals: tuple[LimboApproval, ...]
    fee: Amount
    """What its routes would have cost, by lnd."""

    @property
    def complete(self) -> bool:
        """Whether it may be called dead."""
        return all(fact.holds for fact in self.facts)

    @property
    def proof(self) -> str:
        """The evidence as one text."""
        facts = [[fact.name, fact.holds, fact.seen] for fact in self.facts]
        return json.dumps({"hash": self.attempt.reference, "facts": facts}, ensure_ascii=False)


async def cases(node: Node) -> list[LimboCase]:
    """Every payment in LIMBO, with its evidence. Raises RailUnavailable."""
    async with node.store.read() as tx:
        live = await attempts.live(tx, node.rail.name, ATTEMPTS_MAX)
    found = [one for one in live if one.state is AttemptState.LIMBO]
    if not found:
        return []
    lnd, traces = await node.lnd.read_node(), await node.lnd.traces()
    paid_msat = await _paid_msat(node)
    return [await _case(node, one, lnd, traces, paid_msat) for one in found]


async def approve(node: Node, payout: PayoutId, actor: str) -> tuple[LimboCase, bool]:
    """A person says that this payout's payment is dead; the case, and whether it is dead now.

    Raises NotFound, BadInput without a name, Conflict while the evidence is not complete.
    """
    name = " ".join(actor.split())[:_NAME_MAX]
    if not name:
        raise BadInput("say who you are: --name")
    case = await _of(node, payout)
    if not case.complete:
        missing = "; ".join(f"{one.name}: {one.seen}" for one in case.facts if not one.holds)
        raise Conflict(f"it may not be called dead yet. Missing: {missing}")
    proof, now_us = case.proof, node.clock.now_us()
    digest = hashlib.sha256(proof.encode()).hexdigest()
    approval = LimboApproval(case.attempt.id, name, proof, digest, now_us)
    outcomes = Outcomes(node.store, node.clock, node.rail)
    async with node.store.write("limbo.approve") as tx:
        if not await limbo_approvals.add(tx, approval):
            raise Conflict(f"{name} has said so already: it takes another person")
        words = f"proof {digest}"
        await operator_log.append(tx, Act(name, "proved dead", f"payout {payout}", words), now_us)
        given = await limbo_approvals.of_attempt(tx, case.attempt.id)
        dead = len(given) >= NEEDED
        if dead:
            reason = f"proved dead by {' and '.join(one.actor for one in given)}"
            retry = await _has_another_hash(tx, node, payout)
            if not await outcomes.proved_dead(tx, case.attempt, reason, retry=retry):
                raise Conflict("it is in LIMBO no more: look again")
            await operator_log.append(tx, Act(name, "buried", f"payout {payout}", reason), now_us)
    return case, dead


async def settle_by_preimage(node: Node, payout: PayoutId, actor: str, preimage: str) -> None:
    """The receiver has shown the preimage. Raises NotFound, BadInput when it is not the hash's."""
    case = await _of(node, payout)
    try:
        hashed = hashlib.sha256(bytes.fromhex(preimage)).hexdigest()
    except ValueError:
        hashed = ""
    if hashed != case.attempt.reference:
        raise BadInput("this is not the preimage of the payment's hash")
    outcomes = Outcomes(node.store, node.clock, node.rail)
    await outcomes.proved_paid(case.attempt, case.fee, preimage.lower())
    async with node.store.write("limbo.note") as tx:
        await attempts.set_reason(tx, case.attempt.id, BY_PREIMAGE)
        act = Act(actor, "proved paid", f"payout {payout}", f"preimage {preimage.lower()}")
        await operator_log.append(tx, act, node.clock.now_us())


async def _of(node: Node, payout: PayoutId) -> LimboCase:
    for case in await cases(node):
        if case.payout == payout:
            return case
    raise NotFound(f"payout {payout} has no payment in LIMBO: see flattr-node limbo")


async def _case(
    node: Node, attempt: Attempt, lnd: LndNode, traces: Traces, paid_msat: int
) -> LimboCase:
    view = await node.lnd.track(attempt.reference)
    on_channel = await node.lnd.hash_on_a_channel(attempt.reference)
    facts = (
        Fact("it is asked of the lnd that sent it", lnd.pubkey == attempt.sender,
             f"sent by {attempt.sender[:12]}…, connected is {lnd.pubkey[:12]}…"),
        Fact("lnd neither settles nor fails it", view is None or view.status in _OPEN,
             "not found" if view is None else view.status.name),
        _locks(node, attempt, view, lnd),
        Fact("no channel holds its HTLC", not on_channel,
             "a channel holds it, or is closing" if on_channel else "none of the channels has it"),
        _first_hops(view, traces),
        _conserved(attempt, traces, paid_msat),
        _restarted(node, attempt, traces),
    )  # fmt: skip
    async with node.store.read() as tx:
        approvals = await limbo_approvals.of_attempt(tx, attempt.id)
    fee = Amount(0 if view is None else min(view.fee_msat, attempt.fee_limit.units))
    return LimboCase(attempt, attempt.payouts[0], facts, tuple(approvals), fee)


def _locks(node: Node, attempt: Attempt, view: PaymentView | None, lnd: LndNode) -> Fact:
    name = f"every time lock has passed by {LOCK_MARGIN} blocks"
    if view is not None and view.time_lock_max:
        until = view.time_lock_max + LOCK_MARGIN
        return Fact(name, until < lnd.block_height, f"until {until}, now {lnd.block_height}")
    age_s = min(now_s(node.clock), lnd.best_header_s) - (attempt.sent_s or 0)
    return Fact(name, age_s > UNSEEN_S, f"lnd has no lock of it; sent {age_s // 86_400} days ago")


def _first_hops(view: PaymentView | None, traces: Traces) -> Fact:
    name = "the channels that it went out by are up, or gone"
    down = set(view.first_hops if view is not None else ()) & traces.inactive
    return Fact(name, not down, f"{len(down)} are down" if down else "none of them is down")


def _conserved(attempt: Attempt, traces: Traces, paid_msat: int) -> Fact:
    """What the channels have sent is explained by other payments, so this one has not left."""
    more_msat = traces.sent_sat * 1000 - paid_msat
    slack = traces.slack_msat
    return Fact(
        "the channels have not sent it",
        -slack <= more_msat < attempt.amount.units - slack,
        f"sent {traces.sent_sat} sat, explained {paid_msat // 1000} sat",
    )


def _restarted(node: Node, attempt: Attempt, traces: Traces) -> Fact:
    name = "lnd was started again since it was sent"
    if traces.watched_s is None:
        return Fact(name, False, "there is no channel to tell by")
    started_s = now_s(node.clock) - traces.watched_s
    ago = started_s - (attempt.sent_s or 0)
    return Fact(name, ago > 0, f"started {'after' if ago > 0 else 'before'} it was sent")


async def _paid_msat(node: Node) -> int:
    """All that lnd says it has paid, fees too."""
    return sum([one.paid_msat async for one in node.lnd.list_payments(since_s=0)])


async def _has_another_hash(tx: Tx, node: Node, payout: PayoutId) -> bool:
    """Whether the payout can be tried again as another payment: only a server makes invoices."""
    found = await payouts.get(tx, payout)
    assert found is not None, "its attempt refers to it"
    try:
        target = parse_target(found.target or "", allow=node.fetcher.allow)
    except BadTarget:
        return False
    return isinstance(target, LightningAddress | LnurlPay)
