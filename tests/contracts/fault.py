"""What a planted fault is: a piece of source in place of another, and the test that must notice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tests.contracts.world import World


@dataclass(frozen=True, slots=True)
class Fault:
    """In `contracts/vault/<file>`, `after` stands where `before` stood."""

    name: str
    file: str
    before: str
    after: str
    test: Callable[[World], None]
