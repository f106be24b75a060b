"""The click: the one request that comes a thousand times a second.

It goes past what the other requests pass: no pydantic, no middleware, one look into each of three
dicts (token, count, thing), one await (the group that the click is written with), and an answer
made of prepared bytes. What it refuses, it refuses in the same words as all other requests.

    POST   /flattrs               {"thing": 7} or {"url": "https://…"}, with "month" to be sure
    DELETE /flattrs               ?thing=7 or ?url=…
    POST   /things/{thing}/flattr
    DELETE /things/{thing}/flattr
"""

from __future__ import annotations

from typing import Annotated, Final, TypeVar

import msgspec
from aiohttp import web

from node.errors import BadInput
from node.flows.flattr import Clicked
from node.month import Month
from node.store.members import Token
from node.store.things import Thing
from node.web import problems, reading
from node.web.keys import Desk
from node.web.prepared import PreparedHead
from node.web.session import demand_scope

SCOPE: Final = "click"


class ClickIn(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """What `POST /flattrs` reads: a thing or a URL."""

    thing: Annotated[int, msgspec.Meta(ge=1, le=reading.ROW_ID_MAX)] | None = None
    url: str | None = None
    month: str | None = None


class ThingClickIn(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """What `POST /things/{thing}/flattr` reads, if there is a body at all."""

    month: str | None = None


_NO_MONTH: Final = ThingClickIn()
_Struct = TypeVar("_Struct", ClickIn, ThingClickIn)


class ClickDesk:
    """The four handlers."""

    def __init__(self, desk: Desk) -> None:
        self._sessions, self._limits, self._things = desk.sessions, desk.limits, desk.things
        self._clicks = desk.node.clicks
        self._network = desk.node.settings.network
        self._body_max = desk.node.settings.web.body_max_bytes
        self._deadline_s = desk.node.settings.web.header_deadline_s
        self._read_click = msgspec.json.Decoder(ClickIn)
        self._read_month = msgspec.json.Decoder(ThingClickIn)
        headers = {"Content-Type": "application/json", "Flattr-Network": self._network}
        self._head = PreparedHead(headers)
        self._month: Month | None = None
        self._tails: tuple[bytes, ...] = ()

    async def flattr(self, request: web.Request) -> web.StreamResponse:
        """POST /flattrs."""
        try:
            member = (self._known(request) or await self._authenticate(request)).member
            asked = _decode(self._read_click, self._body_here(request) or await self._body(request))
            thing = self._known_thing(asked) or await self._thing(asked.thing, asked.url)
            month = None if asked.month is None else Month.parse(asked.month)
            key = reading.idempotency_key(request)
            return self._answer(request, await self._clicks.flattr(member, thing, month, key))
        except Exception as error:  # noqa: BLE001  every error is told in one place
            return problems.answer(problems.tell(error), self._network)

    async def flattr_thing(self, request: web.Request) -> web.StreamResponse:
        """POST /things/{thing}/flattr."""
        try:
            member = (self._known(request) or await self._authenticate(request)).member
            number = reading.row_id(request.match_info["thing"])
            body = self._body_here(request) or await self._body(request)
            asked = _decode(self._read_month, body) if body else _NO_MONTH
            thing = self._things.known(number) or await self._things.by_id(number)
            month = None if asked.month is None else Month.parse(asked.month)
            key = reading.idempotency_key(request)
            return self._answer(request, await self._clicks.flattr(member, thing, month, key))
        except Exception as error:  # noqa: BLE001  every error is told in one place
            return problems.answer(problems.tell(error), self._network)

    async def undo(self, request: web.Request) -> web.StreamResponse:
        """DELETE /flattrs?thing=7 or ?url=…."""
        try:
            token = self._known(request) or await self._authenticate(request)
            query = reading.query(request, {"thing", "url", "month"})
            number = reading.row_id(query["thing"]) if "thing" in query else None
            thing = await self._thing(number, query.get("url"))
            return await self._undone(request, token, thing, query.get("month"))
        except Exception as error:  # noqa: BLE001  every error is told in one place
            return problems.answer(problems.tell(error), self._network)

    async def undo_thing(self, request: web.Request) -> web.StreamResponse:
        """DELETE /things/{thing}/flattr."""
        try:
            token = self._known(request) or await self._authenticate(request)
            query = reading.query(request, {"month"})
            thing = await self._things.by_id(reading.row_id(request.match_info["thing"]))
            return await self._undone(request, token, thing, query.get("month"))
        except Exception as error:  # noqa: BLE001  every error is told in one place
            return problems.answer(problems.tell(error), self._network)

    async def _undone(
        self, request: web.Request, token: Token, thing: Thing, month: str | None
    ) -> web.StreamResponse:
        key = reading.idempotency_key(request)
        asked = None if month is None else Month.parse(month)
        return self._answer(request, await self._clicks.undo(token.member, thing, asked, key))

    def _known(self, request: web.Request) -> Token | None:
        """The token, if it was seen lately and may click now. Raises as `_authenticate`."""
        token = self._sessions.known(request.headers.get("Authorization"))
        if token is not None:
            self._limits.count(token.id)
            demand_scope(token, SCOPE)
        return token

    async def _authenticate(self, request: web.Request) -> Token:
        """The token, from the database. Raises Unauthorized, Forbidden, TooMany."""
        self._limits.count(self._limits.address_of(request))
        token = await self._sessions.authenticate(request.headers.get("Authorization"))
        self._limits.count(token.id)
        demand_scope(token, SCOPE)
        return token

    def _known_thing(self, asked: ClickIn) -> Thing | None:
        if asked.url is None:
            return None if asked.thing is None else self._things.known(asked.thing)
        return None if asked.thing is not None else self._things.known_url(asked.url)

    async def _thing(self, number: int | None, url: str | None) -> Thing:
        if number is not None and url is None:
            return await self._things.by_id(number)
        if url is not None and number is None:
            return await self._things.by_url(url)
        raise BadInput("name one thing: by `thing`, its number, or by `url`")

    def _body_here(self, request: web.Request) -> bytes:
        return reading.body_here(request, self._body_max)

    async def _body(self, request: web.Request) -> bytes:
        return await reading.body(request, self._body_max, self._deadline_s)

    def _answer(self, request: web.Request, clicked: Clicked) -> web.StreamResponse:
        if clicked.month is not self._month:  # a group has one month, and one object for it
            self._month = clicked.month
            self._tails = tuple(
                b',"month":"%b","flattred":%b,"network":"%b"}'
                % (str(clicked.month).encode(), flattred, self._network.encode())
                for flattred in (b"false", b"true")
            )
        body = b'{"thing":%d%b' % (clicked.thing, self._tails[clicked.flattred])
        return self._head.answer(request, body)


def _decode(decoder: msgspec.json.Decoder[_Struct], body: bytes) -> _Struct:
    try:
        return decoder.decode(body)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise BadInput(f"the body can't be read: {error}") from error
