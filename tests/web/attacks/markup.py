"""Attacks by what people fill in: markup, scripts, formulas; as answered and as kept."""

from __future__ import annotations

import json
import re
from urllib.parse import quote

from node.flows.claim import grant
from node.web.operator.table import ALL_PAGES as CONSOLE_PAGES
from tests.web.attacks.attack import Attack, Doing
from tests.web.attacks.forged import ONCE, path_of
from tests.web.attacks.inert import demand_inert
from tests.web.attacks.looking import ANY, PLAIN
from tests.web.attacks.scene import Scene
from tests.web.operator.conftest import Operator
from tests.web.pages.conftest import Shown

PAYLOADS = (
    '"><evil onload=evil()>',
    "'><evil onclick='evil()'>",
    "</title></textarea></script><evil>",
    '" autofocus onfocus="evil()',
    "javascript:evil()",
    "{{ 7*191 }}{% evil %}",
    "]]><evil/><![CDATA[",
    "&lt;evil&gt;&#60;evil>",
    "\u202e\u2028<evil>\ufeff",
)
FORMULAS = ('=HYPERLINK("http://evil.example")', "+evil", "-evil", "@evil", "\t=evil")


def reflected(who: str, method: str, path: str, field: str = "", **others: str) -> Doing:
    """What is typed comes back on the page: in a field of the form, or where the path has EVIL."""

    async def does(scene: Scene):
        found = []
        person = await scene.new() if who == "new" else getattr(scene, who)
        for evil in PAYLOADS:
            where = path.replace("EVIL", quote(evil, safe=""))
            if method == "GET":
                shown = await person.get(where)
            else:
                token = await scene.token_of(person)
                shown = await person.post(where, {"token": token, **others, field: evil})
            demand_inert(shown)
            found.append(shown)
        return found

    return does


def kept(keep, says: str = "", *paths: str) -> Doing:
    """It is kept, and then what may show it is looked at: these paths of mallory's, or everything.

    `says`: what must be seen somewhere, as a sign that it was kept.
    """

    async def does(scene: Scene):
        for number, evil in enumerate((*PAYLOADS, *FORMULAS)):
            await keep(scene, evil, number)
        found = [await scene.mallory.get(path) for path in paths] or await everything(scene)
        for shown in found:
            demand_inert(shown)
        assert any(says in shown.html for shown in found), "it was not kept: nothing is tried"
        return found

    return does


async def everything(scene: Scene) -> list[Shown]:
    """All that shows something, as mallory, alice and the operator see it."""
    url = quote("https://evil.example/1", safe="")
    extra = [
        f"/badge/{scene.ids['thing']}.svg", f"/badge.svg?url={url}", f"/oembed?url={url}",
        f"/creator/button?url={url}", f"/click?url={url}",
        "/creators/mallory", "/creators/mallory.atom", "/popular", "/popular?of=month",
        "/creator/earnings.csv", "/creator/ledger.csv", "/creator/earnings.beancount",
        "/settings/export.json", "/months/2026-11",
    ]  # fmt: skip
    things = [f"/things/{number}" for number in await scene.things()]
    badges = [f"/badge/{number}.svg" for number in await scene.things()]
    paths = [path_of(page, scene) for page in PLAIN] + extra + things + badges
    found = [await scene.mallory.get(path) for path in paths]
    found += [await scene.alice.get(path) for path in paths[: len(PLAIN)]]
    names = {"member": str(scene.mallory.member), "asset": "sat", "month": "2026-11"}
    for page in CONSOLE_PAGES:
        if page.method == "GET" and "{s" not in page.path and not page.path.endswith("events"):
            path = re.sub(r"\{(\w+)\}", lambda part: names.get(part[1], "1"), page.path)
            found.append(await scene.operator.get(path))
    return found


async def _title(scene: Scene, evil: str, number: int) -> None:
    """The title of a page that mallory owns, and has flattred from a window."""
    url = f"https://evil.example/{number}"
    form = {"url": url, "title": evil, "do": "flattr", "token": await scene.token_of(scene.mallory)}
    assert (await scene.mallory.post("/click", form)).status == 200
    thing = (await scene.call("mallory", "GET", f"/api/v1/things?url={url}", None)).html
    await grant(scene.node.store, scene.node.clock, scene.mallory.member, json.loads(thing)["id"])


