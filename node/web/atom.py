"""Atom feeds (RFC 4287): a feed and its entries as values, and the document that they make.

Everything in them may come from members or from other hosts: all of it is escaped, and what no XML
document may hold (a control character, half a surrogate pair) becomes U+FFFD.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final
from xml.sax.saxutils import escape, quoteattr

from node.web.pages.formats import iso

MEDIA: Final = "application/atom+xml"
_NO_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class Link:
    """Where an entry or a feed leads; an attribute that is empty is left out."""

    rel: str
    href: str
    type: str = ""
    title: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry. `id` is a URI that never changes; `words` are plain text, empty: none."""

    id: str
    title: str
    updated_s: int
    links: tuple[Link, ...]
    words: str = ""


@dataclass(frozen=True, slots=True)
class Feed:
    """A feed, its entries in the order in which they are shown; `page` is the author's."""

    id: str
    title: str
    updated_s: int
    author: str
    page: str
    links: tuple[Link, ...]
    entries: tuple[Entry, ...]


def write(feed: Feed) -> str:
    """The document, to be sent as UTF-8."""
    lines = [
        '<?xml version="1.0" encoding="utf-8"?>',
        '<feed xmlns="http://www.w3.org/2005/Atom">',
        f"<id>{_text(feed.id)}</id>",
        f"<title>{_text(feed.title)}</title>",
        f"<updated>{iso(feed.updated_s)}</updated>",
        f"<author><name>{_text(feed.author)}</name><uri>{_text(feed.page)}</uri></author>",
        *(_link(one) for one in feed.links),
        *(line for one in feed.entries for line in _entry(one)),
        "</feed>",
    ]
    return "\n".join(lines) + "\n"


def _entry(entry: Entry) -> list[str]:
    return [
        "<entry>",
        f"<id>{_text(entry.id)}</id>",
        f"<title>{_text(entry.title)}</title>",
        f"<updated>{iso(entry.updated_s)}</updated>",
        *(_link(one) for one in entry.links),
        *([f'<content type="text">{_text(entry.words)}</content>'] if entry.words else ()),
        "</entry>",
    ]


def _link(link: Link) -> str:
    named = {"rel": link.rel, "type": link.type, "title": link.title, "href": link.href}
    parts = [f"{name}={quoteattr(_plain(value))}" for name, value in named.items() if value]
    return f"<link {' '.join(parts)}/>"


def _text(text: str) -> str:
    return escape(_plain(text))


def _plain(text: str) -> str:
    return _NO_XML.sub("\ufffd", text)
