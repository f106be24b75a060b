"""What every handler may ask the application for, typed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from aiohttp import web

from node.flows.node import Node
from node.web.known_lightning import KnownLightning
from node.web.known_popular import KnownPopular
from node.web.known_things import KnownThings
from node.web.limits import Limits
from node.web.pages.streams import Streams
from node.web.pages.templates import Templates
from node.web.session import Sessions
from node.web.static_files import StaticFiles


@dataclass(frozen=True, slots=True)
class Desk:
    """One server's node, and what it remembers between requests."""

    node: Node
    sessions: Sessions
    limits: Limits
    things: KnownThings
    lightning: KnownLightning
    files: StaticFiles
    templates: Templates
    streams: Streams
    popular: KnownPopular


DESK: Final = web.AppKey("desk", Desk)


def make_desk(node: Node) -> Desk:
    """A desk with nothing remembered yet."""
    files = StaticFiles()
    return Desk(
        node,
        Sessions(node.store, node.clock),
        Limits(node.settings.web, node.clock),
        KnownThings(node.store, node.clock),
        KnownLightning(node.lnd, node.clock),
        files,
        Templates(node.settings, files),
        Streams(),
        KnownPopular(node.store, node.clock),
    )
