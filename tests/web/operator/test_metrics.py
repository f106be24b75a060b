"""/metrics: what it says is what is; and the dashboard and the alerts use nothing else."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from node.flows.operator import acts
from node.flows.schedule import close_what_is_over
from node.web.latencies import BUCKETS_S, Latencies
from node.web.operator.metrics import METRICS
from tests.conftest import MONTH
from tests.web.operator.conftest import open_place
from tests.web.operator.story import play, rounds

DOCKER = Path(__file__).parents[3] / "docker"
ALERTS = DOCKER / "prometheus" / "alerts.yml"
DASHBOARD = DOCKER / "grafana" / "flattr-node.json"
WORDS = frozenset(
    ("up", "absent", "sum", "min", "max", "rate", "by", "on", "bool", "histogram_quantile", "or")
)
"""What PromQL and Prometheus itself bring."""
LABELS = frozenset(("asset", "state", "rail", "result", "kind", "status", "le", "job"))


async def scrape(place, **headers) -> dict[str, dict[tuple[str, ...], float]]:
    """Each sample by its name and the values of its labels, in the order of their names."""
    http = place.browser().http
    async with http.get(place.console.url + "/metrics", headers=headers) as response:
        assert response.status == 200
        text = await response.text()
    found: dict[str, dict[tuple[str, ...], float]] = {}
    for family in text_string_to_metric_families(text):
        for one in family.samples:
            labels = tuple(one.labels[name] for name in sorted(one.labels))
            found.setdefault(one.name, {})[labels] = one.value
    return found


async def test_a_new_node_says_that_it_is_there(place):
    seen = await scrape(place)
    assert seen["flattr_database_reachable"][()] == 1
    assert seen["flattr_node_info"][("sqlite", "simnet")] == 1
    assert seen["flattr_lnd_reachable"][()] == 1
    assert seen["flattr_sending_stopped"] == {("lightning",): 0}
    assert seen["flattr_attempts"][("lightning", "limbo")] == 0
    assert "flattr_audit_age_seconds" not in seen
    assert "flattr_chain_reachable" not in seen
    assert seen["process_resident_memory_bytes"][()] > 1_000_000


async def test_the_figures_of_a_month_are_those_of_the_books(place):
    await play(place)
    node = place.console.node
    seen = await scrape(place)
    assert seen["flattr_members"][()] == 3
    assert seen["flattr_clicks_written_total"][()] == 2
    assert seen["flattr_wallet_owed_coins"][("sat",)] == 9000
    assert seen["flattr_wallet_holds_coins"][("sat",)] >= 9000
    await close_what_is_over(node, lambda _: None)
    node.clock.advance(5)
    seen = await scrape(place)
    assert seen["flattr_payouts"][("sat", "due")] == 2
    assert seen["flattr_payouts_coins"][("sat", "due")] == 4500
    assert seen["flattr_close_finished"][("sat", str(MONTH))] == 1
    assert seen["flattr_commission_kept_coins"][("sat",)] == 500
    await rounds(node)
    seen = await scrape(place)
    assert seen["flattr_payouts"][("sat", "paid")] == 2
    assert seen["flattr_payouts"][("sat", "due")] == 0
    assert seen["flattr_fees_coins_total"][("sat",)] > 0


async def test_what_is_wrong_is_said(place):
    operator, node = await place.by_link(), place.console.node
    await operator.send("/audit", "/audit")
    await acts.pause(node.store, node.clock, "Ada")
    node.health.report("watch", "lnd is away")
    node.clock.advance(90)
    seen = await scrape(place)
    assert seen["flattr_sending_stopped"][("lightning",)] == 1
    assert seen["flattr_task_trouble"][("watch",)] == 1
    assert seen["flattr_audit_result"] == {("pass",): 1, ("warn",): 0, ("breach",): 0}
    assert seen["flattr_audit_age_seconds"][()] == 90


async def test_books_that_can_t_be_read_are_said_and_nothing_else_of_them(world, tmp_path):
    world.folder = tmp_path

    class Away:
        dialect = world.node.store.dialect

        def read(self) -> Any:
            raise OSError("the disk is gone")

    async with open_place(world) as place:
        snapshots = place.console.snapshots
        snapshots._node = replace(world.node, store=Away())
        seen = await scrape(place)
    assert seen["flattr_database_reachable"][()] == 0
    assert "flattr_payouts" not in seen


async def test_it_is_read_once_in_some_seconds_however_often_it_is_scraped(place):
    await scrape(place)
    first = await place.console.snapshots.look()
    await scrape(place)
    assert await place.console.snapshots.look() is first
    place.console.node.clock.advance(5)
    assert await place.console.snapshots.look() is not first


async def test_requests_are_counted_by_kind_and_status(place):
    world = place.world
    await world.nobody("GET", "/me")
    async with world.http.get(world.url + "/") as response:
        await response.read()
    reader = await world.join("rita")
    await reader("POST", "/flattrs", {"url": "https://a.example/x"})
    seen = await scrape(place)
    counted = seen["flattr_request_duration_seconds_count"]
    assert (counted[("api", "4xx")], counted[("page", "2xx")]) == (1, 1)
    assert ("click", "2xx") in counted or ("click", "4xx") in counted


def test_a_duration_falls_into_its_bucket_and_the_longest_into_the_last():
    latencies = Latencies()
    for seconds in (0.0, 0.001, 0.0011, 99.0):
        latencies.note("GET", "/api/v1/me", 200, seconds)
    [series] = latencies.series.values()
    assert series.counts[:2] == [2, 1]
    assert series.counts[-1] == 1
    assert len(series.counts) == len(BUCKETS_S) + 1


async def test_a_scraper_s_name_is_one_that_the_settings_know(world, tmp_path):
    world.folder = tmp_path
    async with open_place(world, metrics_hosts=frozenset({"node:8081"})) as place:
        assert await scrape(place, Host="node:8081")
        assert (await place.browser().get("/metrics", Host="evil.example")).status == 403
        assert (await place.browser().get("/", Host="node:8081")).status == 403


async def test_prometheus_may_ask_for_openmetrics(place):
    http = place.browser().http
    headers = {"Accept": "application/openmetrics-text; version=1.0.0"}
    async with http.get(place.console.url + "/metrics", headers=headers) as response:
        assert response.content_type == "application/openmetrics-text"
        assert (await response.text()).endswith("# EOF\n")


async def test_every_metric_is_said_by_a_node_that_has_everything(place):
    await play(place)
    operator, node = await place.by_link(), place.console.node
    await close_what_is_over(node, lambda _: None)
    await operator.send("/audit", "/audit")
    node.health.report("watch", "lnd is away")
    node.clock.advance(10)
    seen = set(await scrape(place))
    missing = {name for name in METRICS if not {name, f"{name}_count"} & seen}
    assert missing == {"flattr_chain_reachable"}  # this node has no second rail


def expressions() -> dict[str, str]:
    """Every PromQL expression of the alerts and the dashboard, by where it stands."""
    rules = yaml.safe_load(ALERTS.read_text())["groups"][0]["rules"]
    found = {rule["alert"]: rule["expr"] for rule in rules}
    for panel in json.loads(DASHBOARD.read_text())["panels"]:
        for target in panel["targets"]:
            found[f"{panel['title']} {target['refId']}"] = target["expr"]
    return found


@pytest.mark.parametrize("place_of", sorted(expressions()))
def test_alerts_and_dashboard_use_metrics_and_labels_that_exist(place_of):
    expression = expressions()[place_of]
    assert expression.count("(") == expression.count(")")
    assert expression.count("{") == expression.count("}")
    bare = re.sub(r'"[^"]*"|\[[^\]]*\]', "", expression)
    for name in re.findall(r"[a-zA-Z_][a-zA-Z0-9_]*", bare):
        known = re.sub(r"_(count|sum|bucket)$", "", name)
        fits = {name, known} & METRICS.keys() or name in WORDS | LABELS
        assert fits or name.startswith("process_"), name


def test_every_alert_says_what_to_do():
    rules = yaml.safe_load(ALERTS.read_text())["groups"][0]["rules"]
    assert len({rule["alert"] for rule in rules}) == len(rules) >= 10
    for rule in rules:
        assert rule["labels"]["severity"] in {"page", "ticket"}
        assert set(rule["annotations"]) == {"summary", "action"}
        assert set(rule) <= {"alert", "expr", "for", "labels", "annotations"}


def test_prometheus_reads_these_rules_and_scrapes_the_operators_port():
    settings = yaml.safe_load((DOCKER / "prometheus" / "prometheus.yml").read_text())
    assert settings["rule_files"] == [ALERTS.name]
    [job] = settings["scrape_configs"]
    compose = yaml.safe_load((DOCKER / "compose.yaml").read_text())["services"]
    hosts = json.loads(compose["node"]["environment"]["FLATTR_OPERATOR__METRICS_HOSTS"])
    assert job["static_configs"][0]["targets"] == hosts
    assert job["job_name"] == "flattr-node"
    assert all(port.startswith("127.0.0.1:") for port in compose["node"]["ports"])


def test_the_dashboard_is_whole():
    board = json.loads(DASHBOARD.read_text())
    panels = board["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    places = [tuple(panel["gridPos"][k] for k in "xywh") for panel in panels]
    cells = [(x + i, y + j) for x, y, w, h in places for i in range(w) for j in range(h)]
    assert len(set(cells)) == len(cells)
    assert max(x for x, _ in cells) < 24
    assert all(panel["targets"] and panel["title"] for panel in panels)
