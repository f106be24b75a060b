"""The head of a stranger's page: the meta tags that only who makes the page can have put there.

A page's body holds what its readers write; its head does not. So reading ends where the head does:
at `</head>`, at the first element or text that belongs to a body. What lies in comments, scripts,
titles and templates is no tag. Each step goes on behind what it has read, so that a hostile page
costs its length, and no more than HEAD_CHARS_MAX of it is looked at.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

HEAD_CHARS_MAX: Final = 256 * 1024
META_NAME: Final = "flattr-node"
TAGS_MAX: Final = 2000
_TAG: Final = re.compile(
    r"""<(/?)([a-zA-Z][a-zA-Z0-9:-]*+)((?:[^>"']++|"[^"]*+"|'[^']*+')*+)>""", re.ASCII
)
_ATTRIBUTE: Final = re.compile(
    r"""([^\s=>"'/]++)(?:\s*+=\s*+(?:"([^"]*+)"|'([^']*+)'|([^\s"'>]++)))?""", re.ASCII
)
_TRANSPARENT: Final = frozenset({"html", "head", "meta", "link", "base"})
_CLOSED: Final = {
    name: re.compile(rf"</{name}[\s/>]", re.IGNORECASE | re.ASCII)
    for name in ("script", "style", "title", "noscript", "template")
}
_BOM: Final = "\ufeff"


def meta_contents(page: str) -> list[str]:
    """The contents of the `flattr-node` meta tags in the head of an HTML page."""
    found = []
    for attributes in _metas(page.removeprefix(_BOM)[:HEAD_CHARS_MAX]):
        named: dict[str, str] = {}
        for name, *values in _ATTRIBUTE.findall(attributes):
            named.setdefault(name.lower(), "".join(values))
        if named.get("name", "").lower() == META_NAME:
            found.append(named.get("content", "").strip())
    return found


def _metas(page: str) -> Iterator[str]:
    """The attributes of each meta tag of the head, as they are written."""
    place = 0
    for _ in range(TAGS_MAX):
        start = page.find("<", place)
        if start < 0 or page[place:start].strip():
            return
        if page.startswith("<!", start):
            place = _after_declaration(page, start)
        else:
            tag = _TAG.match(page, start)
            if tag is None or not _belongs_to_head(tag):
                return
            if tag.group(2).lower() == "meta":
                yield tag.group(3)
            place = _after_element(page, tag)
        if place < 0:
            return


def _belongs_to_head(tag: re.Match[str]) -> bool:
    name = tag.group(2).lower()
    return not tag.group(1) and (name in _TRANSPARENT or name in _CLOSED)


def _after_declaration(page: str, start: int) -> int:
    """Behind a comment or a doctype; -1 if it does not end."""
    end = "-->" if page.startswith("<!--", start) else ">"
    found = page.find(end, start + len("<!"))
    return found if found < 0 else found + len(end)


def _after_element(page: str, tag: re.Match[str]) -> int:
    """Behind a tag; behind the whole element if its text is no markup. -1 if it does not end."""
    closing = _CLOSED.get(tag.group(2).lower())
    if closing is None:
        return tag.end()
    closed = closing.search(page, tag.end())
    return -1 if closed is None else page.find(">", closed.end() - 1) + 1 or -1
