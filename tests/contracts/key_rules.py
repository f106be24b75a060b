"""What the guardian and the owner do, and the two calls that need nobody."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from tests.contracts.chain import NOBODY
from tests.contracts.records import ABANDON_DELAY, CAP_MAX
from tests.contracts.walk import Walk, amounts, anybody, members, mostly, seldom
from tests.contracts.world import GUARDIAN, HEIR, KEYS, MEMBERS, OPERATOR, OWNER, STRANGER, TREASURY


class KeyRules(Walk):
    """Vetoes, pauses, roles, and the end of a vault."""

    @precondition(lambda self: self.published)
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
        self.call("set_cap", cap, sender=self.owner(honest))

    @rule(honest=mostly, role=st.integers(0, 3), same=mostly,
          who=st.sampled_from((*KEYS, NOBODY)))  # fmt: skip
    def set_role(self, honest: bool, role: int, same: bool, who: str) -> None:
        """Another key, or none; most often the one that it was."""
        if same and role < 3:
            who = (OPERATOR, GUARDIAN, TREASURY)[role]
        self.call("set_role", role, who, sender=self.owner(honest))

    @rule(honest=mostly, heir=st.sampled_from((OWNER, HEIR)), taker=st.sampled_from((OWNER, HEIR)))
    def pass_on(self, honest: bool, heir: str, taker: str) -> None:
        """Offer the ownership, and somebody tries to take it."""
        sender = self.owner(honest)
        self.call("transfer_ownership", heir, sender=sender)
        self.call("accept_ownership", sender=taker)

    @precondition(lambda self: self.model.month)
    @rule(sender=anybody)
    def abandon(self, sender: str) -> None:
        """Anybody, in time or not."""
        self.call("abandon", sender=sender)

    @precondition(lambda self: self.model.months[self.model.month].gross)
    @rule(early=seldom, sender=anybody)
    def give_up(self, early: bool, sender: str) -> None:
        """Nobody pays the month, until it can be abandoned; perhaps tried a second early."""
        month = self.model.months[self.model.month]
        edge = (month.payable_at or month.opened_at) + ABANDON_DELAY + 1
        self.world.chain.wait(max(0, edge - early - self.world.chain.now))
        self.call("abandon", sender=sender)
        self.call("reclaim", MEMBERS[0], sender=sender)

    @precondition(lambda self: self.model.closed)
    @rule(sender=anybody, member=members)
    def reclaim(self, sender: str, member: str) -> None:
        """Anybody, for anybody."""
        self.call("reclaim", member, sender=sender)
