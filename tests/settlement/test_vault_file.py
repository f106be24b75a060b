"""The published month says the same to everybody, and no figure in it can be another one unseen."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from node.errors import BadInput, CorruptBooks
from node.month import Month
from node.settlement import vault_format
from node.settlement.tree import Tree, leaf
from node.settlement.vault_checks import examine
from node.settlement.vault_file import (
    VaultFileHead,
    build,
    file_hash,
    month_salt,
    salted_id,
    verify,
)
from tests.settlement.test_month_split import months, run

VAULT = "0x9fE46736679d2D9a65F0992F2272dE9f3c7fa6e0"
TOKEN = "0x5FbDB2315678afecb367f032d93F642f64180aa3"
NODE = "0xe7f1725E7734CE288F8367e1Bb143E90bb3F0512"
CHAIN = 84_532
SALT = b"\x07" * 32
NOVEMBER = Month(2026, 11)
DOLLAR = 10**6


@dataclass(frozen=True)
class Sealed:
    """A month's file, and what the vault says of it."""

    content: bytes
    root: bytes

    def wrong(self) -> list[str]:
        return verify(self.content, file_hash(self.content), self.root)


def address(number: int) -> str:
    return f"0x{number:040x}"


def seal(
    readers: np.ndarray, things: np.ndarray, *, charged: dict[int, int] | None = None,
    batch: int = 2, waits: int | None = None,
) -> Sealed:  # fmt: skip
    """The file of such a month: each thing's creator gets what of the net there is, in order."""
    charged = charged or {}
    gross = sum(charged.get(m, share * n) for m, _, n, share, _, _ in readers.tolist())
    left = gross - gross // 10
    words = []
    for _, creator, _, net in things.tolist():
        if 0 < net <= left:
            words.append((address(creator), net))
            left -= net
    if left or not words:
        words.append((NODE, left))
    waits = left if waits is None else waits
    batches = [words[at : at + batch] for at in range(0, len(words), batch)]
    tree = Tree([
        leaf(VAULT, CHAIN, 3, index, [int(to, 16) << 96 | units for to, units in some])
        for index, some in enumerate(batches)
    ])  # fmt: skip
    head = VaultFileHead(
        "base-sepolia", CHAIN, VAULT, TOKEN, 3, NOVEMBER, gross, gross // 10, NODE, waits
    )
    return Sealed(build(head, batches, tree, readers, things, SALT, charged), tree.root)


READERS = np.array([
    [4, 5 * DOLLAR, 3, 1_666_660, 166_666, 20],
    [7, 9 * DOLLAR, 2, 4_500_000, 450_000, 0],
    [9, 1 * DOLLAR, 0, 0, 0, 1 * DOLLAR],
])  # fmt: skip
THINGS = np.array([
    [1, 4, 1, 1_499_994],
    [2, 4, 2, 5_549_994],
    [5, 6, 1, 1_499_994],
    [8, 9, 1, 4_050_000],
])  # fmt: skip


@pytest.fixture(scope="module")
def sealed() -> Sealed:
    return seal(READERS, THINGS)


def test_a_month_that_was_not_touched_is_all_right(sealed):
    assert sealed.wrong() == []
    said = json.loads(sealed.content)
    assert (said["format"], said["version"]) == ("flattr-node vault month", 1)
    assert (said["distributed"], said["gross"], said["commission"]) == (13_999_980,) * 2 + (
        1_399_998,
    )
    assert said["vault"] == VAULT.lower()
    assert [len(batch["words"]) for batch in said["batches"]] == [2, 2]
    assert sealed.content == json.dumps(said, sort_keys=True, separators=(",", ":")).encode()


def test_a_member_finds_the_own_rows_and_nobody_elses_number_is_there(sealed):
    said = json.loads(sealed.content)
    rows = {row[0]: row[1:] for row in said["readers"]["rows"]}
    assert rows[salted_id(SALT, 4)] == [5 * DOLLAR, 3, 1_666_660, 4_999_980, 20]
    names = [row[0] for row in said["creators"]["rows"]]
    assert names.count(salted_id(SALT, 4)) == 2
    assert names == sorted(names)
    assert salted_id(SALT, 4) != salted_id(b"\x08" * 32, 4)
    assert SALT.hex() not in sealed.content.decode()


def test_the_order_of_the_readers_says_nothing_of_who_came_first(sealed):
    again = seal(READERS[::-1], THINGS)
    assert again.content == sealed.content


