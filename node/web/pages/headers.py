"""The headers of every page: nothing foreign is loaded, nothing is framed, nothing is kept."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from node.web.keys import Desk

POLICY: Final = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; script-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
ALL: Final = {
    "Content-Security-Policy": POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cache-Control": "no-store",
}
"""A page that says one of them itself keeps its own."""
_YEAR_S: Final = 31_536_000


def add(response: web.StreamResponse, desk: Desk) -> None:
    """Give an answer the headers that all have."""
    for name, value in ALL.items():
        response.headers.setdefault(name, value)
    response.headers["Flattr-Network"] = desk.node.settings.network
    if desk.node.settings.web.public_url.startswith("https:"):
        response.headers["Strict-Transport-Security"] = f"max-age={_YEAR_S}"
