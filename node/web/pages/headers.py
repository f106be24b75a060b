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


def of_all(desk: Desk) -> dict[str, str]:
    """The headers of every page of this node."""
    settings = desk.node.settings
    headers = {**ALL, "Flattr-Network": settings.network}
    if settings.web.public_url.startswith("https:"):
        headers["Strict-Transport-Security"] = f"max-age={_YEAR_S}"
    return headers


def add(response: web.StreamResponse, desk: Desk) -> None:
    """Give an answer the headers that it has not got itself."""
    for name, value in of_all(desk).items():
        response.headers.setdefault(name, value)
