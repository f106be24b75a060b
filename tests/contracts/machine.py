"""Walks through what anybody can do to a vault, each step compared with the exact model.

A rule draws a call, right or wrong, by whoever; the model says what must come of it, reason
included. Time moves to the edges: a second before a window opens or closes, and the second itself.
After each walk all keys are gone, and still everybody gets the money out (`finale.py`).
"""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.contracts import finale, invariants
from tests.contracts.chain import NOBODY, Artifact, Receipt
from tests.contracts.invariants import Ghost
from tests.contracts.records import (
    ABANDON_DELAY,
    CAP_MAX,
    CHARGE_WINDOW,
    COOLDOWN,
    CRANK_GRACE,
    DAY,
    MONTH_GAP,
)
from tests.contracts.token_model import Mode
from tests.contracts.tree import Batch, plant, word
from tests.contracts.world import (
    CHAIN_ID,
    CREATORS,
    GUARDIAN,
    HEIR,
    KEYS,
    MEMBERS,
    OWNER,
    STRANGER,
    TREASURY,
    build_world,
)

PAYEES = (*CREATORS, *MEMBERS[:1], TREASURY)
amounts = st.one_of(st.integers(0, 40), st.integers(0, 20_000_000))
members = st.sampled_from(MEMBERS)
anybody = st.sampled_from((*KEYS, *MEMBERS))
payees = st.sampled_from((*PAYEES, *CREATORS, NOBODY))
mostly = st.sampled_from([True] * 7 + [False])
seldom = st.sampled_from([True] + [False] * 7)


