"""One URL: what it takes and gives, and the way of a request through it.

    count ▶ token ▶ scope ▶ query ▶ body ▶ same key answered before? ▶ handler ▶ answer
      429     401     403     400     4xx            replay / 422

A handler is `async def (call, *models) -> model`: it is handed the body and the query, in this
order, where its route has them, calls one flow, and returns what is told. All errors end here, as
problems. Clicks go another way (`clicks.py`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any, Final, Literal, TypeAlias

from aiohttp import web
from pydantic import BaseModel, ValidationError

from node.errors import BadInput
from node.flows import answers
from node.ids import MemberId
from node.store.members import Token
from node.web import problems, reading
from node.web.downloads import send
from node.web.keys import DESK, Desk
from node.web.session import demand_scope
from node.web.visit import Visit

Handler: TypeAlias = Callable[..., Awaitable[Any]]
"""Answers with the route's model; a route with a `media` of its own, with a Download."""
RawHandler: TypeAlias = Callable[[web.Request], Awaitable[web.StreamResponse]]
Scope: TypeAlias = Literal["read", "click", "things", "money"]
ERRORS_TOLD_MAX: Final = 3
_UNREADY: Final = 503


@dataclass(frozen=True, slots=True)
class Route:
    """One URL and method, for the router, the OpenAPI document and docs/api.md alike."""

    method: str
    path: str
    words: str
    answer: type[BaseModel]
    handler: Handler | None = None
    """None: a handler of `clicks.py` or `public.py`, which answers by itself."""
    scope: Scope | None = None
    """None: public."""
    body: type[BaseModel] | None = None
    body_needed: bool = True
    query: type[BaseModel] | None = None
    status: int = 200
    key: Literal["none", "flow", "answer"] = "none"
    """Who makes an Idempotency-Key work: nobody, the flow itself, or a kept answer."""
    media: str = ""
    """What a file is, that is sent while it is written; empty: the answer is the model as JSON."""

    def under(self, prefix: str) -> Route:
        """The same route below a path."""
        return replace(self, path=prefix + self.path)

    def demand_handler(self) -> Handler:
        """The handler of a route that has one."""
        assert self.handler is not None, f"{self.method} {self.path} has no handler"
        return self.handler


@dataclass(frozen=True, slots=True)
class Call(Visit):
    """One request that may go on."""

    token: Token | None
    key: str

    @property
    def member(self) -> MemberId:
        """Who asks."""
        assert self.token is not None, "the route has a scope"
        return self.token.member


def bind(route: Route, handler: Handler) -> RawHandler:
    """The aiohttp handler of a route."""

    async def handle(request: web.Request) -> web.StreamResponse:
        desk = request.app[DESK]
        caller = ""
        try:
            caller, token = await _admit(desk, route, request)
            key = reading.idempotency_key(request) if route.key != "none" else ""
            call = Call(desk, request, token, key)
            models, raw = await _read(desk, route, request)
            if route.media:
                desk.limits.count_export(call.member)
                network = {"Flattr-Network": desk.node.settings.network}
                return await send(request, await handler(call, *models), network)
            status, text, after = await _answer(call, route, handler, models, raw)
            response = web.Response(body=text, status=status, content_type="application/json")
            if after is not None:
                response.headers["Link"] = (
                    f'<{request.rel_url.update_query(after=after)}>; rel="next"'
                )
        except Exception as error:  # noqa: BLE001  every error is told in one place
            response = problems.answer(problems.tell(error), desk.node.settings.network)
        response.headers["Flattr-Network"] = desk.node.settings.network
        response.headers["Cache-Control"] = "no-store"
        if caller:
            response.headers.update(desk.limits.allowance(caller).headers)
        return response

    return handle


async def _admit(desk: Desk, route: Route, request: web.Request) -> tuple[str, Token | None]:
    """(whom the request is counted for, the token). Raises TooMany, Unauthorized, Forbidden."""
    if route.scope is None:
        address = desk.limits.address_of(request)
        desk.limits.count(address)
        return address, None
    header = request.headers.get("Authorization")
    token = desk.sessions.known(header)
    if token is None:
        desk.limits.count(desk.limits.address_of(request))
        token = await desk.sessions.authenticate(header)
    desk.limits.count(token.id)
    demand_scope(token, route.scope)
    return token.id, token


async def _read(desk: Desk, route: Route, request: web.Request) -> tuple[list[BaseModel], bytes]:
    models: list[BaseModel] = []
    raw = b""
    settings = desk.node.settings.web
    if route.body is not None:
        raw = await reading.body(request, settings.body_max_bytes, settings.header_deadline_s)
        reading.demand_each_once(raw)
        models.append(_validated(lambda: route.body.model_validate_json(raw)))  # type: ignore[union-attr]  # asked above
    allowed = set(route.query.model_fields) if route.query else set()
    query = dict(reading.query(request, allowed))
    if route.query is not None:
        models.append(_validated(lambda: route.query.model_validate(query)))  # type: ignore[union-attr]  # asked above
    return models, raw


def _validated(read: Callable[[], BaseModel]) -> BaseModel:
    try:
        return read()
    except ValidationError as error:
        lines = [
            f"{'.'.join(map(str, one['loc'])) or 'body'}: {one['msg']}"
            for one in error.errors(include_url=False, include_input=False)
        ]
        raise BadInput("; ".join(lines[:ERRORS_TOLD_MAX])) from error


async def _answer(
    call: Call, route: Route, handler: Handler, models: list[BaseModel], raw: bytes
) -> tuple[int, bytes, str | None]:
    """(status, body, where the next page begins)."""
    if route.key != "answer" or not call.key:
        told = await handler(call, *models)
        return _status(route, told), _json(told), getattr(told, "next", None)
    name = f"{route.method} {route.path} {call.key}"
    asked = hashlib.sha256(str(call.request.rel_url).encode() + b"\0" + raw).hexdigest()
    store = call.node.store
    if (before := await answers.recall(store, call.member, name, asked)) is not None:
        return before.status, before.answer.encode(), None
    told = await handler(call, *models)
    kept = await answers.keep(
        store, call.node.clock, call.member, name, asked, route.status, _json(told).decode()
    )
    return kept.status, kept.answer.encode(), None


def _status(route: Route, told: BaseModel) -> int:
    """A node that is not ready says so with its status, too."""
    return _UNREADY if getattr(told, "ready", True) is False else route.status


def _json(told: BaseModel) -> bytes:
    return told.model_dump_json().encode()
