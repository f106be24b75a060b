"""Attacks by what must only look: GET, HEAD, other methods; and by frames and windows."""

from __future__ import annotations

from urllib.parse import quote, urlencode

from node.web.pages.table import ALL_PAGES
from node.web.routes import all_routes
from tests.web.attacks.attack import Attack, Doing
from tests.web.attacks.forged import FORMS, fields_of, path_of
from tests.web.attacks.scene import Scene

WINDOW = f"/click?url={quote('https://new.example/post', safe='')}&title=A%20post"
FROM_A_SITE = {
    "Referer": "https://new.example/", "Sec-Fetch-Site": "cross-site",
    "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document", "Sec-Fetch-User": "?1",
}  # fmt: skip
ANY = (200, 204, 303, 400, 401, 403, 404, 405, 409, 415, 422, 429)
HARMLESS = (200, 400, 404, 405, 409)
PLAIN = [page for page in ALL_PAGES if page.method == "GET" and not page.path.endswith("/events")]
CHANGING = [
    route for group in all_routes().values() for route in group if route.method != "GET"
]  # fmt: skip


def looks(path: str, method: str = "GET", **headers: str) -> Doing:
    """One look by alice."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}

    async def does(scene: Scene):
        return [await scene.alice._ask(method, path, {"Accept": "text/html", **named})]

    return does


def every_form(method: str, **headers: str) -> Doing:
    """The address of every form, asked otherwise than by POST, with all that it would take."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}

    async def does(scene: Scene):
        token, found = await scene.token_of(scene.alice), []
        for page in FORMS:
            given = urlencode(fields_of(page, scene) | {"token": token})
            path = f"{path_of(page, scene)}?{given}"
            sent = {"Origin": scene.alice.url, "Accept": "text/html", **named}
            found.append(await scene.alice._ask(method, path, sent))
        return found

    return does


def every_call(method: str, **headers: str) -> Doing:
    """Every URL of the API that changes something, asked by another method."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}

    async def does(scene: Scene):
        found = []
        for route in CHANGING:
            path = path_of(route, scene)
            shown = await scene.call("alice", method, path, None, **named)
            found.append(shown)
        return found

    return does


async def _pages(scene: Scene):
    """(page, as alice sees it), for each page that is one; each is asked for once."""
    if scene.pages:
        for one in scene.pages:
            yield one
        return
    for page in PLAIN:
        path = WINDOW if page.path == "/click" else path_of(page, scene)
        shown = await scene.alice.get(path)
        if "text/html" in shown.headers.get("Content-Type", ""):
            scene.pages.append((page, shown))
            yield page, shown


def every_page(*demands) -> Doing:
    """Every page, with what it must say to the browser."""

    async def does(scene: Scene):
        found = []
        async for page, shown in _pages(scene):
            for demand in demands:
                assert demand(page, shown), (page.path, dict(shown.headers))
            found.append(shown)
        return found

    return does


def _says(name: str, part: str):
    return lambda _, shown: part in shown.headers.get(name, "")


def _lacks(name: str):
    return lambda _, shown: name not in shown.headers


def _alone(page, shown) -> bool:
    """Only the window that a button opens keeps whoever has opened it."""
    is_window = page.path == "/click"
    ours = "unsafe-none" if is_window else "same-origin"
    return shown.headers["Cross-Origin-Opener-Policy"] == ours


ATTACKS = (
    Attack("flattrs by a link to the window", looks(WINDOW, **{
        name.replace("-", "_"): value for name, value in FROM_A_SITE.items()}), 200),
    Attack("flattrs by having the window fetched ahead", looks(WINDOW, Sec_Purpose="prefetch"),
           200),
    Attack("flattrs by a picture that is the window",
           looks(WINDOW, Sec_Fetch_Dest="image", Sec_Fetch_Site="cross-site"), 200),
    Attack("flattrs by HEAD", looks(WINDOW, "HEAD"), 200),
    Attack("flattrs by a link that says so", looks(WINDOW + "&do=flattr&at_once=1&always=1"),
           (200, 400)),
    Attack("flattrs by an old auto-submit link",
           looks("/submit/auto?url=https%3A%2F%2Fnew.example%2F&user_id=mallory"), 200),
    Attack("signs somebody out by a link", looks("/sign-out"), 200),
    Attack("sends every form by GET", every_form("GET"), ANY),
    Attack("sends every form by HEAD", every_form("HEAD"), ANY),
    Attack("sends every form by PUT", every_form("PUT"), 405),
    Attack("sends every form by PATCH", every_form("PATCH"), 405),
    Attack("sends every form by DELETE", every_form("DELETE"), 405),
    Attack("sends every form by a method of his own", every_form("FLATTR"), (400, 405)),
    Attack("overrides the method of a GET by a header",
           every_form("GET", X_HTTP_Method_Override="POST", X_Method_Override="POST"), ANY),
    Attack("changes something over the API by GET", every_call("GET"), HARMLESS),
    Attack("changes something over the API by HEAD", every_call("HEAD"), HARMLESS),
    Attack("overrides the method of an API call by a header",
           every_call("GET", X_HTTP_Method_Override="DELETE"), HARMLESS),
    Attack("changes something over the API by OPTIONS", every_call("OPTIONS"), 405),
    Attack("frames a page", every_page(
        _says("X-Frame-Options", "DENY"),
        _says("Content-Security-Policy", "frame-ancestors 'none'")), ANY),
    Attack("keeps a hand on a page that he has opened", every_page(_alone), ANY),
    Attack("loads a page as a script or picture of his own", every_page(
        _says("Cross-Origin-Resource-Policy", "same-origin"),
        _says("X-Content-Type-Options", "nosniff")), ANY),
    Attack("reads a page by a script of another site",
           every_page(_lacks("Access-Control-Allow-Origin")), ANY),
    Attack("finds what alice saw in a cache", every_page(
        lambda page, shown: page.who == "anyone" or "no-store" in shown.headers["Cache-Control"]),
           ANY),
    Attack("has a script of his own run by a page", every_page(
        _says("Content-Security-Policy", "default-src 'none'"),
        _says("Content-Security-Policy", "script-src 'self'"),
        lambda _, shown: "unsafe-inline" not in shown.headers["Content-Security-Policy"]), ANY),
    Attack("has a form sent to another host", every_page(
        _says("Content-Security-Policy", "form-action 'self'"),
        _says("Content-Security-Policy", "base-uri 'none'")), ANY),
    Attack("reads where alice was from the Referer",
           every_page(_says("Referrer-Policy", "same-origin")), ANY),
)  # fmt: skip
