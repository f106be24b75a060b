"""What the vault says happened; `event_logs.py` reads these from the logs of its transactions.

Units are the token's base units, months are the vault's own (from 1), addresses have their
checksum.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Deposited:
    """A member's account grew. `payer` is nobody (zero) for an attributed transfer."""

    member: str
    units: int
    payer: str


@dataclass(frozen=True, slots=True)
class PotSet:
    """The most that may be taken of a member in a month is now this."""

    member: str
    units: int


@dataclass(frozen=True, slots=True)
class ExitRequested:
    """From `at_s` on all of the member's account is free."""

    member: str
    at_s: int


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """A member took money out."""

    member: str
    to: str
    units: int


@dataclass(frozen=True, slots=True)
class MonthOpened:
    """The month can be charged."""

    month: int


@dataclass(frozen=True, slots=True)
class Charged:
    """One call of `charge`: how many members, and what was taken of them together."""

    month: int
    members: int
    units: int


@dataclass(frozen=True, slots=True)
class ChargeShort:
    """Of this member less was taken than was asked, because pot or balance were smaller."""

    month: int
    member: str
    wanted_units: int
    got_units: int


@dataclass(frozen=True, slots=True)
class MonthSealed:
    """The month's root is fixed."""

    month: int
    root: bytes
    gross_units: int
    commission_units: int
    batches: int
    data_hash: bytes
    payable_at_s: int


@dataclass(frozen=True, slots=True)
class MonthVetoed:
    """The seal was taken back."""

    month: int


@dataclass(frozen=True, slots=True)
class BatchPaid:
    """A batch of `count` recipients: what was paid, and what became claimable."""

    month: int
    index: int
    count: int
    paid_units: int
    deferred_units: int


@dataclass(frozen=True, slots=True)
class PaymentDeferred:
    """The token refused this recipient, who can claim it now."""

    month: int
    to: str
    units: int


@dataclass(frozen=True, slots=True)
class CommissionPaid:
    """The treasury got the month's commission."""

    month: int
    to: str
    units: int


@dataclass(frozen=True, slots=True)
class CommissionDeferred:
    """The token refused the treasury, which can claim it now."""

    month: int
    to: str
    units: int


@dataclass(frozen=True, slots=True)
class Claimed:
    """What was deferred was delivered."""

    to: str
    units: int


@dataclass(frozen=True, slots=True)
class Abandoned:
    """The vault is closed; of this month so much goes back."""

    month: int
    refund_units: int


@dataclass(frozen=True, slots=True)
class Reclaimed:
    """A member's part of the abandoned month is back in the account."""

    month: int
    member: str
    units: int


@dataclass(frozen=True, slots=True)
class Swept:
    """Another token, sent here by mistake, was given out."""

    asset: str
    to: str
    units: int


@dataclass(frozen=True, slots=True)
class PausedSet:
    """Paused until then; 0: not any more."""

    by: str
    until_s: int


@dataclass(frozen=True, slots=True)
class RoleSet:
    """0 operator, 1 guardian, 2 treasury: this is it now."""

    role: int
    who: str


@dataclass(frozen=True, slots=True)
class CapSet:
    """No deposit may bring the vault's liabilities above this."""

    units: int


@dataclass(frozen=True, slots=True)
class OwnershipTransferStarted:
    """The ownership was offered."""

    previous_owner: str
    new_owner: str


@dataclass(frozen=True, slots=True)
class OwnershipTransferred:
    """There is another owner."""

    previous_owner: str
    new_owner: str


VaultEvent: TypeAlias = (
    Deposited
    | PotSet
    | ExitRequested
    | Withdrawn
    | MonthOpened
    | Charged
    | ChargeShort
    | MonthSealed
    | MonthVetoed
    | BatchPaid
    | PaymentDeferred
    | CommissionPaid
    | CommissionDeferred
    | Claimed
    | Abandoned
    | Reclaimed
    | Swept
    | PausedSet
    | RoleSet
    | CapSet
    | OwnershipTransferStarted
    | OwnershipTransferred
)
