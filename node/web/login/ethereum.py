"""Signing in with an Ethereum wallet: the address, the text, the signature; each by a form.

A script (`static/ethereum.js`) fills the forms in with the browser's own wallets (EIP-6963).
"""

from __future__ import annotations

from typing import Final

from aiohttp import web

from node.errors import FreshSignInNeeded, Rejected
from node.flows.sign_in import ethereum
from node.flows.sign_in.asking import VALID_S
from node.web.login import asked
from node.web.login.asked import sign_in_of
from node.web.login.finish import finished
from node.web.pages.page import Page, PageCall
from node.web.pages.refusals import sentence
from node.web.pages.render import render

PATH: Final = "/sign-in/ethereum"
TEXT_PATH: Final = "/sign-in/ethereum/text"


async def show(call: PageCall) -> web.Response:
    """GET /sign-in/ethereum: the form for an address."""
    return render(call, "login/ethereum.html", asked=await asked.read(call), address="", error="")


async def ask(call: PageCall) -> web.Response:
    """POST /sign-in/ethereum/text: the text for this address."""
    wanted, address = await asked.read(call), call.field("address")
    call.desk.limits.count_sign_in(call.address)
    try:
        text = await ethereum.show(
            sign_in_of(call.node), call.browser.visitor, address, wanted.action, wanted.by
        )
    except FreshSignInNeeded as error:
        return asked.again(call, wanted, PATH, error)
    except Rejected as error:
        return render(
            call, "login/ethereum.html", status=error.status, asked=wanted, address=address,
            error=sentence(error),
        )  # fmt: skip
    return _text(call, wanted, text)


async def sign(call: PageCall) -> web.Response:
    """POST /sign-in/ethereum: the text is signed."""
    wanted = await asked.read(call)
    text = call.field("text").replace("\r\n", "\n")
    call.desk.limits.count_sign_in(call.address)
    try:
        await ethereum.signed(
            sign_in_of(call.node), call.browser.visitor, text, call.field("signature"),
            call.desk.limits.count_contract,
        )  # fmt: skip
        return await finished(call, wanted)
    except Rejected as error:
        return asked.again(call, wanted, PATH, error)


def _text(call: PageCall, wanted: asked.Asked, text: str) -> web.Response:
    address = text.split("\n")[1]
    return render(
        call, "login/ethereum_text.html", asked=wanted, text=text, address=address,
        minutes=VALID_S // 60,
    )  # fmt: skip


PAGES: Final = (
    Page("GET", PATH, "which Ethereum wallet?", show, "anyone", query=asked.FIELDS),
    Page("POST", TEXT_PATH, "the text that it signs (EIP-4361)", ask, "anyone",
         fields=("address", *asked.FIELDS)),
    Page("POST", PATH, "the text is signed", sign, "anyone",
         fields=("text", "signature", *asked.FIELDS)),
)  # fmt: skip
