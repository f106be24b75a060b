"""All that the model of the token and the vault remembers: what one block's state is."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final, NamedTuple

DAY_S: Final = 86_400
BITS_64: Final = 2**64 - 1
BITS_96: Final = 2**96 - 1


class Refused(Exception):
    """The contract refuses the call, with this reason."""


class Account(NamedTuple):
    """A member's word in the vault."""

    balance: int = 0
    pot: int = 0
    month: int = 0
    charge: int = 0


class Month(NamedTuple):
    """One month, as `months(uint256)` gives it."""

    root: int = 0
    gross: int = 0
    remaining: int = 0
    opened_at: int = 0
    payable_at: int = 0
    batches: int = 0
    done: int = 0

    @property
    def is_paid(self) -> bool:
        return self.batches != 0 and self.done == self.batches


@dataclass
class Keys:
    """Who is who, by addresses as numbers; what never changes in a story."""

    vault: int
    token: int
    owner: int
    operator: int
    guardian: int
    treasury: int
    delay_s: int
    chain_id: int


@dataclass
class State:
    """The token's and the vault's storage, and the nonces of everybody's keys."""

    dollars: dict[int, int] = field(default_factory=dict)
    allowance: dict[tuple[int, int], int] = field(default_factory=dict)
    blocked: frozenset[int] = frozenset()
    lying: frozenset[int] = frozenset()
    """Receivers at whom the token's `transfer` moves nothing and answers false."""
    token_paused: bool = False
    accounts: dict[int, Account] = field(default_factory=dict)
    exit_at: dict[int, int] = field(default_factory=dict)
    claimable: dict[int, int] = field(default_factory=dict)
    months: dict[int, Month] = field(default_factory=dict)
    paid: frozenset[tuple[int, int]] = frozenset()
    liabilities: int = 0
    month: int = 0
    closed: int = 0
    refund_pool: int = 0
    paused_until: int = 0
    nonces: dict[str, int] = field(default_factory=dict)

    def copy(self) -> State:
        """Another one, with the same in it."""
        return replace(
            self,
            dollars=self.dollars.copy(),
            allowance=self.allowance.copy(),
            accounts=self.accounts.copy(),
            exit_at=self.exit_at.copy(),
            claimable=self.claimable.copy(),
            months=self.months.copy(),
            nonces=self.nonces.copy(),
        )

    def account(self, member: int) -> Account:
        return self.accounts.get(member, Account())

    def held(self, who: int) -> int:
        return self.dollars.get(who, 0)


def demand(fact: bool, reason: str) -> None:
    """Raises Refused."""
    if not fact:
        raise Refused(reason)
