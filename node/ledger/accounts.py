"""Accounts: where money can be.

Double entry. An account has a side: a debit grows what the node *has* or *spent* (wallet, expense,
suspense), a credit grows what it *owes* (everything else). No balance is ever negative; both
databases enforce it. Two laws follow for each asset, and `checks` asks for them:

wallet  =  available + pot + closing + earned + held + payout + commission
expense + suspense  =  capital

The wallet holds the members' money and the commission, to the base unit. What a payment costs on
top is the operator's: `expense` is met by `capital`, the operator's own money in the wallet.

| account                 | side   | whose money                                             |
| ----------------------- | ------ | ------------------------------------------------------- |
| wallet:<rail>           | debit  | what the node holds for its members and as commission   |
| expense:<kind>          | debit  | network fees, the operator's                            |
| suspense                | debit  | went out and is not explained: a person must look       |
| available:<member>      | credit | in no pot                                               |
| pot:<member>:<month>    | credit | set aside for one month                                 |
| closing:<month>         | credit | passing through a close; zero after it                  |
| earned:<member>         | credit | a creator's, to be paid out                             |
| held:<member>           | credit | a creator's, until the dues are paid                    |
| payout:<payout>         | credit | one payout's, from the close that opens it until paid   |
| commission              | credit | the operator's tenth                                    |
| capital                 | credit | the operator's own money, spent on fees                 |
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from node.ids import MemberId, PayoutId
from node.money import Asset
from node.month import Month


class Kind(StrEnum):
    """The first word of an account's name."""

    WALLET = "wallet"
    EXPENSE = "expense"
    SUSPENSE = "suspense"
    AVAILABLE = "available"
    POT = "pot"
    CLOSING = "closing"
    EARNED = "earned"
    HELD = "held"
    PAYOUT = "payout"
    COMMISSION = "commission"
    CAPITAL = "capital"

    @property
    def debit_side(self) -> bool:
        """Whether a debit makes the balance grow."""
        return self in {Kind.WALLET, Kind.EXPENSE, Kind.SUSPENSE}


@dataclass(frozen=True, slots=True)
class Account:
    """One account of one asset's ledger. `member` and `month` are what its name says."""

    kind: Kind
    asset: Asset
    name: str
    member: MemberId | None = None
    month: Month | None = None


def wallet(asset: Asset) -> Account:
    """What the node holds on the rail of this asset."""
    rail = "lightning" if asset is Asset.SAT else "stablecoin"
    return Account(Kind.WALLET, asset, f"wallet:{rail}")


def expense(asset: Asset, kind: str) -> Account:
    """The operator's costs of one kind, for example `routing`."""
    return Account(Kind.EXPENSE, asset, f"expense:{kind}")


def suspense(asset: Asset) -> Account:
    """What went out and is not explained."""
    return Account(Kind.SUSPENSE, asset, "suspense")


def available(asset: Asset, member: MemberId) -> Account:
    """A member's money that is in no pot."""
    return Account(Kind.AVAILABLE, asset, f"available:{member}", member)


def pot(asset: Asset, member: MemberId, month: Month) -> Account:
    """What a member has set aside for one month."""
    return Account(Kind.POT, asset, f"pot:{member}:{month}", member, month)


def closing(asset: Asset, month: Month) -> Account:
    """Passed through by a close, and empty after it."""
    return Account(Kind.CLOSING, asset, f"closing:{month}", None, month)


def earned(asset: Asset, member: MemberId) -> Account:
    """A creator's money, to be paid out."""
    return Account(Kind.EARNED, asset, f"earned:{member}", member)


def held(asset: Asset, member: MemberId) -> Account:
    """A creator's money, waiting for the dues."""
    return Account(Kind.HELD, asset, f"held:{member}", member)


def payout(asset: Asset, payout_id: PayoutId) -> Account:
    """What one payout will take, whether it is due, in flight or held."""
    return Account(Kind.PAYOUT, asset, f"payout:{payout_id}")


def commission(asset: Asset) -> Account:
    """The operator's tenth."""
    return Account(Kind.COMMISSION, asset, "commission")


def capital(asset: Asset) -> Account:
    """The operator's own money, spent on fees."""
    return Account(Kind.CAPITAL, asset, "capital")
