"""The tree of errors is the one that its docstring draws, and each is what HTTP needs."""

from __future__ import annotations

import inspect
import re

import pytest

from node import errors
from node.errors import NodeError, Rejected

CLASSES = {
    name: found
    for name, found in vars(errors).items()
    if inspect.isclass(found) and issubclass(found, Exception)
}
REJECTED = [found for found in CLASSES.values() if issubclass(found, Rejected)]


def test_the_docstring_draws_the_tree():
    drawn = {}
    path: list[str] = []
    for line in (errors.__doc__ or "").splitlines()[2:]:
        if found := re.match(r"^((?:[│ ]   )*)(?:[├└]── )?([A-Z]\w+)(?: |$)", line):
            depth = len(found[1]) // 4 + ("── " in line)
            path = [*path[:depth], found[2]]
            drawn[found[2]] = path[depth - 1] if depth else None
    assert set(drawn) == set(CLASSES)
    for name, parent in drawn.items():
        assert parent in {None, CLASSES[name].__base__.__name__}
    assert [name for name, parent in drawn.items() if parent is None] == ["NodeError"]


def test_everything_is_a_node_error():
    assert all(issubclass(found, NodeError) for found in CLASSES.values())


@pytest.mark.parametrize("error", REJECTED, ids=lambda error: error.__name__)
def test_a_rejection_says_its_status_in_the_docstring(error):
    assert 400 <= error.status < 600
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", error.slug)


def test_slugs_name_one_problem_each():
    assert len({error.slug for error in REJECTED}) == len(REJECTED)


def test_what_passes_says_when_to_come_again():
    assert errors.Busy("later", 3).retry_after_s == 3
    assert errors.TooMany("later").retry_after_s == 1


def test_a_verdict_is_never_an_error():
    """Nothing under RailError may be read as paid or refused: there is no such class."""
    rail = {name for name, found in CLASSES.items() if issubclass(found, errors.RailError)}
    assert rail == {"RailError", "RailUnavailable", "Reverted", "QuoteRefused", "FetchRefused"}
