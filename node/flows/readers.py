"""Whom a creator's public page may name among its readers: those who show what they flattr.

Hidden is the default: whom somebody reads is nobody's business until the reader says otherwise, and
saying so names only that the reader flattred the creator, not what, when or for how much. Hiding
again takes the name off at once.
"""

from __future__ import annotations

from typing import Final

from node.clock import Clock, this_month
from node.ids import MemberId
from node.store import members, readers
from node.store.engine import Store

MONTHS: Final = 3
"""This month and the two before it."""
NAMES_MAX: Final = 100
ROWS_READ_MAX: Final = 5_000
"""So many rows are read for one page, in order of name: a public page stays cheap."""


async def set_shows_flattrs(store: Store, member: MemberId, on: bool) -> None:
    """Show what one flattrs on creators' pages, or hide it."""
    async with store.write() as tx:
        await members.set_shows_flattrs(tx, member, on)


async def readers_of(store: Store, clock: Clock, creator: MemberId) -> list[str]:
    """Names of readers who flattred a creator's things lately and show it, in order of name.

    Clicks that are not folded yet are not among them; at most NAMES_MAX names.
    """
    months = [this_month(clock).plus(-back) for back in range(MONTHS)]
    async with store.read() as tx:
        things = await readers.things_of(tx, creator)
        rows = await readers.shown(tx, months, ROWS_READ_MAX) if things else []
    names = {name for name, packed in rows if not things.isdisjoint(readers.unpack(packed))}
    return sorted(names)[:NAMES_MAX]
