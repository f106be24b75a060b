"""docs/api.md says what is there: every URL, every problem, every limit."""

from __future__ import annotations

import re
from pathlib import Path

from node import errors
from node.config import WebSettings
from node.web.problems import PROBLEMS
from node.web.routes import all_routes
from node.web.server import HEADER_BYTES_MAX, HEADERS_MAX

PAGE = (Path(__file__).parents[2] / "docs" / "api.md").read_text(encoding="utf-8")


def _rows(columns):
    cells = [line.strip("|").split("|") for line in PAGE.splitlines() if line.startswith("| ")]
    return [[cell.strip().strip("`") for cell in row] for row in cells if len(row) == columns]


def test_the_page_lists_every_url():
    listed = [row for row in _rows(5) if row[0] not in {"method", "---"}]
    routes = [route for group in all_routes().values() for route in group]
    assert listed == [
        [one.method, one.path, one.scope or "", "" if one.key == "none" else "yes", one.words]
        for one in routes
    ]


def test_the_page_lists_every_problem():
    listed = [row for row in _rows(3) if row[0].startswith("/problems/")]
    assert listed == [[one.type, str(one.status), one.title] for one in PROBLEMS.values()]


def test_the_page_lists_the_limits():
    defaults = {f"web.{name}": field.default for name, field in WebSettings.model_fields.items()}
    listed = [row for row in _rows(3) if row[1].startswith("web.")]
    assert [row[2] for row in listed] == [str(defaults[row[1]]) for row in listed]
    assert len(listed) == 5
    assert f"| {HEADERS_MAX}, {HEADER_BYTES_MAX} |" in PAGE


def test_every_refusal_has_a_published_type():
    refusals = _below(errors.Rejected) | {errors.Rejected}
    assert len(refusals) > 15
    for refusal in refusals:
        assert PROBLEMS[refusal.slug].status == refusal.status
    assert len({one.title for one in PROBLEMS.values()}) == len(PROBLEMS)
    assert all(re.fullmatch(r"[a-z-]+", slug) for slug in PROBLEMS)


async def test_each_type_can_be_fetched(world):
    for problem in PROBLEMS.values():
        told = await world.nobody("GET", problem.type, api="")
        assert told.body == {
            "type": problem.type, "title": problem.title, "status": problem.status,
        }  # fmt: skip
    assert (await world.nobody("GET", "/problems/unheard-of", api="")).status == 404
    assert (await world.nobody("HEAD", "/healthz", api="")).status == 200


def _below(kind):
    return {one for each in kind.__subclasses__() for one in {each, *_below(each)}}
