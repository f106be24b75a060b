"""Everything that the node has of a member, as one JSON document, written while it is read.

Nothing of it waits in memory but a page of rows, so the size of an account is no danger to the
node, and the rows of a page are of one moment. Secrets are not in it: the node has only their
hashes, which are left out.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import asdict
from typing import Any, Final

import numpy as np

from node.clock import Clock, now_s, this_month
from node.flows import look, statement
from node.flows.earnings.known import KnownEarnings, closed_months
from node.flows.export.ledger import open_ledger, read_ledger, reference
from node.flows.export.receipt import receipt_json, receipt_of
from node.flows.fold import fold
from node.flows.node import Node
from node.ids import MemberId, ThingId
from node.month import Month
from node.store import inbox, own_rows
from node.store.engine import Store
from node.store.members import Member

FORMAT: Final = "flattr-node member 1"
ROWS_A_PAGE: Final = 500


async def everything(node: Node, member: MemberId) -> AsyncIterator[str]:
    """The document, piece by piece. Raises NotFound before the first piece."""
    who = await look.member_of(node.store, member)
    await fold(node.store, node.clock)  # so that the clicks of a moment ago are among the flattrs
    head = {
        "format": FORMAT, "network": node.settings.network, "written_s": now_s(node.clock),
        "member": asdict(who), "balances": await _balances(node, member),
    }  # fmt: skip
    yield json.dumps(head)[:-1]
    for section in own_rows.SECTIONS:
        yield f', "{section}": '
        async for piece in _array(_rows(node.store, section, member)):
            yield piece
    for name, rows in (
        ("waiting_clicks", _waiting(node.store, node.clock, member)),
        ("flattrs", _flattrs(node.store, node.clock, who)),
        ("receipts", _receipts(node, who)),
        ("earnings", _earnings(node, member)),
        ("ledger", _ledger(node, member)),
    ):
        yield f', "{name}": '
        async for piece in _array(rows):
            yield piece
    yield "}\n"


async def _array(rows: AsyncIterator[dict[str, Any]]) -> AsyncIterator[str]:
    begun = False
    async for row in rows:
        yield (",\n" if begun else "[\n") + json.dumps(row)
        begun = True
    yield "]" if begun else "[]"


async def _balances(node: Node, member: MemberId) -> list[dict[str, Any]]:
    found = []
    for rules in node.every_rules:
        mine = await statement.balance(node.store, node.clock, rules, member)
        found.append(
            {
                "asset": str(rules.asset), "unit": rules.asset.unit, "month": str(mine.month),
                "available": mine.available.units, "pot": mine.pot.units,
                "earned": mine.earned.units, "held": mine.held.units,
                "payouts_waiting": mine.payouts_waiting.units,
            }
        )  # fmt: skip
    return found


async def _rows(store: Store, section: str, member: MemberId) -> AsyncIterator[dict[str, Any]]:
    skip = 0
    while True:
        async with store.read() as tx:
            rows = await own_rows.page(tx, section, member, ROWS_A_PAGE, skip)
        for row in rows:
            yield row
        if len(rows) < ROWS_A_PAGE:
            return
        skip += len(rows)


async def _waiting(store: Store, clock: Clock, member: MemberId) -> AsyncIterator[dict[str, Any]]:
    """Clicks that are not folded yet, in the months that may have some."""
    this = this_month(clock)
    for month in (this.plus(-1), this, this.plus(1)):
        async with store.read() as tx:
            clicks = await inbox.clicks_of(tx, member, month)
        for thing, op in clicks:
            yield {"month": str(month), "thing": thing, "op": op}


async def _flattrs(store: Store, clock: Clock, who: Member) -> AsyncIterator[dict[str, Any]]:
    joined = Month.at(who.created_us // 1_000_000)
    async with store.read() as tx:
        months = await own_rows.packed_months(tx, who.id, joined, this_month(clock).plus(1))
    for month, (things, undone) in months.items():
        standing, taken_back = _unpacked(things), _unpacked(undone)
        async with store.read() as tx:
            urls = await own_rows.urls(tx, [*standing, *taken_back])
        yield {
            "month": str(month),
            "things": [{"thing": one, "url": urls[one]} for one in standing],
            "undone": [{"thing": one, "url": urls[one]} for one in taken_back],
        }


async def _receipts(node: Node, who: Member) -> AsyncIterator[dict[str, Any]]:
    rules = node.every_rules
    closed = {
        month for one in rules for month in await closed_months(node.store, one.asset, who.id)
    }
    for month in sorted(closed):
        found = await receipt_of(
            node.store, node.clock, rules, who.id, month, who.name, node.settings.network
        )
        if any(one.pot for one in found.closed.values()):
            yield receipt_json(found)


async def _earnings(node: Node, member: MemberId) -> AsyncIterator[dict[str, Any]]:
    known: KnownEarnings = node.earnings
    for rules in node.every_rules:
        for month in reversed(await closed_months(node.store, rules.asset, member)):
            found = await known.month(node.store, rules.asset, month, member)
            if found is not None and found.things:
                yield {
                    "month": str(month), "asset": str(rules.asset), "units": found.total.units,
                    "things": [asdict(one) for one in found.things],
                }  # fmt: skip


async def _ledger(node: Node, member: MemberId) -> AsyncIterator[dict[str, Any]]:
    for rules in node.every_rules:
        ledger = await open_ledger(node.store, node.clock, member, rules.asset)
        async for piece in read_ledger(node.store, ledger):
            for one in piece:
                yield {
                    "asset": str(rules.asset), "entry": one.entry, "kind": one.kind,
                    "month": str(one.month) if one.month else None, "at_us": one.at_us,
                    "from": ledger.name(one.debit), "to": ledger.name(one.credit),
                    "units": one.units, "change": ledger.change(one),
                    "reference": reference(one),
                }  # fmt: skip


def _unpacked(blob: bytes) -> list[ThingId]:
    return [ThingId(one) for one in np.frombuffer(blob, "<u4").tolist()]