def test_a_salt_is_of_one_month_and_one_vault():
    salts = {
        month_salt(b"secret", VAULT, NOVEMBER),
        month_salt(b"secret", VAULT, NOVEMBER.plus(1)),
        month_salt(b"secret", TOKEN, NOVEMBER),
        month_salt(b"other", VAULT, NOVEMBER),
    }
    assert len(salts) == 4
    assert month_salt(b"secret", VAULT.lower(), NOVEMBER) in salts


def test_who_had_less_than_the_shares_is_shown_and_nothing_is_wrong():
    short = seal(READERS, THINGS, charged={7: 8 * DOLLAR})
    said = json.loads(short.content)
    assert (said["short"], said["waits"]["units"]) == (DOLLAR, 3_150_000 + 0)
    assert short.wrong() == []
    (line,) = [c for c in examine(short.content, None, None) if c.law.startswith("the charges")]
    assert "1 readers had 1 USD less" in line.figures


def test_what_waits_is_the_last_payment_of_the_last_batch():
    waiting = seal(READERS, THINGS[:3])  # the thing that is not there makes it wrong elsewhere
    said = json.loads(waiting.content)
    assert said["batches"][-1]["words"][-1] == [NODE.lower(), said["waits"]["units"]]
    assert not any("wait" in words for words in waiting.wrong())


@given(months(), st.integers(1, 5))
def test_every_month_that_can_be_split_verifies(month, batch):
    split, parts = run(replace(month, bps=1000))
    assume(split.distributed)
    readers = np.concatenate([part.readers for part in parts])
    made = seal(readers, split.things(), batch=batch)
    assert made.wrong() == []
    assert vault_format.write(vault_format.read(made.content)) == made.content


@given(months(), st.data())
def test_every_month_in_which_somebody_had_less_verifies(month, data):
    split, parts = run(replace(month, bps=1000))
    readers = np.concatenate([part.readers for part in parts])
    givers = [row for row in readers.tolist() if row[2] * row[3]]
    assume(givers)
    member, _, flattrs, share, _, _ = data.draw(st.sampled_from(givers))
    got = data.draw(st.integers(0, share * flattrs))
    assume(len(givers) > 1 or got)
    assert seal(readers, split.things(), charged={member: got}).wrong() == []


def test_numbers_that_not_every_reader_of_json_can_read_are_text():
    pot = 2**60 - 2**60 % 10
    readers = np.array([[1, pot, 1, pot, pot // 10, 0]])
    made = seal(readers, np.array([[1, 2, 1, pot - pot // 10]]))
    said = json.loads(made.content)
    assert said["gross"] == str(pot)
    assert made.wrong() == []
    said["gross"] = pot
    assert lie_of(said, made.root) != []


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


def lie_of(said: dict[str, Any], root: bytes) -> list[str]:
    """What is found when the operator seals the hash of the lie as well."""
    content = json.dumps(said, sort_keys=True, separators=(",", ":")).encode()
    return verify(content, file_hash(content), root)


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
    "more short": (set_to("short", by=1), "that were short"),
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
    "more charged": (set_to(*SEVEN, 4, by=1), "was charged 1 more than the shares"),
    "less charged": (set_to(*SEVEN, 4, by=-1), "the charges come to"),
    "charged to another": (
        both(set_to(*SEVEN, 4, by=-5), set_to(*FOUR, 4, by=5)), "more than the shares"),
    "a pot without flattrs charged": (set_to(*NINE, 4, by=1), "more than the shares"),
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
    "a negative number": (set_to("short", to=-1), "no month file"),
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


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"commission": 1}, "no tenth"),
        ({"gross": 13_999_990, "commission": 1_399_999}, "words are not the net"),
        ({"network": "é"}, "can't be made"),
    ],
)
def test_no_file_is_made_of_sums_that_do_not_fit(change, words):
    payments = [(address(1), 13_999_980 - 1_399_998)]
    tree = Tree([bytes(32)])
    head = VaultFileHead(
        "x", CHAIN, VAULT, TOKEN, 3, NOVEMBER, 13_999_980, 1_399_998, NODE, 0
    )  # fmt: skip
    assert build(head, [payments], tree, READERS, THINGS, SALT)
    with pytest.raises(CorruptBooks, match=words):
        build(replace(head, **change), [payments], tree, READERS, THINGS, SALT)
    with pytest.raises(CorruptBooks, match="charges are not the gross"):
        build(head, [payments], tree, READERS, THINGS, SALT, {4: 1})
