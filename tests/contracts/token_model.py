"""What the hostile token does, exactly: whom it pays, what it says, and what really moved.

The modes are those of contracts/test/solidity/HostileToken.sol, in its order. An answer of the
token to one transfer is whether it reverted (and with what), what it returned, and how much left
the sender.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from enum import IntEnum


class Mode(IntEnum):
    """How the token treats one recipient."""

    HONEST = 0
    REVERTS = 1
    SAYS_FALSE = 2
    SAYS_NOTHING = 3
    BURNS_GAS = 4
    BOMBS = 5
    BOMBS_AND_REVERTS = 6
    LIES = 7
    SAYS_TWO = 8
    SAYS_ONE_BYTE = 9
    KEEPS_A_FEE = 10
    TAKES_MORE = 11
    REENTERS = 12


@dataclass(frozen=True, slots=True)
class Answer:
    """One transfer: `error` is the reason it was refused with by a caller that insists."""

    accepted: bool
    error: str | None
    moved: int


@dataclass(slots=True)
class TokenModel:
    """Who holds what, and how each is treated."""

    holdings: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))
    fees: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))
    modes: dict[str, Mode] = field(default_factory=dict)
    down: bool = False

    def transfer(self, sender: str, to: str, amount: int, *, bounded: bool) -> Answer:
        """Move, or not. `bounded`: the caller gave 300,000 gas, which no megabyte fits into."""
        mode = self.modes.get(to, Mode.HONEST)
        error = self._error(mode, bounded=bounded)
        if error is not None:
            return Answer(accepted=False, error=error, moved=0)
        if mode is Mode.LIES:
            return Answer(accepted=True, error=None, moved=0)
        taken = amount + (mode is Mode.TAKES_MORE)
        if self.holdings[sender] < taken:
            return Answer(accepted=False, error="", moved=0)
        self.holdings[sender] -= taken
        fee = amount // 100 if mode is Mode.KEEPS_A_FEE else 0
        self.fees[to] += fee
        self.holdings[to] += amount - fee
        if mode in {Mode.SAYS_TWO, Mode.SAYS_ONE_BYTE}:
            return Answer(accepted=False, error="", moved=taken)
        return Answer(accepted=True, error=None, moved=taken)

    def _error(self, mode: Mode, *, bounded: bool) -> str | None:
        if self.down:
            return "down"
        if mode is Mode.BOMBS:
            return "" if bounded else None
        errors = {Mode.REVERTS: "blocked", Mode.SAYS_FALSE: "refused", Mode.BURNS_GAS: "",
                  Mode.BOMBS_AND_REVERTS: ""}  # fmt: skip
        return errors.get(mode)
