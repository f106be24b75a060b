"""A walk through all pages by their links, as one kind of person: what each page is like.

Of each row of a table of pages one URL is opened (the first that is met). It is looked at in a
large window in light colours and in a phone's in dark ones.
"""

from __future__ import annotations

import gzip
import re
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urldefrag, urlencode, urlsplit

from playwright.async_api import Browser, BrowserContext, Page, Response

from node.devnet.auth_wallet import AuthWallet
from node.web.operator.table import ALL_PAGES as CONSOLE_PAGES
from node.web.pages.table import ALL_PAGES
from tests.browser.acts import ask_claim, ask_invoice, flattr_in_window, put_into_pot
from tests.browser.axe_core import violations
from tests.browser.chromium import Watch, open_watched
from tests.browser.demo import Demo

DESKTOP = {"width": 1280, "height": 800}
PHONE = {"width": 390, "height": 844}
NO_LINK = {
    "/static/{digest}/{name}", "/fund/{deposit}/events", "/withdraw/{payout}/events",
    "/sign-in/lightning/events", "/sign-in/lightning/callback", "/events", "/link/{secret}",
    "/feeds/{token}/payments.atom",
}  # fmt: skip
"""What a page or a wallet asks for, and what comes of something that was sent."""
NODE = sorted({page.path for page in ALL_PAGES if page.method == "GET"} - NO_LINK)
CONSOLE = sorted(
    {page.path for page in CONSOLE_PAGES if page.method == "GET"}
    - NO_LINK
    - {"/sign-in", "/access/passkeys/{passkey}"}  # who is signed in by a link sees neither
)
ROWS = {"welcome": NODE, "reader": NODE, "creator": NODE, "operator": CONSOLE, "wallet": ["/{a}"],
        "blog": ["/", "/{post}"], "newcomer": ["/sign-in/name"],
        "signer": ["/sign-in/link"]}  # fmt: skip
"""What there is to see for who comes by the demo's link of this name, or has a new wallet sign."""
LINKS = "links => links.map(link => link.href)"
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@dataclass
class Seen:
    """One page. `gzipped` is the size of it and all that it loads."""

    url: str
    title: str = ""
    gzipped: int = 0
    wrong: list[str] = field(default_factory=list)
    wider_than_a_phone: int = 0


@dataclass
class Tour:
    """What a walk has met, by the row of the table (`/things/{thing}`), and what was no page."""

    pages: dict[str, Seen] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    watch: Watch = field(default_factory=Watch)


@dataclass
class Guest:
    """Somebody who has come in by a link, which may be good for once: cookies, and where it led."""

    state: Any
    landed: str
    also: list[str] = field(default_factory=list)
    """URLs that no page links to any more, once they were left."""


async def enter(browser: Browser, demo: Demo) -> dict[str, Guest]:
    """Come in by each link of the demo, and do what makes the rest of the pages."""
    guests = {name: await _enter(browser, demo.links[name]) for name in ROWS if name in demo.links}
    guests["newcomer"] = replace(guests["welcome"], also=[])
    guests["signer"] = replace(guests["reader"], also=[])
    await _prepare(browser, demo, guests)
    return guests


async def _enter(browser: Browser, link: str) -> Guest:
    async with open_watched(browser) as (context, _):
        page = await context.new_page()
        await page.goto(link)
        if "/link/" in page.url:  # the operator's: a GET uses nothing up
            await page.locator("main form button").click()
            await page.wait_for_url(lambda url: "/link/" not in url)
        return Guest(await context.storage_state(), page.url)


async def _prepare(browser: Browser, demo: Demo, guests: Mapping[str, Guest]) -> None:
    """Ask for an invoice, withdraw, begin two claims, and sign with wallets that nobody knows."""
    async with open_watched(browser, storage_state=guests["reader"].state) as (context, _):
        page = await context.new_page()
        await put_into_pot(page, demo.url, 8000)
        await page.goto(f"{demo.url}/fund")
        await ask_invoice(page, "5000")
        await page.goto(f"{demo.url}/withdraw")
        await page.get_by_label("To: a Lightning address").fill(demo.links["address"])
        await page.get_by_label("Amount in sats").fill("500")
        await page.locator("form[action='/withdraw'] button").click()
        await page.wait_for_url("**/withdraw/*")
        window = f"{demo.url}/click?{urlencode({'url': demo.links['blog'] + 'night-train'})}"
        await page.goto(window)
        await flattr_in_window(page, always=True)
        guests["reader"].also.append(f"{demo.url}/settings/notices")  # linked when there is one
    async with open_watched(browser, storage_state=guests["creator"].state) as (context, _):
        page = await context.new_page()
        await ask_claim(page, demo.url, demo.links["blog"], "The whole site")
        await ask_claim(page, demo.url, "https://wiki.example/lightning", "This page alone")
        guests["creator"].also.append(page.url)
    await _sign(browser, guests["signer"], f"{demo.url}/settings/identities", "/sign-in/link")
    await _sign(browser, guests["newcomer"], f"{demo.url}/sign-in", "/sign-in/name")


