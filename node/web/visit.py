"""What the handlers of the API and of the pages may both ask of a request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from aiohttp import web

from node.errors import NoStablecoin, NotFound
from node.flows.node import Node
from node.flows.vault.stablecoin import Stablecoin
from node.month import Month
from node.web import reading
from node.web.keys import Desk

_NAME_MAX: Final = 64


def back_to(pattern: str, request: web.Request) -> str:
    """A path with the request's own parameters, escaped: who asks may have written anything."""
    named = {name: quote(text, safe="") for name, text in request.match_info.items()}
    return pattern.format_map(named)


@dataclass(frozen=True, slots=True)
class Visit:
    """One request, and the desk that it came to."""

    desk: Desk
    request: web.Request

    @property
    def node(self) -> Node:
        """The node."""
        return self.desk.node

    @property
    def address(self) -> str:
        """Where the request comes from, as it is counted."""
        return self.desk.limits.address_of(self.request)

    @property
    def stablecoin(self) -> Stablecoin:
        """The second rail. Raises NoStablecoin."""
        if self.node.stablecoin is None:
            raise NoStablecoin
        return self.node.stablecoin

    def row_id(self, name: str) -> int:
        """A number in the path. Raises NotFound."""
        return reading.row_id(self.request.match_info[name])

    def month(self) -> Month:
        """The month in the path. Raises BadMonth."""
        return Month.parse(self.request.match_info["month"])

    def name(self, name: str) -> str:
        """An opaque id in the path. Raises NotFound."""
        text = self.request.match_info[name]
        if len(text) > _NAME_MAX or not (text.isascii() and text.replace("-", "").isalnum()):
            raise NotFound(f"there is no {name} of this name")
        return text
