"""How pages write amounts, dates and lengths of time, in each language; and what a QR code is."""

from __future__ import annotations

import re

import pytest

from node.errors import BadInput
from node.money import Amount, Asset, sats
from node.month import Month
from node.web.pages import forms, language, pictures
from node.web.pages.formats import Formats, filters, short

LANGUAGES = language.load()


@pytest.mark.parametrize(
    ("name", "sat", "usd", "day", "month", "time"),
    [
        ("en", "1 234 567.125 sat", "2.50 USD", "Nov 27, 2026", "November 2026", "3 days"),
        ("de", "1 234 567,125 sat", "2,50 USD", "27.11.2026", "November 2026", "3 Tage"),
        ("fr", "1 234 567,125 sat", "2,50 USD", "27 nov. 2026", "novembre 2026", "3 jours"),
    ],
)
def test_each_language_writes_its_own_way(name, sat, usd, day, month, time) -> None:
    written = Formats(LANGUAGES[name])
    assert written.amount(Amount(1_234_567_125)) == sat.replace(" ", "\u202f")
    assert written.amount(Amount(2_500_000, Asset.USD)) == usd.replace(" ", "\u202f")
    assert written.date(1_795_773_600) == day
    assert written.month(Month.parse("2026-11")) == month
    assert written.duration(3 * 86_400 + 5).replace("\xa0", " ") == time


@pytest.mark.parametrize("units", [0, 1, 999, 1000, 1001, 2**63 - 1])
def test_no_millisatoshi_is_lost_in_writing(units) -> None:
    text = Formats(LANGUAGES["en"]).bare(Amount(units)).replace("\u202f", "")
    whole, _, part = text.partition(".")
    assert int(whole) * 1000 + int(part.ljust(3, "0")) == units


def test_a_hint_is_there_only_with_a_rate_and_only_for_sats() -> None:
    hint = filters(LANGUAGES["en"], ("EUR", 60_000))["hint"]
    assert hint(sats(5000)) == "≈\u202f€3.00"
    assert hint(Amount(1, Asset.USD)) == ""
    assert filters(LANGUAGES["en"])["hint"](sats(5000)) == ""


@pytest.mark.parametrize(
    ("typed", "units"),
    [("5000", 5_000_000), (" 5 000 ", 5_000_000), ("5\u202f000", 5_000_000), ("0", 0)],
)
def test_sats_are_read_as_people_type_them(typed, units) -> None:
    assert forms.amount(typed) == Amount(units)


@pytest.mark.parametrize(("typed", "units"), [("2", 2_000_000), ("2.5", 2_500_000),
                                              ("2,50", 2_500_000), ("0.000001", 1)])  # fmt: skip
def test_dollars_are_read_with_a_dot_or_a_comma(typed, units) -> None:
    assert forms.amount(typed, Asset.USD) == Amount(units, Asset.USD)


@pytest.mark.parametrize("typed", ["1.500", "1,500", "", "x", "1e3", "-1", "+1", "0x1", "1.2.3",
                                   "٣", "1" * 16, "0.0000001"])  # fmt: skip
def test_what_can_be_read_two_ways_is_refused(typed) -> None:
    for asset in (Asset.SAT, Asset.USD):
        with pytest.raises(BadInput):
            forms.amount(typed, asset)


@pytest.mark.parametrize("path", ["/month", "/month?after=5", "/a/b"])
def test_a_path_of_ours_is_followed(path) -> None:
    assert forms.local_path(path) == path


@pytest.mark.parametrize(
    "path",
    [
        "//evil.example",
        "https://evil.example",
        "/\\evil",
        "\\/evil",
        "/\tx",
        "",
        "x",
        "/é",
        "/" + "a" * 2000,
        "/\r\nSet-Cookie: a=b",
    ],
)
def test_a_path_of_another_is_not(path) -> None:
    assert forms.local_path(path, "/month") == "/month"


def test_a_qr_code_is_a_picture_without_styles_and_scripts() -> None:
    drawn = pictures.qr("LNSB50U1P" + "X" * 250)
    assert drawn.startswith("<svg")
    assert not re.search(r"style|script|href", drawn)
    assert len(drawn) < 9000
    assert pictures.qr("a") != pictures.qr("b")


def test_bars_are_as_high_as_their_values_and_none_is_lost() -> None:
    drawn = pictures.chart([("a", 0, "0"), ("b", 1, "1"), ("c", 10_000, "10000")])
    assert [bar.height for bar in drawn.bars] == [0, 1, pictures.HEIGHT]
    assert all(bar.y + bar.height == pictures.HEIGHT for bar in drawn.bars)
    assert pictures.chart([]).bars == ()


def test_a_long_text_shows_both_ends() -> None:
    assert short("a" * 30 + "b" * 30) == "a" * 10 + "…" + "b" * 10
    assert short("short") == "short"
