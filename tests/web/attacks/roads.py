"""Attacks by odd requests: ways to other hosts, split headers, doubled fields, foreign types."""

from __future__ import annotations

import gzip
import json
import re
from urllib.parse import quote, urlencode

from tests.web.attacks.attack import Attack, Doing
from tests.web.attacks.forged import ONCE
from tests.web.attacks.scene import Scene
from tests.web.pages.conftest import Person, Shown

FORM = "application/x-www-form-urlencoded"
DEEP = 20_000


def leads(to: str) -> Doing:
    """Every door that sends people on, asked to send them there."""

    async def does(scene: Scene):
        guest = await scene.guest(66)
        await guest.prove()
        mallory, operator = scene.mallory, scene.operator
        token = await scene.token_of_guest(guest.person)
        found = [
            await _sent(guest.person, "/sign-in/finish", {"next": to, "token": token}),
            await _sent(guest.person, "/language", {"language": "de", "here": to}),
            await _sent(operator, "/language", {"language": "en", "here": to}),
            await _sent(mallory, "/sign-in/token", {
                "next": to, "secret": scene.secrets["mallory"],
                "token": await scene.token_of(mallory)}),
            await mallory._ask("GET", "/submit/auto?url=" + quote(to, safe=""), {},
                               allow_redirects=False),
            await mallory._ask("GET", "/sign-in/lightning?next=" + quote(to, safe=""), {}),
        ]  # fmt: skip
        for shown in found:
            demand_here(shown)
        return found

    return does


async def _sent(person: Person, path: str, fields: dict[str, str]) -> Shown:
    return await person.post(path, fields, allow_redirects=False)


def demand_here(shown: Shown) -> None:
    """As browsers read it: a backslash is a slash, and tabs and line ends are nothing."""
    if (told := shown.headers.get("Location")) is not None:
        read = re.sub(r"[\t\r\n]", "", told).replace("\\", "/")
        assert read.startswith("/"), told
        assert not read.startswith("//"), told
    assert "X-Evil" not in shown.headers
    assert "evil" not in shown.headers.get("Set-Cookie", "")


def asks(path: str, **headers: str) -> Doing:
    async def does(scene: Scene):
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        found = [await scene.alice._ask("GET", path, {"Accept": "text/html", **named})]
        for shown in found:
            demand_here(shown)
        return found

    return does


async def at_his_host(scene: Scene):
    """What is signed and what is embedded names the node's own URL, whatever Host says."""
    paths = (
        "/sign-in/lightning", "/sign-in/nostr", "/creator/button?url=https%3A%2F%2Fa.example%2F",
        "/oembed?url=https%3A%2F%2Fa.example%2F", "/openapi.json", "/",
    )  # fmt: skip
    found = []
    for path in paths:
        eve = await scene.people.visitor()
        shown = await eve._ask(
            "GET", path, {"Host": "evil.example", "X-Forwarded-Host": "evil.example"}
        )
        assert "evil.example" not in shown.html
        found.append(shown)
    guest = await scene.guest()
    guest.person.headers = {"X-Forwarded-Host": "evil.example", "Forwarded": "host=evil.example"}
    assert "evil.example" not in await guest.lnurl()
    return found


def form(body, kind: str = FORM, **headers: str) -> Doing:
    """Alice's form to fill her pot, written otherwise; `body` takes its fields."""

    async def does(scene: Scene):
        fields = {"token": await scene.token_of(scene.alice), "amount": "5", "once": ONCE}
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        sent = {
            "Origin": scene.alice.url, "Accept": "text/html", "Content-Type": kind, **named
        }  # fmt: skip
        return [await scene.alice._ask("POST", "/month/pot", sent, data=body(fields))]

    return does