async def _url(scene: Scene, evil: str, number: int) -> None:
    url = f"https://evil.example/{number}?{evil}#{evil}"
    await scene.call("mallory", "POST", "/api/v1/things", {"url": url, "title": evil})


async def _label(scene: Scene, evil: str, _: int) -> None:
    """Of a token; most are refused."""
    told = {"label": evil, "scopes": ["read"]}
    shown = await scene.call("mallory", "POST", "/api/v1/tokens", told)
    if shown.status == 201:
        scene.made.append(json.loads(shown.html)["id"])


async def _agent(scene: Scene, evil: str, _: int) -> None:
    """What a browser calls itself when it signs in."""
    guest = await scene.guest(66)
    guest.person.headers = {"User-Agent": re.sub(r"[^ -~]", "?", f"evil {evil}")}
    await guest.prove()
    assert (await guest.have_signed()).status == 200


async def _target(scene: Scene, evil: str, _: int) -> None:
    form = {"token": await scene.token_of(scene.mallory), "target": evil}
    demand_inert(await scene.mallory.post("/creator/target", form))


async def _linked(scene: Scene) -> Operator:
    """The operator, who need not touch the passkey for ten minutes."""
    if scene.linked is None or scene.linked[0] != scene.world.clock.now_us():
        scene.linked = (scene.world.clock.now_us(), await scene.place.by_link())
    return scene.linked[1]


async def _pause(scene: Scene, evil: str, _: int) -> None:
    """Why the operator lets nothing be sent."""
    operator = await _linked(scene)
    form = {**(await operator.get("/")).form("/pause"), "reason": evil}
    for shown in (await operator.post("/pause", form), await operator.get("/log")):
        demand_inert(shown)
    await operator.send("/resume", "/resume")


async def _suspend(scene: Scene, evil: str, _: int) -> None:
    operator, where = await _linked(scene), f"/members/{scene.mallory.member}"
    for act in ("suspend", "lift"):
        form = (await operator.get(where)).form(f"{where}/{act}")
        demand_inert(await operator.post(f"{where}/{act}", {**form, "words": evil}))
        for path in ("/month", "/settings/notices"):
            demand_inert(await scene.mallory.get(path))


async def badges_of_others(scene: Scene):
    """A badge and an oEmbed answer, asked for with markup in the URL."""
    found = []
    for evil in PAYLOADS:
        for path in ("/badge.svg?url=", "/oembed?url="):
            shown = await scene.nobody.get(path + quote(f"https://evil.example/{evil}", safe=""))
            demand_inert(shown)
            found.append(shown)
    return found


async def the_name_of_a_file(scene: Scene):
    """A file's name in a header is made of nothing that somebody has typed."""
    found = [
        await scene.alice.get(path) for path in ("/settings/export.json", "/creator/ledger.csv")
    ]
    for shown in found:
        assert re.fullmatch(r'attachment; filename="[\w.-]+"', shown.headers["Content-Disposition"])
    return found


TITLE = frozenset({"thing", "flattr_inbox", "flattr_month", "click_key", "thing_count", "thing_day",
                   "notice", "cursor"})  # fmt: skip
OWN = (
    "/settings",
    "/settings/tokens",
    "/settings/sessions",
    "/settings/notices",
    "/settings/identities",
    "/settings/export.json",
    "/creator/target",
    "/creator/payouts",
)
THINGS = ("/month", "/creator", "/popular", "/popular?of=month", "/creators/mallory",
          "/creators/mallory.atom", "/settings/export.json")  # fmt: skip
