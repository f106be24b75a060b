"""An invoice from a stranger's server, and whether it may be paid.

    probe          target ── GET ──▶ PayLimits        a target is tried before it is saved
    quote          target ── GET, GET ──▶ invoice     one for each attempt; moves nothing
    check_invoice  every rule of ours that needs no Lightning node; raises at the first breach

LUD-06 with LUD-12 (comment), LUD-16 (address), LUD-18 (mandatory payer data: refused) and LUD-20.
The description hash is not compared with the metadata: LUD-06 dropped the demand, and honest
wallets differ. What only the Lightning node knows comes after: the signature, the payee in it, a
hash that was seen before, and the whole route's fee and time lock.

QuoteRefused means that the server or its invoice breaks a rule; FetchRefused, from the fetcher,
that it could not be asked or did not answer properly. After either, nothing was sent.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl
from urllib.parse import quote as escape

from node.errors import FetchRefused, QuoteRefused
from node.money import UNITS_MAX
from node.wallet.fetch import Fetcher, check_url
from node.wallet.lightning.bolt11 import AMP_FEATURES, Invoice, RouteHop, parse_invoice
from node.wallet.strict_json import read_value

if TYPE_CHECKING:  # targets.py imports this module, so that the rail has one place to import from
    from node.wallet.lightning.targets import LightningAddress, LnurlPay

METADATA_BYTES_MAX: Final = 192 * 1024
"""LUD-06 allows a picture of 136,536 characters in the first answer."""
REASON_CHARS_MAX: Final = 200
COMMENT_CHARS_MAX: Final = 500
CLTV_MAX_BLOCKS: Final = 576
"""The most blocks that a whole route may lock the money for."""
EXPIRY_MAX_S: Final = 31 * 24 * 3600
CLOCK_SKEW_MAX_S: Final = 2 * 3600
_MILLION: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class PayLimits:
    """What an LNURL-pay server accepts. Amounts are inclusive."""

    min_msat: int
    max_msat: int
    comment_chars: int
    callback: str
    description: str
    """The server's own words, printable, cut to REASON_CHARS_MAX."""


async def probe(fetcher: Fetcher, target: LightningAddress | LnurlPay) -> PayLimits:
    """Ask what the server accepts. Raises QuoteRefused and FetchRefused."""
    answer = await fetcher.get_json(target.url, limit_bytes=METADATA_BYTES_MAX)
    _check_status(answer)
    if answer.get("tag") != "payRequest":
        raise QuoteRefused("the server offers something else than to be paid")
    low, high = _whole(answer, "minSendable"), _whole(answer, "maxSendable")
    if not 0 < low <= high:
        raise QuoteRefused("the server's limits contradict each other")
    _check_payer_data(answer.get("payerData"))
    allowed = answer.get("commentAllowed")
    return PayLimits(
        min_msat=low,
        max_msat=high,
        comment_chars=min(max(allowed, 0), COMMENT_CHARS_MAX) if type(allowed) is int else 0,
        callback=_callback(answer.get("callback"), fetcher.allow),
        description=_description(answer.get("metadata")),
    )


async def quote(
    fetcher: Fetcher,
    target: LightningAddress | LnurlPay,
    amount_msat: int,
    *,
    comment: str = "",
) -> str:
    """A fresh invoice for exactly `amount_msat`, in lower case.

    A comment is cut to what the server takes. Each call makes the server issue a new payment: store
    the invoice before anything is sent, and never pay two of them for one payout.
    Raises QuoteRefused and FetchRefused.
    """
    limits = await probe(fetcher, target)
    if not limits.min_msat <= amount_msat <= limits.max_msat:
        raise QuoteRefused(
            f"the server takes {limits.min_msat} to {limits.max_msat} msat, not {amount_msat}"
        )
    query = f"amount={amount_msat}"
    if words := comment[: limits.comment_chars]:
        query += f"&comment={escape(words, safe='')}"
    joint = "&" if "?" in limits.callback else "?"
    answer = await fetcher.get_json(f"{limits.callback}{joint}{query}")
    _check_status(answer)
    text = answer.get("pr")
    if not isinstance(text, str):
        raise QuoteRefused("the server gave no invoice")
    invoice = parse_invoice(text)
    _check_amount(invoice, amount_msat)
    return invoice.text


