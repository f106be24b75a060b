"""The public page of a creator, and the feed of what the creator has made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from xml.sax.saxutils import escape, quoteattr

from aiohttp import web

from node.errors import NotFound
from node.flows import public
from node.flows.readers import readers_of
from node.ids import ThingId
from node.store.popularity import MOST, Counted, CreatorCount
from node.store.things import Thing
from node.web import cursor, reading
from node.web.pages.formats import iso
from node.web.pages.page import Page, PageCall
from node.web.pages.public.things import click_path
from node.web.pages.render import render

SHOWN: Final = 50
NAME_CHARS_MAX: Final = 32
FEED: Final = "application/atom+xml"
FEED_FRESH_S: Final = 300
_SECOND_US: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class CreatorView:
    """What the page shows: the things that were flattred most first."""

    name: str
    count: CreatorCount
    things: list[Counted]
    next: str | None
    readers: list[str]


async def show(call: PageCall) -> web.Response:
    """GET /creators/{name}."""
    name, node = _name(call), call.node
    after = read_place(call.asked("after"))
    story = await public.creator_story(node.store, node.clock, name, SHOWN, after)
    readers = await readers_of(node.store, node.clock, story.id)
    view = CreatorView(name, story.count, story.things, next_place(story.things, SHOWN), readers)
    return render(call, "public/creator.html", view=view)


async def feed(call: PageCall) -> web.Response:
    """GET /creators/{name}.atom: the newest things, each with a link by which it is flattred."""
    name = _name(call)
    found = await public.newest_things(call.node.store, name, SHOWN)
    text = atom(call.node.settings.web.public_url.rstrip("/"), name, found)
    headers = {"Cache-Control": f"public, max-age={FEED_FRESH_S}"}
    return web.Response(text=text, content_type=FEED, charset="utf-8", headers=headers)


def atom(public_url: str, name: str, things: list[Thing]) -> str:
    """A feed (RFC 4287), whose entries have `rel="payment"` links."""
    here, page = f"{public_url}/creators/{name}.atom", f"{public_url}/creators/{name}"
    newest_s = max(one.created_us for one in things) // _SECOND_US
    lines = [
        '<?xml version="1.0" encoding="utf-8"?>',
        '<feed xmlns="http://www.w3.org/2005/Atom">',
        f"<id>{escape(page)}</id>",
        f"<title>{escape(name)}</title>",
        f"<updated>{iso(newest_s)}</updated>",
        f"<author><name>{escape(name)}</name><uri>{escape(page)}</uri></author>",
        f'<link rel="self" type="{FEED}" href={quoteattr(here)}/>',
        f'<link rel="alternate" type="text/html" href={quoteattr(page)}/>',
        *(line for one in things for line in _entry(public_url, one)),
        "</feed>",
    ]
    return "\n".join(lines) + "\n"


def next_place(things: list[Counted], limit: int) -> str | None:
    """Where a list of things goes on, for `after`; None at the end."""
    return cursor.after([(one.flattrs, str(one.thing.id)) for one in things], limit)


def read_place(text: str) -> tuple[int, ThingId]:
    """(flattrs, id) of the last thing that was seen. Raises BadInput, NotFound."""
    if not text:
        return MOST, ThingId(0)
    flattrs, thing = cursor.read(text)
    return flattrs, ThingId(reading.row_id(thing))


def _entry(public_url: str, thing: Thing) -> list[str]:
    pay = public_url + click_path(thing.url)
    return [
        "<entry>",
        f"<id>{escape(f'{public_url}/things/{thing.id}')}</id>",
        f"<title>{escape(thing.title or thing.url)}</title>",
        f"<updated>{iso(thing.created_us // _SECOND_US)}</updated>",
        f'<link rel="alternate" href={quoteattr(thing.url)}/>',
        f'<link rel="payment" type="text/html" title="Flattr" href={quoteattr(pay)}/>',
        "</entry>",
    ]


def _name(call: PageCall) -> str:
    name = call.request.match_info["name"]
    if len(name) > NAME_CHARS_MAX or not name.isascii():
        raise NotFound("there is no creator of this name who owns something here")
    return name


PAGES: Final = (
    Page("GET", "/creators/{name}.atom", "the feed of what a creator has made", feed, "anyone"),
    Page("GET", "/creators/{name}", "a creator: what is theirs, and how often it was flattred",
         show, "anyone", query=("after",)),
)  # fmt: skip
