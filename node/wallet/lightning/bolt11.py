"""A BOLT11 invoice, read in one way only, before anything else sees it.

The payer's own Lightning node decodes and checks the signature; this reads the same text first
and refuses whatever two libraries could read differently. That is how a bot was drained: of two
payment hashes one library took the first and the other the last (bolts#1357, 2026).

    text  = ln <network> [amount] 1 <timestamp 7> <tag 1, length 2, value>... <signature 104>
            counted in characters of five bits; then six of checksum

Stricter than the spec, which lets a reader skip fields: a known field given twice or in another
size is refused, as is an invoice without a payment secret, with a padding that is not zero, with
numbers that begin with zeros, or with neither or both of a description and its hash. And as strict
as lnd: a description is UTF-8, a fallback address can be one, every key is a point of the curve,
and the signature is the named payee's or can be somebody's. Whose, is lnd's to say: the payee's key
is not recovered from the signature here.

Source: BOLT 11 and BOLT 9 of github.com/lightning/bolts. 200,000 mutants against lnd's own reader
are in tests/hostile/.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from bech32 import bech32_decode, convertbits

from node.errors import QuoteRefused
from node.wallet.lightning.curve import can_be_signature, is_key

INVOICE_CHARS_MAX: Final = 7089
"""What lnd reads, which is what a QR code holds."""
EXPIRY_DEFAULT_S: Final = 3600
EXPIRY_MAX_S: Final = 2**33
"""What lnd can count: it keeps the expiry in nanoseconds of 63 bits, and silently wraps around."""
CLTV_DEFAULT_BLOCKS: Final = 24
"""What lnd takes where the invoice says nothing; BOLT 11 says 18."""
AMP_FEATURES: Final = frozenset({30, 31})
MSAT_MAX: Final = 21_000_000 * 100_000_000_000
"""All bitcoin."""

_HEAD: Final = re.compile(r"ln(bcrt|bc|tbs|tb|sb)(?:([1-9][0-9]{0,18})([munp]?))?", re.ASCII)
_TENTHS_MSAT: Final = {"": 10**12, "m": 10**9, "u": 10**6, "n": 10**3, "p": 1}
"""One amount unit in tenths of a millisatoshi, which is what one pico is."""

_TIMESTAMP_CHARS: Final = 7
_SIGNATURE_CHARS: Final = 104
_TAG_HEAD_CHARS: Final = 3

_P, _R, _FEATURES, _X, _F, _D, _S, _N, _B, _H, _C, _M = 1, 3, 5, 6, 9, 13, 16, 19, 20, 23, 24, 27
_NAMES: Final = {
    _P: "payment hash",
    _FEATURES: "feature list",
    _X: "expiry",
    _D: "description",
    _S: "payment secret",
    _N: "payee",
    _H: "description hash",
    _C: "final time lock",
    _M: "metadata",
}
"""The fields that may stand once. Routes, fallback addresses and unknown ones may repeat."""
_REPEATED: Final = frozenset({_R, _F})
_FALLBACK_BYTES: Final = {0: {20, 32}, 1: {32}, 17: {20}, 18: {20}}
"""The sizes of on-chain addresses by their version; other versions are skipped by all readers."""
_HASH_CHARS: Final = 52
_KEY_CHARS: Final = 53
_NUMBER_CHARS_MAX: Final = 12
_HOP_BYTES: Final = 51
_KEY_BYTES: Final = 33
_KNOWN_REQUIRED: Final = frozenset({8, 14, 16, 48})
"""var_onion, payment_secret, basic_mpp, payment_metadata."""
_MPP, _SECRET = frozenset({16, 17}), frozenset({14, 15})


@dataclass(frozen=True, slots=True)
class RouteHop:
    """One channel of a private route. `pubkey` is the node at the channel's start, in hex."""

    pubkey: str
    short_channel_id: int
    fee_base_msat: int
    fee_ppm: int
    cltv_delta: int


@dataclass(frozen=True, slots=True)
class Invoice:
    """What the text says. Hashes, secrets and keys are lower-case hex."""

    text: str
    network_prefix: str
    amount_msat: int | None
    timestamp_s: int
    payment_hash: str
    payment_secret: str
    payee: str | None
    """Only if the invoice names it; else it is in the signature."""
    expiry_s: int
    min_final_cltv: int
    description_hash: str | None
    route_hints: tuple[tuple[RouteHop, ...], ...]
    features: frozenset[int]

    @property
    def expires_at_s(self) -> int:
        """Seconds since 1970."""
        return self.timestamp_s + self.expiry_s


