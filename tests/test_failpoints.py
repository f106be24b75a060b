"""The list of failpoints is the code's: none is missing from it, none is passed by nobody."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from node import failpoints
from node.failpoints import FailpointHit, failpoint

NODE = Path(__file__).parent.parent / "node"
CLOSE_POINTS = ("split", "book", "prove", "open", "check")
CLICK = "click.before_commit"


def test_known_is_what_the_source_passes():
    assert set(_passed()) == failpoints.KNOWN


def test_an_unknown_failpoint_is_not_armed():
    with pytest.raises(ValueError, match="no failpoint"):
        failpoints.arm({"click.never": "raise"})


def test_an_unknown_action_is_not_armed():
    with pytest.raises(ValueError, match="no failpoint"):
        failpoints.arm({CLICK: "explode"})


def test_a_failpoint_acts_on_the_named_passing_only():
    failpoints.arm({CLICK: "raise@2"})
    try:
        failpoint(CLICK)
        with pytest.raises(FailpointHit):
            failpoint(CLICK)
        failpoint(CLICK)
    finally:
        failpoints.arm({})


def _passed() -> Iterator[str]:
    for path in NODE.rglob("*.py"):
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            match call:
                case ast.Call(func=ast.Name(id="failpoint"), args=[ast.Constant(value=str(name))]):
                    yield name
                case ast.Call(func=ast.Name(id="failpoint"), args=[ast.JoinedStr() as built]):
                    end = ast.unparse(built).rpartition(".")[2].strip("'\"")
                    yield from (f"close.{point}.{end}" for point in CLOSE_POINTS)
