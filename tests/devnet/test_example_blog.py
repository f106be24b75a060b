"""The example blog: a foreign site, as strict as a careful one."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest

from node.canonical import canonical_url
from node.devnet.example_blog import open_blog
from node.devnet.example_posts import POSTS

NODE = "http://127.0.0.1:9"
ATOM = "{http://www.w3.org/2005/Atom}"


@pytest.fixture
async def blog():
    async with open_blog(NODE) as opened:
        yield opened


async def get(url):
    async with aiohttp.ClientSession() as http, http.get(url) as answer:
        return answer.status, answer.headers, await answer.text()


async def test_every_page_lets_in_itself_and_the_node_and_nothing_else(blog):
    for path in ("/", *(post.path for post in POSTS)):
        status, headers, html = await get(blog.url + path)
        assert status == 200
        rules = dict(
            one.strip().split(" ", 1) for one in headers["Content-Security-Policy"].split(";")
        )
        assert rules["default-src"] == "'none'"
        assert rules["script-src"] == rules["connect-src"] == NODE
        assert "unsafe" not in headers["Content-Security-Policy"]
        assert not re.search(r"<style|style=|\son[a-z]+=|<script(?![^>]*src=)", html)
        loaded = re.findall(r'(?:src|stylesheet" href)="([^"]+)"', html)
        assert loaded
        assert all(url.startswith((NODE + "/", "/")) for url in loaded)
        assert "Set-Cookie" not in headers


async def test_every_post_has_a_button_that_works_without_its_script(blog):
    for post in POSTS:
        _, _, html = await get(blog.url + post.path)
        [inside] = re.findall(r"<flattr-button[^>]*><a href=\"([^\"]+)\"", html)
        place = urlsplit(inside.replace("&amp;", "&"))
        assert place.path == "/click"
        asked = parse_qs(place.query)
        assert asked == {"url": [blog.url + post.path], "title": [post.title]}
        assert canonical_url(asked["url"][0]) == blog.url + post.path
        assert f'rel="canonical" href="{blog.url}{post.path}"' in html


async def test_the_feed_says_how_each_post_is_paid(blog):
    _, headers, text = await get(f"{blog.url}/feed.xml")
    assert headers["Content-Type"].startswith("application/atom+xml")
    links = [
        link.get("href")
        for entry in ET.fromstring(text.encode()).iter(f"{ATOM}entry")
        for link in entry.iter(f"{ATOM}link")
        if link.get("rel") == "payment"
    ]
    assert links == [blog.window_of(post) for post in POSTS]


async def test_it_proves_what_it_is_told_to(blog):
    place = f"{blog.url}/.well-known/flattr-node.txt"
    assert (await get(place))[2] == ""
    blog.prove("flattr-node=mira:abc")
    assert (await get(place))[2] == "flattr-node=mira:abc\n"


async def test_pictures_and_style_are_there(blog):
    for name, kind in (
        ("style.css", "text/css"),
        *((f"{p.cover}.svg", "image/svg+xml") for p in POSTS),
    ):
        status, headers, text = await get(f"{blog.url}/{name}")
        assert (status, headers["Content-Type"].split(";")[0]) == (200, kind)
        if kind == "image/svg+xml":
            ET.fromstring(text)
    assert (await get(f"{blog.url}/frame.html"))[0] == 404
