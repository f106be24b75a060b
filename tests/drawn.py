"""What the docs draw from the code: ARCHITECTURE.md's tree, docs/api.md's tables, docs/states.md.

`python -m tests.drawn` (`make drawn`) writes them; test_docs.py compares them with the code.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

from node.settlement import attempt, payout, transaction
from node.store.closes import Stage
from node.web.problems import PROBLEMS
from node.web.routes import all_routes

ROOT = Path(__file__).parent.parent
ARCHITECTURE = ROOT / "ARCHITECTURE.md"
API = ROOT / "docs" / "api.md"
STATES = ROOT / "docs" / "states.md"
TREE_BEGINS, TREE_ENDS = "<!-- tree -->\n", "<!-- /tree -->\n"
NAME_COLUMNS = 30
URLS_HEAD = "| method | URL | scope | key | what |\n"
PROBLEMS_HEAD = "| type | status | title |\n"

S = TypeVar("S", bound=StrEnum)
E = TypeVar("E", bound=StrEnum)


def with_tree(page: str) -> str:
    """ARCHITECTURE.md with the tree of what is there now."""
    before, _, rest = page.partition(TREE_BEGINS)
    _, _, after = rest.partition(TREE_ENDS)
    tree = "\n".join(_tree(ROOT / "node", 0))
    return f"{before}{TREE_BEGINS}\n```\n{tree}\n```\n\n{TREE_ENDS}{after}"


def states_page() -> str:
    """docs/states.md."""
    return "\n".join(
        (
            "# States",
            "",
            "Drawn by `make drawn` from the tables in the code, which are the only places where a",
            "state is decided. What has no arrow can't happen: it raises `CorruptBooks`.",
            "",
            "## A payout",
            "",
            "`node/settlement/payout.py`",
            "",
            *_diagram(payout.PayoutState.DUE, payout.TRANSITIONS),
            "## An attempt",
            "",
            "`node/settlement/attempt.py`",
            "",
            *_diagram(attempt.AttemptState.READY, attempt.TRANSITIONS),
            "## A transaction of the node's key",
            "",
            "`node/settlement/transaction.py`",
            "",
            *_diagram(transaction.TransactionState.DUE, transaction.TRANSITIONS),
            "## A close",
            "",
            "`node/store/closes.py`: the stages in their order, each done once.",
            "",
            "```mermaid",
            "stateDiagram-v2",
            "    direction LR",
            f"    [*] --> {next(iter(Stage))}",
            *(f"    {a} --> {b}" for a, b in zip(list(Stage), list(Stage)[1:], strict=False)),
            "```",
            "",
        )
    )


def _diagram(first: S, table: Mapping[tuple[S, E], S]) -> Iterator[str]:
    yield from ("```mermaid", "stateDiagram-v2", f"    [*] --> {first}")
    for (before, event), after in table.items():
        yield f"    {before} --> {after}: {event}"
    yield from ("```", "", "| state | event | then |", "| --- | --- | --- |")
    for (before, event), after in table.items():
        yield f"| {before} | {event} | {after} |"
    yield ""


def _tree(folder: Path, depth: int) -> Iterator[str]:
    name = "  " * depth + folder.name + "/"
    yield f"{name:<{NAME_COLUMNS}} {_first_line(folder / '__init__.py')}".rstrip()
    for module in sorted(folder.glob("*.py")):
        if module.name != "__init__.py":
            name = "  " * (depth + 1) + module.name
            yield f"{name:<{NAME_COLUMNS}} {_first_line(module)}".rstrip()
    for room in sorted(folder.iterdir()):
        if (room / "__init__.py").is_file() and room.name != "versions":
            yield from _tree(room, depth + 1)


def _first_line(module: Path) -> str:
    explained = ast.get_docstring(ast.parse(module.read_text(encoding="utf-8"))) or ""
    return explained.partition("\n")[0]


def api_page(before: str) -> str:
    """The page of the API with its tables of URLs and problems anew."""
    routes = [
        f"| {one.method} | `{one.path}` | {one.scope or ''} | {'' if one.key == 'none' else 'yes'}"
        f" | {one.words} |"
        for group in all_routes().values()
        for one in group
    ]
    problems = [f"| `{one.type}` | {one.status} | {one.title} |" for one in PROBLEMS.values()]
    return _with_rows(_with_rows(before, URLS_HEAD, routes), PROBLEMS_HEAD, problems)


def _with_rows(page: str, head: str, rows: list[str]) -> str:
    """The page with other rows in the one table that has this head."""
    above, found, below = page.partition(head)
    assert found, f"there is no table {head!r}"
    _, end, rest = below.partition("\n\n")
    rule = "| --- " * (head.count("|") - 1) + "|"
    return above + head + "\n".join((rule, *rows)) + end + rest


def main() -> None:
    """Write all of them."""
    ARCHITECTURE.write_text(with_tree(ARCHITECTURE.read_text(encoding="utf-8")), encoding="utf-8")
    API.write_text(api_page(API.read_text(encoding="utf-8")), encoding="utf-8")
    STATES.write_text(states_page(), encoding="utf-8")


if __name__ == "__main__":
    main()
