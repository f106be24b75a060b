"""The head of a page: what its maker has put there is read, what its readers wrote is not."""

from __future__ import annotations

import time

import pytest

from node.flows.head import HEAD_CHARS_MAX, meta_contents

META = '<meta name="flattr-node" content="me">'


@pytest.mark.parametrize(
    "page",
    [
        META,
        f"<!doctype html><html><head>{META}</head><body></body></html>",
        f"\ufeff<!DOCTYPE html>\n<html lang=en>\n<head>\n<meta charset=utf-8>\n{META}",
        f"<html><head><title>a {META.replace('me', 'not')} b</title>{META}",
        f"<!-- {META.replace('me', 'not')} -->{META}",
        f"<head><script>if (a < b) '{META.replace('me', 'not')}'</script>{META}",
        f"<head><style>a > b {{}}</style><link rel=x href=y>{META}",
        f'<head><meta name="description" content="a > b, it\'s">{META}',
        f"<head><base href='/'>{META}<meta name=flattr-nodes content=not>",
        "<META CONTENT='me' NAME='Flattr-Node'/>",
        "<meta name=flattr-node content=me>",
        '<meta name="flattr-node"\n content = "  me ">',
    ],
)
def test_the_tag_is_read_as_browsers_read_it(page: str) -> None:
    assert meta_contents(page) == ["me"]


@pytest.mark.parametrize(
    "page",
    [
        f"<html><head></head><body><p>comment: {META}</p>",
        f"<html><body>{META}",
        f"<html><head><title>x</title></head>{META}",
        f"<head><p>{META}",
        f"<head>words {META}",
        f"<head><div></div>{META}",
        f"<head><title>{META}",
        f"<head><script>{META}",
        f"<head><template>{META}</template>",
        f"<head><noscript>{META}</noscript>",
        f"<!-- {META}",
        f"&lt;meta&gt; {META}",
        '<meta name="flattr-node" content="me"',
        '<meta data-name="flattr-node" content="me">',
        '<meta property="flattr-node" content="me">',
        '<meta name="other" name="flattr-node" content="me">',
        f"plain text\n{META}",
        "",
    ],
)
def test_what_readers_can_write_is_no_tag(page: str) -> None:
    assert meta_contents(page) == []


@pytest.mark.parametrize(
    "piece",
    [
        "<", "<!--", "<!", "<meta ", "<meta a='", '<meta a="', "<title>", "<script>", "</title",
        "<meta a=b ", "<a <a ", "<meta a" + " " * 50, "<meta x>", "<link>", "='", "<meta =",
    ],
)  # fmt: skip
def test_a_hostile_page_costs_its_length(piece: str) -> None:
    page = "<head>" + piece * (2 * HEAD_CHARS_MAX // len(piece))
    began = time.process_time()
    assert meta_contents(page) == []
    assert time.process_time() - began < 0.5
