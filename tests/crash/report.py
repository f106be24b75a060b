"""What one seed came to, and what a world is: the shapes that all of the simulation shares."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count, islice
from typing import Final, Protocol

import pytest

LINES_KEPT: Final = 400
"""Lines of a trace that are kept for who replays it; all of them are in its hash."""


class Trace:
    """What happened in one run, line by line, with the virtual time: the same for the same seed.

    Nothing goes in that is random by itself, such as a signature.
    """

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._hash = hashlib.sha256()

    def say(self, at_s: float, words: str) -> None:
        """One line more."""
        line = f"{at_s:14.3f}  {words}"
        self._hash.update(line.encode() + b"\n")
        self.lines.append(line)

    def digest(self) -> str:
        """64 hex digits over all lines."""
        return self._hash.hexdigest()


@dataclass
class Report:
    """One seed's figures. It has failed when `breaches` is not empty."""

    world: str
    seed: int
    faults: Counter[str] = field(default_factory=Counter)
    """Faults that really struck, by kind."""
    ends: Counter[str] = field(default_factory=Counter)
    """How payouts and deposits ended: `paid`, `held`, `due`, `limbo`, …"""
    received: dict[str, int] = field(default_factory=dict)
    """What each receiver got, in base units, counted by the model of the network."""
    breaches: list[str] = field(default_factory=list)
    """In words, each begins with its kind: `paid twice: …`, `lost: …`, `books: …`, `waits: …`."""
    trace: str = ""
    """Hash of the trace: equal for equal seeds, byte by byte."""
    lines: list[str] = field(default_factory=list)
    """The end of the trace; empty unless the seed is replayed or has failed."""
    virtual_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Mutant:
    """A guard taken away. It must be caught by one of the first `seeds_max` seeds."""

    patch: Callable[[pytest.MonkeyPatch], None]
    seeds_max: int
    sample: int | None = None
    """A seed that catches it, for the sample in the tests; None: only the command looks for it."""
    worth: Callable[[int], bool] = lambda _: True
    """Whether a seed could catch it at all; the others are not run, but count."""

    def from_sample(self, number: int) -> Iterator[int]:
        """So many seeds that could catch it, from the sample on.

        The first does; but a fault strikes after so many statements, so each change of the node
        moves what the seeds do, and then another of them.
        """
        return islice(filter(self.worth, count(self.sample or 0)), number)


class World(Protocol):
    """A model of one rail's surroundings, with the real flows inside. Instances are stateless."""

    name: str
    mutants: Mapping[str, Mutant]

    def prepare(self) -> None:
        """Make what is made once in a process; outside of any loop, with the real randomness."""
        ...

    async def run(self, seed: int) -> Report:
        """Play one seed on the running virtual loop. Raises only for a fault of the world's own."""
        ...
