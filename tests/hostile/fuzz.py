"""Requests by the hundred thousand at every listener: no 5xx, and no answer breaks a schema.

    python -m tests.hostile fuzz --n 100000 --seed 1

Two fifths go to the pages, signed in, with forms whose fields hold what hostile people type; a
fifth to the operator's console; a fifth to the API, raw; a fifth is what schemathesis invents and
checks against the API's own document. Printed is how much the process has grown meanwhile, in
which the node, its simulated network and this client live together.
"""

from __future__ import annotations

import asyncio
import os
import re
import sys
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, Final

import aiohttp
from yarl import URL

from node.clock import ManualClock
from node.config import WebSettings
from node.flows import sessions
from node.web.operator.table import ALL_PAGES as CONSOLE_PAGES
from node.web.pages.table import ALL_PAGES
from node.web.routes import all_routes
from tests.conftest import MONTH
from tests.hostile import nasty
from tests.hostile.printed import table
from tests.web.conftest import open_world
from tests.web.operator.conftest import open_place
from tests.web.pages.conftest import People
from tests.web.test_fuzz import SETTINGS

AT_ONCE: Final = 8
STEP: Final = 50
WAIT_S: Final = 60
NOT_READY: Final = ("/readyz", 503)
"""Its answer while no schedule runs, as here; the document has it."""
NO_LIMIT: Final = 10**9
TOKEN: Final = re.compile(r'name="token" value="([^"]+)"')
EXAMPLES_A_REQUEST: Final = 0.01
"""About a hundred requests for each example that schemathesis is allowed a URL and phase."""


@dataclass
class Listener:
    """One listener, who is signed in there, and what may be asked."""

    name: str
    url: str
    http: aiohttp.ClientSession
    rows: list[tuple[str, str, tuple[str, ...], tuple[str, ...]]]
    """(method, path, fields, query) of each."""
    sign_in: Callable[[], Awaitable[None]]
    home: str = "/"
    token: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    is_json: bool = False


@dataclass
class Figures:
    """What came back."""

    statuses: Counter[tuple[str, int]] = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)
    """5xx, or no answer: must stay empty."""
    schema: str = ""
    """What schemathesis says."""
    invented: int = 0
    schema_fine: bool = True
    began_mb: float = 0.0
    ended_mb: float = 0.0


