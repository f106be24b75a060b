"""The text that a wallet signs to link its address or to sign in (EIP-4361), and who has signed.

    example.org wants you to sign in with your Ethereum account:
    0x…                                     with its checksum

    Link this address …                     what it is for, and on which network

    URI: https://example.org
    Version: 1
    Chain ID: 84532
    Nonce: …
    Issued At: 2026-11-01T01:00:00Z
    Expiration Time: 2026-11-01T01:10:00Z

The node writes the text, so it reads no other: each line in its place, nothing left out, nothing
more. A wallet is asked in one of two ways who has signed: the key's signature tells the address
(EIP-191); of a contract, the contract itself is asked (EIP-1271).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Literal

from eth_hash.auto import keccak

from node.errors import BadInput, BadTarget, Reverted
from node.wallet.stablecoin.chain import Chain
from node.wallet.stablecoin.words import Blob, encode_call, read_address

TEXT_CHARS_MAX: Final = 2048
VALID_MAX_S: Final = 600
"""How long a text may be signed: ten minutes."""
SIGNATURE_BYTES_MAX: Final = 4096
"""A contract wallet's signature may hold many."""
KEY_SIGNATURE_BYTES: Final = 65
ERC1271_MAGIC: Final = bytes.fromhex("1626ba7e") + bytes(28)
"""What a contract answers of a signature that is its own."""

_ASKS: Final = " wants you to sign in with your Ethereum account:"
_TIME: Final = "%Y-%m-%dT%H:%M:%SZ"
_TIME_SHAPE: Final = r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z"
_LINES: Final = (
    ("the site", r"([a-z0-9.-]{1,253}(?::[0-9]{1,5})?|\[::1\](?::[0-9]{1,5})?)" + re.escape(_ASKS)),
    ("the address", r"(0x[0-9a-fA-F]{40})"),
    ("an empty line", r"()"),
    ("what it is for", r"([A-Za-z0-9 ._~:/?#\[\]@!$&'()*+,;=-]{1,500})"),
    ("an empty line", r"()"),
    ("URI", r"URI: (https?://[!-~]{1,500})"),
    ("Version 1", r"Version: (1)"),
    ("Chain ID", r"Chain ID: ([1-9][0-9]{0,17})"),
    ("Nonce", r"Nonce: ([A-Za-z0-9]{8,64})"),
    ("Issued At", rf"Issued At: ({_TIME_SHAPE})"),
    ("Expiration Time", rf"Expiration Time: ({_TIME_SHAPE})"),
)
"""What each line is, and its shape."""


@dataclass(frozen=True, slots=True)
class LinkText:
    """What is signed. `address` has its checksum; `domain` is a host, with its port if any."""

    domain: str
    address: str
    statement: str
    uri: str
    chain_id: int
    nonce: str
    issued_s: int
    expires_s: int

    def text(self) -> str:
        """The text as a wallet shows it."""
        return "\n".join(
            (
                self.domain + _ASKS, self.address, "", self.statement, "", f"URI: {self.uri}",
                "Version: 1", f"Chain ID: {self.chain_id}", f"Nonce: {self.nonce}",
                f"Issued At: {_as_text(self.issued_s)}",
                f"Expiration Time: {_as_text(self.expires_s)}",
            )
        )  # fmt: skip


def parse_link_text(text: str) -> LinkText:
    """Read a text back. `parse_link_text(one.text()) == one`. Raises BadInput."""
    if len(text) > TEXT_CHARS_MAX:
        raise BadInput(f"the signed text is longer than {TEXT_CHARS_MAX} characters")
    lines = text.split("\n")
    values = []
    for number, (name, shape) in enumerate(_LINES):
        line = lines[number] if number < len(lines) else ""
        found = re.fullmatch(shape, line, re.ASCII)
        if found is None or number >= len(lines):
            raise BadInput(f"line {number + 1} of the signed text is not {name}: {_AS_GIVEN}")
        values.append(found[1])
    if len(lines) > len(_LINES):
        raise BadInput(f"the signed text goes on after its expiration time: {_AS_GIVEN}")
    domain, address, _, statement, _, uri, _, chain_id, nonce, issued, expires = values
    read = LinkText(
        domain, _address(address), statement, uri, int(chain_id), nonce, _as_s(issued),
        _as_s(expires),
    )  # fmt: skip
    if not 0 < read.expires_s - read.issued_s <= VALID_MAX_S:
        raise BadInput(f"the signed text is not valid for at most {VALID_MAX_S} seconds")
    return read


_AS_GIVEN: Final = "sign the text as it was given, and send both"


def parse_signature(text: str) -> bytes:
    """A signature as wallets give it: 0x and hexadecimal digits. Raises BadInput."""
    if not re.fullmatch(r"0x([0-9a-fA-F]{2})+", text, re.ASCII):
        raise BadInput("a signature is 0x and hexadecimal digits")
    if len(text) > 2 * SIGNATURE_BYTES_MAX + 2:
        raise BadInput(f"a signature has at most {SIGNATURE_BYTES_MAX} bytes")
    return bytes.fromhex(text[2:])


async def is_signed_by(chain: Chain, address: str, text: str, signature: bytes) -> bool:
    """Whether this address has signed the text: by its key, or as a contract says that it has.

    Raises RailUnavailable, for a contract that can't be asked now.
    """
    return await signed_how(chain, address, text, signature) is not None


async def signed_how(
    chain: Chain | None, address: str, text: str, signature: bytes
) -> Literal["key", "contract"] | None:
    """How this address has signed the text; None if it has not.

    A contract is one of a chain, so without a chain only keys sign. Raises RailUnavailable.
    """
    if len(signature) == KEY_SIGNATURE_BYTES and _signer(text, signature) == address:
        return "key"
    if chain is None or not await chain.code(address):
        return None
    asked = encode_call("isValidSignature(bytes32,bytes)", _digest(text), Blob(signature))
    try:
        return "contract" if await chain.call(address, asked) == ERC1271_MAGIC else None
    except Reverted:
        return None


def _signer(text: str, signature: bytes) -> str | None:
    """The address whose key made this signature of the text (EIP-191); None if none did."""
    from eth_account import Account  # noqa: PLC0415 - it takes a second
    from eth_account.messages import encode_defunct  # noqa: PLC0415 - the same
    from eth_keys.exceptions import BadSignature  # noqa: PLC0415 - the same

    try:
        return str(Account.recover_message(encode_defunct(text=text), signature=signature))
    except (BadSignature, ValueError):
        return None


def _digest(text: str) -> bytes:
    """What a wallet signs of a text: EIP-191, version 0x45."""
    content = text.encode()
    return keccak(b"\x19Ethereum Signed Message:\n" + str(len(content)).encode() + content)


def _address(text: str) -> str:
    try:
        address = read_address(text)
    except BadTarget as error:
        raise BadInput(str(error)) from error
    if address != text:
        raise BadInput(f"the address in the signed text must have its checksum: {address}")
    return address


def _as_text(at_s: int) -> str:
    return datetime.fromtimestamp(at_s, UTC).strftime(_TIME)


def _as_s(text: str) -> int:
    try:
        return int(datetime.strptime(text, _TIME).replace(tzinfo=UTC).timestamp())
    except ValueError as error:
        raise BadInput(f"{text} is no time: {_AS_GIVEN}") from error