def call(body: bytes, kind: str = "application/json", path: str = "/pot", method: str = "PUT",
         **headers: str) -> Doing:  # fmt: skip
    """Alice's call to the API, with this body."""

    async def does(scene: Scene):
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        bare = Person(scene.world.http, scene.world.url)
        sent = {
            "Authorization": f"Bearer {scene.secrets['alice']}", "Content-Type": kind, **named
        }  # fmt: skip
        return [await bare._ask(method, f"/api/v1{path}", sent, data=body)]

    return does


async def reuses_a_key(scene: Scene):
    """The key of alice's withdrawal with another body: hers, and mallory's."""
    told = {"target": scene.ids["target"], "amount_sat": 99}
    key = {"Idempotency-Key": "w"}
    return [
        await scene.call("alice", "POST", "/api/v1/withdrawals", told, **key),
        await scene.call("mallory", "POST", "/api/v1/withdrawals", told, **key),
    ]


async def out_of_the_folder(scene: Scene):
    names = (
        "..%2f..%2fconfig.py",
        "%2e%2e/page.py",
        "..\\page.py",
        "/etc/passwd",
        "page.py%00.css",
    )
    return [await scene.nobody._ask("GET", f"/static/000000000000/{name}", {}) for name in names]


def within(url: str) -> Doing:
    """The node's own network, by every URL that the node would look at."""

    async def does(scene: Scene):
        asked = (
            ("POST", "/sites", {"site": url}), ("PUT", "/payout-target", {"target": url}),
        )  # fmt: skip
        return [
            await scene.call("mallory", method, f"/api/v1{path}", told)
            for method, path, told in asked
        ]

    return does


def _doubled(fields: dict[str, str]) -> str:
    return urlencode([*fields.items(), ("amount", "1")])


def _folded(fields: dict[str, str]) -> bytes:
    return gzip.compress(urlencode(fields).encode())


def _with(**more: str):
    return lambda fields: urlencode(fields | more)


async def at_itself(scene: Scene):
    """This machine: a claim may name it, but no look goes there unless the operator allows it."""
    found = []
    for url in ("http://127.0.0.1/", "http://[::1]/"):
        made = await scene.call("mallory", "POST", "/api/v1/sites", {"site": url})
        number = json.loads(made.html)["id"]
        found.append(await scene.call("mallory", "POST", f"/api/v1/sites/{number}/claim", None))
        await scene.call("mallory", "DELETE", f"/api/v1/sites/{number}", None)
    return found


