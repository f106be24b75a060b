"""The docs say what is there: links lead somewhere, commands exist, examples run."""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from node.cli import bench
from node.cli.main import COMMANDS
from node.settlement import month_split
from node.settlement.split import split_pot
from node.wallet.lightning.rpc_errors import bake_command
from tests import drawn
from tests.test_tidy import ROOT, tracked

PAGES = [path for path in tracked() if path.endswith(".md")]
LINK = re.compile(r"\]\(([^)\s]+)\)")
CODE = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
SPOKEN = re.compile(r"`([^`\n]+)`")


def page(path: str) -> str:
    """One page's text."""
    return (ROOT / path).read_text(encoding="utf-8")


def commands(path: str) -> list[str]:
    """What a page tells its reader to type, or names in backticks."""
    text = page(path)
    lines = [line for language, block in CODE.findall(text) if language in {"sh", "console"}
             for line in block.splitlines()]  # fmt: skip
    return lines + SPOKEN.findall(CODE.sub("", text))


@pytest.mark.parametrize("path", PAGES)
def test_every_link_leads_somewhere(path: str) -> None:
    folder = (ROOT / path).parent
    targets = [target.partition("#")[0] for target in LINK.findall(page(path))]
    inside = [target for target in targets if target and "://" not in target]
    assert [target for target in inside if not (folder / target).exists()] == []


@pytest.mark.parametrize("path", PAGES)
def test_every_command_that_is_named_exists(path: str) -> None:
    targets = set(re.findall(r"^([a-z-]+):", page("Makefile"), re.MULTILINE))
    unknown = []
    for line in commands(path):
        if (made := re.match(r"(?:\$ )?make ([a-z-]+)", line)) and made[1] not in targets:
            unknown.append(line)
        ran = re.match(r"(?:\$ )?(?:\S*/)?flattr-node ([a-z-]+)", line)
        if ran and ran[1] not in COMMANDS:
            unknown.append(line)
    assert unknown == []


def test_the_tree_in_the_architecture_is_the_tree() -> None:
    text = page("ARCHITECTURE.md")
    assert drawn.with_tree(text) == text, "run: make drawn"


def test_the_states_are_drawn_as_they_are() -> None:
    assert drawn.states_page() == page("docs/states.md"), "run: make drawn"


def test_every_room_has_its_question() -> None:
    rooms = [path.name for path in (ROOT / "node").iterdir() if (path / "__init__.py").is_file()]
    text = page("ARCHITECTURE.md").partition("## Every file")[0]
    assert [room for room in rooms if f"`{room}/`" not in text] == []


def test_every_decision_is_listed() -> None:
    folder = ROOT / "docs" / "decisions"
    numbered = {path.name for path in folder.glob("0*.md")}
    assert numbered == set(LINK.findall(page("docs/decisions/README.md")))


def test_every_word_of_the_glossary_is_used() -> None:
    sources = [path for path in tracked() if path.startswith(("node/", "docs/"))
               and path.endswith((".py", ".md"))]  # fmt: skip
    spoken = re.sub(r"[\s_]+", " ", " ".join(page(path) for path in sources)).lower()
    assert [word for word in glossary() if word not in spoken] == []


def test_a_glossary_word_has_one_meaning() -> None:
    words = glossary()
    assert sorted({word for word in words if words.count(word) > 1}) == []


def test_what_verify_says_of_the_split_is_what_the_node_does() -> None:
    theirs = _python("docs/verify.md", "def split")["split"]
    for pot in (0, 9, 10, 29, 30, 999_999, 1_000_003, 2**62):
        for flattrs in (0, 1, 3, 7, 1000):
            for bps in (0, 1, 333, 1000):
                ours = split_pot(pot, flattrs, bps)
                assert theirs(pot, flattrs, bps) == (ours.share, ours.commission, ours.carry)


def test_what_verify_says_of_the_digest_is_what_the_node_does() -> None:
    theirs = _python("docs/verify.md", "def digest")["digest"]
    header = ("flattr-node close 1", "2026-11", "sat", 1000, 2_000_000, 9, 0, 0, 9)
    parts = [("reader", month_split.pack(np.array([[1, 9, 0, 0, 0, 9]]))), ("thing", b"")]
    assert theirs(header, parts) == month_split.digest(header, parts)


@pytest.mark.parametrize("measure", [bench.clicks, bench.counters])
def test_the_bench_is_measured_with_as_many_connections_as_it_has_by_itself(measure: Any) -> None:
    connections = inspect.signature(measure).parameters["connections"].default
    words = (ROOT / "docs" / "performance.md").read_text()
    (told,) = re.findall(rf"`flattr-node bench {measure.__name__}`:[^`]*?(\d+) connections", words)
    assert int(told) == connections


def test_the_macaroon_that_operators_bake_is_the_one_the_node_needs() -> None:
    typed = page("docs/operate.md").replace("\\\n", " ")
    assert bake_command() in re.sub(r"\s+", " ", typed)


def glossary() -> list[str]:
    """The words that GLOSSARY.md explains, in lower case."""
    rows = re.findall(r"^\| ([^|]+) \|", page("GLOSSARY.md"), re.MULTILINE)
    words = [word.strip().lower() for row in rows for word in row.split(",")]
    return [word.replace("_", " ") for word in words if word not in {"word", "---"}]


def _python(path: str, needle: str) -> dict[str, Any]:
    """What the page's Python block with this text defines, once it has run."""
    blocks = [code for language, code in CODE.findall(page(path)) if language == "python"]
    (code,) = (block for block in blocks if needle in block)
    names: dict[str, Any] = {}
    exec(compile(code, str(Path(path)), "exec"), names)
    return names
