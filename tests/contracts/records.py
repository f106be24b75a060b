"""What the model of the vault is made of: its windows, its records, and how it refuses."""

from __future__ import annotations

from dataclasses import dataclass, field

DAY = 86400
PAUSE = COOLDOWN = EXIT_DELAY = 14 * DAY
MONTH_GAP = 27 * DAY
CHARGE_WINDOW = 12 * DAY
CRANK_GRACE = 7 * DAY
ABANDON_DELAY = SEAL_WINDOW = 60 * DAY
CAP_MAX = 2**96 - 1


class Refused(Exception):
    """The vault says no; `reason` is its word for why."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(slots=True)
class Account:
    """A member's money."""

    balance: int = 0
    pot: int = 0
    month: int = 0
    charge: int = 0


@dataclass(slots=True)
class Month:
    """One month; `leaves` are the batches under the root, by index."""

    gross: int = 0
    remaining: int = 0
    opened_at: int = 0
    payable_at: int = 0
    batches: int = 0
    leaves: dict[int, tuple[int, ...]] = field(default_factory=dict)
    paid: set[int] = field(default_factory=set)

    @property
    def is_paid(self) -> bool:
        """Whether its last batch went out."""
        return self.batches != 0 and len(self.paid) == self.batches


def check(condition: bool, reason: str) -> None:
    """Refuse for this reason, unless the condition holds."""
    if not condition:
        raise Refused(reason)
