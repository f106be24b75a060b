"""A made-up person's Lightning wallet, as far as it signs in: LNURL-auth (LUD-04).

    QR or link  LNURL1…  ▶  https://node/…?tag=login&k1=<32 bytes>  ▶  GET …&sig=<DER>&key=<point>

The key that signs is another one for each domain (LUD-05), so two sites can't tell that they have
the same visitor.
"""

from __future__ import annotations

import hashlib
import json
from typing import Final
from urllib.parse import parse_qs, urlsplit

import aiohttp
from bech32 import bech32_decode, convertbits
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import (
    Prehashed,
    decode_dss_signature,
    encode_dss_signature,
)

from node.errors import BadInput, NodeError

ORDER: Final = 0xFFFFFFFF_FFFFFFFF_FFFFFFFF_FFFFFFFE_BAAEDCE6_AF48A03B_BFD25E8C_D0364141
"""How many keys secp256k1 has, and one more."""
ANSWER_LIMIT_S: Final = 10
_SCHEMES: Final = ("lightning:", "LIGHTNING:")
_K1_BYTES: Final = 32


class AuthWallet:
    """The keys of one person; the same seed is the same person."""

    def __init__(self, seed: str) -> None:
        self._seed = seed

    async def sign_in(self, text: str) -> None:
        """Do what a sign-in's link asks. Raises BadInput, and NodeError in the node's words."""
        url = self.signed(text)
        limit = aiohttp.ClientTimeout(total=ANSWER_LIMIT_S)
        try:
            async with aiohttp.ClientSession(timeout=limit) as http, http.get(url) as response:
                answer = json.loads(await response.text())
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise NodeError(f"the sign-in was not answered: {error}") from error
        if not isinstance(answer, dict) or answer.get("status") != "OK":
            reason = answer.get("reason") if isinstance(answer, dict) else answer
            raise NodeError(f"the sign-in is refused: {reason}")

    def signed(self, text: str) -> str:
        """The URL that a link stands for, with the signature. Raises BadInput."""
        url = read_link(text)
        query = parse_qs(urlsplit(url).query)
        if query.get("tag") != ["login"]:
            raise BadInput("this link is not one to sign in with")
        try:
            k1 = bytes.fromhex(query.get("k1", [""])[0])
        except ValueError:
            k1 = b""
        if len(k1) != _K1_BYTES:
            raise BadInput("this link has no k1 of 32 bytes")
        key = self._key(urlsplit(url).netloc)
        r, s = decode_dss_signature(key.sign(k1, ec.ECDSA(Prehashed(hashes.SHA256()))))
        signature = encode_dss_signature(r, min(s, ORDER - s)).hex()
        return f"{url}&sig={signature}&key={_point(key)}"

    def public_key(self, domain: str) -> str:
        """Who this wallet is to a domain (host, or host:port): 33 bytes in hex."""
        return _point(self._key(domain))

    def _key(self, domain: str) -> ec.EllipticCurvePrivateKey:
        digest = hashlib.sha256(f"{self._seed}\0{domain}".encode()).digest()
        return ec.derive_private_key(1 + int.from_bytes(digest) % (ORDER - 1), ec.SECP256K1())


def read_link(text: str) -> str:
    """The URL in `lightning:LNURL1…` or `LNURL1…` (LUD-01). Raises BadInput."""
    bare = text.strip()
    for scheme in _SCHEMES:
        bare = bare.removeprefix(scheme)
    head, words = bech32_decode(bare)
    octets = convertbits(words, 5, 8, pad=False) if head == "lnurl" and words else None
    try:
        return bytes(octets or b"").decode("ascii") or _no_link()
    except UnicodeDecodeError:
        return _no_link()


def _no_link() -> str:
    raise BadInput("this is no LNURL: copy the whole text, from LNURL1 to its end")


def _point(key: ec.EllipticCurvePrivateKey) -> str:
    encoding, form = serialization.Encoding.X962, serialization.PublicFormat.CompressedPoint
    return key.public_key().public_bytes(encoding, form).hex()
