"""The public page of a creator, and the feed of what the creator has made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from aiohttp import web

from node.errors import NotFound
from node.flows import public
from node.flows.readers import readers_of
from node.ids import ThingId
from node.store.popularity import MOST, Counted, CreatorCount
from node.store.things import Thing
from node.web import cursor, reading
from node.web.atom import MEDIA, Entry, Feed, Link, write
from node.web.pages.page import Page, PageCall
from node.web.pages.public.things import click_path
from node.web.pages.render import render

SHOWN: Final = 50
NAME_CHARS_MAX: Final = 32
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
    text = atom(call.node.settings.web.base_url, name, found)
    headers = {"Cache-Control": f"public, max-age={FEED_FRESH_S}"}
    return web.Response(text=text, content_type=MEDIA, charset="utf-8", headers=headers)


def atom(public_url: str, name: str, things: list[Thing]) -> str:
    """A feed (RFC 4287), whose entries have `rel="payment"` links."""
    page = f"{public_url}/creators/{name}"
    newest_s = max(one.created_us for one in things) // _SECOND_US
    links = (Link("self", f"{page}.atom", MEDIA), Link("alternate", page, "text/html"))
    entries = tuple(_entry(public_url, one) for one in things)
    return write(Feed(page, name, newest_s, name, page, links, entries))


def next_place(things: list[Counted], limit: int) -> str | None:
    """Where a list of things goes on, for `after`; None at the end."""
    return cursor.after([(one.flattrs, str(one.thing.id)) for one in things], limit)


def read_place(text: str) -> tuple[int, ThingId]:
    """(flattrs, id) of the last thing that was seen. Raises BadInput, NotFound."""
    if not text:
        return MOST, ThingId(0)
    flattrs, thing = cursor.read(text)
    return flattrs, ThingId(reading.row_id(thing))


def _entry(public_url: str, thing: Thing) -> Entry:
    pay = public_url + click_path(thing.url)
    return Entry(
        id=f"{public_url}/things/{thing.id}",
        title=thing.title or thing.url,
        updated_s=thing.created_us // _SECOND_US,
        links=(Link("alternate", thing.url), Link("payment", pay, "text/html", "Flattr")),
    )


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
