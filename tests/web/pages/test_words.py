"""The words of the pages in every language: all of them are there, and they fit their places."""

from __future__ import annotations

import re

import pytest

from node.web.pages import language
from tests.words import catalogue, extract

OTHERS = [name for name in language.NAMES if name != "en"]
PLACE = re.compile(r"%\((\w+)\)[sd]")
FITS = re.compile(r"(?:[^%]|%\(\w+\)[sd]|%%)*")


def _texts(message) -> list[str]:
    string = message.string
    return [string] if isinstance(string, str) else [one or "" for one in string or ("",)]


def _ids(message) -> list[str]:
    return [message.id] if isinstance(message.id, str) else list(message.id)


@pytest.mark.parametrize("name", OTHERS)
def test_every_word_is_said_in_every_language(name) -> None:
    known = {_ids(one)[0]: one for one in catalogue(name) if one.id and not one.fuzzy}
    wanted = [_ids(one)[0] for one in extract() if one.id]
    missing = [one for one in wanted if one not in known or not all(_texts(known[one]))]
    assert not missing, f"{len(missing)} of {len(wanted)} are not there in {name}: {missing[:5]}"


@pytest.mark.parametrize("name", OTHERS)
def test_a_translation_has_the_same_places_as_the_words(name) -> None:
    for message in catalogue(name):
        if not message.id or not all(_texts(message)):
            continue
        places = {place for one in _ids(message) for place in PLACE.findall(one)}
        for text in _texts(message):
            assert set(PLACE.findall(text)) <= places, text
            assert "%" not in text or FITS.fullmatch(text), text
        assert places == {place for one in _texts(message) for place in PLACE.findall(one)}


def test_no_word_has_a_percent_sign_that_is_no_place() -> None:
    for message in extract():
        for one in _ids(message) if message.id else ():
            assert FITS.fullmatch(one), f"{one!r}: write %% for a percent sign"


def test_a_number_of_things_is_said_by_the_rules_of_the_language() -> None:
    for name, singular in (("en", {1}), ("de", {1}), ("fr", {0, 1})):
        loaded = language.load()[name]
        said = {number for number in range(25) if loaded.ngettext("one", "many", number) == "one"}
        assert said == singular, name
