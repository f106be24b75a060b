"""Who gets into the console, and who does not."""

from __future__ import annotations

import json

import pytest

from node.flows.operator import access
from node.flows.operator.passkeys import passkeys
from node.web.operator.server import first_link
from node.web.operator.table import ALL_PAGES
from node.web.pages.headers import POLICY
from tests.authenticator import Authenticator
from tests.web.operator.conftest import question

PATHS = ["/", "/months", "/payouts", "/held", "/members", "/log", "/access", "/audit", "/resume"]
SECRET = "s" * 43


async def test_no_page_of_the_console_is_on_the_public_listener(place, operator):
    public = place.browser()
    public.url, public.headers = (
        place.world.url,
        {"Cookie": f"flattr-operator={secret_of(operator)}"},
    )
    names = {"member": "1", "payout": "1", "passkey": "1", "month": "2026-11", "asset": "sat"}
    for page in ALL_PAGES:
        path = page.path.format_map({**names, "secret": SECRET, "digest": "1", "name": "no.css"})
        if page.method == "GET":
            shown = await public.get(path)
            assert shown.status in {200, 404}, path
        else:
            shown = await public.post(path, {})
            assert shown.status in {200, 303, 400, 401, 403, 404, 405}, path
        assert "Operator's console" not in shown.text.replace("\u2019", "'"), path
    assert (await public.get("/metrics")).status == 404
    assert "Operator's console" in (await operator.get("/log")).text


async def test_no_public_url_is_on_the_console(place):
    browser = place.browser()
    for path in ("/api/v1/me", "/openapi.json", "/readyz", "/click", "/month", "/fund"):
        assert (await browser.get(path)).status == 404


async def test_a_link_signs_in_once(place):
    link = await first_link(place.console.node, place.console)
    assert link.startswith(place.console.url + "/link/")
    path = link.removeprefix(place.console.url)
    first, second = place.browser(), place.browser()
    assert "signs this browser in" in (await first.get(path)).text
    assert "signs this browser in" in (await second.get(path)).text  # looking uses nothing up
    assert (await first.send(path, "/link")).path == "/access"
    refused = await second.send(path, "/link")
    assert refused.path == "/sign-in"
    assert "used already" in refused.text
    assert (await second.get("/log")).path.startswith("/sign-in")


async def test_a_link_that_was_guessed_opens_nothing(place):
    browser = place.browser()
    refused = await browser.send(f"/link/{SECRET}", "/link")
    assert (refused.path, "operator-link" in refused.text) == ("/sign-in", True)


async def test_there_is_a_first_link_until_there_is_a_passkey(place):
    node, operator = place.console.node, await place.by_link()
    assert await first_link(node, place.console) is not None
    assert "The passkey is added" in (await operator.add_passkey()).text
    assert await first_link(node, place.console) is None


@pytest.mark.parametrize("path", PATHS)
async def test_nobody_sees_a_page_without_signing_in(place, path):
    shown = await place.browser().get(path)
    assert (shown.status, shown.path.partition("?")[0]) == (200, "/sign-in")
    assert shown.headers["Content-Security-Policy"] == POLICY


async def test_nobody_does_anything_without_signing_in(place):
    browser = place.browser()
    token = (await browser.get(f"/link/{SECRET}")).form("/link")["token"]
    for page in ALL_PAGES:
        if page.method == "POST" and page.who == "operator":
            path = page.path.format_map({"member": 1, "payout": "x", "passkey": "x",
                                         "month": "2026-10"})  # fmt: skip
            shown = await browser.post(path, {"token": token})
            assert shown.status == 401, path


async def test_a_passkey_is_added_only_if_one_that_is_known_agrees(place):
    """Though the sign-in was a moment ago: the browser may have been left open since."""
    operator, new = await place.by_passkey(), Authenticator(place.console.url)
    await operator.sign_in()
    refused = await operator.add_passkey("Eve's key", new, answer="")
    assert "needs your passkey now" in refused.text
    for wrong in (await operator.get("/sign-in"), await operator.get("/access")):
        by = operator.key if wrong.path == "/sign-in" else new
        refused = await operator.add_passkey("Eve's key", new, answer=by.get(question(wrong)))
        assert "not accepted" in refused.text
    assert len(await passkeys(place.console.node.store)) == 1
    assert "The passkey is added" in (await operator.add_passkey("Bob's key", new)).text
    assert len(await passkeys(place.console.node.store)) == 2


async def test_the_passkey_signs_in_and_goes_on_to_the_page(place):
    operator = await place.by_link()
    await operator.add_passkey()
    await operator.send("/access", "/sign-out")
    shown = await operator.confirm("/sign-in?next=/log", "/sign-in")
    assert shown.path == "/log"
    assert "Ada's key" in shown.text


