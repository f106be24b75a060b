"""The script that other sites load: small, readable, and the same bytes for everybody."""

from __future__ import annotations

import base64
import gzip
import hashlib
import re

from node.web.embed.script import read_script

GZIPPED_MAX = 3 * 1024
NEEDS_MORE_RIGHTS = (
    "innerHTML", "eval(", "Function(", "insertAdjacentHTML", "document.write", "setTimeout(\"",
    "localStorage", "sessionStorage", "cookie =", ".style.", "indexedDB",
)  # fmt: skip


async def test_the_script_is_small_and_served_to_every_site(world):
    async with world.http.get(
        f"{world.url}/button.js", headers={"Accept-Encoding": "gzip"}, auto_decompress=False
    ) as answer:
        packed = await answer.read()
        headers = answer.headers
    assert len(packed) <= GZIPPED_MAX
    assert gzip.decompress(packed) == read_script().plain
    assert headers["Content-Type"] == "text/javascript; charset=utf-8"
    assert headers["Access-Control-Allow-Origin"] == "*"
    assert headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "Set-Cookie" not in headers
    again = await world.nobody(
        "GET", "/button.js", api="",
        headers={"If-None-Match": headers["ETag"], "Accept-Encoding": "gzip"},
    )  # fmt: skip
    assert (again.status, again.body) == (304, b"")


async def test_without_gzip_it_is_plain_and_has_another_tag(world):
    told = {}
    for encoding in ("identity", "gzip"):
        options = {"headers": {"Accept-Encoding": encoding}}
        told[encoding] = await world.nobody("GET", "/button.js", api="", **options)
    assert told["identity"].body == told["gzip"].body == read_script().plain
    assert told["identity"].headers["ETag"] != told["gzip"].headers["ETag"]
    assert told["gzip"].headers["Vary"] == "Accept-Encoding"


def test_its_integrity_is_the_hash_of_its_bytes():
    digest = hashlib.sha384(read_script().plain).digest()
    assert read_script().integrity == f"sha384-{base64.b64encode(digest).decode()}"


def test_the_script_asks_a_strict_page_for_nothing():
    text = read_script().plain.decode()
    assert [word for word in NEEDS_MORE_RIGHTS if word in text] == []
    code = re.sub(r"(?m)^\s*//.*$", "", text)
    assert "adoptedStyleSheets" in code
    assert re.findall(r"https?://[^\"'`\s]+", code) == ["http://www.w3.org/2000/svg"]


def test_it_is_written_to_be_read():
    lines = read_script().plain.decode().splitlines()
    assert max(map(len, lines)) <= 110
    assert 80 < len(lines) <= 300
