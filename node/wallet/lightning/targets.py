"""Where a creator is paid over Lightning: what was typed, read as one of four targets.

    name@host                         LightningAddress   asked for an invoice per payout (LUD-16)
    LNURL1… lnurlp://… https://…      LnurlPay           the same (LUD-01, LUD-06, LUD-17)
    lnbc… lntb… lntbs… lnbcrt… lnsb…  Bolt11             one payout of exactly its amount
    02… 03… (66 hexadecimal digits)   NodeKey            keysend

Everything else is refused with a sentence that says what it is and what to give instead, and never
repeats the text, for people paste secrets into such fields.

`text` is the canonical form: `parse_target(target.text) == target`. `fingerprint` is the wallet, as
far as the text tells: equal for an address and its LNURL, with and without a +tag, and for a node's
key and an invoice that names it. Two members with one fingerprint share a wallet; different
fingerprints prove nothing. `quotes.py` talks to the receiver's server; its functions are exported
here too.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar, Final, Literal
from urllib.parse import parse_qsl, unquote

from bech32 import bech32_decode, bech32_encode, convertbits

from node.canonical import canonical_url, host_of
from node.errors import BadTarget, BadUrl, FetchRefused, QuoteRefused
from node.wallet.fetch import check_url
from node.wallet.lightning.bolt11 import parse_invoice
from node.wallet.lightning.curve import is_key
from node.wallet.lightning.quotes import PayLimits, check_invoice, probe, quote

__all__ = [
    "Bolt11",
    "LightningAddress",
    "LnurlPay",
    "NodeKey",
    "PayLimits",
    "Target",
    "check_invoice",
    "parse_target",
    "probe",
    "quote",
]

TARGET_CHARS_MAX: Final = 8192
_WELL_KNOWN: Final = "/.well-known/lnurlp/"


@dataclass(frozen=True, slots=True)
class LightningAddress:
    """`name@host`, lower case, host in punycode. A port means a test network, and plain http."""

    name: str
    host: str
    kind: ClassVar[Literal["address"]] = "address"

    @property
    def text(self) -> str:
        """The canonical form."""
        return f"{self.name}@{self.host}"

    @property
    def url(self) -> str:
        """Where the server is asked (LUD-16)."""
        scheme = "http" if ":" in self.host else "https"
        return f"{scheme}://{self.host}{_WELL_KNOWN}{self.name}"

    @property
    def fingerprint(self) -> str:
        """The wallet, as far as the text tells."""
        return _url_fingerprint(self.url)


@dataclass(frozen=True, slots=True)
class LnurlPay:
    """The URL of an LNURL-pay server."""

    url: str
    kind: ClassVar[Literal["lnurl"]] = "lnurl"

    @property
    def text(self) -> str:
        """The canonical form: bech32 in lower case (LUD-01)."""
        return str(bech32_encode("lnurl", convertbits(self.url.encode(), 8, 5)))

    @property
    def fingerprint(self) -> str:
        """The wallet, as far as the text tells."""
        return _url_fingerprint(self.url)


@dataclass(frozen=True, slots=True)
class Bolt11:
    """One invoice with an amount, in lower case."""

    invoice: str
    kind: ClassVar[Literal["invoice"]] = "invoice"

    @property
    def text(self) -> str:
        """The canonical form."""
        return self.invoice

    @property
    def fingerprint(self) -> str:
        """The payee's node if the invoice names it, else the payment hash."""
        invoice = parse_invoice(self.invoice)
        return f"node:{invoice.payee}" if invoice.payee else f"hash:{invoice.payment_hash}"


@dataclass(frozen=True, slots=True)
class NodeKey:
    """A node's public key, 66 hexadecimal digits in lower case."""

    pubkey: str
    kind: ClassVar[Literal["node"]] = "node"

    @property
    def text(self) -> str:
        """The canonical form."""
        return self.pubkey

    @property
    def fingerprint(self) -> str:
        """The node."""
        return f"node:{self.pubkey}"


