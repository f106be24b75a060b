"""secp256k1, as far as a stranger's text needs it: what is a key, and what can be a signature.

A signature fits a payee who is named, or else some key can be recovered from it: `r` is the x of a
point, and of the four recovery codes the upper two stand for an `r` that was beyond the order.
Whose key that is, is not worked out here. Source: SEC 1 §2.3.4 and §4.1.6; BOLT 11.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

SIGNATURE_BYTES: Final = 65
"""r and s, 32 bytes each, and the recovery code."""
KEYS_KEPT: Final = 10_000
"""Keys that are met again and again are looked at once."""
_ORDER: Final = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
_FIELD_PRIME: Final = 2**256 - 2**32 - 977
_RECOVERY_MAX: Final = 3
_COMPRESSED: Final = frozenset({2, 3})
_KEY_BYTES: Final = 33


@lru_cache(KEYS_KEPT)
def is_key(octets: bytes) -> bool:
    """Whether these are a compressed public key: 02 or 03, then an x that lies on the curve."""
    return _point(octets) is not None


def can_be_signature(message: bytes, signature: bytes, payee: bytes | None) -> bool:
    """Whether `signature` is the payee's, or anybody's if none is named.

    `message` is what was signed, before its SHA-256; `payee` a compressed key that is one.
    """
    r, s = int.from_bytes(signature[:32]), int.from_bytes(signature[32:64])
    code = signature[64]
    if not (0 < r < _ORDER and 0 < s < _ORDER and code <= _RECOVERY_MAX):
        return False
    if payee is None:
        x = r + _ORDER * (code >> 1)
        return x < _FIELD_PRIME and _point(b"\x02" + x.to_bytes(32)) is not None
    key = _point(payee)
    return key is not None and _verifies(key, message, encode_dss_signature(r, s))


def _point(octets: bytes) -> ec.EllipticCurvePublicKey | None:
    if len(octets) != _KEY_BYTES or octets[0] not in _COMPRESSED:
        return None
    try:
        return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256K1(), octets)
    except ValueError:
        return None


def _verifies(key: ec.EllipticCurvePublicKey, message: bytes, signature: bytes) -> bool:
    try:
        key.verify(signature, message, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        return False
    return True
