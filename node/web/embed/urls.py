"""The URLs that other sites embed or link to. They are no API and no pages: see docs/button.md."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from node.web.embed.counters import Counters
from node.web.embed.oembed import serve_oembed
from node.web.embed.old_links import redirect_old_link
from node.web.embed.script import serve_script
from node.web.endpoint import RawHandler


@dataclass(frozen=True, slots=True)
class Embed:
    """One URL, which takes GET and HEAD."""

    path: str
    words: str
    method: str = "GET"


BUTTON: Final = Embed("/button.js", "the button for other sites' pages")
BADGE: Final = Embed("/badge/{thing}.svg", "a thing's counter as a picture")
BADGE_URL: Final = Embed("/badge.svg", "the counter of ?url= as a picture")
OEMBED: Final = Embed("/oembed", "oEmbed 1.0: a badge with a link, for ?url=")
OLD_LINK: Final = Embed("/submit/auto", "Flattr's old auto-submit link, sent on to the window")
EMBEDS: Final = (BUTTON, BADGE, BADGE_URL, OEMBED, OLD_LINK)


def embed_handlers(counters: Counters) -> dict[Embed, RawHandler]:
    """The handler of each."""
    return {
        BUTTON: serve_script,
        BADGE: counters.badge,
        BADGE_URL: counters.badge_of_url,
        OEMBED: serve_oembed,
        OLD_LINK: redirect_old_link,
    }
