"""Faults of the database and of the process, as `direct_sqlite.py` asks for them."""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import Final

from tests.crash.direct_sqlite import Strike
from tests.crash.process import Process

KINDS: Final = {
    "database abort": (Strike.ABORT, True),
    "commit unknown": (Strike.UNKNOWN, True),
    "statement fails": (Strike.ABORT, False),
    "killed at a statement": (Strike.KILL, False),
    "killed before a commit": (Strike.KILL, True),
    "killed after a commit": (Strike.KILL_AFTER, True),
}
"""Each with whether it strikes a commit."""


class Plan:
    """One strike at a time: armed, it strikes after so many passings, once."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._kind = ""
        self._left = 0
        self.struck: Counter[str] = Counter()

    def arm(self, kind: str) -> None:
        """Let it happen soon."""
        self._kind = kind
        self._left = self._random.randint(1, 12 if KINDS[kind][1] else 60)

    def heal(self) -> None:
        self._kind = ""

    def at_statement(self, process: Process) -> Strike:
        del process
        return self._at(commit=False)

    def at_commit(self, process: Process) -> Strike:
        del process
        return self._at(commit=True)

    def stall_s(self) -> float:
        """How long a stalled statement takes: no strike here stalls."""
        return 0.0

    def turns(self) -> bool:
        """Two lives on one database take turns at their statements."""
        return self._random.random() < 0.2

    def _at(self, *, commit: bool) -> Strike:
        if not self._kind or KINDS[self._kind][1] != commit:
            return Strike.NONE
        self._left -= 1
        if self._left > 0:
            return Strike.NONE
        strike, _ = KINDS[self._kind]
        self.struck[self._kind] += 1
        self._kind = ""
        return strike
