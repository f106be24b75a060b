"""No figure of the published month can be another one unseen, and a hostile file does no harm."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.errors import BadInput
from node.settlement import vault_format
from node.settlement.vault_file import file_hash, salted_id, verify
from tests.settlement.vault_months import (
    DOLLAR,
    READERS,
    SALT,
    THINGS,
    TOKEN,
    Sealed,
    address,
    lie_of,
    seal,
)


@pytest.fixture(scope="module")
def sealed() -> Sealed:
    return seal(READERS, THINGS)


def set_to(*path: Any, to: Any = None, by: int = 0) -> Callable[[dict[str, Any]], None]:
    """A lie: what stands at the path becomes another thing, or more by so much."""

    def plant(said: dict[str, Any]) -> None:
        place: Any = said
        for step in path[:-1]:
            place = place[step]
        assert path[-1] in place if isinstance(place, dict) else len(place) > 0
        place[path[-1]] = place[path[-1]] + by if by else to

    return plant


def both(*lies: Callable[[dict[str, Any]], None]) -> Callable[[dict[str, Any]], None]:
    def plant(said: dict[str, Any]) -> None:
        for lie in lies:
            lie(said)

    return plant


def row(table: str, member: int) -> int:
    """Where the first row of a member stands."""
    members = READERS[:, 0] if table == "readers" else THINGS[:, 1]
    return sorted(salted_id(SALT, int(one)) for one in members).index(salted_id(SALT, member))


def swap(*path: Any, one: int, other: int) -> Callable[[dict[str, Any]], None]:
    def plant(said: dict[str, Any]) -> None:
        place: Any = said
        for step in path:
            place = place[step]
        place[one], place[other] = place[other], place[one]

    return plant


FOUR, SEVEN, NINE = (("readers", "rows", row("readers", member)) for member in (4, 7, 9))
SONG = ("creators", "rows", row("creators", 6))
WORD = ("batches", 0, "words", 0)
HEX = "ab" * 32

LIES = {
    "another format": (set_to("format", to="flattr-node month"), "no month file"),
    "another version": (set_to("version", to=2), "no month file"),
    "another chain": (set_to("chain_id", by=1), "the vault says"),
    "another vault": (set_to("vault", to=TOKEN.lower()), "the vault says"),
    "another month of the vault": (set_to("number", by=1), "the vault says"),
    "no month": (set_to("month", to="2026-13"), "no month file"),
    "more commission in the rule": (set_to("commission_bps", to=1001), "no month file"),
    "more distributed": (set_to("distributed", by=10), "the shares come to"),
    "something refunded": (set_to("refunded", by=1), "refunded are not"),
    "more gross": (set_to("gross", by=10), "the charges come to"),
    "less gross": (set_to("gross", by=-1), "the charges come to"),
    "more commission": (set_to("commission", by=1), "is not a tenth"),
    "commission out of the net": (
        both(set_to("commission", by=1), set_to("net", by=-1)), "is not a tenth"),
    "less net": (set_to("net", by=-1), "is not"),
    "another root": (set_to("root", to="0x" + HEX), "and the file says"),
    "another index": (set_to("batches", 1, "index", to=2), "stands in the place"),
    "batches in another order": (swap("batches", one=0, other=1), "stands in the place"),
    "a batch less": (set_to("batches", to=[]), "no month file"),
    "another proof": (set_to("batches", 0, "proof", 0, to="0x" + HEX), "does not lead"),
    "no proof": (set_to("batches", 0, "proof", to=[]), "does not lead"),
    "another recipient": (set_to(*WORD, 0, to=address(99)), "the vault says"),
    "less to a recipient": (set_to(*WORD, 1, by=-1), "the payments come to"),
    "from one recipient to another": (
        both(set_to(*WORD, 1, by=-1), set_to("batches", 0, "words", 1, 1, by=1)),
        "the vault says"),
    "nothing to a recipient": (set_to(*WORD, 1, to=0), "gets nothing"),
    "recipients in another order": (
        swap("batches", 0, "words", one=0, other=1), "the vault says"),
    "something waits": (set_to("waits", "units", to=5), "that wait"),
    "another pot": (set_to(*FOUR, 1, by=10), "left, not"),
    "fewer flattrs": (set_to(*FOUR, 2, by=-1), "left, not"),
    "more flattrs": (set_to(*NINE, 2, by=1), "left, not"),
    "a greater share": (set_to(*FOUR, 3, by=10), "left, not"),
    "a share that is no multiple of ten": (
        both(set_to(*SEVEN, 3, by=-1), set_to(*SEVEN, 5, by=2)), "left, not"),
    "more of the pot kept": (
        both(set_to(*SEVEN, 3, by=-10), set_to(*SEVEN, 5, by=20)), "left, not"),
    "more charged": (set_to(*SEVEN, 4, by=1), "was charged 1 besides the shares"),
    "less charged": (set_to(*SEVEN, 4, by=-1), "was charged -1 besides the shares"),
    "the carry charged and not in the gross": (set_to(*FOUR, 4, by=20), "the charges come to"),
    "the carry charged and not refunded": (
        both(set_to(*FOUR, 4, by=20), set_to("gross", by=20)), "refunded are not"),
    "charged to another": (
        both(set_to(*SEVEN, 4, by=-5), set_to(*FOUR, 4, by=5)), "5 besides the shares"),
    "a pot without flattrs charged": (set_to(*NINE, 4, by=DOLLAR), "besides the shares"),
    "another carry": (set_to(*FOUR, 5, by=1), "left, not"),
    "readers in another order": (swap("readers", "rows", one=0, other=1), "out of order"),
    "no readers": (set_to("readers", "rows", to=[]), "the shares come to 0"),
    "other columns of readers": (set_to("readers", "columns", 1, to="net"), "other columns"),
    "more for a thing": (set_to(*SONG, 2, by=1), "the things earned"),
    "more flattrs of a thing": (set_to(*SONG, 1, by=1), "and the things were"),
    "things in another order": (swap("creators", "rows", one=0, other=2), "out of order"),
    "no things": (set_to("creators", "rows", to=[]), "the things earned 0"),
    "other columns of things": (set_to("creators", "columns", 1, to="net"), "other columns"),
    "a field too many": (lambda said: said.update(more=1), "no month file"),
    "a field too few": (lambda said: said.pop("token"), "no month file"),
    "a negative number": (set_to("refunded", to=-1), "no month file"),
    "a number as text": (set_to("gross", to="13999980"), "no month file"),
    "a number with a comma": (set_to("gross", to=13_999_980.0), "no month file"),
    "a number that does not end": (set_to("gross", to=10**400), "no month file"),
    "text in the place of a table": (set_to("readers", to="none"), "no month file"),
    "an address of another length": (set_to(*WORD, 0, to="0x12"), "no month file"),
    "an address with a line's end": (set_to(*WORD, 0, to=address(1) + "\n"), "no month file"),
    "an address in capitals": (set_to("token", to=TOKEN), "no month file"),
    "a control character": (set_to("network", to="base\x1b[2J"), "no month file"),
}  # fmt: skip


@pytest.mark.parametrize("name", LIES)
def test_every_lie_is_found_even_when_its_hash_was_sealed(sealed, name):
    lie, words = LIES[name]
    said = json.loads(sealed.content)
    lie(said)
    assert said != json.loads(sealed.content) or name == "a number with a comma"
    assert words in "; ".join(lie_of(said, sealed.root))


@given(st.data())
def test_a_file_with_another_byte_is_not_the_sealed_one(data):
    sealed = seal(READERS, THINGS)
    content = bytearray(sealed.content)
    content[data.draw(st.integers(0, len(content) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    assert verify(bytes(content), file_hash(sealed.content), sealed.root) != []


@pytest.mark.parametrize(
    "content",
    [
        b"", b"null", b"[]", b"{}", b"\xff\xfe", b"{" * 100_000, b"[" * 1_000_000, b"NaN",
        b'{"format":' * 10_000, b'{"gross":' + b"9" * 100_000 + b"}", b'"\\ud800"',
    ],
)  # fmt: skip
def test_a_hostile_file_is_refused_in_words(content):
    assert any("no month file" in words for words in verify(content, bytes(32), bytes(32)))


def test_a_name_that_stands_there_twice_has_two_readings(sealed):
    twice = sealed.content.replace(b'"gross":', b'"gross":1,"gross":', 1)
    assert json.loads(twice) == json.loads(sealed.content)
    assert any("one spelling" in words for words in verify(twice, file_hash(twice), sealed.root))


def test_a_file_that_is_too_long_is_not_read(sealed, monkeypatch):
    monkeypatch.setattr(vault_format, "BYTES_MAX", len(sealed.content) - 1)
    with pytest.raises(BadInput, match="longer than"):
        vault_format.read(sealed.content)


def test_of_a_thousand_wrong_rows_three_are_named(sealed):
    said = json.loads(sealed.content)
    said["readers"]["rows"] = [[f"{n:032x}", 7, 1, 7, 0, 0] for n in range(1000)]
    assert "and 998 more of this kind" in lie_of(said, sealed.root)
