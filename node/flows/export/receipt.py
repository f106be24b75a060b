"""A reader's closed month as a receipt: what was in the pot, and where each base unit went."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from node.clock import Clock
from node.errors import NotFound
from node.flows import statement
from node.flows.export.cells import exact, text_cell
from node.flows.rules import Rules
from node.flows.statement import ClosedMonth
from node.ids import MemberId, ThingId
from node.money import Asset
from node.month import Month
from node.store.engine import Store
from node.store.things import Thing

HEADER: Final = "month,asset,what,thing,url,title,amount,commission,creator\r\n"


@dataclass(frozen=True, slots=True)
class MonthReceipt:
    """One reader's month in the assets in which it is closed; `things` by id."""

    month: Month
    name: str
    network: str
    closed: Mapping[Asset, ClosedMonth]
    things: Mapping[ThingId, Thing]


async def receipt_of(
    store: Store, clock: Clock, rules: Sequence[Rules], member: MemberId, month: Month,
    name: str, network: str,
) -> MonthReceipt:  # fmt: skip
    """A reader's receipt. Raises NotFound while the month is open in every asset."""
    closed = {}
    for one in rules:
        found = await statement.month_of(store, clock, one, member, month)
        if isinstance(found, ClosedMonth):
            closed[one.asset] = found
    if not closed:
        raise NotFound(f"{month} is not closed yet: its receipt is written when it is")
    named = sorted({thing for one in closed.values() for thing in one.marked})
    return MonthReceipt(month, name, network, closed, await statement.things_of(store, named))


def receipt_csv(receipt: MonthReceipt) -> str:
    """A row for each thing, one for the carry, and one for the pot that they sum up to."""
    lines = [HEADER]
    for asset, closed in receipt.closed.items():
        share, tenth = closed.split.share, closed.split.commission
        for one in closed.marked:
            thing = receipt.things[one]
            named = (str(one), text_cell(thing.url), text_cell(thing.title))
            lines.append(_row(receipt, asset, "thing", named, share, tenth))
        lines.append(_row(receipt, asset, "carry", ("", "", ""), closed.split.carry, 0))
        given = tenth * len(closed.marked)
        lines.append(_row(receipt, asset, "pot", ("", "", ""), closed.pot.units, given))
    return "".join(lines)


def receipt_json(receipt: MonthReceipt) -> dict[str, Any]:
    """The same as JSON: amounts in base units. `digest` names the result of the whole month."""
    return {
        "format": "flattr-node receipt 1",
        "network": receipt.network,
        "month": str(receipt.month),
        "member": receipt.name,
        "assets": [_asset(receipt, asset, closed) for asset, closed in receipt.closed.items()],
    }


def _row(
    receipt: MonthReceipt, asset: Asset, what: str, named: tuple[str, ...], units: int, tenth: int
) -> str:
    to_creators = "" if what == "carry" else exact(_to_creators(receipt, asset, what), asset)
    cells = (str(receipt.month), str(asset), what, *named, exact(units, asset),
             exact(tenth, asset), to_creators)  # fmt: skip
    return ",".join(cells) + "\r\n"


def _to_creators(receipt: MonthReceipt, asset: Asset, what: str) -> int:
    closed = receipt.closed[asset]
    one = closed.split.share - closed.split.commission
    return one if what == "thing" else one * len(closed.marked)


def _asset(receipt: MonthReceipt, asset: Asset, closed: ClosedMonth) -> dict[str, Any]:
    split = closed.split
    return {
        "asset": str(asset),
        "unit": asset.unit,
        "pot": closed.pot.units,
        "flattrs": split.flattrs,
        "share": split.share,
        "commission_per_share": split.commission,
        "carry": split.carry,
        "digest": closed.digest,
        "things": [
            {"thing": one, "url": receipt.things[one].url, "title": receipt.things[one].title}
            for one in closed.marked
        ],
    }