async def _sign(browser: Browser, guest: Guest, start: str, asks: str) -> None:
    """Have a Lightning wallet that nobody knows sign, and leave what the node then asks open."""
    async with open_watched(browser, storage_state=guest.state) as (context, _):
        page = await context.new_page()
        await page.goto(start)
        add = page.get_by_role("button", name="Add a wallet")
        if await add.count():
            await add.click()
        await page.get_by_role("button", name="Continue with a Lightning wallet").click()
        await AuthWallet(asks).sign_in(await page.locator("#lnurl").input_value())
        await page.wait_for_url(f"**{asks}**")
        guest.state = await context.storage_state()
        guest.also.append(page.url)


async def walk(browser: Browser, guest: Guest, rows: Iterable[str], axe_script: str) -> Tour:
    """Follow all links from where the guest is, within the same origin.

    Without a script the pages are only met, and not looked at.
    """
    patterns = {row: re.compile(re.sub(r"\{[^}]+\}", "[^/]+", row)) for row in rows}
    async with open_watched(browser, storage_state=guest.state) as (context, watch):
        tour = Tour(watch=watch)
        page = await context.new_page()
        await page.goto(guest.landed)
        queue = deque([page.url, *guest.also, *await _links(page)])
        known: set[str] = set()
        while queue:
            url = urldefrag(queue.popleft()).url
            row = _row(url, guest.landed, patterns)
            if row is None or url in known or row in tour.pages or row in tour.files:
                continue
            known.add(url)
            kind, landed = await _fetch(context, url, tour)
            if _row(landed, guest.landed, patterns) != row:
                queue.append(landed)  # it sends somewhere else, such as to sign in
            elif kind.startswith("text/html"):
                seen = tour.pages[row] = Seen(landed)
                if axe_script:
                    await _look(page, seen, axe_script)
                else:
                    await page.goto(landed)
                queue.extend(await _links(page))
            elif kind:
                tour.files[row] = kind
        return tour


def _row(url: str, entry: str, patterns: dict[str, re.Pattern[str]]) -> str | None:
    """The row that a URL belongs to; the most literal one, if several fit."""
    here, there = urlsplit(entry), urlsplit(url)
    if (there.scheme, there.netloc) != (here.scheme, here.netloc):
        return None
    fitting = [row for row, pattern in patterns.items() if pattern.fullmatch(there.path)]
    return min(fitting, key=lambda row: (row.count("{"), -len(row)), default=None)


async def _fetch(context: BrowserContext, url: str, tour: Tour) -> tuple[str, str]:
    """(the content type, where it led); empty for what is not there, which is noted."""
    answer = await context.request.get(url)
    if not answer.ok:
        tour.missing.append(f"{answer.status} {url}")
        return "", answer.url
    return answer.headers.get("content-type", ""), answer.url


async def _look(page: Page, seen: Seen, axe_script: str) -> None:
    answers: list[Response] = []

    def hear(answer: Response) -> None:
        answers.append(answer)

    page.on("response", hear)
    await page.set_viewport_size(DESKTOP)
    await page.emulate_media(color_scheme="light")
    await page.goto(seen.url)
    page.remove_listener("response", hear)
    seen.title = await page.title()
    seen.gzipped = sum([await _gzipped(page.context, answer) for answer in answers])
    seen.wrong += await violations(page, axe_script)
    await page.emulate_media(color_scheme="dark")
    await page.set_viewport_size(PHONE)
    seen.wrong += [f"dark, on a phone: {one}" for one in await violations(page, axe_script)]
    seen.wider_than_a_phone = int(await page.evaluate(OVERFLOW))


async def _gzipped(context: BrowserContext, answer: Response) -> int:
    """The size of what was answered, asked for once more: a page may have gone on meanwhile."""
    kind = answer.headers.get("content-type", "")
    is_body = answer.url.startswith("http") and answer.status not in range(300, 400)
    if not is_body or kind.startswith("text/event-stream"):
        return 0
    return len(gzip.compress(await (await context.request.get(answer.url)).body()))


async def _links(page: Page) -> list[str]:
    found = await page.locator("a[href], link[rel=alternate]").evaluate_all(LINKS)
    return [str(one) for one in found]
