"""Every page: whom it lets in, what it refuses, and what it never loads."""

from __future__ import annotations

import gzip
import re
from types import SimpleNamespace

import pytest

from node.config import Settings
from node.web.pages.browser import Browser
from node.web.pages.headers import POLICY
from node.web.pages.table import ALL_PAGES

PLAIN = [
    page
    for page in ALL_PAGES
    if page.method == "GET" and "{" not in page.path and not page.path.endswith("/events")
]
FORMS = [page for page in ALL_PAGES if page.method == "POST" and page.token]
WEIGHT_MAX = 60_000
LOCAL = re.compile(r"/[^/]|/$")
JAVASCRIPT = re.compile(
    r"\son[a-z]+=|javascript:|<script(?![^>]*\ssrc=)|<style|\sstyle=", re.IGNORECASE
)


def _filled(path: str) -> str:
    return re.sub(r"\{[a-z]+\}", "1", path)


async def test_the_welcome_page_says_what_happens(people) -> None:
    shown = await (await people.visitor()).get("/")
    assert shown.status == 200
    assert "split equally" in shown.text
    assert "SIMULATED" in shown.text
    assert "Sign in" in shown.text


async def test_every_page_is_light_loads_nothing_foreign_and_says_so(people) -> None:
    alice = await people.member("alice")
    for page in PLAIN:
        shown = await alice.get(page.path)
        if "text/html" not in shown.headers["Content-Type"]:
            continue
        assert shown.status in {200, 400, 404}, shown.text
        assert shown.headers["Content-Security-Policy"] == POLICY
        assert shown.headers["X-Content-Type-Options"] == "nosniff"
        assert shown.headers["X-Frame-Options"] == "DENY"
        assert shown.headers["Flattr-Network"] == "simnet"
        assert not JAVASCRIPT.search(shown.html), page.path
        assert "SIMULATED" in shown.text, page.path
        assert await _weight(alice, shown) <= WEIGHT_MAX, page.path


async def _weight(person, shown) -> int:
    """Of a page and all that it loads, compressed; all of it is ours."""
    weight = len(gzip.compress(shown.html.encode()))
    for tag, name, url in shown.read.urls:
        assert tag == "a" or LOCAL.match(url), (shown.path, tag, name, url)
        if tag != "a" and name != "action":
            loaded = await person.get(url, **{"Accept-Encoding": "gzip"})
            assert loaded.status == 200, url
            kept = "immutable" if url.startswith("/static/") else "max-age=60"
            assert kept in loaded.headers["Cache-Control"], url
            weight += len(gzip.compress(loaded.html.encode()))
    return weight


async def test_who_is_not_signed_in_is_sent_to_sign_in_and_back(people) -> None:
    visitor = await people.visitor()
    for page in ALL_PAGES:
        if page.who == "anyone":
            continue
        token = {"token": _token(visitor)} if page.method == "POST" else None
        async with visitor.http.request(
            page.method, visitor.url + _filled(page.path), data=token, allow_redirects=False,
            headers={"Origin": visitor.url, "Accept": "text/html"},
        ) as response:  # fmt: skip
            if page.method == "POST" and not page.back:
                assert response.status == 401, page
            else:
                assert response.status == 303, page
                assert response.headers["Location"].startswith("/sign-in?next=%2F"), page


def _token(visitor) -> str:
    """The token of a form that this browser has got, signed in nowhere."""
    visitor.http.cookie_jar.update_cookies({"flattr-visitor": "v" * 43})
    request = SimpleNamespace(cookies={"flattr-visitor": "v" * 43})
    return Browser(request, Settings()).form_token()


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "", "Sec-Fetch-Site": ""},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
    ],
    ids=lambda headers: ",".join(f"{name}={value}" for name, value in headers.items()),
)
async def test_a_form_from_another_site_is_refused(people, headers) -> None:
    alice = await people.member("alice")
    token = (await alice.get("/month")).form("/month/pot")["token"]
    for page in FORMS:
        shown = await alice.post(_filled(page.path), {"token": token}, headers=headers)
        assert shown.status == 403, page
        assert "page" in shown.text


async def test_a_form_without_this_browsers_token_is_refused(people) -> None:
    alice, mallory = await people.member("alice"), await people.member("mallory")
    theirs = (await mallory.get("/month")).form("/month/pot")["token"]
    for page in FORMS:
        for fields in ({}, {"token": ""}, {"token": theirs}, {"token": "é"}):
            shown = await alice.post(_filled(page.path), fields)
            assert shown.status == 403, (page, fields)
            assert "reload the page" in shown.text


async def test_a_form_is_read_strictly(people) -> None:
    alice = await people.member("alice")
    form = (await alice.get("/month")).form("/month/means")
    refused = {
        "an unknown field": ({**form, "more": "1"}, {}, 400),
        "a field twice": ([*form.items(), ("amount", "2")], {}, 400),
        "what can't be seen": ({**form, "amount": "1\x00"}, {}, 400),
        "no form": ("{}", {"Content-Type": "application/json"}, 415),
        "no ASCII": (b"amount=\xff", {"Content-Type": "application/x-www-form-urlencoded"}, 400),
        "no UTF-8": (b"amount=%ff", {"Content-Type": "application/x-www-form-urlencoded"}, 400),
        "too much": ({**form, "amount": "1" * 70_000}, {}, 413),
    }
    for what, (fields, headers, status) in refused.items():
        shown = await alice.post("/month/means", fields, headers=headers)
        assert shown.status == status, (what, shown.text)
    balance = await alice.get("/month")
    assert balance.form("/month/means")["amount"] == "0"


