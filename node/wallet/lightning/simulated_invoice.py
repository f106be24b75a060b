"""BOLT11 for the simulated network: real syntax, real signatures, prefix `lnsb` (simnet).

    lnsb 25u 1 <timestamp 35 bits> <tags> <signature 512 bits> <recovery id> <checksum>

Tags are `p` payment hash, `s` payment secret, `d` description or `h` its hash, `x` expiry, `c`
final CLTV delta, `n` payee key and `9` features. The payee key is always written, so a reader
verifies the signature against it, as BOLT11 demands, and needs no key recovery; the recovery id is
a zero.

Decoding serves DecodePayReq and the payer of the simulation. It is as forgiving as lnd's in the one
point that matters to a tester: of a repeated tag it takes the first (bolts#1357), so that a strict
parser elsewhere can be shown to be stricter. `encode_invoice` takes whatever key and tags it is
given, so that a hostile creator can be played too.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from bech32 import bech32_decode, bech32_encode, convertbits
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from node.errors import BadInput

PREFIX: Final = "lnsb"
"""BOLT11's human-readable part for simnet, as lnd writes it."""

EXPIRY_DEFAULT_S: Final = 3600
FINAL_CLTV_DEFAULT: Final = 24
"""lnd's, where BOLT 11 says 18."""
FEATURES: Final = (8, 14, 17)
"""What lnd sets: TLV onion and payment secret required, multi-part optional."""

_CHARSET: Final = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_CURVE_ORDER: Final = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
_SIGNATURE_WORDS: Final = 104
_TIMESTAMP_WORDS: Final = 7
_PREFIX_PATTERN: Final = re.compile(rf"{PREFIX}(?:([1-9][0-9]*)([munp]?))?")
_TENTHS_OF_MSAT: Final = {"": 10**12, "m": 10**9, "u": 10**6, "n": 10**3, "p": 1}


@dataclass(frozen=True, slots=True)
class Bolt11:
    """What an invoice says. `amount_msat` 0 means that the payer chooses the amount.

    Times are in seconds since 1970 (`timestamp_s`) and in seconds (`expiry_s`); `payee` is a
    compressed public key; the CLTV delta is in blocks.
    """

    payment_hash: bytes
    payment_secret: bytes
    payee: bytes
    amount_msat: int
    timestamp_s: int
    description: str = ""
    description_hash: bytes = b""
    expiry_s: int = EXPIRY_DEFAULT_S
    final_cltv: int = FINAL_CLTV_DEFAULT
    features: tuple[int, ...] = FEATURES

    @property
    def expires_at_s(self) -> int:
        """The last second at which it may be paid."""
        return self.timestamp_s + self.expiry_s


def public_key(key: ec.EllipticCurvePrivateKey) -> bytes:
    """The 33 compressed bytes that name a node."""
    return key.public_key().public_bytes(Encoding.X962, PublicFormat.CompressedPoint)


def encode_invoice(invoice: Bolt11, key: ec.EllipticCurvePrivateKey) -> str:
    """Write and sign `invoice` (BOLT11). `key` need not be the payee's: then it is a forgery."""
    words = _number_words(invoice.timestamp_s, _TIMESTAMP_WORDS)
    words += _tag("p", _words(invoice.payment_hash)) + _tag("s", _words(invoice.payment_secret))
    if invoice.description_hash:
        words += _tag("h", _words(invoice.description_hash))
    else:
        words += _tag("d", _words(invoice.description.encode()))
    words += _tag("x", _number_words(invoice.expiry_s))
    words += _tag("c", _number_words(invoice.final_cltv))
    words += _tag("n", _words(invoice.payee))
    words += _tag("9", _number_words(sum(1 << bit for bit in invoice.features)))
    hrp = PREFIX + _amount_text(invoice.amount_msat)
    return str(bech32_encode(hrp, words + _words(_sign(key, hrp, words) + b"\x00")))


