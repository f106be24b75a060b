"""A call as a link that wallets open (EIP-681), and as the calldata that it stands for.

    ethereum:0x…@84532/deposit?uint256=5000000&address=0x…&uint64=0

The link names the arguments by their types, in order; so it can say numbers and addresses, and
neither arrays nor bytes. Link and calldata are made of one signature and the same arguments.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from node.wallet.stablecoin.words import encode_call, read_address

_SIGNATURE: Final = re.compile(r"(\w+)\(([a-z0-9,]*)\)", re.ASCII)
_UINT: Final = re.compile(r"uint([1-9][0-9]{0,2})", re.ASCII)


@dataclass(frozen=True, slots=True)
class WalletCall:
    """A call for a wallet to sign. `arguments`: numbers as int, addresses as `0x…`."""

    to: str
    chain_id: int
    signature: str
    arguments: tuple[int | str, ...] = ()

    @property
    def calldata(self) -> bytes:
        """What the transaction carries."""
        return encode_call(self.signature, *self.arguments)

    @property
    def link(self) -> str:
        """The link. Raises ValueError for what no such link can say."""
        return call_link(self.to, self.chain_id, self.signature, *self.arguments)


def call_link(to: str, chain_id: int, signature: str, *arguments: int | str) -> str:
    """The link of a call: `signature` is the function's, such as `withdraw(uint256,address)`.

    Raises ValueError for arguments that no such link can say, or that are not of their types.
    """
    found = _SIGNATURE.fullmatch(signature)
    if found is None:
        raise ValueError(f"{signature} is no function of numbers and addresses")
    types = found[2].split(",") if found[2] else []
    if len(types) != len(arguments):
        raise ValueError(f"{signature} takes {len(types)} arguments, not {len(arguments)}")
    parameters = "&".join(
        f"{kind}={_value(kind, argument)}" for kind, argument in zip(types, arguments, strict=True)
    )
    link = f"ethereum:{read_address(to)}@{chain_id}/{found[1]}"
    return f"{link}?{parameters}" if parameters else link


def _value(kind: str, argument: int | str) -> str:
    if kind == "address" and isinstance(argument, str):
        return read_address(argument)
    number = _UINT.fullmatch(kind)
    if number is None or not isinstance(argument, int) or not 0 <= argument < 1 << int(number[1]):
        raise ValueError(f"{argument!r} is no {kind}")
    return str(argument)
