"""The operator's key: it signs transactions of EIP-1559, and nothing else.

It lies in a keystore, the encrypted file that all Ethereum wallets read, and its passphrase comes
from elsewhere. Signing is deterministic (RFC 6979): the same order gives the same bytes, so what is
stored before it is sent can also be made again. The curve is libsecp256k1's where coincurve has a
wheel; else eth-keys computes it in Python, to the same bytes in some six times as long.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from node.errors import ConfigError
from node.wallet.stablecoin.words import read_address

_KDF: Final = "scrypt"
_EIP_1559: Final = 2


@dataclass(frozen=True, slots=True)
class Order:
    """A transaction to sign. `to` is None to deploy a contract."""

    chain_id: int
    nonce: int
    to: str | None
    data: bytes
    gas: int
    tip_wei: int
    cap_wei: int
    value_wei: int = 0


@dataclass(frozen=True, slots=True)
class Signed:
    """A transaction as it is sent, whole; and the hash that it has, sent or not."""

    raw: bytes
    tx_hash: str


class Signer:
    """Signs with one key. Made by `open_signer`, or of a bare key on a network of one's own."""

    def __init__(self, key: bytes) -> None:
        from eth_account import Account  # noqa: PLC0415 - it takes a second

        self._account: Any = Account.from_key(key)
        self.address = str(self._account.address)

    def __repr__(self) -> str:
        return f"Signer({self.address})"

    def sign(self, order: Order) -> Signed:
        """The order as a signed transaction."""
        content: dict[str, object] = {
            "type": _EIP_1559,
            "chainId": order.chain_id,
            "nonce": order.nonce,
            "data": order.data,
            "gas": order.gas,
            "maxPriorityFeePerGas": order.tip_wei,
            "maxFeePerGas": order.cap_wei,
            "value": order.value_wei,
        }
        if order.to is not None:
            content["to"] = order.to
        signed = self._account.sign_transaction(content)
        return Signed(bytes(signed.raw_transaction), f"0x{bytes(signed.hash).hex()}")


def open_signer(keystore: Path, passphrase: str) -> Signer:
    """The signer of a keystore. Raises ConfigError in words. It takes a second, on purpose."""
    from eth_account import Account  # noqa: PLC0415 - it takes a second

    try:
        content = json.loads(keystore.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"the keystore {keystore.name} can't be read: write the path of an encrypted key"
            " (`flattr-node init` makes one)"
        ) from error
    try:
        key = bytes(Account.decrypt(content, passphrase))
    # The last one is what eth-account says of another version, cipher or key derivation.
    except (KeyError, TypeError, AttributeError, NotImplementedError) as error:
        raise ConfigError(f"{keystore.name} is no keystore of version 3") from error
    except ValueError:
        # What it says of a wrong passphrase is about MACs.
        raise ConfigError(f"the passphrase does not open the keystore {keystore.name}") from None
    return Signer(key)


def write_keystore(keystore: Path, passphrase: str, key: bytes | None = None) -> str:
    """Encrypt a key, by default a new one, into a new file that only its owner reads.

    Returns its address. Raises ConfigError when the file is there already.
    """
    from eth_account import Account  # noqa: PLC0415 - it takes a second

    key = bytes(Account.create().key) if key is None else key
    content: Any = Account.encrypt(key, passphrase, kdf=_KDF)
    try:
        opened = os.open(keystore, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise ConfigError(f"{keystore} is there already, and a key is never overwritten") from None
    with os.fdopen(opened, "w", encoding="utf-8") as file:
        json.dump(content, file)
        file.flush()
        os.fsync(file.fileno())
    return read_address("0x" + str(content["address"]).removeprefix("0x"))