def decode_invoice(payment_request: str) -> Bolt11:
    """Read an invoice and verify its signature. Raises BadInput with what is wrong."""
    hrp, words = bech32_decode(payment_request)
    if hrp is None or words is None:
        raise BadInput("invalid bech32 string or checksum")
    prefix = _PREFIX_PATTERN.fullmatch(hrp)
    if prefix is None:
        raise BadInput("invoice not for current active network 'simnet'")
    if len(words) < _SIGNATURE_WORDS + _TIMESTAMP_WORDS:
        raise BadInput("short invoice")
    signed, signature = words[:-_SIGNATURE_WORDS], _bytes(words[-_SIGNATURE_WORDS:])
    tags = dict(reversed(list(_tags(signed[_TIMESTAMP_WORDS:]))))
    invoice = Bolt11(
        payment_hash=_sized(tags, "p", 32),
        payment_secret=_sized(tags, "s", 32),
        payee=_sized(tags, "n", 33),
        amount_msat=_amount_msat(prefix),
        timestamp_s=_number(signed[:_TIMESTAMP_WORDS]),
        description=_bytes(tags.get("d", [])).decode(errors="replace"),
        description_hash=_sized(tags, "h", 32) if "h" in tags else b"",
        expiry_s=_number(tags["x"]) if "x" in tags else EXPIRY_DEFAULT_S,
        final_cltv=_number(tags["c"]) if "c" in tags else FINAL_CLTV_DEFAULT,
        features=_set_bits(_number(tags.get("9", []))),
    )
    _verify(invoice.payee, hrp, signed, signature)
    return invoice


def _amount_text(amount_msat: int) -> str:
    """The shortest way to write it: BOLT11 forbids any other."""
    if amount_msat == 0:
        return ""
    tenths = amount_msat * 10
    for suffix, size in _TENTHS_OF_MSAT.items():
        number, rest = divmod(tenths, size)
        if rest == 0:
            return f"{number}{suffix}"
    raise AssertionError("a whole number of tenths is always a number of p")


def _amount_msat(prefix: re.Match[str]) -> int:
    if prefix[1] is None:
        return 0
    amount_msat, rest = divmod(int(prefix[1]) * _TENTHS_OF_MSAT[prefix[2]], 10)
    if rest:
        raise BadInput("the amount is not a whole number of msat")
    return amount_msat


def _tag(letter: str, words: list[int]) -> list[int]:
    return [_CHARSET.index(letter), *_number_words(len(words), 2), *words]


def _tags(words: list[int]) -> Iterable[tuple[str, list[int]]]:
    while words:
        length = _number(words[1:3])
        if len(words) < 3 + length:
            raise BadInput("invalid field length")
        yield _CHARSET[words[0]], words[3 : 3 + length]
        words = words[3 + length :]


def _sized(tags: dict[str, list[int]], letter: str, size: int) -> bytes:
    value = _bytes(tags.get(letter, []))
    if len(value) != size:
        raise BadInput(f"the invoice's tag {letter} is missing or has not {size} bytes")
    return value


def _number(words: Iterable[int]) -> int:
    number = 0
    for word in words:
        number = number << 5 | word
    return number


def _number_words(number: int, length: int = 0) -> list[int]:
    """Big-endian words; exactly `length` of them, or else as few as are needed."""
    length = length or -(-number.bit_length() // 5)
    return [number >> 5 * (length - 1 - place) & 31 for place in range(length)]


def _set_bits(number: int) -> tuple[int, ...]:
    return tuple(bit for bit in range(number.bit_length()) if number >> bit & 1)


def _words(octets: bytes) -> list[int]:
    words = convertbits(octets, 8, 5)
    assert words is not None
    return list(words)


def _bytes(words: list[int]) -> bytes:
    """Whole bytes; the padding of at most 4 bits is dropped."""
    octets = convertbits(words, 5, 8, True)
    assert octets is not None
    return bytes(octets[: len(words) * 5 // 8])


def _message(hrp: str, words: list[int]) -> bytes:
    padded = convertbits(words, 5, 8)
    assert padded is not None
    return hrp.encode() + bytes(padded)


def _sign(key: ec.EllipticCurvePrivateKey, hrp: str, words: list[int]) -> bytes:
    """ECDSA over sha256(hrp || words), 64 bytes, with the low s that BOLT11 readers expect."""
    r, s = decode_dss_signature(key.sign(_message(hrp, words), ec.ECDSA(hashes.SHA256())))
    return r.to_bytes(32, "big") + min(s, _CURVE_ORDER - s).to_bytes(32, "big")


def _verify(payee: bytes, hrp: str, words: list[int], signature: bytes) -> None:
    r, s = (int.from_bytes(part, "big") for part in (signature[:32], signature[32:64]))
    try:
        ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256K1(), payee).verify(
            encode_dss_signature(r, s), _message(hrp, words), ec.ECDSA(hashes.SHA256())
        )
    except (InvalidSignature, ValueError) as error:
        raise BadInput("the invoice's signature is not by its payee") from error


def payment_hash_of(preimage: bytes) -> bytes:
    """sha256, as in BOLT 2."""
    return hashlib.sha256(preimage).digest()
