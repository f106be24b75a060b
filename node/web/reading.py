"""Reading a request strictly: what can be read two ways, or not at all, is refused in words."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Collection, Mapping
from typing import Final

from aiohttp import web

from node.errors import BadInput, NotFound
from node.web.problems import TooLarge, TooSlow, WrongMediaType

ROW_ID_MAX: Final = 2**31 - 1
"""Members and things are numbered by 32-bit columns, which have a sign."""
GONE: Final = "the connection ended before the request did"
"""Said to nobody: who would be told has gone, which is no fault of the node."""
NOT_MODIFIED: Final = 304
_KEY: Final = re.compile(r"[!-~]{1,200}")
_NUMBER: Final = re.compile(r"[1-9][0-9]{0,9}", re.ASCII)


def row_id(text: str) -> int:
    """The number of a thing in a URL. Raises NotFound."""
    if not _NUMBER.fullmatch(text) or (number := int(text)) > ROW_ID_MAX:
        raise NotFound("a thing is named by its number, and there is none with this one")
    return number


def idempotency_key(request: web.Request) -> str:
    """The Idempotency-Key, or empty. Raises BadInput."""
    key = request.headers.get("Idempotency-Key")
    if key is None:
        return ""
    if not _KEY.fullmatch(key):
        raise BadInput("an Idempotency-Key is 1 to 200 visible ASCII characters")
    return key


def query(request: web.Request, allowed: Collection[str]) -> Mapping[str, str]:
    """The query, each name at most once and known. Raises BadInput."""
    found = request.query
    names = set(found)
    if unknown := sorted(names - set(allowed)):
        raise BadInput(f"the query has an unknown parameter: {unknown[0]!r}")
    if len(found) != len(names):
        raise BadInput("the query has a parameter twice")
    return found


def has_already(request: web.Request, tag: str) -> bool:
    """Whether the caller has what this ETag names (RFC 9110 §13.1.2)."""
    asked = request.headers.get("If-None-Match", "")
    return asked == "*" or tag in (one.strip().removeprefix("W/") for one in asked.split(","))


async def body(request: web.Request, body_max_bytes: int, deadline_s: float) -> bytes:
    """The body, whole. Raises TooLarge, TooSlow, WrongMediaType."""
    demand_json(request, b"", body_max_bytes)
    try:
        async with asyncio.timeout(deadline_s):
            raw = await request.read()
    except TimeoutError as error:
        raise TooSlow(f"the body did not arrive within {deadline_s:g} s") from error
    except ConnectionResetError as error:
        raise BadInput(GONE) from error
    demand_json(request, raw, body_max_bytes)
    return raw


def demand_each_once(raw: bytes) -> None:
    """Refuse JSON in which an object has a name twice: readers differ in which they take.

    What is no JSON at all is left to who reads it. Raises BadInput.
    """
    try:
        json.loads(raw, object_pairs_hook=_each_once)
    except (ValueError, RecursionError):
        return


def _each_once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise BadInput("the body has a name twice")
    return found


def body_here(request: web.Request, body_max_bytes: int) -> bytes:
    """The body, if all of it came with the headers; empty: wait for it. Raises as `body`."""
    if not request.content.is_eof():
        return b""
    try:
        raw = request.content.read_nowait()
    except ConnectionResetError as error:
        raise BadInput(GONE) from error
    demand_json(request, raw, body_max_bytes)
    return raw


def demand_json(request: web.Request, raw: bytes, body_max_bytes: int) -> None:
    """Refuse a body that is too long or no JSON. Raises TooLarge, WrongMediaType."""
    if len(raw) > body_max_bytes or (request.content_length or 0) > body_max_bytes:
        raise TooLarge(f"a body is at most {body_max_bytes} bytes")
    headers = request.headers
    if headers.get("Content-Type") == "application/json" and "Content-Encoding" not in headers:
        return
    if "Content-Encoding" in headers:
        raise WrongMediaType("send the body as it is, without Content-Encoding")
    if (raw or request.body_exists) and request.content_type != "application/json":
        raise WrongMediaType("send the body as application/json")
    if (request.charset or "utf-8").lower() not in {"utf-8", "utf8"}:
        raise WrongMediaType("send the body in UTF-8")
