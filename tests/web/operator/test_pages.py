"""What the operator sees and does, with a browser that runs no script."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace

import pytest

from node.errors import Conflict
from node.flows.claim import grant
from node.flows.operator import access, acts, passkeys
from node.flows.rounds import round_on_all_rails
from node.flows.schedule import close_what_is_over
from node.ids import ThingId
from node.month import Month
from node.settlement.payout import PayoutState
from node.store import operator_log, payouts
from tests.conftest import MONTH
from tests.web.operator.conftest import folder_of, open_place, question

BAD = "<script>alert(1)</script>"


async def acts_of(node):
    async with node.store.read() as tx:
        rows = await operator_log.everything(tx)
    return [(row.act.actor, row.act.act, row.act.subject) for row in rows]


async def states_of(node):
    async with node.store.read() as tx:
        counts = await payouts.counts(tx, node.rules.asset)
    return {state: number for state, (number, _) in counts.items()}


async def play(place, until: Month = MONTH):
    """A pot of 5000 sat, a flattr for each of two creators who can be paid; the month is over."""
    world, node = place.world, place.console.node
    reader = await world.join("rita")
    await world.fund(reader, 5000)
    for name in ("cora", "carl"):
        creator = await world.join(name)
        await world.fund(creator, 2000)
        target = {"target": world.lnurl.address("creator")}
        assert (await creator("PUT", "/payout-target", target)).status == 200
        made = await creator("POST", "/things", {"url": f"https://{name}.example/a"})
        thing = made.body["id"]
        await grant(node.store, node.clock, creator.id, ThingId(thing))
        assert (await reader("POST", "/flattrs", {"thing": thing})).status == 200
    world.clock.set(until.ends_s + 60)


async def rounds(node, number: int = 6):
    for _ in range(number):
        await round_on_all_rails(node, lambda _: None)
        node.clock.advance(40)


async def test_a_node_in_order_shows_its_figures_first(operator):
    shown = await operator.get("/")
    assert shown.status == 200
    assert "Owed to members" in shown.text
    for part in ("database", "lnd", "clock", "public URL", "operator"):
        assert f"{part} " in shown.text


async def test_what_is_bad_comes_first_with_its_fix(place, operator):
    place.console.node.health.report("watch", f"lnd is away {BAD}")
    shown = await operator.get("/?again=1")
    assert "Set up" in shown.text
    assert BAD not in shown.html
    assert shown.text.index("lnd is away") < shown.text.index("Owed to members")
    assert "tried again by itself" in shown.text


async def test_pause_stops_every_send_until_resume(place):
    await play(place)
    operator = await place.by_link()
    node = place.console.node
    await close_what_is_over(node, lambda _: None)
    due = (await states_of(node))[PayoutState.DUE]
    assert due >= 2
    shown = await operator.send("/", "/pause", reason=f"LND looks odd {BAD}")
    assert "Sending is stopped" in shown.text
    assert BAD not in shown.html
    assert "LND looks odd" in shown.text
    await rounds(node)
    assert await states_of(node) == {PayoutState.DUE: due}
    assert (await node.lnd.balances()).in_htlcs_msat == 0
    resumed = await operator.send("/resume", "/resume")
    assert "sent again" in resumed.text
    await rounds(node)
    assert await states_of(node) == {PayoutState.PAID: due}
    paid = await operator.get("/payouts?state=paid")
    assert all(name in paid.text for name in ("cora", "carl", "paid"))
    done = [act for _, act, _ in await acts_of(node)]
    assert done[-2:] == ["stopped", "resumed"]
    assert BAD not in (await operator.get("/log")).html


async def test_to_resume_needs_the_passkey_now(place):
    operator, node = await place.by_passkey(), place.console.node
    await operator.send("/", "/pause")
    refused = await operator.send("/resume", "/resume")
    assert refused.path == "/resume"
    assert "passkey" in refused.text
    assert await acts.stopped(node.store)
    assert "sent again" in (await operator.confirm("/resume", "/resume")).text
    assert not await acts.stopped(node.store)
    assert (await acts_of(node))[-1] == ("Ada's key", "resumed", "sending")


async def test_what_was_confirmed_can_t_be_sent_twice_nor_for_something_else(place):
    operator, node = await place.by_passkey(), place.console.node
    member = (await place.world.join("mallory")).id
    await operator.send("/", "/pause")
    page = await operator.get("/resume")
    form = {**page.form("/resume"), "answer": operator.key.get(question(page))}
    await operator.post("/resume", form)
    await operator.send("/", "/pause")
    await operator.post("/resume", form)
    assert await acts.stopped(node.store)
    page = await operator.get("/resume")
    answer = operator.key.get(question(page))
    fields = {"token": form["token"], "answer": answer, "words": "wrong act"}
    refused = await operator.post(f"/members/{member}/suspend", fields)
    assert "not accepted" in refused.text
    assert "Suspended since" not in refused.text


async def test_after_a_breach_sending_waits_for_the_operator(place, operator):
    node = place.console.node
    async with node.store.write() as tx:
        # The log's head alone is no money: the audit finds it, and the fixture's check does not.
        await tx.run("INSERT INTO operator_log_head (id, number, hash) VALUES (1, 9, 'x')"
                     " ON CONFLICT (id) DO UPDATE SET number = 9")  # fmt: skip
    shown = await operator.send("/audit", "/audit")
    assert "breach" in shown.text
    assert "I16" in shown.text
    assert "Nothing is sent" in (await operator.get("/")).text
    async with node.store.write() as tx:
        number = await tx.value("SELECT max(number) FROM operator_log")
        assert number == 10  # what stopped it is in the log, too
        await tx.run("DROP TRIGGER operator_log_never_updated")
        await tx.run("DROP TRIGGER operator_log_never_deleted")
        await tx.run("DELETE FROM operator_log")
        await tx.run("DELETE FROM operator_log_head")


async def test_an_audit_is_kept_for_the_overview(operator):
    assert "none yet" in (await operator.get("/")).text
    shown = await operator.send("/audit", "/audit")
    assert "pass" in shown.text
    assert "none yet" not in (await operator.get("/")).text
    assert "pass" in (await operator.get("/audit")).text


async def test_a_member_is_found_suspended_and_let_go(place):
    operator, world = await place.by_passkey(), place.world
    members = {name: (await world.join(name)).id for name in ("mallory", "alice", "al_ice")}
    found = await operator.get("/members?name=ALL")
    assert ("mallory" in found.text, "alice" in found.text) == (True, False)
    assert "alice" not in (await operator.get("/members?name=_")).text.replace("al_ice", "")
    assert "No member" in (await operator.get("/members?name=%25")).text
    path = f"/members/{members['mallory']}"
    assert "say why" in (await operator.confirm(path, f"{path}/suspend", words=" ")).text.lower()
    assert "passkey" in (await operator.send(path, f"{path}/suspend", words="spam")).text
    assert "Suspended since" not in (await operator.get(path)).text
    shown = await operator.confirm(path, f"{path}/suspend", words=f"spam {BAD}")
    assert "Suspended since" in shown.text
    assert (await acts_of(place.console.node))[-1] == (
        "Ada's key", "suspended", "member mallory"
    )  # fmt: skip
    shown = await operator.confirm(path, f"{path}/lift")
    assert "Suspended since" not in shown.text
    assert (await operator.get("/members/99999")).status == 404
    assert BAD not in (await operator.get("/log")).html


async def test_a_month_waits_for_approval_where_the_settings_say_so(world, tmp_path):
    money = world.node.settings.money.model_copy(update={"close_needs_approval": True})
    settings = world.node.settings.model_copy(update={"money": money})
    world.folder = tmp_path
    world.node = replace(world.node, settings=settings)
    async with open_place(world) as place:
        await play(place)
        operator, node = await place.by_passkey(), place.console.node
        assert await close_what_is_over(node, lambda _: None) == []
        assert "waits for your approval" in (await operator.get("/months")).text
        page = await operator.get(f"/months/sat/{MONTH}")
        assert "2 250 sat" in page.text  # 5000 less a tenth, by two
        assert {"cora", "carl"} <= set(page.text.split())
        refused = await operator.send(f"/months/sat/{MONTH}", f"/months/{MONTH}/approve")
        assert "passkey" in refused.text
        assert await close_what_is_over(node, lambda _: None) == []
        done = await operator.confirm(f"/months/sat/{MONTH}", f"/months/{MONTH}/approve")
        assert "Approved" in done.text
        assert await close_what_is_over(node, lambda _: None) == [MONTH]
        assert "closed" in (await operator.get(f"/months/sat/{MONTH}")).text
        assert await close_what_is_over(node, lambda _: None) == []


async def test_a_month_that_is_not_over_can_t_be_approved(place):
    operator, node = await place.by_passkey(), place.console.node
    page = await operator.get("/resume")
    token = (await operator.get("/")).form("/pause")["token"]
    options = await _ask(place, operator, f"approve close {MONTH}")
    answer = operator.key.get(options)
    refused = await operator.post(f"/months/{MONTH}/approve", {"token": token, "answer": answer})
    assert "not over" in refused.text
    assert page.status == 200
    assert ("approved" in {act for _, act, _ in await acts_of(node)}) is False


async def test_a_dry_run_shows_the_difference_to_the_last_month(place):
    await play(place)
    operator = await place.by_link()
    node = place.console.node
    await close_what_is_over(node, lambda _: None)
    shown = await operator.get(f"/months/sat/{MONTH.plus(1)}")
    assert "Nothing of this is stored" in shown.text
    assert shown.text.count("cora") == 1
    assert "−2 250 sat" in shown.text  # cora had it the month before, and nobody has flattred since


async def test_held_earnings_and_payouts_say_why_they_wait(place):
    await play(place)
    operator = await place.by_link()
    node, world = place.console.node, place.world
    await close_what_is_over(node, lambda _: None)
    member = next(r for r in await _rows(node, "SELECT id FROM member WHERE name = 'cora'")).id
    await acts.set_suspended(node.store, world.clock, "Ada", member, suspended=True)
    await rounds(node)
    shown = await operator.get("/held")
    assert "the member is suspended" in shown.text
    with pytest.raises(Conflict):
        payout = (await _rows(node, "SELECT id FROM payout WHERE state = 'held'"))[0].id
        await acts.retry_payout(node.store, node.clock, "Ada", payout)


@pytest.mark.parametrize(
    "path",
    [
        "/payouts?state=gone", "/payouts?asset=doge", "/payouts?page=-1", "/members?page=x",
        "/months/sat/2026-13", "/months/doge/2026-11", "/months/usd/2026-11", "/log?before=x",
        "/members/0", "/access/passkeys/abc", "/months/sat/2020-01",
    ],
)  # fmt: skip
async def test_what_is_not_there_is_said_in_words(operator, path):
    shown = await operator.get(path)
    assert shown.status in {400, 404}
    assert "To the overview" in shown.text


async def test_events_follow_the_payouts(place):
    await play(place)
    operator = await place.by_link()
    node = place.console.node
    async with operator.http.get(place.console.url + "/events") as response:
        assert response.content_type == "text/event-stream"
        first = await _event(response)
        assert first["payouts-sat-due"] == "0"
        await close_what_is_over(node, lambda _: None)
        await rounds(node)
        async with asyncio.timeout(20):
            while (seen := await _event(response))["payouts-sat-paid"] == "0":
                pass
        assert seen[f"stage-sat-{MONTH}"] == "closed"


async def test_events_are_for_the_operator_alone(place):
    shown = await place.browser().get("/events")
    assert shown.path.startswith("/sign-in")


async def test_a_stream_of_events_does_not_hold_the_server_up(world, tmp_path):
    world.folder = tmp_path
    async with open_place(world) as place:
        operator = await place.by_link()
        response = await operator.http.get(place.console.url + "/events")
        await _event(response)
        loop = asyncio.get_running_loop()
        began_s = loop.time()
    response.close()
    assert loop.time() - began_s < 3
    assert folder_of(world) == tmp_path


async def _event(response):
    async with asyncio.timeout(20):
        while not (line := (await response.content.readline()).decode()).startswith("data:"):
            assert line, "the stream has ended"
    return json.loads(line.removeprefix("data:"))


async def _rows(node, sql):
    async with node.store.read() as tx:
        return await tx.rows(sql)


async def _ask(place, operator, act):
    node = place.console.node
    secret = next(one.value for one in operator.http.cookie_jar if one.key == "flattr-operator")
    session = await access.find_session(node.store, node.clock, secret)
    return await passkeys.ask_to_confirm(node.store, node.clock, place.console.site, session, act)
