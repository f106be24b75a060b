"""A creator's things of a month as a table: complete, in any order, a page at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias, get_args

from node.errors import BadInput
from node.flows.earnings.known import Earned
from node.store import things
from node.store.engine import Store
from node.store.things import Thing

Order: TypeAlias = Literal["earned", "clicks", "average", "median", "title"]
ORDERS: Final[tuple[Order, ...]] = get_args(Order)
ROWS_A_PAGE: Final = 50


@dataclass(frozen=True, slots=True)
class Line:
    """One thing of the table."""

    thing: Thing
    earned: Earned


@dataclass(frozen=True, slots=True)
class Table:
    """One page of a table. `pages` is at least 1; `rows` counts all of it."""

    lines: tuple[Line, ...]
    page: int
    pages: int
    rows: int


def read_order(text: str) -> tuple[Order, bool]:
    """(by what, largest first?) of `clicks` or `-clicks`. Raises BadInput."""
    for order in ORDERS:
        if text.removeprefix("-") == order:
            return order, text.startswith("-")
    raise BadInput(f"sort by one of {', '.join(ORDERS)}, with - before it for the largest first")


async def table_of(
    store: Store, earned: Sequence[Earned], order: str, page: int, rows_a_page: int = ROWS_A_PAGE
) -> Table:
    """Page `page` (from 1) of these things. Equal ones are in order of id. Raises BadInput."""
    by, reverse = read_order(order)
    pages = max(1, -(-len(earned) // rows_a_page))
    if not 1 <= page <= pages:
        raise BadInput(f"there is no page {page}: the table has {pages}")
    first = (page - 1) * rows_a_page
    async with store.read() as tx:
        known = await things.many(tx, [one.thing for one in earned]) if by == "title" else {}
        placed = sorted(earned, key=lambda one: one.thing)
        placed.sort(key=_key(by, known), reverse=reverse)
        shown = placed[first : first + rows_a_page]
        found = await things.many(tx, [one.thing for one in shown])
    lines = tuple(Line(found[one.thing], one) for one in shown)
    return Table(lines, page, pages, len(earned))


def _key(by: Order, known: Mapping[Any, Thing]) -> Callable[[Earned], Any]:
    match by:
        case "earned":
            return lambda one: one.units
        case "clicks":
            return lambda one: one.clicks
        case "average":
            return lambda one: one.average
        case "median":
            return lambda one: one.median or 0
        case "title":
            return lambda one: (known[one.thing].title.casefold(), known[one.thing].url)
