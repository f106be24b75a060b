"""Logs: one line an event, for people at a terminal and as JSON elsewhere. Secrets are blanked."""

from __future__ import annotations

import logging
import re
import sys
from typing import Final

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

_SECRET_KEYS: Final = frozenset(
    {"macaroon", "preimage", "token", "lndconnect", "seed", "passphrase"}
)
_SECRET_TEXT: Final = re.compile(
    r"(lndconnect://|macaroon=)\S+|(/feeds/)[^/\s\"']+|(flattr_)[A-Za-z0-9_-]{43}"
)
"""A token is blanked wherever it stands, and in the address of a private feed however spelled."""


def set_up(*, json: bool | None = None, level: int = logging.INFO) -> None:
    """Write logs to stderr. `json`: None means unless it is a terminal."""
    as_json = not sys.stderr.isatty() if json is None else json
    renderer: Processor = (
        structlog.processors.JSONRenderer() if as_json else structlog.dev.ConsoleRenderer()
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            _blank_secrets,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )


def _blank_secrets(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    for key, value in event.items():
        if key in _SECRET_KEYS:
            event[key] = "…"
        elif isinstance(value, str):
            event[key] = _SECRET_TEXT.sub(_blanked, value)
    return event


def _blanked(found: re.Match[str]) -> str:
    return f"{found[found.lastindex or 0]}…"
