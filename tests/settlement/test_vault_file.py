"""The published month says the same to everybody, and holds nothing that is nobody's business."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from node.errors import CorruptBooks
from node.settlement import vault_format
from node.settlement.tree import Tree
from node.settlement.vault_checks import examine
from node.settlement.vault_file import VaultFileHead, build, month_salt, salted_id
from tests.settlement.test_month_split import months, run
from tests.settlement.vault_months import (
    CHAIN,
    DOLLAR,
    NODE,
    NOVEMBER,
    READERS,
    SALT,
    THINGS,
    TOKEN,
    VAULT,
    Sealed,
    address,
    lie_of,
    seal,
)


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


def test_who_had_less_than_the_shares_gave_all_of_it_and_what_no_share_took_goes_back():
    readers, things = READERS.copy(), THINGS.copy()
    readers[1] = [7, 8 * DOLLAR + 15, 2, 4_000_000, 400_000, 15]
    things[1:4:2, 3] -= 450_000
    short = seal(readers, things, charged={7: 8 * DOLLAR + 15})
    said = json.loads(short.content)
    assert said["gross"] - said["distributed"] == said["refunded"] == 15
    assert said["waits"]["units"] == 15 - 1, "a tenth of what was charged, rounded down"
    assert short.wrong() == []
    (line,) = [c for c in examine(short.content, None, None) if c.law.startswith("the charges")]
    assert "of it 0.000015 USD that no share took, of 1 readers" in line.figures


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
    _split, parts = run(replace(month, bps=1000))
    readers = np.concatenate([part.readers for part in parts])
    givers = [row for row in readers.tolist() if row[2] * row[3]]
    assume(givers)
    member, _, flattrs, share, _, _ = data.draw(st.sampled_from(givers))
    got = data.draw(st.integers(0, share * flattrs))
    assume(len(givers) > 1 or got)
    less = replace(month, pots=month.pots | {member: got})
    again, parts = run(replace(less, bps=1000))
    readers = np.concatenate([part.readers for part in parts])
    assert seal(readers, again.things(), charged={member: got}).wrong() == []


def test_numbers_that_not_every_reader_of_json_can_read_are_text():
    pot = 2**60 - 2**60 % 10
    readers = np.array([[1, pot, 1, pot, pot // 10, 0]])
    made = seal(readers, np.array([[1, 2, 1, pot - pot // 10]]))
    said = json.loads(made.content)
    assert said["gross"] == str(pot)
    assert made.wrong() == []
    said["gross"] = pot
    assert lie_of(said, made.root) != []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"commission": 1}, "made: the commission is no tenth$"),
        ({"gross": 13_999_990, "commission": 1_399_999}, "made: the words are not the net$"),
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
    with pytest.raises(CorruptBooks, match=r"made: the charges are not the gross$"):
        build(head, [payments], tree, READERS, THINGS, SALT, {4: 1})


def test_a_member_stands_in_a_file_under_the_same_name_as_ever():
    salt = month_salt(bytes(range(32)), "0xAbCd" + "00" * 18, NOVEMBER)
    assert salt.hex() == "92881ffb576d94cc03c63a9ff1961525e93a17dcd5dd7c7d06d54b7e6d74d3f1"
    assert salted_id(salt, 7) == "6044dbd69ce1d4b8ae716be0352abdb9"