async def test_a_path_with_a_line_break_is_told_as_any_other(people) -> None:
    ada = await people.member("ada")
    form = (await ada.get("/creator/claim")).form("/creator/claim")
    path = "/creator/claim/site/a%0D%0ASet-Cookie:%20b=c"
    answer = await ada.post(path, {"token": form["token"]}, allow_redirects=False)
    assert answer.status == 303
    assert answer.headers["Location"] == "/creator/claim/site/a%0D%0ASet-Cookie%3A%20b%3Dc"
    assert "b=c" not in str(answer.headers.getall("Set-Cookie", []))


async def test_a_page_changes_nothing_by_get(people) -> None:
    alice = await people.member("alice")
    for page in FORMS:
        shown = await alice.get(_filled(page.path))
        if shown.status == 405:
            assert shown.headers["Allow"] == "POST"
        else:  # the same path shows the form
            assert any(one.method == "GET" and one.path == page.path for one in ALL_PAGES) or (
                shown.status == 404
            )


async def test_errors_are_pages_for_people_and_problems_for_programs(people) -> None:
    visitor = await people.visitor()
    shown = await visitor.get("/nowhere")
    assert (shown.status, shown.headers.getall("Content-Type")) == (
        404, ["text/html; charset=utf-8"]
    )  # fmt: skip
    assert "Nothing has this name" in shown.text
    for path, accept in (("/nowhere", "application/json"), ("/api/v1/nowhere", "text/html")):
        shown = await visitor.get(path, Accept=accept)
        assert shown.status == 404
        assert shown.headers["Content-Type"] == "application/problem+json"


async def test_nothing_of_an_unknown_error_is_shown(people, monkeypatch) -> None:
    alice = await people.member("alice")

    async def fail(*_):
        raise RuntimeError("the secret is 42")

    monkeypatch.setattr("node.web.pages.reader.months.statement.closed_months", fail)
    shown = await alice.get("/months")
    assert shown.status == 500
    assert "the secret" not in shown.html
    assert "the operator finds it under" in shown.text


async def test_what_is_typed_is_shown_and_not_run(people) -> None:
    alice = await people.member("alice")
    evil = '"><script>alert(1)</script>'
    shown = await alice.send("/withdraw", "/withdraw", target=evil, amount=evil)
    assert shown.status == 400
    assert "<script>alert" not in shown.html
    assert shown.form("/withdraw")["target"] == evil


async def test_a_session_that_was_ended_is_over(people) -> None:
    alice = await people.member("alice")
    assert (await alice.get("/month")).path == "/month"
    await people.end_sessions(alice)
    assert (await alice.get("/month")).path.startswith("/sign-in")


async def test_a_message_is_shown_once_and_can_not_be_made_up(people) -> None:
    alice = await people.member("alice")
    shown = await alice.send("/month", "/month/means", amount="500")
    assert "filled up by itself" in shown.text
    assert "filled up by itself" not in (await alice.get("/month")).text
    alice.http.cookie_jar.update_cookies({"flattr-said": "WyJkb25lIiwiaGFja2VkIl0.AAAA"})
    assert "hacked" not in (await alice.get("/month")).text


async def test_the_language_is_the_browsers_until_one_is_chosen(people) -> None:
    visitor = await people.visitor()
    german = await visitor.get("/", **{"Accept-Language": "de-AT,en;q=0.5"})
    assert '<html lang="de">' in german.html
    assert '<html lang="en">' in (await visitor.get("/", **{"Accept-Language": "xx, *;q=0"})).html
    shown = await visitor.send("/", "/language", language="fr")
    assert shown.path == "/"
    assert '<html lang="fr">' in shown.html


@pytest.mark.parametrize("here", ["https://evil.example", "//evil.example", "/\\evil", "evil", ""])
async def test_nobody_is_sent_to_another_host(people, here) -> None:
    visitor = await people.visitor()
    shown = await visitor.post("/language", {"language": "de", "here": here})
    assert shown.path == "/"


async def test_a_file_is_kept_for_ever_under_its_digest_and_not_under_another(people) -> None:
    visitor = await people.visitor()
    path = re.search(r"/static/\w+/flattr.css", (await visitor.get("/")).html)[0]
    shown = await visitor.get(path)
    assert shown.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    again = await visitor.get(path, **{"If-None-Match": shown.headers["ETag"]})
    assert (again.status, again.html) == (304, "")
    old = await visitor.get("/static/000000000000/flattr.css")
    assert old.headers["Cache-Control"] == "no-cache"
    for name in ("nothing.css", "..%2fpages%2fpage.py", "page.py"):
        assert (await visitor.get(f"/static/000000000000/{name}")).status == 404


async def test_a_page_is_compressed_and_its_token_looks_new_each_time(people) -> None:
    alice = await people.member("alice")
    first, second = [await alice.get("/month") for _ in range(2)]
    assert first.headers["Content-Encoding"] in {"gzip", "deflate"}
    forms = [shown.form("/month/means") for shown in (first, second)]
    assert forms[0]["token"] != forms[1]["token"]
    for form in forms:
        assert (await alice.post("/month/means", {**form, "amount": "7"})).status == 200
