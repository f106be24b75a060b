"""The wallets of people in the tests: they sign in by what a page shows them, as real ones do.

AuthWallet      reads the link under the QR and calls it back, signed (LUD-04)
EthereumWallet  is in the page as an EIP-1193 provider that announces itself (EIP-6963)
NostrWallet     is in the page as `window.nostr` (NIP-07)
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

import nostr_sdk
from eth_account import Account
from eth_account.messages import encode_defunct
from playwright.async_api import BrowserContext

USER_REJECTED = 4001


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
        return self.sign(bytes.fromhex(message.removeprefix("0x")).decode())

    def sign(self, text: str) -> str:
        """The signature of a text (EIP-191), in hex."""
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

    def sign_at(self, event: str, at_s: int) -> str:
        """The event, signed, as of this second."""
        return self._sign(json.dumps(json.loads(event) | {"created_at": at_s}))

    def _sign(self, event: str) -> str:
        unsigned = json.loads(event) | {"pubkey": self.key}
        signed = nostr_sdk.UnsignedEvent.from_json(json.dumps(unsigned)).sign(self._keys).as_json()
        self.signed.append(json.loads(signed))
        return str(signed)
