"""Files that a member takes away in the browser: the same as the API's, by a link."""

from __future__ import annotations

import json
from typing import Final

from aiohttp import web

from node.errors import BadInput
from node.flows.export.beancount import beancount
from node.flows.export.earnings import earnings_csv
from node.flows.export.everything import everything
from node.flows.export.ledger import ledger_csv
from node.flows.export.receipt import MonthReceipt, receipt_csv, receipt_json, receipt_of
from node.flows.look import member_of
from node.web.downloads import CSV, JSON, PLAIN, Download, once, send
from node.web.pages import headers
from node.web.pages.page import Page, PageCall


async def earnings(call: PageCall) -> web.StreamResponse:
    """GET /creator/earnings.csv."""
    node, asked = call.node, call.asked("asset") or "sat"
    assets = {rules.asset.value: rules.asset for rules in node.every_rules}
    if asked not in assets:
        raise BadInput(f"this node has no asset {asked!r}")
    url = node.settings.web.public_url
    pieces = earnings_csv(node.store, node.earnings, call.member, assets[asked], url)
    return await _send(call, Download(f"flattr-revenue-{asked}.csv", CSV, pieces))


async def ledger(call: PageCall) -> web.StreamResponse:
    """GET /creator/ledger.csv."""
    node = call.node
    assets = tuple(rules.asset for rules in node.every_rules)
    pieces = ledger_csv(node.store, node.clock, call.member, assets)
    return await _send(call, Download("flattr-ledger.csv", CSV, pieces))


async def for_beancount(call: PageCall) -> web.StreamResponse:
    """GET /creator/earnings.beancount."""
    node = call.node
    assets = tuple(rules.asset for rules in node.every_rules)
    who = await member_of(node.store, call.member)
    pieces = beancount(node.store, node.clock, who, assets, node.settings.network)
    return await _send(call, Download("flattr.beancount", PLAIN, pieces))


async def receipt_as_csv(call: PageCall) -> web.StreamResponse:
    """GET /months/{month}.csv."""
    found = await _receipt(call)
    name = f"flattr-receipt-{found.month}.csv"
    return await _send(call, Download(name, CSV, once(receipt_csv(found))))


async def receipt_as_json(call: PageCall) -> web.StreamResponse:
    """GET /months/{month}.json."""
    found = await _receipt(call)
    text = json.dumps(receipt_json(found), indent=2) + "\n"
    return await _send(call, Download(f"flattr-receipt-{found.month}.json", JSON, once(text)))


async def export(call: PageCall) -> web.StreamResponse:
    """GET /settings/export.json."""
    who = await member_of(call.node.store, call.member)
    pieces = everything(call.node, who.id)
    return await _send(call, Download(f"flattr-{who.name}.json", JSON, pieces))


async def _receipt(call: PageCall) -> MonthReceipt:
    node = call.node
    who = await member_of(node.store, call.member)
    return await receipt_of(
        node.store, node.clock, node.every_rules, who.id, call.month(), who.name,
        node.settings.network,
    )  # fmt: skip


async def _send(call: PageCall, download: Download) -> web.StreamResponse:
    call.desk.limits.count_export(call.member)
    return await send(call.request, download, headers.of_all(call.desk))


PAGES: Final = (
    Page("GET", "/creator/earnings.csv", "what I earned, with Flattr's old columns", earnings,
         query=("asset",)),
    Page("GET", "/creator/ledger.csv", "every posting that touches my money", ledger),
    Page("GET", "/creator/earnings.beancount", "the same for Beancount", for_beancount),
    Page("GET", "/months/{month}.csv", "the receipt of a closed month", receipt_as_csv),
    Page("GET", "/months/{month}.json", "the same as JSON", receipt_as_json),
    Page("GET", "/settings/export.json", "everything that the node has of me", export),
)  # fmt: skip
"""They come before the pages: `{month}` of `/months/{month}` would take `2026-11.csv`, too."""
