"""Wallets that sign: what members of a test hold in their hands."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlsplit

from bech32 import bech32_decode, convertbits
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import (
    Prehashed,
    decode_dss_signature,
    encode_dss_signature,
)
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from eth_account import Account
from eth_account.messages import encode_defunct
from nostr_sdk import EventBuilder, Keys, Kind, Tag, Timestamp

ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


@dataclass
class LightningWallet:
    """A linking key. (A real wallet derives one per domain; here it is a number.)"""

    number: int
    key: ec.EllipticCurvePrivateKey = field(init=False)

    def __post_init__(self) -> None:
        self.key = ec.derive_private_key(self.number, ec.SECP256K1())

    @property
    def linking_key(self) -> str:
        return self.key.public_key().public_bytes(
            Encoding.X962, PublicFormat.CompressedPoint
        ).hex()  # fmt: skip

    def sign(self, k1: str, *, high_s: bool = False) -> str:
        made = self.key.sign(bytes.fromhex(k1), ec.ECDSA(Prehashed(SHA256())))
        r, s = decode_dss_signature(made)
        low = min(s, ORDER - s)
        return encode_dss_signature(r, ORDER - low if high_s else low).hex()

    def answer(self, url: str) -> dict[str, str]:
        """The query that a wallet calls this URL with."""
        query = dict(parse_qsl(urlsplit(url).query))
        return query | {"sig": self.sign(query["k1"]), "key": self.linking_key}


def url_of_lnurl(text: str) -> str:
    head, words = bech32_decode(text)
    assert head == "lnurl"
    return bytes(convertbits(words, 5, 8, False)).decode()


def ethereum_wallet(number: int):
    return Account.from_key(number.to_bytes(32, "big"))


def sign_text(text: str, key) -> str:
    return "0x" + bytes(key.sign_message(encode_defunct(text=text)).signature).hex()


def nostr_keys(number: int) -> Keys:
    return Keys.parse(number.to_bytes(32, "big").hex())


def sign_event(shown: str, keys: Keys, **changes) -> str:
    """Sign the event that was shown, with other kind, content, time or tags, or one tag's value."""
    event = json.loads(shown)
    tags = changes.pop("tags", None)
    for name in ("kind", "content", "created_at"):
        event[name] = changes.pop(name, event[name])
    by_name = {tag[0]: tag for tag in event["tags"]}
    for name, value in changes.items():
        by_name[name] = [name, value]
    told = tags if tags is not None else list(by_name.values())
    builder = EventBuilder(Kind(event["kind"]), event["content"])
    builder = builder.tags([Tag.parse(tag) for tag in told])
    return (
        builder.custom_created_at(Timestamp.from_secs(event["created_at"])).finalize(keys).as_json()
    )
