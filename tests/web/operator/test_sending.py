"""Sending: stopped at once, resumed by a passkey, and followed while it goes on."""

from __future__ import annotations

import asyncio
import json

from node.flows.operator import access, acts
from node.flows.schedule import close_what_is_over
from node.settlement.payout import PayoutState
from tests.conftest import MONTH
from tests.web.operator.conftest import folder_of, open_place, question
from tests.web.operator.story import acts_of, play, rounds, states_of

BAD = "<script>alert(1)</script>"


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
    assert "Nothing is sent." in (await operator.get("/")).text
    async with node.store.write() as tx:
        number = await tx.value("SELECT max(number) FROM operator_log")
        assert number == 10  # what stopped it is in the log, too
        await tx.run("DROP TRIGGER operator_log_never_updated")
        await tx.run("DROP TRIGGER operator_log_never_deleted")
        await tx.run("DELETE FROM operator_log")
        await tx.run("DELETE FROM operator_log_head")


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


async def test_a_stream_ends_with_the_session_and_keeps_none_open(place):
    operator, node = await place.by_link(), place.console.node
    async with operator.http.get(place.console.url + "/events") as response:
        await _event(response)
        node.clock.advance(access.IDLE_S - 1)
        await acts.pause(node.store, node.clock, "Ada")
        await _event(response)  # the stream has looked again, and that was no use of the session
        node.clock.advance(1)
        async with asyncio.timeout(20):
            assert await response.content.read() is not None
    assert (await operator.get("/log")).path.startswith("/sign-in")
