"""A creator's revenue with the old columns of Flattr's reports, so that old spreadsheets go on.

    period;id;flattr url;url;title;clicks;revenue;clicks total

Semicolons, decimal comma, quoted texts, one row for each thing that earned in a month, the best
first: as Flattr's own files were. All closed months are in one file, oldest first, in one asset.
`clicks total` is how many clicks had counted for the thing when that month was closed; so a month's
rows never change.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Mapping
from typing import Final

from node.flows.earnings.known import Earned, EarnedMonth, KnownEarnings, closed_months
from node.flows.export.cells import text_cell, with_comma
from node.ids import MemberId, ThingId
from node.money import Asset
from node.store import things
from node.store.engine import Store
from node.store.things import Thing

HEADER: Final = "period;id;flattr url;url;title;clicks;revenue;clicks total\n"


async def earnings_csv(
    store: Store, known: KnownEarnings, member: MemberId, asset: Asset, public_url: str
) -> AsyncIterator[str]:
    """The file, a month at a time."""
    yield HEADER
    totals: Counter[ThingId] = Counter()
    for month in reversed(await closed_months(store, asset, member)):
        found = await known.month(store, asset, month, member)
        if found is None or not found.things:
            continue
        totals.update({one.thing: one.clicks for one in found.things})
        async with store.read() as tx:
            named = await things.many(tx, [one.thing for one in found.things])
        yield "".join(_rows(found, named, totals, public_url.rstrip("/")))


def _rows(
    month: EarnedMonth, named: Mapping[ThingId, Thing], totals: Mapping[ThingId, int], base: str
) -> list[str]:
    def row(one: Earned) -> str:
        thing = named[one.thing]
        cells = (
            str(month.month), str(one.thing), text_cell(f"{base}/things/{one.thing}"),
            text_cell(thing.url), text_cell(thing.title), str(one.clicks),
            with_comma(one.units, month.asset), str(totals[one.thing]),
        )  # fmt: skip
        return ";".join(cells) + "\n"

    return [row(one) for one in sorted(month.things, key=lambda one: (-one.units, one.thing))]
