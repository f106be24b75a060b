"""What to copy for a button: each kind is a file in `snippets/`, with names that stand for values.

NODE_URL     where the node is                  PAGE_URL     the page, escaped for HTML
PAGE_QUERY   url=…&title=…, escaped for HTML    PAGE_TITLE   its title, the same
URL_QUERY    url=…
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final
from urllib.parse import quote, urlencode

FOLDER: Final = Path(__file__).parents[2] / "snippets"
FILES: Final = {
    "button": "button.html",
    "badge": "badge.html",
    "markdown": "badge.markdown",
    "head": "head.html",
    "atom": "atom.xml",
    "rss": "rss.xml",
    "podcast": "podcast.xml",
    "wordpress": "wordpress.php",
    "hugo": "hugo.html",
    "jekyll": "jekyll.html",
}
"""Name of a kind → its file."""
_NAMES: Final = re.compile("NODE_URL|PAGE_QUERY|PAGE_URL|PAGE_TITLE|URL_QUERY")


@dataclass(frozen=True, slots=True)
class Snippet:
    """One kind, for one page."""

    kind: str
    text: str


def snippets(node_url: str, page_url: str, title: str) -> list[Snippet]:
    """Every kind, for a page by its URL, in the order of FILES."""
    asked = {"url": page_url, **({"title": title} if title else {})}
    values = {
        "NODE_URL": node_url,
        "PAGE_URL": html.escape(page_url),
        "PAGE_TITLE": html.escape(title),
        "PAGE_QUERY": _escaped(asked),
        "URL_QUERY": _escaped({"url": page_url}),
    }
    return [
        Snippet(kind, _NAMES.sub(lambda found: values[found[0]], _file(name)))
        for kind, name in FILES.items()
    ]


def _escaped(words: dict[str, str]) -> str:
    """For an attribute of HTML or XML, and between the parentheses of Markdown."""
    plain = urlencode(words, quote_via=quote, safe="")
    return html.escape(plain.replace("(", "%28").replace(")", "%29"))


@cache
def _file(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")