Target = LightningAddress | LnurlPay | Bolt11 | NodeKey

AN_INVOICE: Final = "an LNURL, an invoice or"
"""In the sentences: what else can be given; an invoice only where one is paid once."""
_INSTEAD: Final = f"give a Lightning address, {AN_INVOICE} a node key"
_ONCHAIN: Final = f"that is an on-chain Bitcoin address: this rail is Lightning; {_INSTEAD}"
_OFFER: Final = f"that is a BOLT12 offer, which this node can't pay yet; {_INSTEAD}"
_BIP353: Final = (
    "that is a BIP-353 name (₿), which this node can't pay yet; drop the ₿ if your wallet has a "
    "Lightning address of the same name"
)
_ETHEREUM: Final = f"that is an Ethereum address: this rail is Lightning; {_INSTEAD}"
_ENS: Final = f"that is an Ethereum name: this rail is Lightning; {_INSTEAD}"
_WITHDRAW: Final = f"that is a link to withdraw, not to be paid; {_INSTEAD}"
_LOGIN: Final = f"that is a link to log in, not to be paid; {_INSTEAD}"
_CHANNEL: Final = f"that is a link to open a channel, not to be paid; {_INSTEAD}"
_SECRET: Final = f"that is the secret of a wallet: keep it to yourself; {_INSTEAD}"
_NOSTR: Final = f"that is a Nostr key; {_INSTEAD}"
_RUBBISH: Final = f"that is nothing that can be paid; {_INSTEAD}"
_REFUSED: Final = tuple(
    (re.compile(pattern, re.IGNORECASE), sentence)
    for pattern, sentence in (
        (r"ln[oir]1[^@]*", _OFFER),
        (r"₿.*", _BIP353),
        (r"0x[^@]*", _ETHEREUM),
        (r"[^@]+\.eth", _ENS),
        (r"(?:bc|tb|bcrt|sb)1[02-9ac-hj-np-z]{6,87}", _ONCHAIN),
        (r"[123mn][1-9a-z]{25,34}", _ONCHAIN),
        (r"bitcoin:.*", _ONCHAIN),
        (r"lnurlw:.*", _WITHDRAW),
        (r"keyauth:.*", _LOGIN),
        (r"lnurlc:.*", _CHANNEL),
        (r"nostr\+walletconnect:.*|(?:nostr:)?nsec1.*", _SECRET),
        (r"(?:nostr:)?n(?:pub|profile)1[^@]*", _NOSTR),
    )
)
_TAGS_REFUSED: Final = {
    "login": _LOGIN,
    "withdrawRequest": _WITHDRAW,
    "channelRequest": _CHANNEL,
}
_INVOICE: Final = re.compile(r"ln(?:bcrt|bc|tbs|tb|sb)[0-9]+[^@]*", re.IGNORECASE | re.ASCII)
_NODE: Final = re.compile(r"([0-9a-f]{66})(?:@[^@]+:[0-9]{1,5})?", re.IGNORECASE | re.ASCII)
_ADDRESS: Final = re.compile(r"([A-Za-z0-9._+-]{1,64})@([^@/?#\s]{1,260})")
_URL: Final = re.compile(r"(https?|lnurlp):(?://)?([^/?#]+)([^#]*)", re.IGNORECASE)


def parse_target(text: str, *, allow: frozenset[str] = frozenset()) -> Target:
    """Read what a creator typed.

    `allow` holds the `host:port` pairs of a test network, as for the fetcher. Nothing is fetched.
    Raises BadTarget, with a sentence for people, and nothing else.
    """
    if len(text) > TARGET_CHARS_MAX:
        raise BadTarget(f"that is too long; {_INSTEAD}")
    text = _unwrapped(text.strip())
    _check_kind(text)
    if _INVOICE.fullmatch(text):
        return _invoice(text)
    if node := _NODE.fullmatch(text):
        return _node_key(node.group(1).lower())
    if text.lower().startswith("lnurl1"):
        return _lnurl(_lnurl_text(text), allow)
    if url := _URL.fullmatch(text):
        return _web_url(url, allow)
    if address := _ADDRESS.fullmatch(text):
        return _address(address.group(1).lower(), address.group(2), allow)
    raise BadTarget(_RUBBISH)


