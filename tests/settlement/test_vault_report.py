"""What a stranger reads of a month of the vault: each figure in its place, each lie in words."""

from __future__ import annotations

import json
from hashlib import sha256

import pytest

from node.settlement.vault_checks import examine
from node.settlement.vault_file import file_hash
from node.settlement.vault_format import spell_hash
from tests.settlement.test_vault_lies import LIES, set_to
from tests.settlement.vault_months import (
    DOLLAR,
    NODE,
    READERS,
    THINGS,
    Sealed,
    lie_of,
    seal,
)

REPORT = """\
the file is the one that was sealed: sha256 {hash} of {length} bytes
the file has one reading: 2026-11 of 0x9fe46736679d2d9a65f0992f2272de9f3c7fa6e0 on base-sepolia\
 (chain 84532), the vault's month 3
each pot is split equally: 3 pots, 13.99998 USD distributed
the charges are the shares: 13.99998 USD charged
the commission is a tenth: 1.399998 USD
the things earn nine tenths: 4 things of 3 creators, 5 flattrs, 12.599982 USD
the payments are the net: 4 payments in 2 batches, 12.599982 USD
the batches are under the root: {root}, with 2 proofs"""
SENTENCES = {
    "more distributed": [
        "the shares come to 13999980, not 13999990",
        "13999990 and the 0 refunded are not 13999980",
        "the things earned 12599982, not nine tenths of what was distributed, 12599991",
    ],
    "something refunded": [
        "13999980 and the 1 refunded are not 13999980",
    ],
    "more gross": [
        "the charges come to 13999980, not to the gross of 13999990",
        "1399998 is not a tenth of 13999990, rounded down",
        "the net of 12599982 is not 13999990 less 1399998",
    ],
    "commission out of the net": [
        "1399999 is not a tenth of 13999980, rounded down",
        "the payments come to 12599982, not to the net of 12599981",
    ],
    "less net": [
        "the net of 12599981 is not 13999980 less 1399998",
        "the payments come to 12599982, not to the net of 12599981",
    ],
    "nothing to a recipient": [
        "0x0000000000000000000000000000000000000004 gets nothing",
        "the payments come to 11099988, not to the net of 12599982",
    ],
    "another index": [
        "batch 2 stands in the place of batch 1",
    ],
    "another proof": [
    ],
    "something waits": [
        "the last payment is not the 5 that wait at 0xe7f1725e7734ce288f8367e1bb143e90bb3f0512",
    ],
    "fewer flattrs": [
        ("reader 0eff4ecb23082c1b684bb81a6d8978a4: a pot of 5000000 is 2500000 for each of 2 "
        "flattrs and 0 left, not 1666660 and 20"),
        "the shares come to 12333320, not 13999980",
        "reader 0eff4ecb23082c1b684bb81a6d8978a4 was charged 1666660 besides the shares",
        "the readers flattred 4 times, and the things were 5 times",
    ],
    "a greater share": [
        ("reader 0eff4ecb23082c1b684bb81a6d8978a4: a pot of 5000000 is 1666660 for each of 3 "
        "flattrs and 20 left, not 1666670 and 20"),
        "the shares come to 14000010, not 13999980",
        "reader 0eff4ecb23082c1b684bb81a6d8978a4 was charged -30 besides the shares",
    ],
    "less charged": [
        "reader f92f4cf1dfc723b4dc327641254fe02c was charged -1 besides the shares",
        "the charges come to 13999979, not to the gross of 13999980",
        "13999980 and the 0 refunded are not 13999979",
    ],
    "charged to another": [
        "reader 0eff4ecb23082c1b684bb81a6d8978a4 was charged 5 besides the shares",
        "reader f92f4cf1dfc723b4dc327641254fe02c was charged -5 besides the shares",
    ],
    "a pot without flattrs charged": [
        "reader 1a4bf16f50f76c03a031f73368e8ec1b was charged 1000000 besides the shares",
        "the charges come to 14999980, not to the gross of 13999980",
        "13999980 and the 0 refunded are not 14999980",
    ],
    "another carry": [
        ("reader 0eff4ecb23082c1b684bb81a6d8978a4: a pot of 5000000 is 1666660 for each of 3 "
        "flattrs and 20 left, not 1666660 and 21"),
    ],
    "readers in another order": [
        "reader 0eff4ecb23082c1b684bb81a6d8978a4 stands there twice, or out of order",
    ],
    "no readers": [
        "the shares come to 0, not 13999980",
        "the charges come to 0, not to the gross of 13999980",
        "13999980 and the 0 refunded are not 0",
        "the readers flattred 0 times, and the things were 5 times",
    ],
    "other columns of things": [
        "a table has other columns",
    ],
    "more for a thing": [
        "the things earned 12599983, not nine tenths of what was distributed, 12599982",
    ],
    "more flattrs of a thing": [
        "the readers flattred 5 times, and the things were 6 times",
    ],
    "things in another order": [
        "the things are out of order",
    ],
    "another format": [
        "this is no month file of a vault: Invalid enum value 'flattr-node month' - at `$.format`",
    ],
}  # fmt: skip
"""All that is said of a lie, besides what follows from it for the root."""


