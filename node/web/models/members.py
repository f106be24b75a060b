"""Members, tokens, payout targets, notices."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from node.flows.join import TOKEN_DAYS_MAX
from node.web.models.base import Asked, AssetName, Label, Page, TimeS, Told

Scope = Literal["read", "click", "things", "money"]
HeldScope = Literal["read", "click", "things", "money", "feed"]
"""`feed` is the scope of a private feed's address, which is made on the page of payouts alone."""


class JoinIn(Asked):
    """A new member."""

    name: str = Field(
        pattern=r"^[a-z0-9][a-z0-9_-]{1,31}$", min_length=2, max_length=32, examples=["alice"]
    )


class TokenOut(Told):
    """A token, without its secret."""

    id: str
    label: str
    scopes: list[HeldScope]
    created_s: TimeS
    expires_s: TimeS
    revoked: bool


class NewTokenOut(TokenOut):
    """A token just made. The secret is shown this once."""

    secret: str = Field(examples=["flattr_3q2-7wR1…"])


class TokenIn(Asked):
    """A token to make."""

    label: Label = Field(examples=["phone"])
    scopes: list[Scope] = Field(min_length=1, max_length=4, examples=[["read", "click"]])
    days: int = Field(default=TOKEN_DAYS_MAX, ge=1, le=TOKEN_DAYS_MAX)


class TokensOut(Told):
    """A member's tokens, oldest first."""

    items: list[TokenOut]


class MemberOut(Told):
    """Who a token acts for."""

    member: int
    name: str
    dues_from_earnings: bool
    shows_flattrs: bool = Field(
        description="Whether creators' pages may name you among their readers."
    )
    suspended: bool
    scopes: list[Scope]
    claim_line: str = Field(
        description="Put this line into /.well-known/flattr-node.txt of your site to claim it.",
        examples=["flattr-node=alice:0f3e…"],
    )


class JoinedOut(Told):
    """A new member and the first token."""

    member: int
    name: str
    token: NewTokenOut


class MemberIn(Asked):
    """What a member may change: one of these, or both."""

    dues_from_earnings: bool | None = Field(
        default=None,
        description="Pay my dues from my earnings: they go into my pot of the next month.",
    )
    shows_flattrs: bool | None = Field(
        default=None,
        description="Let creators' pages name me among their readers. Hidden unless you say so.",
    )

    @model_validator(mode="after")
    def _something(self) -> Self:
        if self.dues_from_earnings is None and self.shows_flattrs is None:
            raise ValueError("say what to change: dues_from_earnings or shows_flattrs")
        return self


class TargetQuery(Asked):
    """Which payout target."""

    asset: AssetName = "sat"


class TargetIn(Asked):
    """Where to be paid: a Lightning address, an LNURL-pay, or a node's public key for sats.

    For the stablecoin an address of the chain.
    """

    asset: AssetName = "sat"
    target: str = Field(min_length=1, max_length=2000, examples=["alice@wallet.example"])


class TargetOut(Told):
    """Where a member is paid in an asset."""

    asset: AssetName
    target: str | None
    active: bool = Field(description="Whether it is paid to already: a changed one waits.")
    active_from_s: TimeS | None
    tested: str | None = Field(
        default=None, description="What the live test saw.", examples=["it answers"]
    )


class TargetsOut(Told):
    """Where a member is paid, in each asset of this node."""

    items: list[TargetOut]


class NoticeOut(Told):
    """Something that a member should know."""

    kind: str
    ref: str
    words: str
    created_s: TimeS


class NoticesOut(Page):
    """A member's notices, newest first."""

    items: list[NoticeOut]