def _check_kind(text: str) -> None:
    """Name what is well known and no target of this rail."""
    for pattern, sentence in _REFUSED:
        if pattern.fullmatch(text):
            raise BadTarget(sentence)


def _unwrapped(text: str) -> str:
    """Take the Lightning part out of lightning:…, bitcoin:…?lightning=… and LUD-01's web links."""
    scheme, _, rest = text.partition(":")
    if scheme.lower() == "lightning":
        return rest.removeprefix("//")
    if scheme.lower() in {"bitcoin", "http", "https"}:
        for key, value in parse_qsl(text.partition("?")[2]):
            if key.lower() == "lightning":
                return value
    return text


def _invoice(text: str) -> Bolt11:
    try:
        invoice = parse_invoice(text)
    except QuoteRefused as error:
        raise BadTarget(str(error)) from error
    if invoice.amount_msat is None:
        raise BadTarget("the invoice has no amount; make one with an amount, or give an address")
    return Bolt11(invoice.text)


def _node_key(pubkey: str) -> NodeKey:
    """Raises BadTarget for what is no point of secp256k1."""
    if not is_key(bytes.fromhex(pubkey)):
        raise BadTarget("that is no node's public key; a digit may be wrong")
    return NodeKey(pubkey)


def _lnurl_text(text: str) -> str:
    head, values = bech32_decode(text)
    octets = convertbits(values, 5, 8, pad=False) if head == "lnurl" and values else None
    if octets is None:
        raise BadTarget("the LNURL is damaged: its checksum is wrong")
    return bytes(octets).decode("ascii", errors="replace")


def _web_url(found: re.Match[str], allow: frozenset[str]) -> LightningAddress | LnurlPay:
    scheme, place, path = found.groups()
    if scheme.lower() == "lnurlp":
        return _lnurl(f"{'http' if place.lower() in allow else 'https'}://{place}{path}", allow)
    if not path.startswith(_WELL_KNOWN):
        raise BadTarget(f"that is a web page, not a place to be paid; {_INSTEAD}")
    return _lnurl(found.group(), allow)


def _lnurl(url: str, allow: frozenset[str]) -> LnurlPay:
    try:
        authority = check_url(url, allow)
    except FetchRefused as error:
        raise BadTarget(f"the LNURL leads nowhere: {error}") from error
    scheme, _, rest = url.partition("://")
    path = rest[len(re.split("[/?]", rest, maxsplit=1)[0]) :]
    for key, value in parse_qsl(path.partition("?")[2]):
        if key.lower() == "tag" and value in _TAGS_REFUSED:
            raise BadTarget(_TAGS_REFUSED[value])
    default = ":443" if scheme.lower() == "https" else ":80"
    return LnurlPay(f"{scheme.lower()}://{authority.removesuffix(default)}{path}")


def _address(name: str, host: str, allow: frozenset[str]) -> LightningAddress:
    if host.lower() in allow and ":" in host:
        return LightningAddress(name, host.lower())
    if ":" in host:
        raise BadTarget("a Lightning address has no port; give name@host")
    try:
        host = host_of(canonical_url(f"https://{host}/"))
        check_url(f"https://{host}/", allow)
    except (BadUrl, FetchRefused) as error:
        raise BadTarget("the part after @ is not the full name of a public site") from error
    return LightningAddress(name, host)


def _url_fingerprint(url: str) -> str:
    """The server and the path; of a Lightning address the name, without its +tag."""
    place, _, path = url.partition("://")[2].partition("/")
    if f"/{path}".startswith(_WELL_KNOWN):
        path = re.split("[+?]", unquote(path).lower())[0]
    return f"lnurlp:{place}/{path}"
