"""One walk through what anybody can do to a vault: each call beside the exact model.

After each walk all keys are gone, and still everybody gets their money out (`finale.py`). The rules
are in `member_rules.py`, `month_rules.py` and `key_rules.py`, and `machine.py` puts them together.
"""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant

from tests.contracts import finale, invariants
from tests.contracts.chain import NOBODY, Artifact, Receipt
from tests.contracts.invariants import Ghost
from tests.contracts.token_model import Mode
from tests.contracts.tree import Batch
from tests.contracts.world import CREATORS, KEYS, MEMBERS, STRANGER, TREASURY, build_world

PAYEES = (*CREATORS, *MEMBERS[:1], TREASURY)
amounts = st.one_of(st.integers(0, 40), st.integers(0, 20_000_000))
members = st.sampled_from(MEMBERS)
anybody = st.sampled_from((*KEYS, *MEMBERS))
payees = st.sampled_from((*PAYEES, *CREATORS, NOBODY))
mostly = st.sampled_from([True] * 7 + [False])
seldom = st.sampled_from([False] * 7 + [True])


class Walk(RuleBasedStateMachine):
    """The vault, its model, what was promised, and the batches that were published."""

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
            self.ghost.note(name, arguments if model is None else model, receipt)
        return receipt

    def set_mode(self, who: str, mode: Mode) -> None:
        """The token treats somebody in another way; a call back tries to claim for another one."""
        token, vault = self.world.token, self.world.vault
        token.accept("set_mode", who, mode, sender=STRANGER)
        self.model.token.modes[who] = mode
        waiting = [creator for creator, amount in self.model.claimable.items() if amount]
        attack = vault.data("claim", (waiting or [who])[0])
        token.accept("set_attack", vault.address, attack, sender=STRANGER)

    def operator(self, sender: str, honest: bool) -> str:
        """Who acts as operator: whoever is, or the other one."""
        return self.model.operator if honest and self.model.operator != NOBODY else sender

    def owner(self, honest: bool) -> str:
        """Who acts as owner."""
        return self.model.owner if honest else STRANGER

    @invariant()
    def holds(self) -> None:
        """What must be true at every moment."""
        invariants.check_always(self)

    @initialize(pots=st.lists(amounts, min_size=len(MEMBERS), max_size=len(MEMBERS)))
    def begin(self, pots: list[int]) -> None:
        """Some have a pot from the start; otherwise most walks would charge nobody."""
        for member, pot in zip(MEMBERS, pots, strict=True):
            self.call("deposit", 2 * pot, member, pot, sender=member)
