"""Deposits, balance, pot, payouts, withdrawals.

Sats are asked for in sats and answered in millisatoshi; the stablecoin is in base units. What is
the vault's to decide can be asked for here only to be told so.
"""

from __future__ import annotations

from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from node.web.models.base import (
    MSAT_MAX,
    SAT_MAX,
    Asked,
    AssetName,
    Msat,
    Page,
    SatWanted,
    TimeS,
    Told,
    Units,
    UsdUnits,
)


class MoneyIn(Asked):
    """An amount of one asset: in sats, or `amount_units` with the asset usd."""

    needed: ClassVar[bool] = True
    asset: AssetName = "sat"
    amount_units: UsdUnits | None = Field(default=None, description="With the asset usd.")

    @model_validator(mode="after")
    def _of_its_asset(self) -> Self:
        given = {name for name, value in self if name.startswith("amount_") and value is not None}
        if self.asset == "usd":
            if given - {"amount_units"}:
                raise ValueError("with the asset usd, give amount_units")
        elif "amount_units" in given:
            raise ValueError("amount_units is for the asset usd")
        elif len(given) != 1 and (given or self.needed):
            names = (name for name in type(self).model_fields if name.startswith("amount_"))
            sat = " or ".join(sorted(set(names) - {"amount_units"}))
            raise ValueError(f"give {sat}")
        return self


class DepositIn(MoneyIn):
    """Money in."""

    amount_sat: SatWanted | None = None
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


class UsdBalanceOut(Told):
    """The same in the stablecoin, as it is booked: what the vault says now is the account's."""

    available_units: Units
    pot_units: Units
    earned_units: Units
    held_units: Units
    held_reason: str | None
    payouts_waiting_units: Units
    dues_units: Units
    text: str = Field(description="For people.", examples=["8.5 usd available, 4 usd in the pot"])


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
    usd: UsdBalanceOut | None = Field(
        default=None, description="Null: this node pays over Lightning alone."
    )


class PotIn(MoneyIn):
    """What this month's pot is to hold: one of the two."""

    amount_sat: int | None = Field(default=None, ge=0, le=SAT_MAX, examples=[5000])
    amount_msat: int | None = Field(default=None, ge=0, le=MSAT_MAX)


class PotOut(Told):
    """The pot of a month, the one that is running."""

    month: str
    pot_msat: Msat


class MeansIn(MoneyIn):
    """The standing amount; zero ends it."""

    amount_sat: int | None = Field(default=None, ge=0, le=SAT_MAX, examples=[5000])


class MeansOut(Told):
    """The standing amount that the pot is filled up to when a month begins."""

    means_msat: Msat


class WithdrawalIn(MoneyIn):
    """Available money, out again."""

    needed: ClassVar[bool] = False
    target: str = Field(
        min_length=1, max_length=2000, description="A BOLT11 invoice or a Lightning address.",
        examples=["alice@wallet.example"],
    )  # fmt: skip
    amount_sat: SatWanted | None = Field(
        default=None, description="Not needed with an invoice, which has its own."
    )


class PayoutOut(Told):
    """One payout, and once it is paid the proof.

    Over Lightning sha256(preimage) is the payment hash; on the chain it is a transaction.
    """

    id: str
    kind: Literal["creator", "withdrawal"]
    month: str | None
    asset: AssetName
    amount_units: Units = Field(description="In base units of the asset.")
    amount_msat: Msat | None = Field(description="Null for the stablecoin.")
    text: str = Field(description="The amount, for people.", examples=["2.5 usd"])
    target: str | None
    state: Literal["due", "in_flight", "paid", "held", "returned"]
    words: str = Field(description="The state, for people.")
    reason: str | None
    claimable: bool = Field(
        description="The token refused to deliver it: it waits in the vault, for `claim`."
    )
    tries: int
    next_try_s: TimeS | None
    created_s: TimeS
    paid_s: TimeS | None
    fee_msat: Msat | None = Field(description="What the network took, on top of the amount.")
    payment_hash: str | None
    preimage: str | None
    transaction: str | None = Field(description="The hash of the transaction that paid it.")


class PayoutsOut(Page):
    """A member's payouts and withdrawals, newest first."""

    items: list[PayoutOut]