async def run(
    folder: Path, number: int, seed: int, tell: Callable[[str], None], *, invent: bool = True
) -> Figures:
    """So many requests in all; without what schemathesis invents, if not `invent`."""
    figures = Figures()
    web = WebSettings(port=0, requests_per_minute=NO_LIMIT, joins_per_hour=NO_LIMIT)
    clock = ManualClock(MONTH.starts_s + 3600)
    async with open_world(folder, clock, web=web) as world:
        world.folder = folder
        async with open_place(world) as place:
            people = People(world)
            listeners = await _listeners(world, people, place)
            figures.began_mb = await _warm(listeners, figures, number // 20, seed, clock)
            for listener, share in zip(listeners, (0.4, 0.2, 0.2), strict=True):
                await _ask(listener, figures, round(number * share), seed, clock)
                tell(
                    f"{listener.name}: {figures.statuses.total()} asked, {len(figures.broken)} bad"
                )
            if invent:
                await _schemathesis(world, folder, number // 5, figures)
            figures.ended_mb = resident_mb()
            for http in people.opened:
                await http.close()
    return figures


async def _warm(
    listeners: list[Listener], figures: Figures, number: int, seed: int, clock: ManualClock
) -> float:
    """A twentieth of all, at each listener, before the growth is measured from."""
    for listener in listeners:
        await _ask(listener, figures, number, seed + 1, clock)
    return resident_mb()


async def _listeners(world: Any, people: People, place: Any) -> list[Listener]:
    alice = await world.join("alice")
    await world.fund(alice, 5_000)
    await world.fund(alice, 5_000, "available")
    await alice("POST", "/flattrs", {"url": "https://a.example/"})
    person, operator = await people.member("bob"), place.browser()

    async def sign_in_person() -> None:
        node = world.node
        new = await sessions.open_session(node.store, node.clock, person.member, "fuzz")
        person.http.cookie_jar.update_cookies({"flattr": new.secret}, URL(world.url))

    async def sign_in_operator() -> None:
        await operator.enter()

    async def nothing() -> None:
        """A token of the API needs no signing in."""

    routes = [route for group in all_routes().values() for route in group]
    api = [(route.method, route.path, _names(route), ()) for route in routes]
    pages = [(one.method, one.path, one.fields, one.query) for one in ALL_PAGES]
    console = [(one.method, one.path, one.fields, one.query) for one in CONSOLE_PAGES]
    return [
        Listener("pages", world.url, person.http, pages, sign_in_person, "/settings"),
        Listener("console", place.console.url, operator.http, console, sign_in_operator, "/access"),
        Listener(
            "api", world.url, world.http, api, nothing, is_json=True,
            headers={"Authorization": f"Bearer {alice.token}", "Content-Type": "application/json"},
        ),
    ]  # fmt: skip


def _names(route: Any) -> tuple[str, ...]:
    """The fields of a route's body."""
    model = getattr(route, "body", None)
    return tuple(getattr(model, "model_fields", {}))


async def _ask(
    listener: Listener, figures: Figures, number: int, seed: int, clock: ManualClock
) -> None:
    turns = iter(range(number))

    async def worker() -> None:
        for at in turns:
            if at % STEP == 0:
                clock.advance(1)
            await _one(listener, figures, Random(f"{listener.name}:{seed}:{at}"), f"{seed}:{at}")

    await asyncio.gather(*(worker() for _ in range(AT_ONCE)))


async def _one(listener: Listener, figures: Figures, dice: Random, where: str) -> None:
    method, pattern, fields, query = dice.choice(listener.rows)
    if not listener.is_json and not listener.token:
        await _renew(listener)
    path = nasty.path(pattern, dice) + nasty.query(query, dice)
    headers, body = dict(listener.headers), None
    if listener.is_json and method in {"POST", "PUT", "PATCH", "DELETE"}:
        body = nasty.body_of_json(dice, fields)
    elif method == "POST":
        body = nasty.body_of_form(fields, listener.token, dice)
        headers |= {
            "Origin": listener.url,
            "Sec-Fetch-Site": "same-origin",
            "Content-Type": "application/x-www-form-urlencoded",
        }
    try:
        async with listener.http.request(
            method, URL(listener.url + path, encoded=True), data=body, headers=headers,
            allow_redirects=False, timeout=aiohttp.ClientTimeout(total=WAIT_S),
        ) as response:  # fmt: skip
            status = response.status
            if response.content_type != "text/event-stream":
                await response.read()
            away = response.headers.get("Location", "").startswith("/sign-in")
    except (aiohttp.ClientError, TimeoutError) as error:
        figures.broken.append(f"{listener.name} {where}: {method} {path[:200]}: {error!r}")
        return
    figures.statuses[listener.name, status] += 1
    if status >= 500 and (pattern, status) != NOT_READY:
        figures.broken.append(
            f"{listener.name} {where}: {status} {method} {path[:200]} {body!r:.300}"
        )
    if away or "sign-out" in pattern:
        listener.token = ""


async def _renew(listener: Listener) -> None:
    """Sign in again, and take the token of the forms."""
    await listener.sign_in()
    async with listener.http.get(listener.url + listener.home) as response:
        found = TOKEN.search(await response.text())
    listener.token = found[1] if found else ""


async def _schemathesis(world: Any, folder: Path, number: int, figures: Figures) -> None:
    """On behalf of a new member, for the others' tokens may have been ended by a form."""
    member = await world.join("carol")
    (folder / "schemathesis.toml").write_text(SETTINGS)
    examples = max(2, round(number * EXAMPLES_A_REQUEST))
    process = await asyncio.create_subprocess_exec(
        *(str(Path(sys.executable).parent / "st"), "run", f"{world.url}/openapi.json"),
        *("--header", f"Authorization: Bearer {member.token}", "--exclude-path", NOT_READY[0]),
        *("--max-examples", str(examples), "--exclude-checks", "positive_data_acceptance"),
        *("--phases", "examples,coverage,fuzzing", "--generation-deterministic", "--no-color"),
        "--continue-on-failure",
        cwd=folder,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output = (await process.communicate())[0].decode()
    figures.schema_fine = process.returncode == 0
    found = re.search(r"([\d,]+) generated", output)
    figures.invented = int(found[1].replace(",", "")) if found else 0
    figures.schema = "" if figures.schema_fine else output[-4000:]


def resident_mb() -> float:
    """What this process holds in memory, in MB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def fine(figures: Figures) -> bool:
    """Whether nothing broke."""
    return not figures.broken and figures.schema_fine


def printed(figures: Figures) -> str:
    """The table."""
    names = sorted({name for name, _ in figures.statuses})
    classes = [2, 3, 4, 5]
    rows = [
        [name]
        + [
            sum(
                n
                for (of, status), n in figures.statuses.items()
                if of == name and status // 100 == c
            )
            for c in classes
        ]
        for name in names
    ]
    lines = [table(["listener", *(f"{c}xx" for c in classes)], rows), figures.schema]
    lines += figures.broken[:20]
    asked = figures.statuses.total() + figures.invented
    lines.append(
        f"{asked} requests, of which {figures.invented} by schemathesis:"
        f" {len(figures.broken)} x 5xx or no answer,"
        f" schema {'in order' if figures.schema_fine else 'BROKEN'};"
        f" memory from {figures.began_mb:.0f} to {figures.ended_mb:.0f} MB"
    )
    return "\n".join(line for line in lines if line)
