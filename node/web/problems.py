"""Errors as `application/problem+json` (RFC 9457), each kind under a stable `type`.

A `type` is a path that is the same on every node, `/problems/<slug>`, and can be fetched. Nothing
of an unknown exception reaches the caller but the number under which it was logged.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from typing import Any, Final

import structlog
from aiohttp import web

from node.errors import (
    Busy,
    ConfigError,
    DatabaseAway,
    LeaseLost,
    NodeError,
    NotFound,
    RailError,
    Rejected,
    TooMany,
)

CONTENT_TYPE: Final = "application/problem+json"
PATH: Final = "/problems/"
RAIL_RETRY_S: Final = 10
DATABASE_RETRY_S: Final = 2
DATABASE_WORDS: Final = (
    "the node's database can't do this now: ask again, with the same Idempotency-Key if there was"
    " one, because it may have been done"
)

_log = structlog.get_logger()


class WrongMethod(Rejected):
    """The URL exists, and not with this method."""

    status = 405
    slug = "method-not-allowed"


class TooSlow(Rejected):
    """The body did not arrive in time."""

    status = 408
    slug = "too-slow"


class TooLarge(Rejected):
    """The body is longer than the node reads."""

    status = 413
    slug = "too-large"


class WrongMediaType(Rejected):
    """The body is not plain JSON."""

    status = 415
    slug = "unsupported-media-type"


class WrongExpectation(Rejected):
    """An `Expect` header that is not 100-continue."""

    status = 417
    slug = "expectation-failed"


class HeadersTooLarge(Rejected):
    """More or longer header lines than the node reads."""

    status = 431
    slug = "headers-too-large"


class WrongFormat(Rejected):
    """An answer is wanted in a format that the node does not write."""

    status = 501
    slug = "not-implemented"


@dataclass(frozen=True, slots=True)
class Problem:
    """One kind of error, as it is published."""

    slug: str
    status: int
    title: str

    @property
    def type(self) -> str:
        """RFC 9457's `type`: a URI reference."""
        return PATH + self.slug


_ALL: Final = (
    Problem("rejected", 400, "The request was refused"),
    Problem("bad-input", 400, "The request can't be read or is out of range"),
    Problem("bad-amount", 400, "This is not an amount"),
    Problem("bad-month", 400, "This is not a month, or not the month that it must be"),
    Problem("bad-url", 400, "This is not the URL of a thing"),
    Problem("bad-target", 400, "This is not a place that can be paid"),
    Problem("unauthorized", 401, "A valid token is needed"),
    Problem("forbidden", 403, "The token may not do this"),
    Problem("fresh-sign-in-needed", 403, "A wallet must sign first"),
    Problem("not-found", 404, "Nothing has this name"),
    Problem("no-stablecoin", 404, "This node pays over Lightning alone"),
    Problem("method-not-allowed", 405, "This URL does not take this method"),
    Problem("too-slow", 408, "The request did not arrive in time"),
    Problem("conflict", 409, "It collides with what is there"),
    Problem("insufficient-funds", 409, "The balance does not reach for that"),
    Problem("vault-decides", 409, "Only the member's own wallet can ask the vault for that"),
    Problem("too-large", 413, "The body is too large"),
    Problem("unsupported-media-type", 415, "The body must be JSON"),
    Problem("expectation-failed", 417, "Only 100-continue can be expected"),
    Problem("idempotency-key-reused", 422, "This Idempotency-Key was used for something else"),
    Problem("too-many-requests", 429, "Too many requests"),
    Problem("headers-too-large", 431, "The headers are too large or too many"),
    Problem("internal", 500, "The node failed"),
    Problem("not-implemented", 501, "The node does not write this format"),
    Problem("busy", 503, "The node has too much to do now"),
    Problem("rail-unavailable", 503, "The payment network can't be reached now"),
    Problem("not-now", 503, "The node can't do this now"),
)
PROBLEMS: Final = {problem.slug: problem for problem in _ALL}
"""Every kind of error that a caller can meet, by slug. docs/api.md has the same table."""


@dataclass(frozen=True, slots=True)
class Told:
    """An error as it is told to the caller."""

    problem: Problem
    detail: str
    retry_after_s: int | None = None


def tell(error: Exception) -> Told:
    """Say what an error is to the caller; an unknown one is logged here, once."""
    if isinstance(error, Rejected):
        retry_after_s = error.retry_after_s if isinstance(error, TooMany | Busy) else None
        return Told(PROBLEMS[error.slug], str(error), retry_after_s)
    if isinstance(error, RailError):
        return Told(PROBLEMS["rail-unavailable"], str(error), RAIL_RETRY_S)
    if isinstance(error, ConfigError | DatabaseAway | LeaseLost):
        return _not_now(error)
    if isinstance(error, web.HTTPRequestEntityTooLarge):
        return Told(PROBLEMS["too-large"], "the body is too large")
    if isinstance(error, web.RequestPayloadError):
        return Told(PROBLEMS["bad-input"], "the body ended too early or is badly framed")
    return _unknown(error)


def answer(told: Told, network: str, headers: dict[str, str] | None = None) -> web.Response:
    """The response for an error."""
    body: dict[str, Any] = {
        "type": told.problem.type,
        "title": told.problem.title,
        "status": told.problem.status,
        "detail": told.detail,
        "network": network,
    }
    all_headers = {"Flattr-Network": network, "Content-Type": CONTENT_TYPE, **(headers or {})}
    if told.retry_after_s is not None:
        all_headers["Retry-After"] = str(told.retry_after_s)
    if told.problem.status == PROBLEMS["unauthorized"].status:
        all_headers["WWW-Authenticate"] = "Bearer"
    text = json.dumps(body, ensure_ascii=False)
    return web.Response(
        body=text.encode(errors="replace"), status=told.problem.status, headers=all_headers
    )


def explain(slug: str) -> Problem:
    """The kind of error behind a `type`. Raises NotFound."""
    if (problem := PROBLEMS.get(slug)) is None:
        raise NotFound("no problem of this node has that type")
    return problem


def _not_now(error: NodeError) -> Told:
    _log.warning("a request met a node that is not ready", words=str(error))
    if isinstance(error, DatabaseAway):
        return Told(PROBLEMS["not-now"], DATABASE_WORDS, DATABASE_RETRY_S)
    return Told(PROBLEMS["not-now"], "the node can't do this now", RAIL_RETRY_S)


def _unknown(error: Exception) -> Told:
    number = secrets.token_hex(6)
    known = isinstance(error, NodeError)
    _log.error(
        "a request failed", number=number, kind=type(error).__name__, words=str(error),
        exc_info=None if known else error,
    )  # fmt: skip
    return Told(PROBLEMS["internal"], f"the node failed; the operator finds it under {number}")
