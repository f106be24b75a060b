"""Attacks on the console: from the public listener, by other hosts, by links."""

from __future__ import annotations

import re

from node.flows.operator import access
from node.web.operator.table import ALL_PAGES
from tests.web.attacks.attack import Attack, Doing
from tests.web.attacks.scene import Scene
from tests.web.operator.conftest import Operator

FORMS = [page for page in ALL_PAGES if page.method == "POST" and page.token]
SIGN_IN = "/sign-in"
PLACES = [
    page for page in ALL_PAGES
    if page.method == "GET" and page.who == "operator" and not page.path.endswith("events")
]  # fmt: skip


def secret_of(operator: Operator) -> str:
    return next(one.value for one in operator.http.cookie_jar if one.key == "flattr-operator")


def _path(page, scene: Scene) -> str:
    names = {"member": scene.alice.member, "payout": scene.ids["payout"], "asset": "sat",
             "month": "2026-10", "passkey": scene.ids["passkey"]}  # fmt: skip
    return re.sub(r"\{(\w+)\}", lambda found: str(names.get(found[1], 1)), page.path)


def forged(token=None, **headers: str) -> Doing:
    """Every form of the console, in the operator's browser."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}

    async def does(scene: Scene):
        operator = scene.operator
        mine = (await operator.get("/access")).form("/sign-out")["token"]
        sent = {"token": mine} if token is None else await token(scene)
        return [await operator.post(_path(page, scene), sent, headers=named) for page in FORMS]

    return does


async def _no_token(_: Scene) -> dict[str, str]:
    return {}


async def _members_token(scene: Scene) -> dict[str, str]:
    return {"token": await scene.token_of(scene.alice)}


async def from_the_public_listener(scene: Scene):
    """Every form of the console, from a page of the public one, which another port serves."""
    return await forged(Origin=scene.world.url)(scene)


async def on_the_public_listener(scene: Scene):
    """Every page of the console, asked for at the public address with the operator's cookie."""
    eve = await scene.people.visitor()
    eve.headers = {"Cookie": f"flattr-operator={secret_of(scene.operator)}"}
    found = []
    for page in PLACES:
        shown = await eve.get(_path(page, scene))
        assert "console" not in shown.text.lower(), page.path
        found.append(shown)
    found.append(await eve.get("/metrics"))
    assert found[-1].status == 404
    return found


async def acts_on_the_public_listener(scene: Scene):
    """Every form of the console, sent to the public address."""
    token = {"token": await scene.token_of(scene.nobody)}
    paths = [_path(page, scene) for page in FORMS if page.path not in {"/sign-in", "/sign-out"}]
    return [await scene.nobody.post(path, token) for path in paths]


async def as_a_member(scene: Scene):
    """Alice's session as the operator's."""
    secret = next(one.value for one in scene.alice.http.cookie_jar if one.key == "flattr")
    return await _with_cookie(scene, secret)


async def _with_cookie(scene: Scene, secret: str):
    eve = scene.place.browser()
    eve.headers = {"Cookie": f"flattr-operator={secret}"}
    return [await eve.get(_path(page, scene)) for page in PLACES]


async def as_the_operator_among_members(scene: Scene):
    """The operator's session as a member's."""
    eve = await scene.people.visitor()
    eve.http.cookie_jar.update_cookies({"flattr": secret_of(scene.operator)})
    return [await eve.get(path) for path in ("/month", "/withdraw", "/settings")]


async def members_pages_at_the_console(scene: Scene):
    eve = scene.place.browser()
    paths = ("/api/v1/me", "/openapi.json", "/click", "/month", "/fund", "/withdraw")
    return [await eve.get(path) for path in paths]


def over(end) -> Doing:
    """A copy of the operator's cookie, after the session has ended in this way."""

    async def does(scene: Scene):
        operator = await scene.place.by_link()
        secret = secret_of(operator)
        await end(scene, operator)
        await scene.from_here()
        return await _with_cookie(scene, secret)

    return does


async def _signs_out(_: Scene, operator: Operator) -> None:
    await operator.send("/access", "/sign-out")


async def _is_idle(scene: Scene, _: Operator) -> None:
    scene.world.clock.advance(access.IDLE_S)


async def _is_old(scene: Scene, operator: Operator) -> None:
    for _step in range(access.SESSION_S // (access.IDLE_S - 60) + 1):
        scene.world.clock.advance(access.IDLE_S - 60)
        await operator.get("/log")


async def link_twice(scene: Scene):
    secret = await access.make_link(scene.node.store, scene.node.clock)
    await scene.place.browser().send(f"/link/{secret}", "/link")
    await scene.from_here()
    return [await scene.place.browser().send(f"/link/{secret}", "/link")]


async def link_late(scene: Scene):
    secret = await access.make_link(scene.node.store, scene.node.clock)
    scene.world.clock.advance(access.LINK_S)
    await scene.from_here()
    return [await scene.place.browser().send(f"/link/{secret}", "/link")]


async def link_of_before(scene: Scene):
    old = await access.make_link(scene.node.store, scene.node.clock)
    await access.make_link(scene.node.store, scene.node.clock)
    await scene.from_here()
    return [await scene.place.browser().send(f"/link/{old}", "/link")]


async def link_made_up(scene: Scene):
    return [await scene.place.browser().send(f"/link/{'s' * 43}", "/link")]


def named(host: str) -> Doing:
    """Another name that leads here, as DNS rebinding makes one."""

    async def does(scene: Scene):
        return [
            await scene.operator.get(path, Host=host)
            for path in ("/", "/metrics", "/log", "/sign-in")
        ]

    return does


ATTACKS = (
    Attack("opens the console at the public address", on_the_public_listener, (200, 404)),
    Attack("acts as the operator at the public address", acts_on_the_public_listener,
           (403, 404, 405)),
    Attack("takes a member's session for the operator's", as_a_member, 200, SIGN_IN),
    Attack("takes the operator's session for a member's", as_the_operator_among_members, 200,
           "/sign-in?"),
    Attack("asks the console for members' pages", members_pages_at_the_console, 404),
    Attack("reaches the console by a name of his own", named("evil.example"), 403),
    Attack("reaches the console by a name like this machine's", named("localhost.evil.example"),
           403),
    Attack("sends the console's forms from another site", forged(Origin="https://evil.example"),
           403),
    Attack("sends the console's forms from a page without an origin", forged(Origin="null"), 403),
    Attack("sends the console's forms from the public listener", from_the_public_listener, 403),
    Attack("sends the console's forms from a sibling domain", forged(Sec_Fetch_Site="same-site"),
           403),
    Attack("sends the console's forms without saying whence", forged(Origin="", Sec_Fetch_Site=""),
           403),
    Attack("sends the console's forms without a token", forged(_no_token), 403),
    Attack("sends the console's forms with a member's token", forged(_members_token), 403),
    Attack("goes on after the operator has signed out", over(_signs_out), 200, SIGN_IN),
    Attack("goes on after the operator was away for an hour", over(_is_idle), 200, SIGN_IN),
    Attack("keeps the operator's session alive for a day", over(_is_old), 200, SIGN_IN),
    Attack("uses an operator's link twice", link_twice, 200, "used already"),
    Attack("uses an operator's link late", link_late, 200, "older than an hour"),
    Attack("uses an operator's link that another has replaced", link_of_before, 200, SIGN_IN),
    Attack("makes an operator's link up", link_made_up, 200, SIGN_IN),
)  # fmt: skip
