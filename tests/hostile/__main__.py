"""`python -m tests.hostile lnurl|ssrf|bolt11|fuzz|hold`: the full figures of the hostile world.

Each prints progress, a table at the end and, for what failed, one command that replays it. The exit
status is 1 when something failed. `make test` runs a sample of each.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import structlog

from tests.hostile import bolt11, fuzz, hold, lnurl, lnurl_batch, ssrf


def tell(line: str) -> None:
    """A line of progress."""
    print(line, file=sys.stderr, flush=True)


def _bolt11(asked: argparse.Namespace) -> bool:
    if asked.text:
        return asyncio.run(bolt11.show(asked.text))
    figures = asyncio.run(bolt11.run(asked.n or 200_000, asked.seed, tell))
    print(bolt11.printed(figures))
    return not figures.differ


def _lnurl(asked: argparse.Namespace) -> bool:
    with tempfile.TemporaryDirectory() as folder:
        rows = asyncio.run(lnurl.run(Path(folder) / "each"))
        print(lnurl.printed(rows))
        number = asked.n or 5000
        tell(f"{sum(row.fine for row in rows)} of {len(rows)} behaviours are in order")
        batches = asyncio.run(lnurl_batch.run(Path(folder) / "batch", number, asked.seed, tell))
    print(lnurl_batch.printed(batches))
    fine = all(row.fine for row in rows)
    return fine and lnurl_batch.ratio(batches) <= lnurl_batch.RATIO_MAX


def _ssrf(asked: argparse.Namespace) -> bool:
    del asked
    with tempfile.TemporaryDirectory() as folder:
        found = asyncio.run(ssrf.run(Path(folder)))
    print(ssrf.printed(found))
    return not any(visited for _, visited in found.values())


def _fuzz(asked: argparse.Namespace) -> bool:
    with tempfile.TemporaryDirectory() as folder:
        figures = asyncio.run(fuzz.run(Path(folder), asked.n or 100_000, asked.seed, tell))
    print(fuzz.printed(figures))
    return fuzz.fine(figures)


def _hold(asked: argparse.Namespace) -> bool:
    with tempfile.TemporaryDirectory() as folder:
        figures = asyncio.run(hold.run(Path(folder), asked.n or 200, asked.seed))
    print(hold.printed(figures))
    return hold.fine(figures)


PARTS: dict[str, Callable[[argparse.Namespace], bool]] = {
    "lnurl": _lnurl,
    "ssrf": _ssrf,
    "bolt11": _bolt11,
    "fuzz": _fuzz,
    "hold": _hold,
}


def main() -> int:
    """Run one part, or each in its turn."""
    parser = argparse.ArgumentParser(prog="python -m tests.hostile", description=__doc__)
    parser.add_argument("part", choices=[*PARTS, "all"])
    parser.add_argument("--n", type=int, default=0, help="how many; 0: the full number")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--text", default="", help="bolt11: one text, as both read it")
    asked = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    chosen = PARTS.values() if asked.part == "all" else [PARTS[asked.part]]
    failed = [part for part in chosen if not part(asked)]
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
