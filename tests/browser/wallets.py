"""The wallets of people in the tests: they sign in by what a page shows them, as real ones do.

AuthWallet      reads the link under the QR and calls it back, signed (LUD-04)
EthereumWallet  is in the page as an EIP-1193 provider that announces itself (EIP-6963)
NostrWallet     is in the page as `window.nostr` (NIP-07)
"""

from __future__ import annotations

import hashlib
import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import aiohttp
import nostr_sdk
from bech32 import bech32_decode, convertbits
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import (
    Prehashed,
    decode_dss_signature,
    encode_dss_signature,
)
from eth_account import Account
from eth_account.messages import encode_defunct
from playwright.async_api import BrowserContext

ORDER = 0xFFFFFFFF_FFFFFFFF_FFFFFFFF_FFFFFFFE_BAAEDCE6_AF48A03B_BFD25E8C_D0364141
"""Of secp256k1's group."""
USER_REJECTED = 4001


def read_lnurl(text: str) -> str:
    """The URL in `lightning:LNURL1…` or `LNURL1…` (LUD-01), or in `keyauth://…` (LUD-17)."""
    bare = text.strip().removeprefix("lightning:").removeprefix("LIGHTNING:")
    if bare.startswith("keyauth://"):
        return "https" + bare.removeprefix("keyauth")
    prefix, words = bech32_decode(bare.lower())
    assert prefix == "lnurl", text
    told = convertbits(words, 5, 8, pad=False)
    assert told is not None, text
    return bytes(told).decode()


class AuthWallet:
    """A Lightning wallet's other key. Each seed and each domain is another identity (LUD-05)."""

    def __init__(self, seed: str) -> None:
        self._seed = seed

    async def scan(self, text: str) -> dict[str, Any]:
        """Do what the link asks; what the node's callback answers."""
        async with aiohttp.ClientSession() as http, http.get(self.signed(text)) as response:
            answer = await response.json(content_type=None)
        assert isinstance(answer, dict)
        return answer

    def signed(self, text: str) -> str:
        """The callback's URL with the signature."""
        url = read_lnurl(text)
        query = parse_qs(urlsplit(url).query)
        assert query["tag"] == ["login"], url
        key = self._key(urlsplit(url).netloc)
        digest = bytes.fromhex(query["k1"][0])
        r, s = decode_dss_signature(key.sign(digest, ec.ECDSA(Prehashed(hashes.SHA256()))))
        signature = encode_dss_signature(r, min(s, ORDER - s)).hex()
        return f"{url}&sig={signature}&key={_compressed(key)}"

    def _key(self, domain: str) -> ec.EllipticCurvePrivateKey:
        digest = hashlib.sha256(f"{self._seed} {domain}".encode()).digest()
        return ec.derive_private_key(1 + int.from_bytes(digest) % (ORDER - 1), ec.SECP256K1())


def _compressed(key: ec.EllipticCurvePrivateKey) -> str:
    return (
        key.public_key()
        .public_bytes(serialization.Encoding.X962, serialization.PublicFormat.CompressedPoint)
        .hex()
    )


ANNOUNCE = """
(() => {
  const provider = {
    request: async (asked) => {
      const told = JSON.parse(await window.__ethereum(JSON.stringify(asked)));
      if (told.error) throw told.error;
      return told.result;
    },
    on() {}, removeListener() {},
  };
  const info = {
    uuid: "350670db-19fa-4704-a166-e52e178b59d2", name: "Wallet of the tests",
    icon: "data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg'/>", rdns: "test.wallet",
  };
  const announce = () => window.dispatchEvent(new CustomEvent(
    "eip6963:announceProvider", {detail: Object.freeze({info, provider})}));
  window.addEventListener("eip6963:requestProvider", announce);
  announce();
})();
"""


class EthereumWallet:
    """An account that signs what it is asked to, unless it `refuses`."""

    def __init__(self, name: str, chain_id: int) -> None:
        self._account = Account.from_key(hashlib.sha256(f"browser {name}".encode()).digest())
        self._chain_id = chain_id
        self.address: str = self._account.address
        self.refuses = False
        self.signed: list[str] = []

    async def enter(self, context: BrowserContext) -> None:
        """Be in every page of this visitor from now on."""
        await context.expose_function("__ethereum", self._answer)
        await context.add_init_script(ANNOUNCE)

    async def _answer(self, asked: str) -> str:
        request = json.loads(asked)
        method, given = request["method"], request.get("params") or []
        if method in {"eth_requestAccounts", "eth_accounts"}:
            return json.dumps({"result": [self.address]})
        if method == "eth_chainId":
            return json.dumps({"result": hex(self._chain_id)})
        if method == "personal_sign" and not self.refuses:
            return json.dumps({"result": self._sign(*given[:2])})
        code = USER_REJECTED if method == "personal_sign" else 4200
        return json.dumps({"error": {"code": code, "message": f"{method} is refused"}})

    def _sign(self, message: str, address: str) -> str:
        assert address.lower() == self.address.lower(), address
        text = bytes.fromhex(message.removeprefix("0x")).decode()
        self.signed.append(text)
        signed = self._account.sign_message(encode_defunct(text=text))
        return "0x" + signed.signature.hex().removeprefix("0x")


NOSTR = """
window.nostr = {
  getPublicKey: () => window.__nostrKey(),
  signEvent: async (event) => JSON.parse(await window.__nostrSign(JSON.stringify(event))),
};
"""


class NostrWallet:
    """A Nostr key that signs events."""

    def __init__(self) -> None:
        self._keys = nostr_sdk.Keys.generate()
        self.key = self._keys.public_key().to_hex()
        self.signed: list[dict[str, Any]] = []

    async def enter(self, context: BrowserContext) -> None:
        """Be in every page of this visitor from now on."""
        await context.expose_function("__nostrKey", lambda: self.key)
        await context.expose_function("__nostrSign", self._sign)
        await context.add_init_script(NOSTR)

    def _sign(self, event: str) -> str:
        unsigned = json.loads(event) | {"pubkey": self.key}
        signed = nostr_sdk.UnsignedEvent.from_json(json.dumps(unsigned)).sign(self._keys).as_json()
        self.signed.append(json.loads(signed))
        return str(signed)
