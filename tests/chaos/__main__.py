"""`python -m tests.chaos`: kill real processes by a schedule, and count at the receivers.

Exit status 1 when anything was paid twice, lost or broken; every such line names the episode, and
the same seed with `--episode` plays it again.
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
import sys
import tempfile
import time
from itertools import chain, count
from pathlib import Path

from tests.chaos.rig import open_rig
from tests.chaos.run import Say, run
from tests.chaos.schedule import KINDS, more, schedule
from tests.chaos.tally import Tally


def main() -> int:
    """Play a run, and print its table."""
    options = _options()
    started_s = time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix="flattr-chaos-"))
    tally = Tally()

    def say(words: str) -> None:
        print(f"{time.monotonic() - started_s:6.0f} s  {words}", flush=True)

    asyncio.run(_play(folder, tally, options, say))
    print()
    print("\n".join(tally.table()))
    again = f"python -m tests.chaos --seed {options.seed} --kills {options.kills}"
    again += f" --only {options.only}" if options.only else ""
    print(f"seed {options.seed}, {time.monotonic() - started_s:.0f} s; once more: {again}")
    if tally.clean:
        shutil.rmtree(folder)
        return 0
    print(f"BROKEN. One episode alone: {again} --episode NUMBER; its folders are in {folder}")
    return 1


async def _play(folder: Path, tally: Tally, options: argparse.Namespace, say: Say) -> None:
    """Episode after episode, until there were as many kills as were asked for."""
    kinds = options.only.split(",") if options.only else KINDS
    until_s = time.monotonic() + 60 * options.minutes
    planned = schedule(options.seed, options.kills, kinds)
    last = planned[-1].number
    async with open_rig(folder, tally, say) as rig:
        for episode in chain(planned, (more(number, kinds) for number in count(last + 1))):
            if options.episode is not None and episode.number < options.episode:
                continue
            enough = tally.killed >= options.kills or not tally.clean
            if (episode.number > last and enough) or time.monotonic() > until_s:
                return
            await run(rig, options.seed, [episode], say)
            if episode.number == options.episode:
                return


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--kills", type=int, default=300, help="at least so many")
    parser.add_argument("--seed", type=int, default=20_261_127)
    parser.add_argument("--only", default="", help=f"some of {','.join(KINDS)}")
    parser.add_argument("--episode", type=int, help="play this one alone")
    parser.add_argument("--minutes", type=float, default=600, help="begin no episode after that")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
