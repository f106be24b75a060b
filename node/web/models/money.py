"""Deposits, balance, pot, payouts, withdrawals. Asked for in sats, answered in millisatoshi."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from node.web.models.base import MSAT_MAX, SAT_MAX, Asked, Msat, Page, SatWanted, TimeS, Told


class DepositIn(Asked):
    """Money in."""

    amount_sat: SatWanted
    to: Literal["pot", "available"] = Field(
        default="pot", description="This month's pot, or money that is in no pot."
    )


class DepositOut(Told):
    """A deposit and the invoice to pay for it."""

    id: str
    state: Literal["open", "settled", "expired"]
    to: Literal["pot", "available"]
    amount_msat: Msat
    paid_msat: Msat | None
    payment_request: str | None = Field(examples=["lnsb50u1p…"])
    payment_hash: str
    created_s: TimeS
    expires_s: TimeS
    settled_s: TimeS | None


class DepositsOut(Page):
    """A member's deposits, newest first."""

    items: list[DepositOut]


class BalanceOut(Told):
    """All of a member's money, by where it is."""

    month: str
    available_msat: Msat
    pot_msat: Msat = Field(description="This month's pot.")
    means_msat: Msat = Field(description="What the pot is filled up to when a month begins.")
    earned_msat: Msat = Field(description="Earned, and too little for a payout yet.")
    held_msat: Msat
    held_reason: str | None = Field(description="Why it is held, and what to do.")
    payouts_waiting_msat: Msat = Field(description="On its way: see /payouts.")
    dues_msat: Msat = Field(description="The pot that makes a creator a paying member.")


class PotIn(Asked):
    """What this month's pot is to hold: one of the two."""

    amount_sat: int | None = Field(default=None, ge=0, le=SAT_MAX, examples=[5000])
    amount_msat: int | None = Field(default=None, ge=0, le=MSAT_MAX)

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.amount_sat is None) == (self.amount_msat is None):
            raise ValueError("give one of amount_sat and amount_msat")
        return self


class PotOut(Told):
    """The pot of a month, the one that is running."""

    month: str
    pot_msat: Msat


class MeansIn(Asked):
    """The standing amount; zero ends it."""

    amount_sat: int = Field(ge=0, le=SAT_MAX, examples=[5000])


class MeansOut(Told):
    """The standing amount that the pot is filled up to when a month begins."""

    means_msat: Msat


class WithdrawalIn(Asked):
    """Available money, out again."""

    target: str = Field(
        min_length=1, max_length=2000, description="A BOLT11 invoice or a Lightning address.",
        examples=["alice@wallet.example"],
    )  # fmt: skip
    amount_sat: SatWanted | None = Field(
        default=None, description="Not needed with an invoice, which has its own."
    )


class PayoutOut(Told):
    """One payout, and once it is paid the proof: sha256(preimage) is the payment hash."""

    id: str
    kind: Literal["creator", "withdrawal"]
    month: str | None
    amount_msat: Msat
    target: str | None
    state: Literal["due", "in_flight", "paid", "held", "returned"]
    words: str = Field(description="The state, for people.")
    reason: str | None
    tries: int
    next_try_s: TimeS | None
    created_s: TimeS
    paid_s: TimeS | None
    fee_msat: Msat | None = Field(description="What the network took, on top of the amount.")
    payment_hash: str | None
    preimage: str | None


class PayoutsOut(Page):
    """A member's payouts and withdrawals, newest first."""

    items: list[PayoutOut]
