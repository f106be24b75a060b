"""What no route takes: an unknown URL, a known one with another method, an odd expectation."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from aiohttp import web

from node.errors import NotFound
from node.web import problems
from node.web.endpoint import RawHandler, Route
from node.web.keys import DESK
from node.web.problems import WrongExpectation, WrongMethod

_PARAMETER: Final = re.compile(r"\\\{[a-z]+\\\}")
_CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"


def refuse(groups: Mapping[str, tuple[Route, ...]]) -> RawHandler:
    """The handler of everything else: 405 with Allow, or 404."""
    methods: dict[str, set[str]] = {}
    for routes in groups.values():
        for route in routes:
            allowed = {"GET", "HEAD"} if route.method == "GET" else {route.method}
            methods.setdefault(route.path, set()).update(allowed)
    table = [
        (re.compile(_PARAMETER.sub("[^/]+", re.escape(path))), ", ".join(sorted(some)))
        for path, some in methods.items()
    ]

    async def handle(request: web.Request) -> web.StreamResponse:
        desk = request.app[DESK]
        network = desk.node.settings.network
        try:
            desk.limits.count(desk.limits.address_of(request))
        except Exception as error:  # noqa: BLE001  every error is told in one place
            return problems.answer(problems.tell(error), network)
        for pattern, allowed in table:
            if pattern.fullmatch(request.path):
                told = problems.tell(WrongMethod(f"this URL takes {allowed}"))
                return problems.answer(told, network, {"Allow": allowed})
        told = problems.tell(NotFound("nothing is here: /openapi.json lists what there is"))
        return problems.answer(told, network)

    return handle


async def expect(request: web.Request) -> web.StreamResponse | None:
    """Answer `Expect: 100-continue`, and refuse any other expectation."""
    if request.headers.get("Expect", "").lower() == "100-continue":
        await request.writer.write(_CONTINUE)
        # The interim answer is not the response: what was counted as sent is not its body.
        request.writer.output_size = 0
        return None
    told = problems.tell(WrongExpectation("only 100-continue can be expected"))
    return problems.answer(told, request.app[DESK].node.settings.network)
