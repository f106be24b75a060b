"""What no route takes: an unknown URL, a known one with another method, an odd expectation."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from aiohttp import web

from node.errors import NotFound
from node.web import problems
from node.web.endpoint import RawHandler
from node.web.keys import DESK
from node.web.pages import headers, refusals
from node.web.pages.browser import Browser
from node.web.problems import WrongExpectation, WrongMethod

_PARAMETER: Final = re.compile(r"\\\{[a-z]+\\\}")
_CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"


def refuse(taken: Iterable[tuple[str, str]]) -> RawHandler:
    """The handler of everything else: 405 with Allow, or 404. `taken`: (method, path) of routes."""
    methods: dict[str, set[str]] = {}
    for method, path in taken:
        allowed = {"GET", "HEAD"} if method == "GET" else {method}
        methods.setdefault(path, set()).update(allowed)
    table = [
        (re.compile(_PARAMETER.sub("[^{}/]+", re.escape(path))), ", ".join(sorted(some)))
        for path, some in methods.items()
    ]

    async def handle(request: web.Request) -> web.StreamResponse:
        desk = request.app[DESK]
        try:
            desk.limits.count(desk.limits.address_of(request))
        except Exception as error:  # noqa: BLE001  every error is told in one place
            return await _tell(request, error)
        for pattern, allowed in table:
            if pattern.fullmatch(request.path):
                wrong = WrongMethod(f"this URL takes {allowed}")
                return await _tell(request, wrong, {"Allow": allowed})
        return await _tell(request, NotFound(_nothing(request)))

    return handle


def _nothing(request: web.Request) -> str:
    if refusals.wants_page(request):
        return "there is no page with this address: begin at the first one"
    return "nothing is here: /openapi.json lists what there is"


async def _tell(
    request: web.Request, error: Exception, more: dict[str, str] | None = None
) -> web.Response:
    """To people as a page, to programs as a problem."""
    desk = request.app[DESK]
    if refusals.wants_page(request):
        browser = Browser(request, desk.node.settings)
        response = await refusals.show(desk, request, browser, error)
        response.headers.update(more or {})
        browser.stamp(response)
        headers.add(response, desk)
        return response
    return problems.answer(problems.tell(error), desk.node.settings.network, more)


async def expect(request: web.Request) -> web.StreamResponse | None:
    """Answer `Expect: 100-continue`, and refuse any other expectation."""
    if request.headers.get("Expect", "").lower() == "100-continue":
        await request.writer.write(_CONTINUE)
        # The interim answer is not the response: what was counted as sent is not its body.
        request.writer.output_size = 0
        return None
    told = problems.tell(WrongExpectation("only 100-continue can be expected"))
    return problems.answer(told, request.app[DESK].node.settings.network)
