"""GET /metrics for Prometheus, in a registry of our own; every name and its words are in METRICS.

Amounts are in whole coins (sat, dollars, ether). What the snapshot has no figure for (a wallet that
can't be asked) is left out, so that an alert on its absence can tell it from nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

import structlog
from aiohttp import web
from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from node.errors import Forbidden
from node.flows.node import Node
from node.money import Amount
from node.settlement.attempt import AttemptState
from node.store.closes import Stage
from node.web.latencies import BUCKETS_S, Latencies
from node.web.operator.console import CONSOLE, Console
from node.web.operator.snapshot import Snapshot

METRICS: Final = {
    "flattr_database_reachable": "1 while the books can be read; without them little else is said",
    "flattr_node_info": "1, with the network and the database as labels",
    "flattr_clicks_written_total": "clicks that this process has made durable",
    "flattr_clicks_waiting": "clicks that wait for their group to be written",
    "flattr_clicks_inbox": "clicks that are durable and not folded into their month yet",
    "flattr_members": "members who have joined",
    "flattr_payouts": "payouts by asset and state",
    "flattr_payouts_coins": "the money of payouts by asset and state",
    "flattr_wallet_owed_coins": "what is owed to members and as commission",
    "flattr_wallet_holds_coins": "what the wallet holds; absent while it can't be asked",
    "flattr_commission_kept_coins": "commission that is not paid out",
    "flattr_fees_coins_total": "network fees, the operator's expense",
    "flattr_attempts": "payments that may yet be made, by rail and state; limbo needs a person",
    "flattr_sending_stopped": "1 while nothing is sent on a rail",
    "flattr_close_stage": "how far the newest close is, from 0 (frozen) on",
    "flattr_close_finished": "1 when the newest close is finished",
    "flattr_audit_result": "1 for what the last audit said: pass, warn or breach",
    "flattr_audit_age_seconds": "how long ago the last audit was; absent before the first",
    "flattr_lnd_reachable": "1 while lnd answers",
    "flattr_lnd_synced": "1 while lnd is synced to its chain",
    "flattr_chain_reachable": "1 while the stablecoin's chain answers; absent without it",
    "flattr_task_trouble": "1 for each task of the schedule that reports trouble",
    "flattr_request_duration_seconds": "how long requests took, by kind and class of status",
}
"""Every metric of ours by its name, with its help. Dashboards and alerts use no other."""
RESULTS: Final = ("pass", "warn", "breach")

_log = structlog.get_logger()


async def serve_metrics(request: web.Request) -> web.Response:
    """The answer to a scraper. Its Host must be the console's, or one that the settings name."""
    console = request.app[CONSOLE]
    try:
        _demand_host(console, request.host)
    except Forbidden as error:
        return web.Response(status=error.status, text=f"{error}\n")
    registry = CollectorRegistry(auto_describe=False)
    ProcessCollector(registry=registry)
    registry.register(Collected(console.node, await _snapshot(console), console.latencies))
    encode, content_type = choose_encoder(request.headers.get("Accept", ""))
    headers = {"Content-Type": content_type, "Cache-Control": "no-store"}
    return web.Response(body=encode(registry), headers=headers)


class Collected(Collector):
    """A snapshot as metrics. None: the books could not be read."""

    def __init__(self, node: Node, seen: Snapshot | None, latencies: Latencies) -> None:
        self._node = node
        self._seen = seen
        self._latencies = latencies

    def collect(self) -> Iterator[Metric]:
        """All of METRICS, as far as there are figures."""
        node, seen = self._node, self._seen
        yield _gauge("flattr_database_reachable", [((), seen is not None)])
        labels = ("network", "database")
        named = (node.settings.network, node.store.dialect.name)
        yield _gauge("flattr_node_info", [(named, 1)], labels)
        yield _counter("flattr_clicks_written", [((), node.clicks.written)])
        yield _gauge("flattr_clicks_waiting", [((), node.clicks.waiting)])
        troubles = [((task,), 1) for task in sorted(node.health.troubles)]
        yield _gauge("flattr_task_trouble", troubles, ("task",))
        yield _durations(self._latencies)
        if seen is not None:
            yield from _of_money(seen)
            yield from _of_payments(seen)
            yield from _of_closes(seen)
            yield from _of_the_outside(seen)


