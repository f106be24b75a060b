"""LNURL-auth (LUD-04): what a wallet is asked, and whether its signature is good.

The wallet gets a URL with 32 random bytes, k1. It signs them with a key that it derives for this
domain alone, and calls the URL with the signature and that linking key. A signature has many
spellings; one is taken: strict DER, and s in the lower half of the curve's order (BIP-62, BIP-66).
"""

from __future__ import annotations

import re
from typing import Final, Literal, TypeAlias
from urllib.parse import urlencode

from bech32 import bech32_encode, convertbits
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    SECP256K1,
    EllipticCurvePublicKey,
)
from cryptography.hazmat.primitives.asymmetric.utils import (
    Prehashed,
    decode_dss_signature,
)
from cryptography.hazmat.primitives.hashes import SHA256

from node.errors import BadInput, Forbidden

Action: TypeAlias = Literal["login", "link", "auth"]
"""LUD-04's actions that the node asks for; `register` is a `login` that comes first."""
TAG: Final = "login"
_ORDER: Final = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
_SIGNATURE_BYTES_MAX: Final = 72


def callback_url(callback: str, k1: str, action: Action) -> str:
    """What the wallet calls, with its signature added. Its scheme is http or https."""
    return f"{callback}?{urlencode({'tag': TAG, 'k1': k1, 'action': action})}"


def lnurl(url: str) -> str:
    """A URL as a QR code shows it: bech32, upper case (LUD-01)."""
    return str(bech32_encode("lnurl", convertbits(url.encode(), 8, 5))).upper()


def keyauth_link(url: str) -> str:
    """A URL as a link that opens a wallet (LUD-17)."""
    return "keyauth://" + url.partition("://")[2]


def demand_signed(k1: str, signature: str, key: str) -> str:
    """The linking key, if it has signed these 32 bytes; 66 hex digits in lower case.

    All three are hexadecimal. Raises BadInput for what is no signature or key, Forbidden for a
    signature of another.
    """
    signed = _octets("k1", k1, 32, 32)
    encoded = _octets("sig", signature, 8, _SIGNATURE_BYTES_MAX)
    public = _public_key(_octets("key", key, 33, 33))
    _demand_one_spelling(encoded)
    try:
        public.verify(encoded, signed, ECDSA(Prehashed(SHA256())))
    except InvalidSignature as error:
        raise Forbidden("the signature is not one of this key for this k1") from error
    return key.lower()


def _octets(name: str, text: str, least: int, most: int) -> bytes:
    if not re.fullmatch(rf"([0-9a-fA-F]{{2}}){{{least},{most}}}", text, re.ASCII):
        size = f"{least}" if least == most else f"{least} to {most}"
        raise BadInput(f"{name} is {size} bytes in hexadecimal digits")
    return bytes.fromhex(text)


def _public_key(point: bytes) -> EllipticCurvePublicKey:
    try:
        return EllipticCurvePublicKey.from_encoded_point(SECP256K1(), point)
    except ValueError as error:
        raise BadInput("key is no compressed point of secp256k1") from error


def _demand_one_spelling(encoded: bytes) -> None:
    """Strict DER, which the decoder demands, and the low one of the two s."""
    try:
        _, s = decode_dss_signature(encoded)
    except ValueError as error:
        raise BadInput("sig is not strict DER") from error
    if s > _ORDER // 2:
        raise BadInput("sig has the high s: sign with the low one")
