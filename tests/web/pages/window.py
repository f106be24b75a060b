"""The click window as a person without scripts uses it."""

from __future__ import annotations

import html
import json
import re
from urllib.parse import quote

from node.flows import fund
from node.money import sats
from node.store import inbox, things

URL = "https://blog.example/post"
WINDOW = f"/click?url={quote(URL, safe='')}&title=A%20post"
FROM_THE_SITE = {
    "Referer": "https://blog.example/", "Sec-Fetch-Site": "cross-site",
    "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document", "Sec-Fetch-User": "?1",
}  # fmt: skip


async def marks(world) -> int:
    async with world.node.store.read() as tx:
        return await inbox.length(tx)


async def how_many_things(world) -> int:
    async with world.node.store.read() as tx:
        return await things.count(tx)


def form_of(shown, does):
    found = [one["fields"] for one in shown.read.forms if one.get("data-does") == does]
    return dict(found[0]) if found else None


async def press(person, does, window=WINDOW, **fields):
    form = form_of(await person.get(window), does)
    assert form is not None, f"there is no button to {does}"
    return await person.post("/click", {**form, **fields})


def told(shown):
    found = re.search(r'data-told="([^"]*)" data-to="([^"]*)"', shown.html)
    return json.loads(html.unescape(found[1]) or "null"), html.unescape(found[2])


async def fill_pot(world, person, amount_sat):
    deposit = await fund.ask_deposit(
        world.node.funding, person.member, sats(amount_sat), to_pot=True, key=""
    )
    await world.pay(deposit.payment_request)
