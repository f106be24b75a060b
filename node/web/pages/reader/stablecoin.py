"""The stablecoin: link an address, see its account in the vault, and call it by the own wallet.

The node has no key for a member's money, so nothing is moved here. Each call is shown as a link and
QR code for a wallet (EIP-681), as bytes to copy, and as a button where the browser has a wallet.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from aiohttp import web

from node.errors import Rejected
from node.flows.vault import link
from node.flows.vault.account import AccountView
from node.flows.vault.calls import OfferedCall, VaultView, Wanted, vault_view
from node.flows.vault.link import Linking
from node.money import Amount, Asset
from node.wallet.stablecoin.siwe import LinkText, parse_link_text
from node.web.pages import forms
from node.web.pages.page import Page, PageCall
from node.web.pages.refusals import sentence
from node.web.pages.render import redirect, render

PATH: Final = "/fund/stablecoin"
ASKED: Final = ("deposit", "pot", "withdraw")


@dataclass(frozen=True, slots=True)
class CallView:
    """One call for the own wallet. `link` empty: say first for how much."""

    name: str
    link: str
    to: str
    calldata: str
    refused: str
    words: str


@dataclass(frozen=True, slots=True)
class MoneyView:
    """An account in the vault, at its newest block."""

    address: str
    balance: Amount
    pot: Amount
    free: Amount
    wallet: Amount
    exit_s: int | None
    pending: tuple[tuple[str, Amount, str], ...]
    """(kind, amount, transaction) of what is not final yet."""


@dataclass(frozen=True, slots=True)
class CoinView:
    """The page."""

    network: str
    chain_id: int
    vault: str
    token: str
    account: MoneyView | None
    claimable: tuple[tuple[str, Amount], ...]
    calls: list[CallView]
    typed: dict[str, str]


async def show(call: PageCall) -> web.Response:
    """GET /fund/stablecoin."""
    typed = {name: call.asked(name).strip() for name in ASKED}
    try:
        wanted = Wanted(*(_units(typed[name]) for name in ASKED))
    except Rejected as error:
        call.browser.say_now("error", sentence(error))
        return await _show(call, Wanted(), typed, error.status)
    return await _show(call, wanted, typed, 200)


async def ask_text(call: PageCall) -> web.Response:
    """POST /fund/stablecoin/address: the text that this address is to sign."""
    text = await link.challenge(_linking(call), call.member, call.field("address"))
    made: LinkText = parse_link_text(text)
    return render(call, "reader/link.html", text=text, address=made.address)


async def link_address(call: PageCall) -> web.Response:
    """POST /fund/stablecoin/link: the text was signed."""
    call.desk.limits.count_chain(call.member)
    text = call.field("text").replace("\r\n", "\n")
    linked = await link.link(_linking(call), call.member, text, call.field("signature"))
    said = call.gettext("%(address)s is linked.") % {"address": linked.address}
    return redirect(call, PATH, said=said)


async def _show(call: PageCall, wanted: Wanted, typed: dict[str, str], status: int) -> web.Response:
    coin = call.stablecoin
    call.desk.limits.count_chain(call.member)
    seen = await vault_view(coin, call.member, wanted)
    view = CoinView(
        network=coin.network,
        chain_id=coin.money.chain_id,
        vault=coin.money.vault.address,
        token=coin.token,
        account=_money(seen.account) if seen.account else None,
        claimable=tuple((address, _usd(units)) for address, units in seen.claimable.items()),
        calls=_calls(seen),
        typed=typed,
    )
    return render(call, "reader/stablecoin.html", view=view, status=status)


def _linking(call: PageCall) -> Linking:
    coin = call.stablecoin
    return Linking(coin.money, call.node.settings.web.public_url, coin.network)


def _units(typed: str) -> int | None:
    return forms.amount(typed, Asset.USD).units if typed else None


def _usd(units: int) -> Amount:
    return Amount(units, Asset.USD)


def _money(account: AccountView) -> MoneyView:
    return MoneyView(
        address=account.address,
        balance=_usd(account.balance_units),
        pot=_usd(account.pot_units),
        free=_usd(account.free_units),
        wallet=_usd(account.wallet_units),
        exit_s=account.exit_at_s or None,
        pending=tuple((str(one.kind), _usd(one.units), one.tx_hash) for one in account.pending),
    )


def _calls(seen: VaultView) -> list[CallView]:
    return [_call(one) for one in seen.calls if one.call is not None or not one.needs]


def _call(offered: OfferedCall) -> CallView:
    call = offered.call
    return CallView(
        name=offered.name,
        link=call.link if call else "",
        to=call.to if call else "",
        calldata=f"0x{call.calldata.hex()}" if call else "",
        refused=offered.refused,
        words=offered.words,
    )


PAGES: Final = (
    Page("GET", PATH, "my account in the vault, and calls for my wallet", show, query=ASKED),
    Page("POST", f"{PATH}/address", "the text that links an address", ask_text,
         fields=("address",), back=PATH),
    Page("POST", f"{PATH}/link", "link the address that has signed it", link_address,
         fields=("text", "signature"), back=PATH),
)  # fmt: skip
