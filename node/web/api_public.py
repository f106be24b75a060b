"""What needs no token: the node, closed months, things, problems.

What other sites embed, counters first of all, is in `embed/`.
"""

from __future__ import annotations

from node.canonical import canonical_url
from node.clock import this_month
from node.flows import public
from node.flows.vault.stablecoin import Stablecoin
from node.money import Asset
from node.month import Month
from node.store.closes import Close, Figures
from node.web import problems
from node.web.endpoint import Call
from node.web.known_popular import Ranking
from node.web.models.base import PageQuery
from node.web.models.health import ProblemKindOut
from node.web.models.months import ClosedMonthOut, ClosedMonthsOut, UsdClosedMonthOut
from node.web.models.things import (
    MostFlattredLine,
    MostFlattredOut,
    MostFlattredQuery,
    MostOfWeekOut,
    MostOfWeekQuery,
    PublicNodeOut,
    PublicThingOut,
    StablecoinOut,
    ThingUrlQuery,
)


async def read_node(call: Call) -> PublicNodeOut:
    """GET /public/node."""
    node = call.node
    seen = await call.desk.lightning.look()
    return PublicNodeOut(
        name="flattr-node",
        network=node.settings.network,
        month=str(this_month(node.clock)),
        commission_bps=node.rules.commission_bps,
        dues_msat=node.rules.dues.units,
        payout_min_msat=node.rules.payout_min.units,
        lightning=seen.name,
        simulated=seen.simulated,
        real_money=node.settings.network == "mainnet",
        stablecoin=_stablecoin(node.stablecoin),
    )


async def list_months(call: Call, page: PageQuery) -> ClosedMonthsOut:
    """GET /public/months."""
    before = None if page.after is None else Month.parse(page.after)
    found = await public.closed_months(call.node.store, before, page.limit)
    more = str(found[-1][0]) if len(found) == page.limit else None
    return ClosedMonthsOut(items=[_closed(*one) for one in found], next=more)


async def find_thing(call: Call, asked: ThingUrlQuery) -> PublicThingOut:
    """GET /public/things?url=."""
    node = call.node
    canonical = canonical_url(asked.url)
    found = await public.popularity_of_url(node.store, node.clock, canonical)
    return PublicThingOut(
        id=found.thing.id,
        url=found.thing.url,
        title=found.thing.title,
        claimed=found.thing.owner is not None,
        flattrs=found.flattrs,
        waiting=found.waiting,
    )


async def list_most_flattred(call: Call, asked: MostFlattredQuery) -> MostFlattredOut:
    """GET /public/most-flattred."""
    month = this_month(call.node.clock) if asked.month is None else Month.parse(asked.month)
    found = await call.desk.popular.of_month(month)
    return MostFlattredOut(month=str(month), items=_most(found, asked.limit))


async def list_most_flattred_week(call: Call, asked: MostOfWeekQuery) -> MostOfWeekOut:
    """GET /public/most-flattred-this-week."""
    found = await call.desk.popular.of_week()
    return MostOfWeekOut(items=_most(found, asked.limit))


async def explain_problem(call: Call) -> ProblemKindOut:
    """GET /problems/{slug}."""
    problem = problems.explain(call.name("slug"))
    return ProblemKindOut(type=problem.type, title=problem.title, status=problem.status)


def _most(found: Ranking, limit: int) -> list[MostFlattredLine]:
    return [
        MostFlattredLine(thing=thing.id, url=thing.url, title=thing.title, flattrs=count)
        for thing, count in found[:limit]
    ]


def _closed(month: Month, by_asset: dict[Asset, Close]) -> ClosedMonthOut:
    sat = by_asset.get(Asset.SAT)
    figures = sat.figures if sat else Figures()
    return ClosedMonthOut(
        month=str(month),
        pots_msat=figures.pots,
        distributed_msat=figures.distributed,
        commission_msat=figures.commission,
        carried_msat=figures.carried,
        readers=figures.readers,
        creators=figures.creators,
        flattrs=figures.flattrs,
        digest=sat.digest if sat else None,
        closed_s=sat.frozen_us // 1_000_000 if sat else None,
        usd=_closed_usd(by_asset.get(Asset.USD)),
    )


def _closed_usd(close: Close | None) -> UsdClosedMonthOut | None:
    if close is None:
        return None
    return UsdClosedMonthOut(
        pots_units=close.figures.pots,
        distributed_units=close.figures.distributed,
        commission_units=close.figures.commission,
        carried_units=close.figures.carried,
        readers=close.figures.readers,
        creators=close.figures.creators,
        flattrs=close.figures.flattrs,
        digest=close.digest,
        closed_s=close.frozen_us // 1_000_000,
    )


def _stablecoin(stablecoin: Stablecoin | None) -> StablecoinOut | None:
    if stablecoin is None:
        return None
    return StablecoinOut(
        network=stablecoin.network,
        chain_id=stablecoin.money.chain_id,
        vault=stablecoin.money.vault.address,
        token=stablecoin.token,
        operator=stablecoin.signer.address,
        treasury=stablecoin.treasury,
        dues_units=stablecoin.rules.dues.units,
        payout_min_units=stablecoin.rules.payout_min.units,
    )
