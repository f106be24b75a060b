"""What the operator does with a month, right and wrong."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from tests.contracts import finale
from tests.contracts.records import MONTH_GAP
from tests.contracts.token_model import Mode
from tests.contracts.tree import Batch, plant, word
from tests.contracts.walk import Walk, amounts, anybody, members, mostly, payees, seldom
from tests.contracts.world import CHAIN_ID, MEMBERS


@dataclass(frozen=True, slots=True)
class Plan:
    """What a month is to come to: who is charged how much, and how the net is cut."""

    dues: list[int]
    cuts: list[int]
    to: list[str]
    batches: int
    mode: Mode
    vetoed: bool


plans = st.builds(
    Plan,
    dues=st.lists(st.one_of(st.just(2**64), amounts), min_size=4, max_size=4),
    cuts=st.lists(st.integers(0, 99), max_size=5),
    to=st.lists(payees, min_size=6, max_size=6),
    batches=st.integers(1, 3),
    mode=st.sampled_from([Mode.HONEST] * len(Mode) + list(Mode)),
    vetoed=seldom,
)


class MonthRules(Walk):
    """Open, charge, seal, pay."""

    @rule(plan=plans)
    def go_on(self, plan: Plan) -> None:
        """The next thing that a good operator does: without this, few walks would get far."""
        month = self.model.months[self.model.month]
        waiting = [batch for batch in self.published.get(self.model.month, ())
                   if batch.index not in month.paid and batch.index < month.batches]  # fmt: skip
        if month.payable_at and waiting:
            self.world.chain.wait(max(0, month.payable_at - self.world.chain.now))
            self.set_mode(plan.to[0], plan.mode)
            self._pay(waiting[0])
        elif month.gross and not month.payable_at:
            self._seal(plan, None, self.model.operator)
        else:
            self._begin_month(plan)

    @rule(plan=plans)
    def go_on_and_on(self, plan: Plan) -> None:
        """Several steps of it."""
        for _ in range(4):
            self.go_on(plan)

    keep_going = rule(plan=plans)(lambda self, plan: self.go_on_and_on(plan))

    @rule(honest=mostly, sender=anybody, member=members, more=st.sampled_from([0, -1, 1]))
    def attribute(self, honest: bool, sender: str, member: str, more: int) -> None:
        """The surplus, or about as much."""
        amount = max(0, self.model.surplus() + more)
        self.call("attribute", member, amount, sender=self.operator(sender, honest))

    @rule(honest=mostly, sender=anybody)
    def open_month(self, honest: bool, sender: str) -> None:
        """In time or not."""
        self.call("open_month", sender=self.operator(sender, honest))

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
        self.call("charge", month, words, sender=self.operator(sender, honest))

    @precondition(lambda self: self.model.month)
    @rule(honest=mostly, sender=anybody, plan=plans,
          flaw=st.sampled_from([None, None, "short", "over", "beyond", "other month"]))  # fmt: skip
    def seal(self, honest: bool, sender: str, plan: Plan, flaw: str | None) -> None:
        """A root that may not add up, or have a leaf too many; and that may be taken back."""
        self._seal(plan, flaw, self.operator(sender, honest))

    @precondition(lambda self: self.published)
    @rule(honest=mostly, sender=anybody, newest=mostly, pick=st.integers(0, 3),
          flaw=st.sampled_from([None] * 6 + ["words", "proof", "index"]))  # fmt: skip
    def pay_batch(
        self, honest: bool, sender: str, newest: bool, pick: int, flaw: str | None
    ) -> None:
        """A batch as it was published, or nearly so; perhaps once more; by whoever."""
        month = max(self.published) if newest else min(self.published)
        batch = self.published[month][pick % len(self.published[month])]
        words = (*batch.words, word(sender, 1)) if flaw == "words" else batch.words
        proof = (*batch.proof, bytes(32)) if flaw == "proof" else batch.proof
        index = batch.index + (flaw == "index")
        known = words if flaw != "proof" else (-1,)
        self.call("pay_batch", month, index, words, proof,
                  sender=self.operator(sender, honest), model=(month, index, known))  # fmt: skip

    def _begin_month(self, plan: Plan) -> None:
        due = self.model.months[self.model.month].opened_at + MONTH_GAP
        self.world.chain.wait(max(0, due - self.world.chain.now))
        self.call("open_month", sender=self.model.operator)
        for member, due in zip(MEMBERS, plan.dues, strict=True):
            if not self.model.accounts[member].balance:
                self.call("deposit", due % 1000, member, due % 900, sender=member)
        words = [word(member, due) for member, due in zip(MEMBERS, plan.dues, strict=True)]
        self.call("charge", self.model.month, words, sender=self.model.operator)

    def _seal(self, plan: Plan, flaw: str | None, by: str) -> None:
        month = self.model.month + (flaw == "other month")
        gross = self.model.months[month].gross
        net = max(0, gross - gross // 10 + {"short": -1, "over": 1}.get(flaw or "", 0))
        edges = [0, *sorted(net * cut // 100 for cut in plan.cuts), net]
        words = [
            word(who, upper - lower)
            for who, lower, upper in zip(plan.to, edges, edges[1:], strict=False)
        ]
        parts = [words[number :: plan.batches] for number in range(plan.batches)]
        parts += [[]] if flaw == "beyond" else []
        tree = plant(self.world.vault.address, CHAIN_ID, month, parts)
        leaves = {batch.index: batch.words for batch in tree.batches}
        receipt = self.call("seal", month, tree.root, plan.batches, bytes(32),
                            sender=by, model=(month, leaves, plan.batches))  # fmt: skip
        if receipt.reason is None:
            self.published[month] = list(tree.batches)
        if plan.vetoed:
            self.call("veto", self.model.month, sender=self.model.guardian)

    def _pay(self, batch: Batch) -> None:
        known = (batch.month, batch.index, batch.words)
        by = self.model.operator
        receipt = self.call("pay_batch", *batch.arguments, sender=by, model=known)
        if receipt.reason in {"insolvent", "token down"}:
            finale.let_the_token_behave(self)
