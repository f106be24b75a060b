"""`python -m tests.hostile lnurl|ssrf|bolt11|fuzz|hold`: the full figures of the hostile world.

Each prints progress, a table at the end and, for what failed, one command that replays it. The exit
status is 1 when something failed. `make test` runs a sample of each.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Callable

from tests.hostile import bolt11


def tell(line: str) -> None:
    """A line of progress."""
    print(line, file=sys.stderr, flush=True)


def _bolt11(asked: argparse.Namespace) -> bool:
    if asked.text:
        return asyncio.run(bolt11.show(asked.text))
    figures = asyncio.run(bolt11.run(asked.n or 200_000, asked.seed, tell))
    print(bolt11.printed(figures))
    return not figures.differ


PARTS: dict[str, Callable[[argparse.Namespace], bool]] = {"bolt11": _bolt11}


def main() -> int:
    """Run one part, or each in its turn."""
    parser = argparse.ArgumentParser(prog="python -m tests.hostile", description=__doc__)
    parser.add_argument("part", choices=[*PARTS, "all"])
    parser.add_argument("--n", type=int, default=0, help="how many; 0: the full number")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--text", default="", help="bolt11: one text, as both read it")
    asked = parser.parse_args()
    chosen = PARTS.values() if asked.part == "all" else [PARTS[asked.part]]
    failed = [part for part in chosen if not part(asked)]
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