REFUSED = (400, 403, 404, 405, 409, 413, 415, 422)
AWAY = {
    "to another host": "https://evil.example/",
    "to another host without a scheme": "//evil.example/",
    "to another host by backslashes": "\\\\evil.example",
    "to another host by a slash and a backslash": "/\\evil.example",
    "to another host by three slashes": "///evil.example",
    "to another host by a tab": "/\t/evil.example",
    "to another host by a line end": "/\n/evil.example",
    "to another host behind a space": " //evil.example",
    "to another host behind a name": "https://127.0.0.1:8080@evil.example/",
    "to another host without slashes": "https:evil.example",
    "to a script": "javascript:alert(1)",
    "to a script in capitals": "JaVaScRiPt:alert(1)",
    "to a page of data": "data:text/html,<script>alert(1)</script>",
    "with a header of his own": "/month\r\nX-Evil: 1",
    "with a cookie of his own": "/month\r\nSet-Cookie: flattr=evil",
}
INSIDE = {
    "this machine in another notation": "http://2130706433/",
    "the private network": "http://10.0.0.1/",
    "the cloud's metadata": "http://169.254.169.254/latest/meta-data/",
    "a file": "file:///etc/passwd",
    "another scheme": "gopher://127.0.0.1:25/",
}
SIGNED_IN = frozenset({"session", "notice", "identity"})
"""What a sign-in writes; it is asked for in good order, but for where it leads."""
ATTACKS = (
    *(
        Attack(f"leads people {name}", leads(to), (200, 302, 303, 400), stores=SIGNED_IN)
        for name, to in AWAY.items()
    ),
    Attack("puts a header into an answer by the query",
           asks("/sign-in?next=/month%0d%0aX-Evil:%201"), 200),
    Attack("puts a header into an answer by the path", asks("/month%0d%0aX-Evil:%201"), 404),
    Attack("has codes and texts made for his own host", at_his_host, (200, 400, 404)),
    Attack("sends one field twice", form(_doubled), 400, "twice"),
    Attack("sends a field that the form has not", form(_with(member="2")), 400),
    Attack("overrides the method by a field", form(_with(_method="DELETE")), 400),
    Attack("sends a form as JSON", form(json.dumps, "application/json"), 415),
    Attack("sends a form as plain text", form(_with(), "text/plain"), 415),
    Attack("sends a form in parts",
           form(lambda _: b'--x\r\nContent-Disposition: form-data; name="amount"\r\n\r\n5\r\n--x--',
                "multipart/form-data; boundary=x"), 415),
    Attack("sends a form without a type", form(_with(), "application/octet-stream"), 415),
    Attack("sends a form that unfolds", form(_folded, Content_Encoding="gzip"), (400, 415)),
    Attack("sends a form that is huge", form(_with(amount="1" * 100_000)), 413),
    Attack("sends a form with a thousand fields",
           form(lambda fields: urlencode(fields | {f"f{n}": "" for n in range(1000)})), 400),
    Attack("sends a form with a character of nothing", form(_with(amount="5\0")), 400),
    Attack("sends a form that is no UTF-8", form(lambda fields: urlencode(fields) + "&amount=%ff"),
           400),
    Attack("sends a negative amount", form(_with(amount="-5")), 200, "whole sats"),
    Attack("sends an amount in another script", form(_with(amount="٥")), 200, "whole sats"),
    Attack("sends an amount beyond all money", form(_with(amount="9" * 15)), 200, "available"),
    Attack("calls with a form's type", call(b'{"amount_sat": 5}', FORM), 415),
    Attack("calls with plain text", call(b'{"amount_sat": 5}', "text/plain"), 415),
    Attack("calls with one key twice", call(b'{"amount_sat": 1, "amount_sat": 5}'), 400),
    Attack("calls with a key that is not known", call(b'{"amount_sat": 5, "member": 2}'), 400),
    Attack("calls with a list", call(b"[5]"), 400),
    Attack("calls with a number that is none", call(b'{"amount_sat": NaN}'), 400),
    Attack("calls with a broken number", call(b'{"amount_sat": 0.5}'), 400),
    Attack("calls with a number as text", call(b'{"amount_sat": "5"}'), 400),
    Attack("calls with a negative number", call(b'{"amount_sat": -5}'), 400),
    Attack("calls with a number beyond 64 bits", call(b'{"amount_sat": 99999999999999999999}'),
           400),
    Attack("calls with JSON that is deep", call(b"[" * DEEP + b"]" * DEEP), (400, 413)),
    Attack("calls with a huge body", call(b'{"amount_sat": 5' + b" " * 100_000 + b"}"), 413),
    Attack("calls with a body that unfolds",
           call(gzip.compress(b'{"amount_sat": 5}'), Content_Encoding="gzip"), (400, 415)),
    Attack("calls with a parameter twice", call(b"", path="/deposits?limit=1&limit=2",
                                                method="GET"), 400),
    Attack("calls with a parameter that is not known",
           call(b"", path="/balance?member=2", method="GET"), 400),
    Attack("expects what is not there", call(b'{"amount_sat": 5}', Expect="a-miracle"), 417),
    Attack("uses a key again for another withdrawal", reuses_a_key, (409, 422)),
    Attack("reads a file that is no page's", out_of_the_folder, 404),
    Attack("has the node look at this machine", at_itself, 200, "only https on port 443",
           stores=frozenset({"site_claim"})),
    *(Attack(f"has the node look at {name}", within(url), REFUSED) for name, url in INSIDE.items()),
)  # fmt: skip
