"""Errors as pages: in the same words as the problems of the API, and with what to do next."""

from __future__ import annotations

from http import HTTPStatus

from aiohttp import web

from node.web import problems
from node.web.keys import Desk
from node.web.pages.browser import Browser
from node.web.pages.language import Language
from node.web.pages.templates import frame_of, html
from node.web.problems import Told


async def show(
    desk: Desk, request: web.Request, browser: Browser, error: Exception
) -> web.Response:
    """The page of an error."""
    told = problems.tell(error)
    spoken = desk.templates.language_of(request, browser)
    frame = frame_of(request, browser, spoken, await desk.lightning.is_simulated())
    values = {"status": told.problem.status, "title": _title(told, spoken), **_words(told)}
    text = desk.templates.fill("error.html", spoken, frame, values)
    response = html(text, told.problem.status)
    if told.retry_after_s is not None:
        response.headers["Retry-After"] = str(told.retry_after_s)
    return response


def wants_page(request: web.Request) -> bool:
    """Whether who asks is a person with a browser, at no URL of the API."""
    accepts = request.headers.get("Accept", "")
    return "text/html" in accepts and not request.path.startswith("/api/")


def sentence(error: Exception | str) -> str:
    """An error, or other words that begin small, as a sentence of a page."""
    text = str(error)
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?", "…")) else ".")


def _title(told: Told, spoken: Language) -> str:
    """A problem's title, but where that speaks of tokens to people who have none."""
    if told.problem.slug == "unauthorized":
        return spoken.gettext("Sign in first")
    if told.problem.slug == "forbidden":
        return spoken.gettext("This is not allowed")
    return spoken.gettext(told.problem.title)


def _words(told: Told) -> dict[str, object]:
    detail = told.detail[:1].upper() + told.detail[1:]
    unknown = told.problem.status == HTTPStatus.NOT_FOUND
    return {"detail": detail, "sign_in": told.problem.slug == "unauthorized", "unknown": unknown}
