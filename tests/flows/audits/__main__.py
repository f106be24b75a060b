"""`python -m tests.flows.audits [WORDS]`: corrupt books, lnd and vault in every known way.

Prints a line for each kind and `N of N` at the end. Exit status 1: one was not found, or not named.
"""

from __future__ import annotations

import asyncio
import logging
import sys

from node import log
from tests.flows.audits.kinds import KINDS, find_all


async def main() -> int:
    """The table, as it comes."""
    log.set_up(level=logging.ERROR)
    right, wanted = 0, sys.argv[1:]
    kinds = [one for one in KINDS if not wanted or any(words in one.name for words in wanted)]
    async for found in find_all(kinds):
        kind = found.kind
        right += found.named
        lines = ", ".join(sorted(found.lines)) or "nothing"
        told = "ok " if found.named else "BAD"
        print(f"{told} {kind.rail:10} {kind.side:8} {kind.name:52} {kind.line:4} of {lines}")
    print(f"{right} of {len(kinds)} found and named")
    return 0 if right == len(kinds) else 1


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