OPERATORS = frozenset({"operator_link", "operator_session", "operator_log", "operator_log_head"})
ATTACKS = (
    Attack("runs a script by the title of a page", kept(_title, "evil onload"), ANY, stores=TITLE),
    Attack("runs a script by the URL of a page", kept(_url, "", *THINGS), ANY, stores=TITLE),
    Attack("runs a script by the label of a token", kept(_label, "evil onload", *OWN), ANY,
           stores=frozenset({"token", "notice"})),
    Attack("runs a script by the name of a browser", kept(_agent, "evil ", *OWN), ANY,
           stores=frozenset({"session", "notice", "identity"})),
    Attack("runs a script by a payout target", kept(_target, "", *OWN), ANY),
    Attack("runs a script by the reason of a pause", kept(_pause, "", "/", "/month"), ANY,
           stores=OPERATORS | {"breaker"}),
    Attack("runs a script by the words of a suspension", kept(_suspend, "", *OWN), ANY,
           stores=OPERATORS | {"member", "notice"}),
    Attack("runs a script by a badge or oEmbed of a URL", badges_of_others, ANY),
    Attack("gives a file a name of his own", the_name_of_a_file, 200),
    Attack("runs a script by the title in a window",
           reflected("alice", "GET", "/click?url=https%3A%2F%2Fe.example%2F&title=EVIL"), 200),
    Attack("runs a script by the URL in a window", reflected("alice", "GET", "/click?url=EVIL"),
           400),
    Attack("runs a script by a name that is no name",
           reflected("new", "POST", "/sign-in/name", "name"), 400),
    Attack("runs a script by the address of a wallet",
           reflected("nobody", "POST", "/sign-in/ethereum/text", "address"), (400, 422)),
    Attack("runs a script by a token that is none",
           reflected("nobody", "POST", "/sign-in/token", "secret"), 200),
    Attack("runs a script by where to go next", reflected("nobody", "GET", "/sign-in?next=EVIL"),
           200),
    Attack("runs a script by what is added", reflected("nobody", "GET", "/sign-in?add=EVIL"), 200),
    Attack("runs a script by the target of a withdrawal",
           reflected("alice", "POST", "/withdraw", "target", amount="5", once=ONCE), (400, 422)),
    Attack("runs a script by the amount of a withdrawal",
           reflected("alice", "POST", "/withdraw", "amount", target="x", once=ONCE), (400, 422)),
    Attack("runs a script by an amount to pay in",
           reflected("alice", "POST", "/fund", "other", to="pot", once=ONCE), 400),
    Attack("runs a script by the amount of a pot",
           reflected("alice", "POST", "/month/pot", "amount", once=ONCE), 200),
    Attack("runs a script by the URL of a flattr",
           reflected("alice", "POST", "/month/flattr", "url", once=ONCE), 200),
    Attack("runs a script by what is claimed",
           reflected("alice", "POST", "/creator/claim", "url", what="thing"), (200, 400)),
    Attack("runs a script by the site that is claimed",
           reflected("alice", "POST", "/creator/claim", "url", what="site"), (200, 400)),
    Attack("runs a script by a link to claim", reflected("alice", "GET", "/creator/claim?url=EVIL"),
           200),
    Attack("runs a script by the URL of a button",
           reflected("nobody", "GET", "/creator/button?url=EVIL"), (200, 400)),
    Attack("runs a script by the title of a button",
           reflected("nobody", "GET", "/creator/button?url=https%3A%2F%2Fe.example&title=EVIL"),
           200),
    Attack("runs a script by the name that closes an account",
           reflected("alice", "POST", "/settings/close", "name"), 200,
           stores=frozenset({"deposit"})),
    Attack("runs a script by the label of a form's token",
           reflected("mallory", "POST", "/settings/tokens", "label", days="9", read="1"), 200,
           stores=frozenset({"token", "notice"})),
    Attack("runs a script by the origin of a consent",
           reflected("alice", "POST", "/settings/sites", "origin"), 200),
    Attack("runs a script by the order of a table",
           reflected("alice", "GET", "/creator/earnings?sort=EVIL"), (200, 400)),
    Attack("runs a script by a month", reflected("alice", "GET", "/creator/earnings?month=EVIL"),
           (200, 400, 404)),
    Attack("runs a script by the name of a creator", reflected("nobody", "GET", "/creators/EVIL"),
           404),
    Attack("runs a script by the number of a thing", reflected("nobody", "GET", "/things/EVIL"),
           404),
    Attack("runs a script by a page that is not there", reflected("nobody", "GET", "/EVIL"), 404),
    Attack("runs a script by a kind of problem", reflected("nobody", "GET", "/problems/EVIL"),
           404),
    Attack("runs a script by the operator's search",
           reflected("operator", "GET", "/members?name=EVIL"), (200, 400)),
    Attack("runs a script by the operator's way on",
           reflected("operator", "GET", "/sign-in?next=EVIL"), 200),
    Attack("runs a script by an operator's link", reflected("operator", "GET", "/link/EVIL"),
           (200, 404)),
)  # fmt: skip
