"""What site owners copy: it is well formed, says what was asked for, and nothing else."""

from __future__ import annotations

import html
import xml.etree.ElementTree as ET
from html.parser import HTMLParser
from urllib.parse import parse_qs, quote, urlsplit

import pytest

from node.web.pages.site.snippets import FILES, FOLDER, snippets
from tests.test_tidy import ROOT

NODE = "https://node.example"
URL = "https://blog.example/a(b)?x=1&y=2"
TITLE = 'It\'s "A & B" <b>'
XML_KINDS = ("atom", "rss", "podcast")
NASTY = ['"><script>alert(1)</script>', "--></a>", "]](javascript:alert(1))", "' onload='x"]


def text_of(kind, url=URL, title=TITLE):
    [found] = [one.text for one in snippets(NODE, url, title) if one.kind == kind]
    return found


class Reader(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.tags = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))


def window(url):
    place = urlsplit(url)
    assert f"{place.scheme}://{place.netloc}{place.path}" == f"{NODE}/click"
    return {name: value for name, [value] in parse_qs(place.query, strict_parsing=True).items()}


@pytest.mark.parametrize("title", [TITLE, *NASTY])
def test_the_button_names_the_page_and_its_title(title):
    (script, button, link) = Reader(text_of("button", title=title)).tags
    assert script == ("script", {"async": None, "src": f"{NODE}/button.js"})
    assert button == ("flattr-button", {"url": URL, "title": title})
    assert window(link[1]["href"]) == {"url": URL, "title": title}


@pytest.mark.parametrize("title", [TITLE, *NASTY])
def test_the_badge_is_a_picture_in_a_link(title):
    (link, picture) = Reader(text_of("badge", title=title)).tags
    assert window(link[1]["href"]) == {"url": URL, "title": title}
    assert parse_qs(urlsplit(picture[1]["src"]).query) == {"url": [URL]}
    assert text_of("markdown", title=title).count("(") == 2
    assert text_of("markdown", title=title).count(")") == 2


@pytest.mark.parametrize("kind", XML_KINDS)
@pytest.mark.parametrize("title", [TITLE, *NASTY])
def test_feeds_stay_well_formed(kind, title):
    root = ET.fromstring(text_of(kind, title=title))
    assert window(root.get("href") or root.get("url")) == {"url": URL, "title": title}
    assert root.get("rel", "payment") == "payment"


def test_the_partials_are_short_and_know_the_node():
    lines = {kind: text_of(kind).count("\n") for kind in FILES}
    assert max(lines["hugo"], lines["jekyll"]) <= 10
    assert lines["wordpress"] <= 100
    for kind in ("hugo", "jekyll", "wordpress"):
        assert NODE in text_of(kind)
        assert "NODE_URL" not in text_of(kind)
        assert URL not in text_of(kind)


def test_the_plugin_escapes_all_that_it_prints():
    php = (FOLDER / "wordpress.php").read_text()
    assert php.startswith("<?php\n")
    assert "defined('ABSPATH')" in php
    printed = [
        line for line in php.splitlines() if "get_permalink" in line or "get_the_title" in line
    ]
    assert all("esc_" in line or line.strip().startswith("'") for line in printed), printed
    assert php.count("(") == php.count(")")
    assert php.count("{") == php.count("}")


async def test_the_page_shows_what_to_copy_as_text(people):
    shown = await (await people.visitor()).get("/creator/button")
    assert shown.status == 200
    for tag, _, url in shown.read.urls:
        assert url.startswith(("/", "#")) or tag == "a", url
    asked = f"/creator/button?url={quote(URL, safe='')}&title={quote(TITLE)}"
    shown = await (await people.visitor()).get(asked)
    here = shown.html
    for one in snippets("http://127.0.0.1:8080", URL, TITLE):
        assert html.escape(one.text).replace("&quot;", "&#34;").replace("&#x27;", "&#39;") in here


@pytest.mark.parametrize("title", NASTY)
async def test_nothing_that_is_asked_for_becomes_part_of_the_page(people, title):
    visitor = await people.visitor()
    for asked in (f"?url={quote(URL, safe='')}&title={quote(title)}", f"?url={quote(title)}"):
        shown = await visitor.get(f"/creator/button{asked}")
        assert shown.status == 200
        assert "<script>alert" not in shown.html
        assert "onload='x" not in shown.html
        scripts = [url for tag, name, url in shown.read.urls if (tag, name) == ("script", "src")]
        assert all(url == "/button.js" or url.startswith("/static/") for url in scripts)


async def test_a_url_that_is_none_is_refused_on_the_form(people):
    shown = await (await people.visitor()).get("/creator/button?url=ftp://x")
    assert "begins with https://" in shown.text
    assert 'aria-invalid="true"' in shown.html


async def test_a_creator_finds_the_own_things(world, people):
    ann = await people.member("ann")
    from node.flows import claim  # noqa: PLC0415  used here alone

    thing = await claim.add_thing(world.node.store, world.clock, "https://a.example/", "Mine")
    await claim.grant(world.node.store, world.clock, ann.member, thing.id)
    assert "Mine" in (await ann.get("/creator/button")).text
    assert "Mine" not in (await (await people.member("bob")).get("/creator/button")).text


DOCUMENT = (ROOT / "docs" / "button.md").read_text(encoding="utf-8")


def test_the_document_has_the_same_snippets():
    written = {
        one.kind: one.text for one in snippets(NODE, "https://blog.example/a-post", "A post")
    }
    for kind in ("button", "badge", "markdown", "head", "atom", "rss", "podcast"):
        assert f"\n{written[kind]}```" in DOCUMENT, kind


async def test_the_document_names_urls_that_are_there(people):
    visitor = await people.visitor()
    for path in ("/button.js", "/creator/button"):
        assert path in DOCUMENT
        assert (await visitor.get(path)).status == 200
