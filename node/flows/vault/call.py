"""A call that must happen once, and what is known of it: done, not yet, or refused."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Call:
    """A call that must happen once. `purpose` names it for ever."""

    purpose: str
    recipient: str
    calldata: bytes
    happened: Callable[[], Awaitable[bool]] | None
    """Asks the vault, at a final block, whether it has. None: nobody can be asked, and nothing but
    its nonce keeps it from happening twice."""


@dataclass(frozen=True, slots=True)
class Done:
    """It has happened, finally. `tx_hash` is None when it was by somebody else's hand."""

    tx_hash: str | None


@dataclass(frozen=True, slots=True)
class Waiting:
    """Not yet, and why. `mined`: it is in a block, so the next one may be signed."""

    words: str
    mined: bool = False
    refused: bool = False
    """Nothing of it is under way, because it would be refused if it were sent now."""
    trouble: bool = False
    """Waiting will not help: a person must look."""


@dataclass(frozen=True, slots=True)
class Failed:
    """The vault has refused it, finally."""

    reason: str


Progress: TypeAlias = Done | Waiting | Failed