class VaultMachine(RuleBasedStateMachine):
    """One walk."""

    artifact: ClassVar[Artifact | None] = None

    def __init__(self) -> None:
        super().__init__()
        self.undone = ExitStack()
        self.world = build_world(self.artifact)
        self.undone.enter_context(self.world.chain.undone())
        self.model = self.world.model()
        self.ghost = Ghost()
        self.published: dict[int, list[Batch]] = {}

    def teardown(self) -> None:
        """Everybody takes what is theirs, and then nothing of it has happened."""
        try:
            finale.everybody_leaves(self)
        finally:
            self.undone.close()

    def call(self, name: str, *arguments: Any, sender: str, model: Any = None) -> Receipt:
        """Call the vault; `model` are the model's arguments, where they are others."""
        self.model.now = self.world.chain.now
        expected = self.model.outcome(name, sender, *(arguments if model is None else model))
        receipt = self.world.vault.send(name, *arguments, sender=sender)
        said = f"{name}{arguments} by {sender}"
        assert receipt.reason == expected, f"{said}: {receipt.reason!r}, and not {expected!r}"
        if expected is None:
            self.ghost.note(name, sender, model or arguments, receipt)
        return receipt

    @invariant()
    def holds(self) -> None:
        """What must be true at every moment."""
        invariants.check_always(self)

    @initialize(pots=st.lists(amounts, min_size=len(MEMBERS), max_size=len(MEMBERS)))
    def begin(self, pots: list[int]) -> None:
        """Some have a pot from the start; otherwise most walks would charge nobody."""
        for member, pot in zip(MEMBERS, pots, strict=True):
            self.call("deposit", 2 * pot, member, pot, sender=member)

    # members

    @rule(payer=st.sampled_from((*MEMBERS, STRANGER)), own=mostly, member=members, amount=amounts,
          pot=st.one_of(st.just(0), amounts))  # fmt: skip
    def deposit(self, payer: str, own: bool, member: str, amount: int, pot: int) -> None:
        """For oneself, or for somebody else."""
        to = payer if own and payer != STRANGER else member
        self.call("deposit", amount, to, pot, sender=payer)

    @rule(member=members, pot=amounts)
    def set_pot(self, member: str, pot: int) -> None:
        """Up, or down."""
        self.call("set_pot", pot, sender=member)

    @rule(member=members)
    def request_exit(self, member: str) -> None:
        """Notice."""
        self.call("request_exit", sender=member)

    @rule(member=members, amount=amounts, more=st.sampled_from([None, 0, 0, 1]),
          to=st.sampled_from((*MEMBERS, CREATORS[0], NOBODY)))  # fmt: skip
    def withdraw(self, member: str, amount: int, more: int | None, to: str) -> None:
        """All that is free, a unit more, or any amount."""
        self.model.now = self.world.chain.now
        wanted = amount if more is None else self.model.free(member) + more
        self.call("withdraw", wanted, to, sender=member)

    @rule(who=st.sampled_from((*PAYEES, NOBODY)), sender=anybody)
    def claim(self, who: str, sender: str) -> None:
        """Anybody, for anybody."""
        self.call("claim", who, sender=sender)

    @rule(amount=amounts)
    def transfer_in(self, amount: int) -> None:
        """A plain transfer, which nobody is credited with."""
        self.world.token.accept("mint", self.world.vault.address, amount, sender=STRANGER)
        self.model.token.holdings[self.model.address] += amount

    # the operator

    @rule(honest=mostly, sender=anybody, member=members, more=st.sampled_from([0, -1, 1]))
    def attribute(self, honest: bool, sender: str, member: str, more: int) -> None:
        """The surplus, or about as much."""
        amount = max(0, self.model.surplus() + more)
        self.call("attribute", member, amount, sender=self.model.operator if honest else sender)

    @rule(honest=mostly, sender=anybody)
    def open_month(self, honest: bool, sender: str) -> None:
        """In time or not."""
        self.call("open_month", sender=self.model.operator if honest else sender)

    @rule(honest=mostly, sender=anybody, newest=mostly,
          dues=st.lists(st.tuples(members, amounts), max_size=4, unique_by=lambda due: due[0]),
          twice=seldom)  # fmt: skip
    def charge(
        self, honest: bool, sender: str, newest: bool, dues: list[tuple[str, int]], twice: bool
    ) -> None:
        """Some members, at most as much as they allow."""
        words = [word(member, amount) for member, amount in dues]
        words += words[:1] if twice else []
        month = self.model.month + (not newest)
        by = self.model.operator if honest else sender
        self.call("charge", month, words, sender=by)

    @rule(honest=mostly, sender=anybody, cuts=st.lists(st.integers(0, 99), max_size=5),
          to=st.lists(payees, min_size=6, max_size=6), batches=st.integers(1, 3),
          flaw=st.sampled_from([None] * 6 + ["short", "over", "beyond", "other month"]))  # fmt: skip
    def seal(self, honest: bool, sender: str, cuts: list[int], to: list[str], batches: int,
             flaw: str | None) -> None:  # fmt: skip
        """The net over some creators; or a root that does not add up, or has a leaf too many."""
        month = self.model.month + (flaw == "other month")
        gross = self.model.months[month].gross
        net = max(0, gross - gross // 10 + {"short": -1, "over": 1}.get(flaw or "", 0))
        edges = [0, *sorted(net * cut // 100 for cut in cuts), net]
        words = [
            word(who, upper - lower)
            for who, lower, upper in zip(to, edges, edges[1:], strict=False)
        ]
        parts = [words[number::batches] for number in range(batches)]
        parts += [[]] if flaw == "beyond" else []
        tree = plant(self.world.vault.address, CHAIN_ID, month, parts)
        leaves = {batch.index: batch.words for batch in tree.batches}
        receipt = self.call(
            "seal", month, tree.root, batches, bytes(32),
            sender=self.model.operator if honest else sender, model=(month, leaves, batches),
        )  # fmt: skip
        if receipt.reason is None:
            self.published[month] = list(tree.batches)

    @precondition(lambda self: self.published)
    @rule(honest=mostly, sender=anybody, newest=mostly, pick=st.integers(0, 3),
          flaw=st.sampled_from([None] * 8 + ["words", "proof", "index"]))  # fmt: skip
    def pay_batch(
        self, honest: bool, sender: str, newest: bool, pick: int, flaw: str | None
    ) -> None:
        """A batch as it was published, or nearly so."""
        month = max(self.published) if newest else min(self.published)
        batch = self.published[month][pick % len(self.published[month])]
        index, words, proof = batch.index, batch.words, batch.proof
        if flaw == "words":
            words = (*words, word(sender, 1))
        if flaw == "proof":
            proof = (*proof, bytes(32))
        if flaw == "index":
            index += 1
        known = words if flaw != "proof" else (-1,)
        by = self.model.operator if honest else sender
        arguments = (month, index, words, proof)
        self.call("pay_batch", *arguments, sender=by, model=(month, index, known))

    # the guardian, the owner, and anybody

    @rule(sender=st.sampled_from((GUARDIAN, GUARDIAN, OWNER, STRANGER)), newest=mostly)
    def veto(self, sender: str, newest: bool) -> None:
        """In time or not."""
        self.call("veto", self.model.month if newest else 1, sender=sender)

    @rule(sender=st.sampled_from((GUARDIAN, GUARDIAN, OWNER, HEIR, STRANGER)), paused=mostly)
    def set_paused(self, sender: str, paused: bool) -> None:
        """Begin a pause, or end it."""
        self.call("set_paused", paused, sender=sender)

    @rule(honest=mostly, cap=st.one_of(st.sampled_from([CAP_MAX, CAP_MAX + 1]), amounts))
    def set_cap(self, honest: bool, cap: int) -> None:
        """Above or below what is there."""
        self.call("set_cap", cap, sender=self.model.owner if honest else STRANGER)

    @rule(honest=mostly, role=st.integers(0, 3), who=st.sampled_from((*KEYS, NOBODY)))
    def set_role(self, honest: bool, role: int, who: str) -> None:
        """Another key, or none."""
        self.call("set_role", role, who, sender=self.model.owner if honest else STRANGER)

    @rule(honest=mostly, heir=st.sampled_from((OWNER, HEIR)), taker=st.sampled_from((OWNER, HEIR)))
    def pass_on(self, honest: bool, heir: str, taker: str) -> None:
        """Offer the ownership, and somebody tries to take it."""
        sender = self.model.owner if honest else STRANGER
        self.call("transfer_ownership", heir, sender=sender)
        self.call("accept_ownership", sender=taker)

    @rule(sender=anybody)
    def abandon(self, sender: str) -> None:
        """Anybody, in time or not."""
        self.call("abandon", sender=sender)

    @rule(sender=anybody, member=members)
    def reclaim(self, sender: str, member: str) -> None:
        """Anybody, for anybody."""
        self.call("reclaim", member, sender=sender)

    # the world

    @rule(who=payees, mode=st.sampled_from(Mode))
    def misbehave(self, who: str, mode: Mode) -> None:
        """The token treats somebody in another way."""
        self.world.token.accept("set_mode", who, mode, sender=STRANGER)
        self.model.token.modes[who] = mode
        for creditor in (creator for creator in CREATORS if self.model.claimable[creator]):
            attack = self.world.vault.data("claim", creditor)
            self.world.token.accept("set_attack", self.world.vault.address, attack, sender=STRANGER)

    @rule(down=seldom, fee=seldom)
    def change_token(self, down: bool, fee: bool) -> None:
        """The token is paused, or begins to keep a fee of what the vault is paid."""
        self.world.token.accept("set_down", down, sender=STRANGER)
        self.model.token.down = down
        mode = Mode.KEEPS_A_FEE if fee else Mode.HONEST
        self.world.token.accept("set_mode", self.model.address, mode, sender=STRANGER)
        self.model.token.modes[self.model.address] = mode

    @rule(pick=st.integers(0, 40), early=st.booleans())
    def wait_for_an_edge(self, pick: int, early: bool) -> None:
        """To where something begins or ends, or to the second before."""
        edges = [edge for edge in self._edges() if edge > self.world.chain.now]
        if edges:
            edge = edges[pick % len(edges)]
            self.world.chain.wait(max(0, edge - early - self.world.chain.now))

    @rule(days=st.sampled_from([1, 2, 7, 27]))
    def wait(self, days: int) -> None:
        """Some days."""
        self.world.chain.wait(days * DAY)

    def _edges(self) -> list[int]:
        month = self.model.months[self.model.month]
        opened = [month.opened_at + span for span in
                  (CHARGE_WINDOW, CHARGE_WINDOW + 1, MONTH_GAP, ABANDON_DELAY, ABANDON_DELAY + 1)]  # fmt: skip
        payable = [month.payable_at + span for span in
                   (0, CRANK_GRACE, ABANDON_DELAY, ABANDON_DELAY + 1)]  # fmt: skip
        pause = [self.model.paused_until, self.model.paused_until + COOLDOWN]
        return sorted(opened + payable + pause + list(self.model.exit_at.values()))
