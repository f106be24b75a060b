"""Ask the books whether they are clean, and stop everything when they are not."""

from __future__ import annotations

from node.errors import CorruptBooks
from node.store import checks
from node.store.engine import Tx


async def demand_clean_books(tx: Tx, *, deep: bool = False) -> None:
    """Raise CorruptBooks, with the broken laws in words, unless every law holds."""
    if found := await checks.breaches(tx, deep=deep):
        lines = [f"{one.invariant} {one.law}: {'; '.join(one.rows)}" for one in found]
        raise CorruptBooks("the books are not clean. " + " | ".join(lines))