def check_invoice(
    invoice: Invoice,
    *,
    amount_msat: int,
    network_prefix: str,
    now_s: int,
    own_pubkey: str,
    fee_limit_msat: int,
    expiry_min_s: int = 120,
    cltv_final_max: int = 144,
) -> None:
    """Refuse, by QuoteRefused, an invoice that must not be paid.

    `network_prefix` is bc, tb, tbs, bcrt or sb; `own_pubkey` the paying node's key in hex;
    `cltv_final_max` in blocks.
    """
    _check_amount(invoice, amount_msat)
    if invoice.network_prefix != network_prefix:
        raise QuoteRefused(f"the invoice is for ln{invoice.network_prefix}, not ln{network_prefix}")
    if invoice.payee == own_pubkey.lower():
        raise QuoteRefused("the invoice would be paid by the node to itself")
    if invoice.features & AMP_FEATURES:
        raise QuoteRefused("the invoice asks for an AMP payment, which can be paid twice")
    _check_times(invoice, now_s, expiry_min_s)
    if invoice.min_final_cltv > cltv_final_max:
        raise QuoteRefused(
            f"the invoice may lock the money for {invoice.min_final_cltv} blocks at its end; "
            f"at most {cltv_final_max} are accepted"
        )
    blocks = CLTV_MAX_BLOCKS - invoice.min_final_cltv
    hints = invoice.route_hints
    if hints and not any(_affordable(hops, amount_msat, fee_limit_msat, blocks) for hops in hints):
        raise QuoteRefused("every private route of the invoice costs more than is accepted")


def _check_amount(invoice: Invoice, amount_msat: int) -> None:
    if invoice.amount_msat is None:
        raise QuoteRefused("the invoice has no amount")
    if invoice.amount_msat != amount_msat:
        raise QuoteRefused(
            f"the invoice asks for {invoice.amount_msat} msat; {amount_msat} were agreed"
        )


def _check_times(invoice: Invoice, now_s: int, expiry_min_s: int) -> None:
    if invoice.timestamp_s > now_s + CLOCK_SKEW_MAX_S:
        raise QuoteRefused("the invoice was made in the future")
    left_s = invoice.expires_at_s - now_s
    if left_s < expiry_min_s:
        raise QuoteRefused(f"the invoice expires within {expiry_min_s} seconds")
    if left_s > EXPIRY_MAX_S:
        raise QuoteRefused("the invoice stays open for more than a month")


def _affordable(
    hops: tuple[RouteHop, ...], amount_msat: int, fee_limit_msat: int, blocks: int
) -> bool:
    """Fees as BOLT 7 counts them: from the receiver back, each on what it forwards."""
    forwarded_msat = amount_msat
    for hop in reversed(hops):
        forwarded_msat += hop.fee_base_msat + forwarded_msat * hop.fee_ppm // _MILLION
    locked = sum(hop.cltv_delta for hop in hops)
    return forwarded_msat - amount_msat <= fee_limit_msat and locked <= blocks


def _check_status(answer: dict[str, object]) -> None:
    if str(answer.get("status", "")).upper() == "ERROR":
        reason = answer.get("reason")
        words = _printable(reason) if isinstance(reason, str) else ""
        raise QuoteRefused(f"the server refuses: {words or 'it gives no reason'}")


def _whole(answer: dict[str, object], key: str) -> int:
    value = answer.get(key)
    if type(value) is not int or not 0 <= value <= UNITS_MAX:
        raise QuoteRefused(f"the server's {key} is no amount in msat")
    return value


def _check_payer_data(wanted: object) -> None:
    """LUD-18: what is mandatory can't be given, for the node pays on behalf of many."""
    fields = wanted.values() if isinstance(wanted, dict) else ()
    if any(isinstance(field, dict) and field.get("mandatory") for field in fields):
        raise QuoteRefused("the server demands to know the payer, which this node does not tell")


def _callback(url: object, allow: frozenset[str]) -> str:
    if not isinstance(url, str):
        raise QuoteRefused("the server names no callback")
    try:
        check_url(url, allow)
    except FetchRefused as error:
        raise QuoteRefused(f"the server's callback is refused: {error}") from error
    keys = {key.lower() for key, _ in parse_qsl(url.partition("?")[2], keep_blank_values=True)}
    if keys & {"amount", "comment"}:
        raise QuoteRefused("the server's callback holds an amount or a comment already")
    return url


def _description(metadata: object) -> str:
    """The text/plain entry, of which LUD-06 demands one."""
    if not isinstance(metadata, str):
        raise QuoteRefused("the server's metadata is no text")
    try:
        entries = read_value(metadata)
    except FetchRefused as error:
        raise QuoteRefused("the server's metadata is not JSON") from error
    if not isinstance(entries, list) or not all(_is_entry(entry) for entry in entries):
        raise QuoteRefused("the server's metadata is no list of named entries")
    plain = [entry[1:] for entry in entries if entry[0] == "text/plain"]
    if len(plain) != 1 or len(plain[0]) != 1 or not isinstance(plain[0][0], str):
        raise QuoteRefused("the server's metadata needs exactly one description")
    return _printable(plain[0][0])


def _is_entry(entry: object) -> bool:
    return isinstance(entry, list) and bool(entry) and isinstance(entry[0], str)


def _printable(text: str) -> str:
    """A stranger's words on one line, without control or direction characters, cut."""
    words = "".join(char if char.isprintable() else " " for char in text[: 4 * REASON_CHARS_MAX])
    return " ".join(words.split())[:REASON_CHARS_MAX]
