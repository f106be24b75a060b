"""The demo's month file: what it says, and what is said about one that does not fit."""

import pytest

from node.devnet.month_file import BYTES_MAX, EXAMPLE, Act, MonthPlan, parse_month, read_month
from node.errors import BadInput

SMALL = """
reader  ann  pot 100 sat      # a comment
creator bea  pays 20 sat dues target address
thing   song https://songs.example/song#chorus owner bea
"""


def parsed(*lines: str) -> MonthPlan:
    return parse_month(SMALL + "\n".join(lines), "month.txt")


def test_the_example_has_six_readers_five_creators_and_twelve_things() -> None:
    plan = read_month(EXAMPLE)
    assert (len(plan.readers), len(plan.creators), len(plan.things)) == (6, 5, 12)
    assert {act.verb for act in plan.acts} == {"flattr", "undo", "subscribe"}
    assert [one.name for one in plan.creators if one.target == "keysend"] == ["code"]


def test_a_month_is_read_in_the_order_of_its_lines() -> None:
    plan = parsed("flattr ann song", "undo ann song", "subscribe ann song for 3 months")
    assert plan.acts == (
        Act("flattr", "ann", "song"),
        Act("undo", "ann", "song"),
        Act("subscribe", "ann", "song", 3),
    )
    assert plan.things["song"].url == "https://songs.example/song"
    assert plan.pots_sat == 120


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("gift ann song", "“gift” is no line's first word: write reader, creator, thing,"),
        ("reader ann pot 5 sat", "ann stands here twice"),
        ("reader cy pot 5", "write reader alice pot 9000 sat"),
        ("reader cy pot 0 sat", "“0” is no pot: write 1 to 1000000"),
        ("reader cy pot -5 sat", "is no pot"),
        ("reader cy pot 1.5 sat", "in whole sats"),
        ("reader cy pot 1000001 sat", "is no pot"),
        ("reader cy pot ٣ sat", "is no pot"),
        ("reader Cy pot 5 sat", "“Cy” is no name"),
        ("reader operator pot 5 sat", "not operator"),
        ("creator cy pays 5 sat target address", "write creator blog pays 2000 sat dues target"),
        ("creator cy pays nothing target iban", "write creator blog"),
        ("thing song https://other.example/ unclaimed", "the thing song stands here twice"),
        ("thing same https://songs.example/song unclaimed", "song has the same URL"),
        ("thing poem ftp://x.example/ unclaimed", "“ftp://x.example/” is no thing's URL"),
        ("thing poem https://x.example/ owner ann", "ann is a reader"),
        ("thing poem https://x.example/ owner dan", "there is no member “dan” above"),
        ("flattr dan song", "write reader dan pot 9000 sat first"),
        ("flattr ann", "write flattr alice essay, waltz"),
        ("flattr ann song,", "there is no thing “” above"),
        ("flattr ann poem", "there is no thing “poem” above"),
        ("flattr bea song", "song is bea's own thing"),
        ("undo ann song", "ann has not flattred song above"),
        ("subscribe ann song for 4 months", "write subscribe alice essay for 12 months"),
    ],
)
def test_a_line_that_does_not_fit_is_named_with_what_to_write(line: str, words: str) -> None:
    with pytest.raises(BadInput) as caught:
        parsed(line)
    assert str(caught.value).startswith("month.txt, line 5: ")
    assert words in str(caught.value)


def test_two_creators_cannot_share_the_node_key() -> None:
    with pytest.raises(BadInput, match="line 6: a second creator with the node key"):
        parsed("creator cy pays nothing target keysend", "creator di pays nothing target keysend")


def test_a_month_without_members_says_what_is_missing() -> None:
    with pytest.raises(BadInput, match=r"month\.txt: a month needs at least one line like this"):
        parse_month("# nothing\n", "month.txt")


def test_pots_beyond_the_local_channels_are_refused() -> None:
    lines = [f"reader r{number} pot 1000000 sat" for number in range(5)]
    with pytest.raises(BadInput, match="5000120 sat together"):
        parsed(*lines)


def test_files_that_are_no_page_of_text_are_refused(tmp_path) -> None:
    with pytest.raises(BadInput, match="can't be read"):
        read_month(tmp_path / "missing.txt")
    (tmp_path / "image").write_bytes(b"\xff\xd8\xff")
    with pytest.raises(BadInput, match="not UTF-8"):
        read_month(tmp_path / "image")
    (tmp_path / "long").write_bytes(b"#" * (BYTES_MAX + 1))
    with pytest.raises(BadInput, match="longer than"):
        read_month(tmp_path / "long")


def test_pots_in_dollars_are_cents_and_creators_may_have_an_address():
    text = """
        reader alice pot 9000 sat and 7.50 usd
        reader bob pot 9000 sat and 5 usd
        reader carol pot 9000 sat
        creator blog pays nothing target none and evm
        creator songs pays nothing target none
        thing essay https://blog.example/essay owner blog
    """
    plan = parse_month(text, "a month")
    assert [one.pot_cents for one in plan.readers] == [750, 500, 0]
    assert [one.evm for one in plan.creators] == [True, False]
    assert plan.has_stablecoin


@pytest.mark.parametrize("usd", ["0", "0.00", "7.5", "-1", "1e3", "100001", "٣", "1.234"])
def test_what_is_no_pot_in_dollars_is_refused_with_an_example(usd):
    with pytest.raises(BadInput, match=r"write 0\.01 to"):
        parse_month(f"reader alice pot 9000 sat and {usd} usd", "a month")
