"""A member's account: all that is in it, and its end."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, ConfigDict, Field

from node.web.models.base import DIGITS_MAX, MSAT_MAX, Asked, Msat, Told, Units, digits

LeftQuery = Annotated[
    int, BeforeValidator(digits), Field(ge=0, le=min(MSAT_MAX, 10**DIGITS_MAX - 1))
]


class ExportOut(Told):
    """Everything that the node has of you, sent while it is written."""

    model_config = ConfigDict(frozen=True, extra="allow")

    format: str = Field(examples=["flattr-node member 1"])
    network: str
    member: dict[str, Any]
    balances: list[dict[str, Any]]


class LeavingOut(Told):
    """What closing the account would meet."""

    in_the_way: list[str] = Field(
        description="What must be done first.",
        examples=[["600 sat is available: withdraw it"]],
    )
    leaves_msat: Msat = Field(
        description="Too little for any payment. It stays on the books as yours; say it to close."
    )
    leaves_units: Units = Field(description="The same in the stablecoin.")


class LeaveQuery(Asked):
    """That it is meant."""

    name: str = Field(min_length=2, max_length=32, description="Your name.", examples=["ada"])
    leaves_msat: LeftQuery = Field(default=0, description="As GET /me/closing says.")
    leaves_units: LeftQuery = Field(default=0, description="As GET /me/closing says.")


class LeftOut(Told):
    """The account is closed."""

    name: str
    things_released: int
