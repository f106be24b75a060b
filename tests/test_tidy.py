"""The house rules of CONTRIBUTING.md that a program can check and that ruff does not.

Each test names every breach at once, as `file:line what`, so that one run is enough to repair them.
"""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parent.parent
LINES_A_FILE = 300
LINES_A_FUNCTION = 50
COLUMNS = 100

FORBIDDEN_WORDS = {
    "util", "utils", "helper", "helpers", "manager", "service", "services", "common", "data",
    "info", "misc",
}  # fmt: skip
SKIPPING = {
    f"pytest.{name}"
    for name in ("skip", "importorskip", "xfail", "mark.skip", "mark.skipif", "mark.xfail")
}
"""A part that is missing is installed, or fails its tests with a line that says what to install."""
SPOKEN_BY_OTHERS = {"GetInfo", "intercept_service", "_check_payer_data", "data_received"}
"""Names of lnd, grpc, LUD-18 and asyncio, which are not ours to choose."""

UNFINISHED = re.compile(r"\b(TO" + r"DO|FIX" + r"ME|XX" + r"X|HA" + r"CK)\b")
MACHINE = re.compile(r"(?<![\w.])/(work|root|home/[a-z]+|opt/wheels|Users)/")
REGISTRY = re.compile(
    r"(pypi|pythonhosted|npmjs|crates|proxy\.golang|sum\.golang|repo1?\.maven|deb\.debian)"
    r"\.(org|com|io|apache\.org)"
)
SUPPRESSED = re.compile(
    r"# (noqa: *(?P<rules>[A-Z]+\d+(, ?[A-Z]+\d+)*)?|type: ignore(?P<types>\[[a-z, -]+\])?)"
    r"(?P<rest>.*)"
)
"""A rule switched off on its line; `rest` is to hold the reason."""
REASON = re.compile(r"[A-Za-z]{3}")


@dataclass(frozen=True, slots=True)
class Module:
    """One Python file of ours."""

    path: str
    text: str
    tree: ast.Module

    @property
    def shipped(self) -> bool:
        """Whether it is part of the node, and not of its tests."""
        return self.path.startswith("node/")


