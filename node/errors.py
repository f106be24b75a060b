"""Every error that the node raises on purpose, in one tree.

NodeError
├── Rejected            the caller is wrong: becomes a 4xx with a sentence that says what to do
│   ├── BadInput        400: it can't be read or is out of range
│   │   ├── MoneyError      not an amount, or two assets mixed
│   │   ├── BadMonth
│   │   ├── BadUrl          not the URL of a thing
│   │   └── BadTarget       not a place that can be paid
│   ├── Unauthorized    401: no valid token
│   ├── Forbidden       403: a valid token that may not do this
│   │   └── FreshSignInNeeded   a wallet must have signed just now
│   ├── NotFound        404
│   │   └── NoStablecoin    this node pays over Lightning alone
│   ├── Conflict        409: it collides with what is there
│   │   ├── InsufficientFunds   the balance does not reach
│   │   └── VaultDecides        a member does it with the own wallet: the node can't
│   ├── KeyReused       422: the Idempotency-Key was used with another body
│   ├── TooMany         429
│   └── Busy            503: try again, Retry-After says when
├── RailError           the payment network; never a verdict on a payment
│   ├── RailUnavailable     it can't be reached, is locked or is not synced
│   ├── Reverted            the contract would refuse this call: `reason` is its own word
│   ├── QuoteRefused        the receiver's server or invoice breaks a rule: nothing was sent
│   └── FetchRefused        the URL may not be fetched, or its answer is not acceptable
├── LeaseLost           another process pays on this rail now
├── DatabaseAway        the database can't do it now; in a commit: it may have been done
├── ConfigError         the settings don't fit: says which, and what to write
├── DaemonError         a part of the local network is missing or did not start
├── BadBackup           a backup is damaged, is another node's, or can't be written
└── CorruptBooks        the books contradict themselves: stop
"""

from __future__ import annotations

from typing import ClassVar


class NodeError(Exception):
    """The root. `str(error)` is a sentence for people."""


class Rejected(NodeError):
    """The caller is wrong. `slug` names the problem in URLs; `status` is HTTP's."""

    status: ClassVar[int] = 400
    slug: ClassVar[str] = "rejected"


class BadInput(Rejected):
    """It can't be read, or is out of range."""

    slug = "bad-input"


class MoneyError(BadInput):
    """No amount, or two assets mixed."""

    slug = "bad-amount"


class BadMonth(BadInput):
    """No month, or not the month that it must be."""

    slug = "bad-month"


class BadUrl(BadInput):
    """Not the URL of a thing."""

    slug = "bad-url"


class BadTarget(BadInput):
    """Not a place that can be paid."""

    slug = "bad-target"


class Unauthorized(Rejected):
    """No valid token."""

    status = 401
    slug = "unauthorized"


class Forbidden(Rejected):
    """A valid token that may not do this."""

    status = 403
    slug = "forbidden"


class FreshSignInNeeded(Forbidden):
    """It needs a wallet that has signed within the last ten minutes."""

    slug = "fresh-sign-in-needed"


class NotFound(Rejected):
    """Nothing has this name."""

    status = 404
    slug = "not-found"


class NoStablecoin(NotFound):
    """Only Lightning: the operator has not switched the stablecoin on."""

    slug = "no-stablecoin"

    def __init__(self) -> None:
        super().__init__("this node pays over Lightning alone: it has no stablecoin vault")


class Conflict(Rejected):
    """It collides with what is there."""

    status = 409
    slug = "conflict"


class InsufficientFunds(Conflict):
    """The balance does not reach."""

    slug = "insufficient-funds"


class VaultDecides(Conflict):
    """The vault does it for the member's own key, and for nobody else."""

    slug = "vault-decides"


class KeyReused(Rejected):
    """The Idempotency-Key was used with another body."""

    status = 422
    slug = "idempotency-key-reused"


class TooMany(Rejected):
    """Too many requests."""

    status = 429
    slug = "too-many-requests"

    def __init__(self, message: str, retry_after_s: int = 1) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class Busy(Rejected):
    """The node can't take it now; nothing was done."""

    status = 503
    slug = "busy"

    def __init__(self, message: str, retry_after_s: int = 1) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class RailError(NodeError):
    """The payment network. Never a verdict on a payment."""


class RailUnavailable(RailError):
    """It can't be reached, is locked, or is not synced."""


class Reverted(RailError):
    """The contract would refuse this call; nothing was sent.

    `reason` is what the contract says, such as `early`; a contract can also refuse without a word.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(f"the contract refuses: {reason or 'it says no reason'}")
        self.reason = reason


class QuoteRefused(RailError):
    """The receiver's server or invoice breaks a rule; nothing was sent."""


class FetchRefused(RailError):
    """The URL may not be fetched, or its answer is not acceptable.

    `status` is HTTP's, when the server answered with one that is not 200.
    """

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class LeaseLost(NodeError):
    """Another process pays on this rail now."""


class DatabaseAway(NodeError):
    """The database is away, full or broken off.

    Nothing was done, unless it met the commit itself: then it may have been done.
    """


class ConfigError(NodeError):
    """The settings don't fit: says which, and what to write."""


class DaemonError(NodeError):
    """A part of the local network is missing or did not start."""


class BadBackup(NodeError):
    """A backup is damaged, is another node's, or can't be written: says what to do."""


class CorruptBooks(NodeError):
    """The books contradict themselves. Nothing more is paid until a person has looked."""
