"""The vault: linking an address, a member's account in it, and the calls for the own wallet."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, RootModel

from node.web.models.base import Asked, TimeS, Told, Units, UsdUnitsQuery

AddressText = Annotated[
    str,
    Field(min_length=1, max_length=200, examples=["0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"]),
]
_SIGNED_CHARS_MAX = 2048
_SIGNATURE_CHARS_MAX = 8194


class ChallengeIn(Asked):
    """The address to link: the one that you pay from."""

    address: AddressText


class ChallengeOut(Told):
    """What the address' wallet must sign, as it is (EIP-4361 by personal_sign)."""

    text: str
    address: str
    network: str = Field(description="The chain's name, which the text names, too.")
    chain_id: int
    expires_s: TimeS


class LinkIn(Asked):
    """The text, and its signature."""

    text: str = Field(min_length=1, max_length=_SIGNED_CHARS_MAX)
    signature: str = Field(min_length=1, max_length=_SIGNATURE_CHARS_MAX, examples=["0x4f1c…"])


class LinkOut(Told):
    """A linked address, and what is booked of all that it has paid in."""

    address: str
    chain_id: int
    linked_s: TimeS
    available_units: Units
    pot_units: Units = Field(description="This month's pot.")


class AccountQuery(Asked):
    """For how much the calls are to be, in base units; each may be left out."""

    deposit_units: UsdUnitsQuery | None = Field(default=None, ge=1)
    pot_units: UsdUnitsQuery | None = None
    withdraw_units: UsdUnitsQuery | None = Field(default=None, ge=1)


class PendingOut(Told):
    """An event of the vault in a block that is not final yet: it is not in the books."""

    kind: str = Field(examples=["deposited"])
    units: Units
    transaction: str
    block: int
    time_s: TimeS


class ClaimableOut(Told):
    """What the token once refused to deliver to an address of yours."""

    address: str
    units: Units


class CallOut(Told):
    """A call for your wallet. Send `calldata` to `to`, or open `link` (EIP-681)."""

    name: str = Field(examples=["deposit"])
    words: str
    to: str | None
    calldata: str | None
    link: str | None
    needs: str | None = Field(description="The parameter that says how much, if it is missing.")
    refused: str | None = Field(description="Why the vault would refuse it now.")


class AccountOut(Told):
    """Your account in the vault, at its newest block."""

    network: str
    chain_id: int
    vault: str
    token: str
    address: str | None = Field(description="Null: none is linked.")
    balance_units: Units
    pot_units: Units = Field(description="The most that is taken in a month.")
    free_units: Units = Field(description="What can be withdrawn now.")
    exit_s: TimeS | None = Field(description="When all is free; null without an exit.")
    wallet_units: Units = Field(description="What your address holds outside of the vault.")
    claimable: list[ClaimableOut]
    pending: list[PendingOut]
    read_to: int | None = Field(description="The block that the books have come to.")
    words: list[str]
    calls: list[CallOut]


class MonthFileOut(RootModel[dict[str, Any]]):
    """A sealed month: who was charged, who is paid, and the proofs."""