@pytest.mark.parametrize("onward", ["//evil.example", "https://evil.example", "/\\evil.example"])
async def test_a_sign_in_leads_to_no_other_host(place, onward):
    operator = await place.by_link()
    await operator.add_passkey()
    await operator.send("/access", "/sign-out")
    shown = await operator.confirm("/sign-in", "/sign-in", next=onward)
    assert shown.path == "/"


async def test_an_answer_is_taken_once(place):
    operator = await place.by_passkey()
    other = place.browser()
    page = await other.get("/sign-in")
    answer = operator.key.get(question(page))
    form = {**page.form("/sign-in"), "answer": answer}
    assert (await other.post("/sign-in", form)).path == "/"
    third = place.browser()
    third_form = {**(await third.get("/sign-in")).form("/sign-in"), "answer": answer}
    refused = await third.post("/sign-in", third_form)
    assert (refused.path, "not accepted" in refused.text) == ("/sign-in", True)
    assert (await third.get("/log")).path.startswith("/sign-in")


async def test_an_answer_for_another_origin_is_refused(place):
    operator = await place.by_passkey()
    other = place.browser()
    page = await other.get("/sign-in")
    operator.key.origin = "http://localhost:9"
    form = {**page.form("/sign-in"), "answer": operator.key.get(question(page))}
    assert "not accepted" in (await other.post("/sign-in", form)).text
    asked = json.dumps(json.loads(question(await other.get("/sign-in"))) | {"rpId": "evil.example"})
    operator.key.origin = place.console.url
    form["answer"] = operator.key.get(asked)
    assert "not accepted" in (await other.post("/sign-in", form)).text


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": "", "Sec-Fetch-Site": ""},
    ],
)
async def test_another_site_s_form_is_refused(operator, headers):
    form = (await operator.get("/")).form("/pause")
    refused = await operator.post("/pause", form, headers=headers)
    assert refused.status == 403
    assert "Nothing is sent." not in (await operator.get("/")).text


async def test_the_public_server_s_origin_is_another_site(place, operator):
    form = (await operator.get("/")).form("/pause")
    refused = await operator.post("/pause", form, headers={"Origin": place.world.url})
    assert refused.status == 403


async def test_a_form_without_this_browser_s_token_is_refused(place, operator):
    other = await place.by_link()
    theirs = (await other.get("/")).form("/pause")
    assert (await operator.post("/pause", theirs)).status == 403
    assert (await operator.post("/pause", {})).status == 403


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8081", "localhost.evil.example"])
async def test_a_foreign_host_name_is_refused(operator, host):
    for path in ("/", "/metrics", "/sign-in"):
        assert (await operator.get(path, Host=host)).status == 403


async def test_who_comes_by_number_is_led_to_the_name(place):
    browser = place.browser()
    browser.url = browser.url.replace("localhost", "127.0.0.1")
    shown = await browser.get("/sign-in")
    assert shown.status == 200
    asked = await browser._ask("GET", "/log?before=3", {}, allow_redirects=False)
    assert asked.headers["Location"] == place.console.url + "/log?before=3"


async def test_a_session_that_is_ended_is_of_no_use_at_once(place, operator):
    other, node = await place.by_link(), place.console.node
    assert (await other.get("/log")).path == "/log"
    mine = access.digest(secret_of(operator))
    [theirs] = [s for s in await access.sessions(node.store, node.clock) if s.hash != mine]
    token = (await operator.get("/access")).form("/sign-out")["token"]
    ended = await operator.post("/access/sessions", {"token": token, "session": theirs.id})
    assert "The session is ended" in ended.text
    assert (await other.get("/log")).path.startswith("/sign-in")
    assert (await operator.get("/log")).path == "/log"


async def test_the_secret_is_in_no_page_and_its_cookie_in_no_script(operator):
    secret = secret_of(operator)
    for path in PATHS:
        assert secret not in (await operator.get(path)).html
    [cookie] = [c for c in operator.http.cookie_jar if c.key == "flattr-operator"]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"


async def test_no_page_loads_anything_from_elsewhere_or_has_a_script_in_it(operator):
    for path in PATHS:
        shown = await operator.get(path)
        assert shown.status == 200, shown.text
        assert not [url for _, _, url in shown.read.urls if "//" in url]
        assert " style=" not in shown.html
        assert " on" not in {name[:3] for form in shown.read.forms for name in form}


def secret_of(operator):
    return next(one.value for one in operator.http.cookie_jar if one.key == "flattr-operator")
