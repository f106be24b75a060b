"""Where a creator is paid in the stablecoin: an address, read as people write it.

Digits of two cases must be the checksum's (EIP-55). What is paid to the zero address, to the vault
or to the token is lost, so those are refused. A text that is no address is never repeated, for
people paste private keys into such fields.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import ClassVar, Final, Literal

from node.errors import BadTarget
from node.wallet.stablecoin.words import ZERO_ADDRESS, read_address

_SECRET: Final = re.compile(r"(0x)?[0-9a-fA-F]{64}", re.ASCII)
_NAME: Final = re.compile(r"[^\s@]+\.[a-zA-Z]{2,}")


@dataclass(frozen=True, slots=True)
class EvmTarget:
    """An address with its checksum. `parse_evm_target(target.text)` is the same target."""

    address: str
    kind: ClassVar[Literal["evm"]] = "evm"

    @property
    def text(self) -> str:
        """The canonical form."""
        return self.address

    @property
    def fingerprint(self) -> str:
        """The wallet: two members with one fingerprint share it."""
        return self.address.lower()


def parse_evm_target(text: str, refused: Collection[str]) -> EvmTarget:
    """Read an address. `refused`: the vault's and the token's. Raises BadTarget."""
    text = text.strip()
    if _SECRET.fullmatch(text):
        raise BadTarget(
            "that is a private key or a hash, and not an address. If it is a key, do not use it any"
            " more; give the address: 0x and 40 hexadecimal digits"
        )
    if _NAME.fullmatch(text):
        raise BadTarget("names are not looked up: give the address itself, 0x and 40 digits")
    address = read_address(text)
    if address == ZERO_ADDRESS:
        raise BadTarget("the zero address is nobody's: what is paid to it is lost")
    if address.lower() in {one.lower() for one in refused}:
        raise BadTarget("that is the vault or its token, and not a wallet: give your own address")
    return EvmTarget(address)
