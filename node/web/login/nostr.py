"""Signing in with a Nostr key: the event, and the form that brings it back signed.

A script (`static/nostr.js`) has it signed by the browser's extension (NIP-07).
"""

from __future__ import annotations

import json
from typing import Final

from aiohttp import web

from node.errors import FreshSignInNeeded, Rejected
from node.flows.sign_in import nostr
from node.flows.sign_in.asking import VALID_S
from node.web.login import asked
from node.web.login.asked import sign_in_of
from node.web.login.finish import finished
from node.web.pages.page import Page, PageCall
from node.web.pages.render import render


async def show(call: PageCall) -> web.Response:
    """GET /sign-in/nostr: an event for this browser."""
    wanted = await asked.read(call)
    call.desk.limits.count_sign_in(call.address)
    try:
        event = await nostr.show(
            sign_in_of(call.node), call.browser.visitor, wanted.action, wanted.by
        )
    except FreshSignInNeeded as error:
        return asked.again(call, wanted, nostr.PATH, error)
    told = json.loads(event)
    options = " ".join(f"-t {name}={value}" for name, value in told["tags"])
    return render(
        call, "login/nostr.html", asked=wanted, event=event, minutes=VALID_S // 60,
        command=f"nak event -k {told['kind']} -c \"{told['content']}\" {options}",
    )  # fmt: skip


async def sign(call: PageCall) -> web.Response:
    """POST /sign-in/nostr: the event is signed."""
    wanted = await asked.read(call)
    call.desk.limits.count_sign_in(call.address)
    try:
        await nostr.signed(sign_in_of(call.node), call.browser.visitor, call.field("event"))
        return await finished(call, wanted)
    except Rejected as error:
        return asked.again(call, wanted, nostr.PATH, error)


PAGES: Final = (
    Page("GET", nostr.PATH, "an event for a Nostr key", show, "anyone", query=asked.FIELDS),
    Page("POST", nostr.PATH, "the event is signed (NIP-98)", sign, "anyone",
         fields=("event", *asked.FIELDS)),
)  # fmt: skip
