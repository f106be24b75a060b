"""What a creator earned, and what of it others' programs read: CSV, Beancount."""

from __future__ import annotations

from typing import Final, cast

from node.errors import NotFound
from node.flows import statement
from node.flows.earnings.known import Earned, EarnedMonth, closed_months
from node.flows.earnings.table import read_order
from node.flows.export.beancount import beancount
from node.flows.export.earnings import earnings_csv
from node.flows.export.ledger import ledger_csv
from node.flows.export.receipt import receipt_csv, receipt_of
from node.flows.look import member_of
from node.ids import ThingId
from node.money import Asset
from node.month import Month
from node.store.things import Thing
from node.web.api_months import file_id
from node.web.downloads import CSV, PLAIN, Download, once
from node.web.endpoint import Call
from node.web.models.base import AssetName
from node.web.models.earnings import (
    AssetQuery,
    EarnedMonthOut,
    EarnedMonthsOut,
    EarnedMonthsQuery,
    EarningLine,
    EarningsOut,
    EarningsQuery,
    EstimateOut,
    UsdEarningsOut,
)

_NONE: Final = Earned(ThingId(0), 0, 0, 0)


async def list_earnings(call: Call, page: EarnedMonthsQuery) -> EarnedMonthsOut:
    """GET /earnings."""
    node, before = call.node, Month.parse(page.after) if page.after else None
    months = sorted(
        {
            month
            for rules in node.every_rules
            for month in await closed_months(node.store, rules.asset, call.member)
            if before is None or month < before
        },
        reverse=True,
    )
    shown = months[: page.limit]
    more = str(shown[-1]) if len(months) > len(shown) and shown else None
    return EarnedMonthsOut(
        items=[await _month(call, month) for month in shown],
        estimates=await _estimates(call),
        next=more,
    )


async def read_earnings(call: Call, asked: EarningsQuery) -> EarningsOut:
    """GET /earnings/{month}."""
    month = call.month()
    sat, usd = await _in(call, Asset.SAT, month), await _in(call, Asset.USD, month)
    if sat is None and usd is None:
        raise NotFound(f"{month} is not closed yet: what it brings is known when it is")
    in_sat = {one.thing: one for one in (sat.things if sat else ())}
    in_usd = {one.thing: one for one in (usd.things if usd else ())}
    known = await statement.things_of(call.node.store, sorted(in_sat.keys() | in_usd.keys()))
    lines = _sorted(
        [
            _line(thing, in_sat.get(id_, _NONE), in_usd.get(id_, _NONE))
            for id_, thing in known.items()
        ],
        asked.sort,
    )
    start = asked.after or 0
    shown = lines[start : start + asked.limit]
    more = start + len(shown)
    return EarningsOut(
        month=str(month),
        closed=sat is not None,
        earned_msat=sat.total.units if sat else 0,
        digest=await statement.digest_of(call.node.store, Asset.SAT, month),
        things=shown,
        usd=await _usd(call, month, usd),
        next=str(more) if more < len(lines) and shown else None,
    )


async def download_earnings(call: Call, asked: AssetQuery) -> Download:
    """GET /earnings.csv."""
    node, asset = call.node, asset_of(call, asked.asset)
    url = node.settings.web.public_url
    pieces = earnings_csv(node.store, node.earnings, call.member, asset, url)
    return Download(f"flattr-revenue-{asset}.csv", CSV, pieces)


async def download_ledger(call: Call) -> Download:
    """GET /ledger.csv."""
    node, assets = call.node, tuple(one.asset for one in call.node.every_rules)
    return Download(
        "flattr-ledger.csv", CSV, ledger_csv(node.store, node.clock, call.member, assets)
    )


async def download_beancount(call: Call) -> Download:
    """GET /ledger.beancount."""
    node, assets = call.node, tuple(one.asset for one in call.node.every_rules)
    who = await member_of(node.store, call.member)
    pieces = beancount(node.store, node.clock, who, assets, node.settings.network)
    return Download("flattr.beancount", PLAIN, pieces)


async def download_receipt(call: Call) -> Download:
    """GET /months/{month}/receipt.csv."""
    node, month = call.node, call.month()
    who = await member_of(node.store, call.member)
    found = await receipt_of(
        node.store, node.clock, node.every_rules, who.id, month, who.name, node.settings.network
    )
    return Download(f"flattr-receipt-{month}.csv", CSV, once(receipt_csv(found)))


def asset_of(call: Call, name: AssetName) -> Asset:
    """The asset of this name. Raises NoStablecoin."""
    return call.stablecoin.rules.asset if name == "usd" else Asset.SAT


async def _in(call: Call, asset: Asset, month: Month) -> EarnedMonth | None:
    if all(rules.asset is not asset for rules in call.node.every_rules):
        return None
    return await call.node.earnings.month(call.node.store, asset, month, call.member)


async def _month(call: Call, month: Month) -> EarnedMonthOut:
    sat, usd = await _in(call, Asset.SAT, month), await _in(call, Asset.USD, month)
    return EarnedMonthOut(
        month=str(month),
        flattrs=sat.clicks if sat else 0,
        earned_msat=sat.total.units if sat else None,
        usd_flattrs=usd.clicks if usd else 0,
        earned_units=usd.total.units if usd else None,
    )


async def _estimates(call: Call) -> list[EstimateOut]:
    found = []
    for closing in call.node.closings(lambda _: None):
        one = await call.node.estimates.of(closing, call.member)
        if one is not None:
            found.append(
                EstimateOut(
                    month=str(one.month),
                    asset=cast("AssetName", str(one.asset)),
                    as_of_s=one.as_of_us // 1_000_000,
                    flattrs=sum(one.clicks.values()),
                    earned_units=one.total.units,
                    waits=one.waits,
                )
            )
    return found


async def _usd(call: Call, month: Month, usd: EarnedMonth | None) -> UsdEarningsOut | None:
    if usd is None:
        return None
    return UsdEarningsOut(
        earned_units=usd.total.units,
        digest=await statement.digest_of(call.node.store, Asset.USD, month),
        file_id=file_id(call, month),
    )


def _line(thing: Thing, sat: Earned, usd: Earned) -> EarningLine:
    return EarningLine(
        thing=thing.id,
        url=thing.url,
        title=thing.title,
        flattrs=sat.clicks,
        earned_msat=sat.units,
        average_msat=sat.average,
        median_msat=sat.median or 0,
        usd_flattrs=usd.clicks,
        earned_units=usd.units,
        average_units=usd.average,
        median_units=usd.median or 0,
    )


def _sorted(lines: list[EarningLine], sort: str) -> list[EarningLine]:
    """By the order that is asked for; equal ones by id."""
    by, reverse = read_order(sort)

    def key(line: EarningLine) -> tuple[object, ...]:
        match by:
            case "earned":
                return (line.earned_msat, line.earned_units)
            case "clicks":
                return (line.flattrs, line.usd_flattrs)
            case "average":
                return (line.average_msat, line.average_units)
            case "median":
                return (line.median_msat, line.median_units)
            case "title":
                return (line.title.casefold(), line.url)

    return sorted(sorted(lines, key=lambda line: line.thing), key=key, reverse=reverse)
