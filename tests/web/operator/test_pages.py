"""What the operator sees and does, with a browser that runs no script."""

from __future__ import annotations

from dataclasses import replace

import pytest

from node.errors import Conflict
from node.flows.operator import access, acts, passkeys
from node.flows.schedule import close_what_is_over
from tests.conftest import MONTH
from tests.web.operator.conftest import open_place
from tests.web.operator.story import acts_of, play, rounds

BAD = "<script>alert(1)</script>"


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


async def test_a_path_with_a_line_break_is_told_as_any_other(operator):
    form = (await operator.get("/access")).form("/sign-out")
    answer = await operator.post(
        "/members/a%0D%0ASet-Cookie:%20b=c/suspend", {"token": form["token"], "words": "x"},
        allow_redirects=False,
    )  # fmt: skip
    assert answer.status == 303
    assert answer.headers["Location"] == "/members/a%0D%0ASet-Cookie%3A%20b%3Dc"


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


async def _rows(node, sql):
    async with node.store.read() as tx:
        return await tx.rows(sql)


async def _ask(place, operator, act):
    node = place.console.node
    secret = next(one.value for one in operator.http.cookie_jar if one.key == "flattr-operator")
    session = await access.find_session(node.store, node.clock, secret)
    return await passkeys.ask_to_confirm(node.store, node.clock, place.console.site, session, act)