@cache
def tracked() -> tuple[str, ...]:
    """The files of the project: what git has, and what it would take."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    return tuple(sorted(path for path in listed.stdout.splitlines() if (ROOT / path).is_file()))


@cache
def modules() -> tuple[Module, ...]:
    """Every Python file, but for the migrations, which alembic lays out."""
    found = []
    for path in tracked():
        if path.endswith(".py") and "/migrations/versions/" not in path:
            text = (ROOT / path).read_text(encoding="utf-8")
            found.append(Module(path, text, ast.parse(text, path)))
    return tuple(found)


def test_a_file_holds_one_idea() -> None:
    lengths = {module.path: module.text.count("\n") for module in modules()}
    _none(f"{path} has {n} lines" for path, n in lengths.items() if n > LINES_A_FILE)


def test_a_function_fits_on_a_screen() -> None:
    _none(
        f"{where} has {_length(node)} lines"
        for where, node in _definitions()
        if not isinstance(node, ast.ClassDef) and _length(node) > LINES_A_FUNCTION
    )


def test_a_line_fits_beside_another() -> None:
    _none(
        f"{module.path}:{number}"
        for module in modules()
        for number, line in enumerate(module.text.splitlines(), 1)
        if len(SUPPRESSED.sub("", line).rstrip()) > COLUMNS
    )


def test_names_say_what_a_thing_is() -> None:
    named = [(module.path, Path(module.path).stem) for module in modules()]
    named += [(where, node.name) for where, node in _definitions() if where.startswith("node/")]
    _none(
        f"{where}: {name}"
        for where, name in named
        if name not in SPOKEN_BY_OTHERS and FORBIDDEN_WORDS & set(_words(name))
    )


def test_every_module_says_what_it_is_for() -> None:
    _none(m.path for m in modules() if m.shipped and not ast.get_docstring(m.tree))


def test_everything_public_is_explained() -> None:
    _none(
        f"{where}: {node.name}"
        for where, node in _definitions()
        if where.startswith("node/")
        and not node.name.startswith("_")
        and not _is_nested(where, node)
        and not ast.get_docstring(node)
    )


def test_nothing_is_left_for_later() -> None:
    _none(_lines(UNFINISHED, tuple(m.path for m in modules())))


def test_no_test_is_skipped_or_excused() -> None:
    _none(
        f"{module.path}:{node.lineno} {ast.unparse(node)}"
        for module in modules()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call)
        and ast.unparse(node.func) in SKIPPING
        and not _is_for_another_system(node)
    )


def test_a_suppressed_rule_carries_its_reason() -> None:
    found = []
    for module in modules():
        for number, line in enumerate(module.text.splitlines(), 1):
            match = SUPPRESSED.search(line)
            if match and not ((match["rules"] or match["types"]) and REASON.search(match["rest"])):
                found.append(f"{module.path}:{number} {match[0]}")
    _none(found)


def test_no_file_knows_whose_machine_this_is() -> None:
    _none(_lines(MACHINE, _texts()))


def test_no_file_names_the_host_of_a_registry() -> None:
    _none(_lines(REGISTRY, _texts()))


def test_no_test_sleeps() -> None:
    _none(
        f"{module.path}:{node.lineno}"
        for module in modules()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "time.sleep"
    )


def _none(breaches: Iterable[str]) -> None:
    found = sorted(breaches)
    assert not found, "\n" + "\n".join(found)


Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def _definitions() -> Iterator[tuple[str, Definition]]:
    for module in modules():
        for node in ast.walk(module.tree):
            if isinstance(node, Definition):
                yield f"{module.path}:{node.lineno}", node


def _is_for_another_system(call: ast.Call) -> bool:
    """Whether it skips a test only where the system lacks what is tested, and says why."""
    platform = any(ast.unparse(argument).startswith("sys.platform") for argument in call.args)
    return platform and any(keyword.arg == "reason" for keyword in call.keywords)


def _length(node: Definition) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1


@cache
def _nested() -> frozenset[tuple[str, int]]:
    """Where functions inside functions stand: they are nobody's interface."""
    return frozenset(
        (outer.partition(":")[0], inner.lineno)
        for outer, node in _definitions()
        if not isinstance(node, ast.ClassDef)
        for inner in ast.walk(node)
        if isinstance(inner, Definition) and inner is not node
    )


def _is_nested(where: str, node: Definition) -> bool:
    return (where.partition(":")[0], node.lineno) in _nested() or _is_private(where, node)


@cache
def _private_classes() -> dict[str, list[tuple[int, int]]]:
    spans: dict[str, list[tuple[int, int]]] = {}
    for where, node in _definitions():
        if isinstance(node, ast.ClassDef) and node.name.startswith("_"):
            span = (node.lineno, node.end_lineno or node.lineno)
            spans.setdefault(where.partition(":")[0], []).append(span)
    return spans


def _is_private(where: str, node: Definition) -> bool:
    spans = _private_classes().get(where.partition(":")[0], [])
    return any(first <= node.lineno <= last for first, last in spans)


def _words(name: str) -> list[str]:
    return [word.lower() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", name)]


@cache
def _texts() -> tuple[str, ...]:
    """Every text file of the project."""
    return tuple(path for path in tracked() if b"\0" not in (ROOT / path).read_bytes()[:8192])


def _lines(pattern: re.Pattern[str], paths: tuple[str, ...]) -> list[str]:
    return [
        f"{path}:{number} {match[0]}"
        for path in paths
        for number, line in enumerate((ROOT / path).read_text(encoding="utf-8").splitlines(), 1)
        if (match := pattern.search(line))
    ]
