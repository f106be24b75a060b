"""The canonical URL: the published tables, and what must hold for every text."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node import canonical
from node.canonical import canonical_url, host_of
from node.errors import BadUrl

_PAGE = (Path(__file__).parents[1] / "docs" / "canonical-url.md").read_text(encoding="utf-8")


def _section(title: str) -> str:
    return _PAGE.split(f"## {title}\n")[1].split("\n## ")[0]


def _rows(title: str, pattern: str) -> list[tuple[str, ...]]:
    rows = re.findall(pattern, _section(title), re.MULTILINE)
    return [row if isinstance(row, tuple) else (row,) for row in rows]


_EXAMPLES = _rows("Examples", r"^\| `(.+?)` \| `(.+?)` \|$")
_REFUSED = _rows("Refused", r"^\| `(.+?)` \| .+ \|$")

_labels = st.from_regex(r"[a-z][a-z0-9]{0,8}", fullmatch=True)
_hosts = st.lists(_labels, min_size=2, max_size=4).map(".".join)
_paths = st.text("abcAB/.%~é ", max_size=20).map(lambda text: "/" + text.replace(" ", "%20"))
_pieces = st.text("abc=+é", min_size=1, max_size=6)
_tracking = st.sampled_from(
    [*sorted(canonical.TRACKING), "utm_source", "UTM_x", "pk_c", "ut%6D_y", "hsa_1"]
)


@pytest.mark.parametrize(("link", "expected"), _EXAMPLES)
def test_the_published_examples_hold(link: str, expected: str) -> None:
    assert canonical_url(link) == expected
    assert canonical_url(expected) == expected


@pytest.mark.parametrize("link", [link for (link,) in _REFUSED])
def test_the_published_refusals_hold(link: str) -> None:
    with pytest.raises(BadUrl) as caught:
        canonical_url(link)
    assert "\n" not in str(caught.value)


def test_the_page_lists_exactly_the_dropped_parameters_and_enough_examples() -> None:
    names = set(re.findall(r"`([^`]+)`", _section("Tracking parameters").split("`ref`")[0]))
    prefixes = {f"{prefix}*" for prefix in canonical.TRACKING_PREFIXES}
    assert names == canonical.TRACKING | prefixes
    assert len(_EXAMPLES) >= 25
    assert len(_REFUSED) >= 20


@pytest.mark.parametrize(
    "char",
    ["\x00", "\x7f", "\t", "\n", "\r", "\xa0", "\u202e", "\u2066", "\ufeff", "\u2028", "\ud800"],
)
def test_invisible_characters_are_refused(char: str) -> None:
    with pytest.raises(BadUrl):
        canonical_url(f"https://example.org/a{char}b")
    with pytest.raises(BadUrl):
        canonical_url(f"https://exa{char}mple.org/")


def test_white_space_around_a_pasted_link_is_dropped() -> None:
    assert canonical_url(" \nhttps://example.org/a\t") == "https://example.org/a"


def test_a_persian_path_keeps_its_joiner() -> None:
    assert (
        canonical_url("https://example.org/\u0645\u200c") == "https://example.org/%D9%85%E2%80%8C"
    )


def test_a_long_tail_that_is_dropped_does_no_harm_but_a_long_url_is_refused() -> None:
    assert canonical_url("https://example.org/?fbclid=" + "a" * 5000) == "https://example.org/"
    longest = "https://example.org/" + "a" * (2048 - 20)
    assert canonical_url(longest) == longest
    for link in (longest + "a", "https://example.org/" + "é" * 400, "https://a.b/#" + "a" * 8192):
        with pytest.raises(BadUrl):
            canonical_url(link)


def test_the_host_is_told_without_its_port() -> None:
    assert host_of(canonical_url("https://example.org:8443/a:1")) == "example.org"
    assert host_of(canonical_url("http://[::1]:80/")) == "[::1]"


@given(
    st.one_of(st.text(), st.text().map("https://".__add__), st.text().map("http://a.b/".__add__))
)
def test_any_text_gives_a_fixed_point_or_bad_url(text: str) -> None:
    try:
        url = canonical_url(text)
    except BadUrl:
        return
    assert canonical_url(url) == url
    assert url.isascii()
    assert len(url) <= canonical.CANONICAL_BYTES_MAX


@given(
    st.from_regex(r"https?://[a-z0-9.:@\[\]%ß-]{0,20}[/?#&=a-zA-Z0-9.%;+é-]{0,40}", fullmatch=True)
)
def test_anything_that_looks_like_a_url_gives_a_fixed_point_or_bad_url(text: str) -> None:
    try:
        url = canonical_url(text)
    except BadUrl:
        return
    assert canonical_url(url) == url


@given(_hosts, _paths, st.lists(_pieces, max_size=4), _tracking, st.text("abc%/é", max_size=9))
def test_who_sent_the_reader_makes_no_other_thing(
    host: str, path: str, pieces: list[str], tracking: str, fragment: str
) -> None:
    plain = f"https://{host}{path}"
    query = "&".join(pieces)
    try:
        expected = canonical_url(f"{plain}?{query}")
    except BadUrl:
        return
    tracked = "&".join([f"{tracking}=1", *pieces, tracking])
    for link in (
        f"{plain}?{tracked}",
        f"{plain}?{query}#{fragment}",
        f"HTTP://{host.upper()}{path}?{query}",
        f"https://{host}.{path}?{query}",
        f"https://{host}:443{path}?{query}",
        f"http://{host}:80{path}?&{query}&",
    ):
        assert canonical_url(link) == expected
