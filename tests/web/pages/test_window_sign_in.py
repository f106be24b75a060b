"""From the window to the sign-in and back: with the same thing, wherever it is."""

from __future__ import annotations

from urllib.parse import parse_qs, quote, urlsplit

import pytest

from node.web.pages import forms
from tests.web.pages.window import WINDOW


async def link(people, window):
    shown = await (await people.visitor()).get(window)
    [found] = [url for _, _, url in shown.read.urls if url.startswith("/sign-in?")]
    return parse_qs(urlsplit(found).query)["next"][0]


@pytest.mark.parametrize(
    "url",
    ["https://blog.example/post", "https://bücher.example/日本?a=1&b=%26#x",
     "https://a.example/" + "long-" * 200],
)  # fmt: skip
async def test_the_way_back_is_a_path_of_ours_and_names_the_thing(people, url):
    back = await link(people, f"/click?url={quote(url, safe='')}&title={quote('é & ü')}")
    assert forms.local_path(back, "") == back
    asked = parse_qs(urlsplit(back).query)
    assert asked == {"url": [url], "title": ["é & ü"]}


async def test_a_title_that_is_too_long_for_the_way_back_is_left_out(people):
    back = await link(people, f"{WINDOW}{quote('日' * 900)}")
    assert forms.local_path(back, "") == back
    assert set(parse_qs(urlsplit(back).query)) == {"url"}


async def test_the_sign_in_page_keeps_it(people):
    visitor = await people.visitor()
    back = await link(people, WINDOW)
    shown = await visitor.get("/sign-in?next=" + quote(back, safe=""))
    assert shown.status == 200
    kept = [url for _, _, url in shown.read.urls if "next=" in url]
    assert kept
    assert all(parse_qs(urlsplit(url).query)["next"] == [back] for url in kept)