def _of_money(seen: Snapshot) -> Iterator[Metric]:
    yield _gauge("flattr_members", [((), seen.members)])
    yield _gauge("flattr_clicks_inbox", [((), seen.inbox)])
    amounts = [((a, state), _coins(Amount(u, a))) for (a, state), u in seen.amounts.items()]
    yield _gauge("flattr_payouts_coins", amounts, ("asset", "state"))
    owed = [((one.owed.asset,), _coins(one.owed)) for one in seen.solvency]
    yield _gauge("flattr_wallet_owed_coins", owed, ("asset",))
    held = [((one.has.asset,), _coins(one.has)) for one in seen.solvency if one.has is not None]
    yield _gauge("flattr_wallet_holds_coins", held, ("asset",))
    kept = [((one.asset,), _coins(one)) for one in seen.commission]
    yield _gauge("flattr_commission_kept_coins", kept, ("asset",))
    fees = [((one.asset,), _coins(one)) for one in seen.fees]
    yield _counter("flattr_fees_coins", fees, ("asset",))


def _of_payments(seen: Snapshot) -> Iterator[Metric]:
    moving = seen.progress
    yield _gauge("flattr_payouts", moving.payouts.items(), ("asset", "state"))
    rails = ["lightning"] if seen.chain_reached is None else ["lightning", "stablecoin"]
    live = (AttemptState.READY, AttemptState.SENT, AttemptState.LIMBO)
    attempts = [((r, state), seen.attempts.get((r, state), 0)) for r in rails for state in live]
    yield _gauge("flattr_attempts", attempts, ("rail", "state"))
    stopped = [((rail,), rail in moving.stopped) for rail in rails]
    yield _gauge("flattr_sending_stopped", stopped, ("rail",))


def _of_closes(seen: Snapshot) -> Iterator[Metric]:
    closes = seen.progress.closes
    stages = [((one.asset, str(one.month)), one.stage.number) for one in closes]
    yield _gauge("flattr_close_stage", stages, ("asset", "month"))
    finished = [((one.asset, str(one.month)), one.stage is Stage.CHECKED) for one in closes]
    yield _gauge("flattr_close_finished", finished, ("asset", "month"))
    results, ages = [], []
    if (audit := seen.audit) is not None:
        results = [((result,), result == audit.result) for result in RESULTS]
        ages = [((), max(0, seen.at_us - audit.at_us) / 1_000_000)]
    yield _gauge("flattr_audit_result", results, ("result",))
    yield _gauge("flattr_audit_age_seconds", ages)


def _of_the_outside(seen: Snapshot) -> Iterator[Metric]:
    yield _gauge("flattr_lnd_reachable", [((), seen.lnd_reached)])
    yield _gauge("flattr_lnd_synced", [((), seen.lnd_synced)])
    chain = [] if seen.chain_reached is None else [((), seen.chain_reached)]
    yield _gauge("flattr_chain_reachable", chain)


def _durations(latencies: Latencies) -> Metric:
    name = "flattr_request_duration_seconds"
    family = HistogramMetricFamily(name, METRICS[name], labels=("kind", "status"))
    for (kind, hundreds), series in sorted(latencies.series.items()):
        total, buckets = 0, []
        for end, count in zip([*map(str, BUCKETS_S), "+Inf"], series.counts, strict=True):
            total += count
            buckets.append((end, total))
        family.add_metric((kind, f"{hundreds}xx"), buckets, series.sum_s)
    return family


def _gauge(
    name: str, values: Iterable[tuple[tuple[Any, ...], float]], labels: tuple[str, ...] = ()
) -> Metric:
    family = GaugeMetricFamily(name, METRICS[name], labels=labels)
    for given, value in values:
        family.add_metric([str(one) for one in given], float(value))
    return family


def _counter(
    name: str, values: Iterable[tuple[tuple[Any, ...], float]], labels: tuple[str, ...] = ()
) -> Metric:
    family = CounterMetricFamily(name, METRICS[f"{name}_total"], labels=labels)
    for given, value in values:
        family.add_metric([str(one) for one in given], float(value))
    return family


def _coins(amount: Amount) -> float:
    """For a graph alone: nothing is computed from it."""
    return amount.units / amount.asset.units_per_coin


async def _snapshot(console: Console) -> Snapshot | None:
    try:
        return await console.snapshots.look()
    except Exception:  # noqa: BLE001  whatever it is, the scraper is told that there are no figures
        _log.exception("the metrics could not read the books")
        return None


def _demand_host(console: Console, host: str) -> None:
    """Go on only for a scraper that came to this listener by a name of its own."""
    own = {console.host, *console.node.settings.operator.metrics_hosts}
    own |= {f"{name}:{console.port}" for name in ("127.0.0.1", "localhost", "[::1]")}
    if host not in own:
        raise Forbidden("add this host and port to operator.metrics_hosts to scrape it by it")
