"""The committed vault: what its deployed code must be, and what deploys it.

In a source tree it is contracts/PayoutVault.json; a wheel brings a copy beside this module.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from node.errors import ConfigError
from node.wallet.stablecoin.words import WORD_BYTES, decode, to_address

NAME: Final = "PayoutVault.json"
_BESIDE: Final = Path(__file__).with_name(NAME)
_IN_TREE: Final = Path(__file__).parents[3] / "contracts" / NAME
_IMMUTABLE_WORDS: Final = 2


@dataclass(frozen=True, slots=True)
class Artifact:
    """A compiled contract. `bytecode` deploys it; `runtime` is its code without immutables."""

    bytecode: bytes
    runtime: bytes


@dataclass(frozen=True, slots=True)
class Immutables:
    """What a vault's code has behind its runtime."""

    token: str
    delay_s: int


def vault_artifact() -> Artifact:
    """The vault of this release. Raises ConfigError when the installation lacks it."""
    return read_artifact(_BESIDE if _BESIDE.is_file() else _IN_TREE)


def read_artifact(path: Path) -> Artifact:
    """A contract's JSON file, as contracts/build.py writes it. Raises ConfigError."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return Artifact(_bytes(content["bytecode"]), _bytes(content["runtime"]))
    except (OSError, KeyError, ValueError) as error:
        raise ConfigError(f"{path.name} can't be read; install flattr-node again") from error


def read_code(code: bytes, runtime: bytes) -> Immutables | None:
    """The immutables of deployed code; None when it is not this runtime and two words."""
    if code[: len(runtime)] != runtime or len(code) != len(runtime) + _IMMUTABLE_WORDS * WORD_BYTES:
        return None
    token, delay_s = decode(code[len(runtime) :])
    return Immutables(to_address(token), delay_s)


def created(sender: str, nonce: int) -> str:
    """The address of the contract that a key deploys with its transaction of this nonce."""
    from web3.utils.address import get_create_address  # noqa: PLC0415 - it takes two seconds

    return str(get_create_address(sender, nonce))


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))
