"""What members do, and what happens around the vault: the token, and time."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from tests.contracts.chain import NOBODY
from tests.contracts.records import (
    ABANDON_DELAY,
    CHARGE_WINDOW,
    COOLDOWN,
    CRANK_GRACE,
    DAY,
    EXIT_DELAY,
    MONTH_GAP,
)
from tests.contracts.token_model import Mode
from tests.contracts.walk import Walk, amounts, anybody, members, mostly, payees, seldom
from tests.contracts.world import CREATORS, MEMBERS, STRANGER


class MemberRules(Walk):
    """Money in and out, and the weather."""

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

    @rule(member=members, early=seldom, less=st.integers(0, 9), pot=amounts)
    def leave(self, member: str, early: bool, less: int, pot: int) -> None:
        """Notice, and all of it out, perhaps a second early; then perhaps a smaller pot."""
        self.call("request_exit", sender=member)
        self.world.chain.wait(EXIT_DELAY - early)
        balance = self.model.accounts[member].balance
        self.call("withdraw", max(0, balance - less), member, sender=member)
        self.call("set_pot", pot, sender=member)

    @rule(member=members, amount=amounts, more=st.sampled_from([None, 0, 0, 1]),
          to=st.sampled_from((*MEMBERS, CREATORS[0], NOBODY)))  # fmt: skip
    def withdraw(self, member: str, amount: int, more: int | None, to: str) -> None:
        """All that is free, a unit more, or any amount."""
        self.model.now = self.world.chain.now
        wanted = amount if more is None else self.model.free(member) + more
        self.call("withdraw", wanted, to, sender=member)

    @precondition(lambda self: any(self.model.claimable.values()))
    @rule(pick=st.integers(0, 9), stranger=seldom, sender=anybody)
    def claim(self, pick: int, stranger: bool, sender: str) -> None:
        """Anybody, for anybody."""
        waiting = [who for who, amount in self.model.claimable.items() if amount]
        self.call("claim", STRANGER if stranger else waiting[pick % len(waiting)], sender=sender)

    @rule(amount=amounts)
    def transfer_in(self, amount: int) -> None:
        """A plain transfer, which nobody is credited with."""
        self.world.token.accept("mint", self.world.vault.address, amount, sender=STRANGER)
        self.model.token.holdings[self.model.address] += amount

    @rule(who=payees, mode=st.sampled_from(Mode))
    def misbehave(self, who: str, mode: Mode) -> None:
        """The token treats somebody in another way."""
        self.set_mode(who, mode)

    @rule(down=seldom, fee=seldom)
    def change_token(self, down: bool, fee: bool) -> None:
        """The token is paused, or begins to keep a fee of what the vault is paid."""
        self.world.token.accept("set_down", down, sender=STRANGER)
        self.model.token.down = down
        self.set_mode(self.model.address, Mode.KEEPS_A_FEE if fee else Mode.HONEST)

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
        windows = (CHARGE_WINDOW, CHARGE_WINDOW + 1, MONTH_GAP, ABANDON_DELAY, ABANDON_DELAY + 1)
        opened = [month.opened_at + span for span in windows]
        after = (0, CRANK_GRACE, ABANDON_DELAY, ABANDON_DELAY + 1)
        payable = [month.payable_at + span for span in after]
        pause = [self.model.paused_until, self.model.paused_until + COOLDOWN]
        return sorted(opened + payable + pause + list(self.model.exit_at.values()))
