"""Attacks by forged requests: another site's forms, in a browser in which alice is signed in."""

from __future__ import annotations

import re

from node.web.pages.table import ALL_PAGES
from tests.web.attacks.attack import Attack, Doing
from tests.web.attacks.scene import Scene

FORMS = [page for page in ALL_PAGES if page.method == "POST" and page.token]
ONCE = "a" * 20
FIELDS = {
    "/click": {"url": "https://b.example/", "do": "flattr"},
    "/month/flattr": {"url": "https://c.example/", "once": ONCE},
    "/month/pot": {"amount": "5", "once": ONCE},
    "/month/means": {"amount": "5"},
    "/month/undo": {"thing": "<other>", "once": ONCE},
    "/month/subscribe": {"thing": "<thing>", "months": "12"},
    "/month/unsubscribe": {"thing": "<other>"},
    "/fund": {"amount": "5000", "to": "pot", "once": ONCE},
    "/withdraw": {"target": "<target>", "amount": "50", "once": ONCE},
    "/creator/target": {"target": "mallory@evil.example"},
    "/creator/claim": {"url": "https://d.example/", "what": "thing"},
    "/settings": {"shows_flattrs": "1"},
    "/settings/tokens": {"label": "x", "days": "9", "read": "1", "money": "1"},
    "/settings/sites": {"origin": "https://blog.example"},
    "/settings/close": {"name": "alice"},
}
"""What makes the form worth sending; the others need no field, or are refused for other reasons."""
NAMES = {"identity": "wallet", "token": "alices_token"}
"""Parameters of paths whose ids have other names in the scene."""


def path_of(page, scene: Scene) -> str:
    """The page's path, with what is alice's."""
    return re.sub(
        r"\{(\w+)\}", lambda found: str(scene.ids.get(NAMES.get(found[1], found[1]), 1)), page.path
    )


def fields_of(page, scene: Scene) -> dict[str, str]:
    """What its form would send."""
    given = FIELDS.get(page.path, {})
    return {
        name: str(scene.ids[value[1:-1]]) if value.startswith("<") else value
        for name, value in given.items()
    }


def from_elsewhere(**headers: str) -> Doing:
    """Every form, with alice's cookies and even her token, from a page that is not ours."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}

    async def does(scene: Scene):
        token = {"token": await scene.token_of(scene.alice)}
        return [
            await scene.alice.post(
                path_of(page, scene), fields_of(page, scene) | token, headers=named
            )
            for page in FORMS
        ]

    return does


def with_token(token_of) -> Doing:
    """Every form, as if from our own pages, with this token."""

    async def does(scene: Scene):
        token = await token_of(scene)
        await scene.from_here()
        more = {} if token is None else {"token": token}
        return [
            await scene.alice.post(path_of(page, scene), fields_of(page, scene) | more)
            for page in FORMS
        ]

    return does


def text(value: str | None):
    async def token(_: Scene) -> str | None:
        return value

    return token


async def _mallorys(scene: Scene) -> str:
    return await scene.token_of(scene.mallory)


async def _nobodys(scene: Scene) -> str:
    return await scene.token_of(scene.nobody)


async def _cut(scene: Scene) -> str:
    return (await scene.token_of(scene.alice))[:-2]


async def _turned(scene: Scene) -> str:
    return (await scene.token_of(scene.alice))[::-1]


async def _of_an_ended_session(scene: Scene) -> str:
    token = await scene.token_of(scene.alice)
    await scene.alice.send("/sign-out", "/sign-out")
    await scene.people.sign_in(scene.alice)
    return token


async def by_cookie_on_the_api(scene: Scene):
    """The API takes no cookie: a foreign page has nothing to send."""
    told = (("POST", "/flattrs", {"thing": scene.ids["thing"]}), ("DELETE", "/me", None))
    return [
        await scene.alice._ask(
            method, f"/api/v1{path}", {"Origin": "https://evil.example"}, json=body
        )
        for method, path, body in told
    ]


async def asks_leave_to_call(scene: Scene):
    """The preflight of a foreign script, for the API and for the pages."""
    headers = {
        "Origin": "https://evil.example", "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type",
    }  # fmt: skip
    found = [
        await scene.alice._ask("OPTIONS", path, headers)
        for path in ("/api/v1/flattrs", "/api/v1/withdrawals", "/click", "/withdraw")
    ]
    for shown in found:
        assert not [name for name in shown.headers if name.startswith("Access-Control-Allow")]
    return found


async def chooses_the_language(scene: Scene):
    """The one form without a token: another site still can't send it."""
    return [
        await scene.alice.post("/language", {"language": "fr"}, headers={"Origin": origin})
        for origin in ("https://evil.example", "null")
    ]


ATTACKS = (
    Attack("sends every form from another site",
           from_elsewhere(Origin="https://evil.example"), 403),
    Attack("sends every form from a page without an origin", from_elsewhere(Origin="null"), 403),
    Attack("sends every form from another port of this host",
           from_elsewhere(Origin="http://127.0.0.1:1"), 403),
    Attack("sends every form from the same host without encryption turned",
           from_elsewhere(Origin="https://127.0.0.1:8080"), 403),
    Attack("sends every form from a host that begins like this one",
           from_elsewhere(Origin="http://127.0.0.1:8080.evil.example"), 403),
    Attack("sends every form from a host that ends like this one",
           from_elsewhere(Origin="http://evil127.0.0.1:8080"), 403),
    Attack("sends every form cross-site, with an Origin of ours",
           from_elsewhere(Sec_Fetch_Site="cross-site"), 403),
    Attack("sends every form from a sibling domain", from_elsewhere(Sec_Fetch_Site="same-site"),
           403),
    Attack("sends every form from nowhere", from_elsewhere(Sec_Fetch_Site="none"), 403),
    Attack("sends every form without saying whence", from_elsewhere(Origin="", Sec_Fetch_Site=""),
           403),
    Attack("sends every form without a token", with_token(text(None)), 403),
    Attack("sends every form with an empty token", with_token(text("")), 403),
    Attack("sends every form with a token of zeros", with_token(text("A" * 43)), 403),
    Attack("sends every form with a token that is no text", with_token(text("é\u202e")), 403),
    Attack("sends every form with the token of another session", with_token(_mallorys), 403),
    Attack("sends every form with the token of who is signed in nowhere", with_token(_nobodys),
           403),
    Attack("sends every form with a token that is cut", with_token(_cut), 403),
    Attack("sends every form with a token that is turned", with_token(_turned), 403),
    Attack("sends every form with the token of a session that has ended",
           with_token(_of_an_ended_session), 403),
    Attack("calls the API with the cookies of a browser", by_cookie_on_the_api, 401),
    Attack("asks leave to call from a script of another site", asks_leave_to_call, (404, 405)),
    Attack("changes the language from another site", chooses_the_language, 403),
)  # fmt: skip
