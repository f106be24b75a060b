"""Reading a form strictly: from our own page, with known fields, each once, in plain text."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Collection
from typing import Final
from urllib.parse import parse_qsl, urlsplit

from aiohttp import web

from node.errors import BadInput, Forbidden
from node.money import Amount, Asset, sats
from node.web.keys import Desk
from node.web.problems import TooLarge, TooSlow, WrongMediaType

TOKEN: Final = "token"  # noqa: S105  the name of a field
FORM: Final = "application/x-www-form-urlencoded"
FIELDS_MAX: Final = 64
_PATH_CHARS_MAX: Final = 2000
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})
_NUMBER: Final = re.compile(r"([0-9]{1,15})(?:[.,]([0-9]{1,6}))?", re.ASCII)
_AMBIGUOUS: Final = 3
_SPACES: Final = re.compile(r"[\s\u2009\u202f_']+")


def demand_own_origin(desk: Desk, request: web.Request) -> None:
    """Go on only with what one of our own pages has sent. Raises Forbidden.

    A browser says so twice: `Sec-Fetch-Site` (Fetch Metadata) and `Origin`. What it says must
    fit, and it must say one of them.
    """
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    if site is None and origin is None:
        raise Forbidden("this form came from no page of this node: open the page and send it there")
    if site not in {None, "same-origin"} or (origin and origin not in _own_origins(desk, request)):
        raise Forbidden("this form came from another site: open the page here and send it there")


async def read(desk: Desk, request: web.Request, fields: Collection[str]) -> dict[str, str]:
    """The fields of a form. Raises BadInput, TooLarge, TooSlow, WrongMediaType."""
    settings = desk.node.settings.web
    if (request.content_length or 0) > settings.body_max_bytes:
        raise TooLarge(f"a form is at most {settings.body_max_bytes} bytes")
    if request.content_type != FORM or "Content-Encoding" in request.headers:
        raise WrongMediaType("send the form as a browser does")
    try:
        async with asyncio.timeout(settings.header_deadline_s):
            raw = await request.read()
    except TimeoutError as error:
        raise TooSlow("the form did not arrive in time: send it again") from error
    try:
        pairs = parse_qsl(
            raw.decode("ascii"), keep_blank_values=True, strict_parsing=bool(raw),
            errors="strict", max_num_fields=FIELDS_MAX,
        )  # fmt: skip
    except ValueError as error:
        raise BadInput("this is no form as a browser sends it") from error
    found = dict(pairs)
    if len(found) != len(pairs):
        raise BadInput("the form has a field twice")
    if unknown := sorted(found.keys() - {*fields, TOKEN}):
        raise BadInput(f"the form has an unknown field: {unknown[0]!r}")
    if any(_CONTROL.search(value) for value in found.values()):
        raise BadInput("the form has characters that can't be seen: type it anew")
    return found


def amount(text: str, asset: Asset = Asset.SAT) -> Amount:
    """An amount as people type it: whole sats, or units of the stablecoin. Raises BadInput.

    1.500 is one and a half to some and fifteen hundred to others: it is refused.
    """
    found = _NUMBER.fullmatch(_SPACES.sub("", text))
    if asset is Asset.SAT:
        if found is None or found[2]:
            raise BadInput("write the amount in whole sats, without dots and commas: 5000")
        return sats(int(found[1]))
    if found is None or len(found[2] or "") == _AMBIGUOUS:
        raise BadInput("write the amount with a dot and two digits after it: 2.50")
    return Amount(int(found[1]) * 10**6 + int((found[2] or "").ljust(6, "0")), asset)


def local_path(text: str, otherwise: str = "/") -> str:
    """A path of this node, to be sent to; what is none, or another host's, is not followed."""
    plain = (
        text.isascii() and text.isprintable() and "\\" not in text and len(text) <= _PATH_CHARS_MAX
    )
    return text if plain and text.startswith("/") and not text.startswith("//") else otherwise


def _own_origins(desk: Desk, request: web.Request) -> set[str]:
    """Where our pages are: the public URL; and on this machine, however it is called."""
    public = urlsplit(desk.node.settings.web.public_url)
    origins = {f"{public.scheme}://{public.netloc}"}
    try:
        asked = urlsplit("//" + request.host)
    except ValueError:
        return origins
    if asked.hostname in _LOOPBACK:
        origins.add(f"http://{asked.netloc}")
    return origins
