"""Every page: whom it lets in, what it refuses, and what it never loads."""

from __future__ import annotations

from node.web.pages.headers import POLICY


async def test_the_welcome_page_says_what_happens(people) -> None:
    visitor = await people.visitor()
    shown = await visitor.get("/")
    assert shown.status == 200
    assert shown.headers["Content-Security-Policy"] == POLICY
    assert "split equally" in shown.text
    assert "SIMULATED" in shown.text
    assert shown.text.count("Sign in") == 1


async def test_the_language_is_the_browsers_until_one_is_chosen(people) -> None:
    visitor = await people.visitor()
    assert (
        '<html lang="de">' in (await visitor.get("/", **{"Accept-Language": "de-AT,en;q=0.5"})).html
    )
    assert '<html lang="en">' in (await visitor.get("/", **{"Accept-Language": "xx, *;q=0"})).html
    shown = await visitor.send("/", "/language", language="fr")
    assert shown.path == "/"
    assert '<html lang="fr">' in shown.html
