"""Folding clicks into what stands: the last click on a thing decides. Pure.

An undone thing is remembered: a subscription does not bring it back in that month.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from node.ids import ThingId

FLATTR: Final = 1
UNDO: Final = 0


@dataclass(slots=True)
class PackedMonth:
    """What one member flattred in one month, and what was undone in it."""

    things: set[ThingId] = field(default_factory=set)
    undone: set[ThingId] = field(default_factory=set)

    def apply(self, thing: ThingId, op: int) -> int:
        """One click; by how much the thing's counter changes: 1, 0 or -1."""
        stood = thing in self.things
        if op == FLATTR:
            self.things.add(thing)
            self.undone.discard(thing)
            return int(not stood)
        self.things.discard(thing)
        self.undone.add(thing)
        return -int(stood)

    def subscribe(self, thing: ThingId) -> int:
        """A subscription fires: it flattrs what was not undone; the counter's change."""
        return 0 if thing in self.undone else self.apply(thing, FLATTR)