def parse_invoice(text: str) -> Invoice:
    """Read a bare invoice, all lower or all upper case. Raises QuoteRefused."""
    head, values = _split(text)
    prefix, amount_msat = _head(head)
    once, repeated = _fields(values[_TIMESTAMP_CHARS:-_SIGNATURE_CHARS])
    _check_descriptions(once)
    payee = _payee(once)
    _check_signature(head, values, payee)
    payment_hash, payment_secret = _hash(once, _P), _hash(once, _S)
    if payment_hash is None or payment_secret is None:
        raise QuoteRefused("the invoice has no payment hash, or no payment secret")
    return Invoice(
        text=text.lower(),
        network_prefix=prefix,
        amount_msat=amount_msat,
        timestamp_s=_number(values[:_TIMESTAMP_CHARS]),
        payment_hash=payment_hash,
        payment_secret=payment_secret,
        payee=payee.hex() if payee else None,
        expiry_s=_expiry_s(once),
        min_final_cltv=_plain_number(once, _C, CLTV_DEFAULT_BLOCKS),
        description_hash=_hash(once, _H),
        route_hints=_routes(repeated),
        features=_features(once.get(_FEATURES, [])),
    )


def _split(text: str) -> tuple[str, list[int]]:
    """(the part before the separator, the values of five bits without the checksum)."""
    if len(text) > INVOICE_CHARS_MAX:
        raise QuoteRefused(f"the invoice is longer than {INVOICE_CHARS_MAX} characters")
    if not text.isascii() or text not in {text.lower(), text.upper()}:
        raise QuoteRefused("the invoice mixes capitals and small letters, or is not ASCII")
    head, values = bech32_decode(text)
    if head is None or values is None:
        raise QuoteRefused("the invoice's checksum is wrong, or it is no invoice")
    if len(values) < _TIMESTAMP_CHARS + _SIGNATURE_CHARS:
        raise QuoteRefused("the invoice is too short")
    return head, values


def _head(head: str) -> tuple[str, int | None]:
    found = _HEAD.fullmatch(head)
    if found is None:
        raise QuoteRefused("the invoice begins with an unknown network or a malformed amount")
    prefix, digits, unit = found.groups()
    if digits is None:
        return prefix, None
    amount_msat, rest = divmod(int(digits) * _TENTHS_MSAT[unit], 10)
    if rest:
        raise QuoteRefused("the invoice asks for a fraction of a millisatoshi")
    if amount_msat > MSAT_MAX:
        raise QuoteRefused("the invoice asks for more bitcoin than there are")
    return prefix, amount_msat


def _check_signature(head: str, values: Sequence[int], payee: bytes | None) -> None:
    signature = _octets(values[-_SIGNATURE_CHARS:], "signature")
    signed = convertbits(values[:-_SIGNATURE_CHARS], 5, 8)
    if not can_be_signature(head.encode() + bytes(signed), signature, payee):
        raise QuoteRefused("the invoice's signature is no signature, or not its payee's")


def _fields(body: Sequence[int]) -> tuple[Mapping[int, list[int]], list[tuple[int, list[int]]]]:
    """(the fields that stand once, the routes and fallback addresses)."""
    once: dict[int, list[int]] = {}
    repeated: list[tuple[int, list[int]]] = []
    position = 0
    while position < len(body):
        head = body[position : position + _TAG_HEAD_CHARS]
        start = position + _TAG_HEAD_CHARS
        position = start + _number(head[1:])
        if len(head) < _TAG_HEAD_CHARS or position > len(body):
            raise QuoteRefused("a field of the invoice is longer than the invoice")
        tag, value = head[0], list(body[start:position])
        if tag in once:
            raise QuoteRefused(f"the invoice gives its {_NAMES[tag]} twice")
        if tag == _B:
            raise QuoteRefused("the invoice wants to be paid over a blinded path")
        if tag in _NAMES:
            once[tag] = value
        elif tag in _REPEATED:
            repeated.append((tag, value))
    return once, repeated


