"""What is seen at each place: a proof, another's, nothing, or no answer; and what is no proof."""

from __future__ import annotations

import json
from typing import Any

import pytest

from node.flows.proofs import Method, Saw, Seen, claim_line, judge, nostr_proof, read_places
from node.ids import MemberId
from tests.flows.claims.site_town import FILE, NODE_URL, NOSTR, Site

LINE = claim_line(NODE_URL, MemberId(7), "bob")
OTHER = claim_line(NODE_URL, MemberId(8), "bob")
KEY = "ab" * 32
CLAIM = f"flattr-{LINE.rpartition(':')[2]}"
OTHERS = f"flattr-{OTHER.rpartition(':')[2]}"
PROOFS = frozenset({LINE, nostr_proof(KEY, LINE)})
TAG = f'<meta name="flattr-node" content="{LINE}">'


async def look(site: Site, path: str = "post") -> dict[Method, Seen]:
    readings = await read_places(site.eyes, f"{site.home}{path}")
    return {one.method: judge(one, PROOFS) for one in readings}


async def saw(site: Site, path: str = "post") -> dict[Method, Saw]:
    return {method: one.saw for method, one in (await look(site, path)).items()}


async def test_a_site_that_says_nothing_has_no_proof(site: Site) -> None:
    assert set((await saw(site)).values()) == {Saw.NOTHING}


@pytest.mark.parametrize(
    "text", [LINE, f"{OTHER}\r\n  {LINE}\t\r\n", f"\ufeff{LINE}", f"# words\n\n{LINE}\nmore"]
)
async def test_a_line_in_the_file_is_found(site: Site, text: str) -> None:
    site.pages.says[FILE] = text
    assert (await saw(site))[Method.FILE] is Saw.FOUND


@pytest.mark.parametrize(
    "text",
    [
        f"x{LINE}", f"{LINE}0", f"{LINE} {LINE}", f'"{LINE}"', LINE.upper(), LINE[:-1],
        f"<html>\n{LINE}\n", f" \n<!doctype html>\n{LINE}\n", f"<?xml?>\n{LINE}\n", TAG,
    ],
)  # fmt: skip
async def test_what_is_no_line_of_its_own_is_not_found(site: Site, text: str) -> None:
    site.pages.says[FILE] = text
    assert (await saw(site))[Method.FILE] is Saw.NOTHING


@pytest.mark.parametrize(
    "body",
    [
        f"<html><body><pre>\n{LINE}\n</pre></body></html>",
        f"<html><body>{TAG}</body></html>",
        LINE,
        f"<html><head><title>{TAG}</title></head>",
    ],
)
async def test_what_readers_write_into_a_page_is_no_proof(site: Site, body: str) -> None:
    site.pages.says = dict.fromkeys(("/post", NOSTR), body)
    found = await saw(site)
    assert Saw.FOUND not in found.values()


@pytest.mark.parametrize(
    ("answer", "seen"),
    [
        ((404, ""), Saw.NOTHING),
        ((410, ""), Saw.NOTHING),
        ((302, "/else"), Saw.NOTHING),
        ((401, ""), Saw.NO_ANSWER),
        ((403, ""), Saw.NO_ANSWER),
        ((429, ""), Saw.NO_ANSWER),
        ((500, ""), Saw.NO_ANSWER),
        ((503, ""), Saw.NO_ANSWER),
        ("x" * 3_000_000, Saw.NO_ANSWER),
        ("", Saw.NOTHING),
    ],
)
async def test_that_nothing_is_there_is_not_that_nobody_answers(
    site: Site, answer: Any, seen: Saw
) -> None:
    site.pages.says = dict.fromkeys(("/post", FILE), answer)
    found = await look(site)
    assert found[Method.FILE].saw is seen
    assert found[Method.META].saw is seen
    assert all(one.words for one in found.values())


async def test_a_redirect_is_not_followed_to_a_proof(site: Site) -> None:
    site.pages.says["/post"] = (302, "/mine")
    site.pages.says[FILE] = (301, "/mine.txt")
    site.pages.says["/mine"] = f"<head>{TAG}</head>"
    site.pages.says["/mine.txt"] = LINE
    assert Saw.FOUND not in (await saw(site)).values()
    assert "/mine" not in site.pages.asked
    assert "/mine.txt" not in site.pages.asked


async def test_the_name_of_the_site_itself_is_a_proof(site: Site) -> None:
    others = {"eve": "cd" * 32, OTHERS: KEY}
    site.pages.says[NOSTR] = json.dumps({"names": {**others, "_": KEY, CLAIM: KEY}})
    assert (await saw(site))[Method.NIP05] is Saw.FOUND
    site.pages.says[NOSTR] = json.dumps({"names": {**others, "_": KEY}})
    assert (await saw(site))[Method.NIP05] is Saw.ANOTHERS
    assert f"{NOSTR}?name=_" in site.pages.asked


@pytest.mark.parametrize(
    "body",
    ["[]", "{}", '{"names": []}', '{"names": {"_": 7}}', '{"names": {"_": "AB"}}', "{", "é",
     f'{{"names": {{"bob": "{KEY}"}}}}', f'{{"_": "{KEY}"}}', f'{{"names": {{"_": "{KEY}"}}}}',
     f'{{"names": {{"{CLAIM}": "{KEY}"}}}}',
     f'{{"names": {{"_": "{KEY}", "{CLAIM}": "{"cd" * 32}"}}}}',
     f'{{"names": {{"_": "{KEY}x"}}}}', f'{{"names": {{"_": "{"cd" * 32}", "_": "{KEY}"}}}}'],
)  # fmt: skip
async def test_a_nostr_file_that_does_not_name_the_site_is_no_proof(site: Site, body: str) -> None:
    site.pages.says[NOSTR] = body
    assert (await saw(site))[Method.NIP05] in {Saw.NOTHING, Saw.NO_ANSWER}


async def test_a_txt_record_is_read_beside_others(site: Site) -> None:
    site.zone.says["_flattr-node.127.0.0.1"] = ["v=spf1 -all", OTHER]
    assert (await saw(site))[Method.DNS] is Saw.ANOTHERS
    site.zone.says["_flattr-node.127.0.0.1"] += [LINE]
    assert (await saw(site))[Method.DNS] is Saw.FOUND
    site.zone.broken = True
    assert (await saw(site))[Method.DNS] is Saw.NO_ANSWER


async def test_anothers_proof_is_named(site: Site) -> None:
    site.pages.says[FILE] = OTHER
    seen = (await look(site))[Method.FILE]
    assert (seen.saw, OTHER in seen.words) == (Saw.ANOTHERS, True)


def test_a_line_is_of_one_node_one_member_and_one_name() -> None:
    lines = {
        claim_line(url, MemberId(member), name)
        for url in (NODE_URL, "https://other.example")
        for member in (7, 8)
        for name in ("bob", "bobby")
    }
    assert len(lines) == 8
