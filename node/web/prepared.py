"""An answer of prepared bytes, head and body in one write.

What aiohttp does for an answer (a dict of headers, what each may be, a status line, two coroutines
to write it) is a fifth of what a request costs. A click's answer is always the same but for a
number, so its head is kept, and made anew when the second in its Date is over. So it is with
counters and badges, but for the ETag. It is for HTTP/1.1 on a connection that stays open; whoever
asks otherwise gets aiohttp's own answer.
"""

from __future__ import annotations

from typing import Any, Final, cast

from aiohttp import HttpVersion11, web
from aiohttp.helpers import rfc822_formatted_time
from aiohttp.http import SERVER_SOFTWARE
from multidict import CIMultiDict

_STATUS_LINE: Final = "HTTP/1.1 200 OK"


class PreparedHead:
    """The head of all answers of one kind: 200, with JSON."""

    def __init__(self, headers: dict[str, str]) -> None:
        self._headers = CIMultiDict(headers)
        self._lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        self._date = ""
        self._head = b""

    def answer(self, request: web.Request, body: bytes, tag: str = "") -> web.StreamResponse:
        """The answer with this body, and its ETag if it has one."""
        plain = request.keep_alive and request.version == HttpVersion11
        if not plain or request.method == "HEAD":
            more = {"ETag": tag} if tag else {}
            return web.Response(body=body, headers={**self._headers, **more})
        if (date := rfc822_formatted_time()) is not self._date:
            self._date = date
            self._head = (
                f"{_STATUS_LINE}\r\n{self._lines}Date: {date}\r\nServer: {SERVER_SOFTWARE}\r\n"
            ).encode()
        named = b"ETag: %b\r\n" % tag.encode() if tag else b""
        whole = b"%b%bContent-Length: %d\r\n\r\n%b" % (self._head, named, len(body), body)
        return cast("web.StreamResponse", _Answer(whole))


class _Answer:
    """What aiohttp's connection asks of a response."""

    __slots__ = ("_whole",)
    keep_alive: Final = True
    status: Final = 200

    def __init__(self, whole: bytes) -> None:
        self._whole = whole

    async def prepare(self, request: web.BaseRequest) -> Any:
        """Write it all."""
        await request.writer.write(self._whole)

    async def write_eof(self) -> None:
        """Nothing is left to write."""