def _check_descriptions(fields: Mapping[int, list[int]]) -> None:
    if (_D in fields) == (_H in fields):
        raise QuoteRefused("the invoice has neither or both of a description and its hash")
    _octets(fields.get(_M, []), _NAMES[_M])
    try:
        _octets(fields.get(_D, []), _NAMES[_D]).decode()
    except UnicodeDecodeError as error:
        raise QuoteRefused("the invoice's description is not UTF-8 text") from error


def _hash(fields: Mapping[int, list[int]], tag: int) -> str | None:
    if tag not in fields:
        return None
    if len(fields[tag]) != _HASH_CHARS:
        raise QuoteRefused(f"the invoice's {_NAMES[tag]} has the wrong size")
    return _octets(fields[tag], _NAMES[tag]).hex()


def _payee(fields: Mapping[int, list[int]]) -> bytes | None:
    if _N not in fields:
        return None
    key = _octets(fields[_N], _NAMES[_N])
    if len(fields[_N]) != _KEY_CHARS or not is_key(key):
        raise QuoteRefused("the invoice's payee is no public key")
    return key


def _expiry_s(fields: Mapping[int, list[int]]) -> int:
    expiry_s = _plain_number(fields, _X, EXPIRY_DEFAULT_S)
    if expiry_s > EXPIRY_MAX_S:
        raise QuoteRefused("the invoice's expiry is beyond what can be counted")
    return expiry_s


def _plain_number(fields: Mapping[int, list[int]], tag: int, default: int) -> int:
    if tag not in fields:
        return default
    values = fields[tag]
    if not 0 < len(values) <= _NUMBER_CHARS_MAX or (values[0] == 0 and len(values) > 1):
        raise QuoteRefused(f"the invoice's {_NAMES[tag]} is no plain number")
    return _number(values)


def _routes(repeated: Sequence[tuple[int, list[int]]]) -> tuple[tuple[RouteHop, ...], ...]:
    """The private routes; a fallback address is only looked at."""
    for tag, value in repeated:
        if tag == _F:
            _check_fallback(value)
    return tuple(_route(value) for tag, value in repeated if tag == _R)


def _check_fallback(values: Sequence[int]) -> None:
    empty = len(values) < 2  # noqa: PLR2004  a version and something
    sizes = None if empty else _FALLBACK_BYTES.get(values[0])
    if empty or (sizes and len(_octets(values[1:], "fallback address")) not in sizes):
        raise QuoteRefused("a fallback address of the invoice is none")


def _route(values: Sequence[int]) -> tuple[RouteHop, ...]:
    octets = _octets(values, "private route")
    count, rest = divmod(len(octets), _HOP_BYTES)
    if rest or not count:
        raise QuoteRefused("a private route of the invoice has the wrong size")
    hops = [octets[at * _HOP_BYTES : (at + 1) * _HOP_BYTES] for at in range(count)]
    if not all(is_key(hop[:_KEY_BYTES]) for hop in hops):
        raise QuoteRefused("a private route of the invoice begins at no public key")
    return tuple(
        RouteHop(
            pubkey=hop[:33].hex(),
            short_channel_id=int.from_bytes(hop[33:41]),
            fee_base_msat=int.from_bytes(hop[41:45]),
            fee_ppm=int.from_bytes(hop[45:49]),
            cltv_delta=int.from_bytes(hop[49:51]),
        )
        for hop in hops
    )


def _features(values: Sequence[int]) -> frozenset[int]:
    number = _number(values)
    bits = frozenset(bit for bit in range(number.bit_length()) if number >> bit & 1)
    unknown = sorted(bit for bit in bits - _KNOWN_REQUIRED if bit % 2 == 0)
    if unknown:
        raise QuoteRefused(f"the invoice demands the unknown feature {unknown[0]}")
    if bits & _MPP and not bits & _SECRET:
        raise QuoteRefused("the invoice offers parts without the payment secret they need")
    return bits


def _number(values: Sequence[int]) -> int:
    number = 0
    for value in values:
        number = number << 5 | value
    return number


def _octets(values: Sequence[int], name: str) -> bytes:
    octets = convertbits(values, 5, 8, pad=False)
    if octets is None:
        raise QuoteRefused(f"the invoice's {name} is padded with something else than zeros")
    return bytes(octets)