@pytest.fixture(scope="module")
def sealed() -> Sealed:
    return seal(READERS, THINGS)


def _read(content: bytes, data_hash: bytes | None, root: bytes | None) -> list[str]:
    checks = examine(content, data_hash, root)
    assert [check.wrong for check in checks] == [()] * len(checks)
    return [f"{check.law}: {check.figures}" for check in checks]


def test_every_figure_stands_in_its_place(sealed):
    named = {
        "hash": "0x" + sha256(sealed.content).hexdigest(), "length": len(sealed.content),
        "root": "0x" + sealed.root.hex(),
    }  # fmt: skip
    wanted = REPORT.format(**named).splitlines()
    assert _read(sealed.content, file_hash(sealed.content), sealed.root) == wanted
    wanted[0] += "; not compared with the vault"
    wanted[-1] += "; not compared with the vault"
    assert _read(sealed.content, None, None) == wanted


def test_what_goes_back_and_what_waits_is_said():
    readers, things = READERS.copy(), THINGS.copy()
    readers[1] = [7, 8 * DOLLAR + 15, 2, 4_000_000, 400_000, 15]
    things[1:4:2, 3] -= 450_000
    short = seal(readers, things, charged={7: 8 * DOLLAR + 15})
    lines = _read(short.content, None, None)
    assert lines[3] == (
        "the charges are the shares: 12.999995 USD charged; of it 0.000015 USD that no share took,"
        " of 1 readers"
    )
    assert lines[6] == (
        "the payments are the net: 5 payments in 3 batches, 11.699996 USD, of it 0.000014 USD wait"
        f" at {NODE.lower()}"
    )


@pytest.mark.parametrize("name", SENTENCES)
def test_a_lie_is_told_in_these_sentences(sealed, name):
    said = json.loads(sealed.content)
    LIES[name][0](said)
    found = lie_of(said, sealed.root)
    assert [words for words in found if "the root" not in words] == SENTENCES[name]


def test_a_hash_and_a_root_that_the_vault_has_not_are_said(sealed):
    other = bytes(range(32))
    hashed, *_, rooted = examine(sealed.content, other, other)
    assert hashed.wrong == (f"the vault says {spell_hash(other)}",)
    assert rooted.wrong == (
        (
            f"the batches have the root {spell_hash(sealed.root)}, and the vault says"
            f" {spell_hash(other)}"
        ),
    )
    said = json.loads(sealed.content)
    set_to("root", to=spell_hash(other))(said)
    assert lie_of(said, sealed.root) == [
        (
            f"the batches have the root {spell_hash(sealed.root)}, and the file says"
            f" {spell_hash(other)}"
        )
    ]


def test_another_spelling_and_what_can_not_be_read_are_said(sealed):
    spaced = sealed.content + b" "
    assert [one.wrong for one in examine(spaced, None, None) if one.wrong] == [
        ("the file is not written in the one spelling",)
    ]
    checks = examine(b"{", None, None)
    assert [check.law for check in checks] == [
        "the file is the one that was sealed", "the file is a month of a vault",
    ]  # fmt: skip
    assert (checks[1].figures, len(checks[1].wrong)) == ("", 1)


@pytest.mark.parametrize(("wrong", "last"), [(3, None), (4, "and 1 more of this kind")])
def test_three_wrong_rows_are_named_and_the_others_counted(sealed, wrong, last):
    said = json.loads(sealed.content)
    for row in (said["readers"]["rows"] * 2)[:3]:
        row[5] += 1
    if wrong == 4:
        said["distributed"] += 10
    pots = [x for x in lie_of(said, sealed.root) if "left, not" in x or "of this kind" in x]
    assert len(pots) == 3 + (last is not None)
    assert pots[-1] == last or last is None
