"""`python -m tests.chaos`: kill real processes by a schedule, and count at the receivers.

Exit status 1 when anything was paid twice, lost or broken; every such line names the episode, and
the same seed with `--episode` plays it again.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from pathlib import Path

from tests.chaos.rig import open_rig
from tests.chaos.run import run
from tests.chaos.schedule import KINDS, Planned, schedule
from tests.chaos.tally import Tally


def main() -> int:
    """Play a run, and print its table."""
    options = _options()
    kinds = options.only.split(",") if options.only else KINDS
    planned = schedule(options.seed, options.kills, kinds)
    if options.episode is not None:
        planned = [one for one in planned if one.number == options.episode]
    started_s = time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix="flattr-chaos-"))
    tally = Tally()

    def say(words: str) -> None:
        print(f"{time.monotonic() - started_s:6.0f} s  {words}", flush=True)

    until_s = started_s + 60 * options.minutes
    asyncio.run(_play(folder, tally, options.seed, planned, until_s, say))
    print()
    print("\n".join(tally.table()))
    again = f"python -m tests.chaos --seed {options.seed} --kills {options.kills}"
    again += f" --only {options.only}" if options.only else ""
    print(f"seed {options.seed}, {time.monotonic() - started_s:.0f} s; once more: {again}")
    if not tally.clean:
        print(f"BROKEN: one episode alone: {again} --episode NUMBER; logs in {folder}")
    return 0 if tally.clean else 1


async def _play(folder, tally, seed, planned: list[Planned], until_s, say) -> None:
    async with open_rig(folder, tally, say) as rig:
        for episode in planned:
            if time.monotonic() > until_s:
                say("the time is over")
                return
            await run(rig, seed, [episode], say)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--kills", type=int, default=300, help="about so many")
    parser.add_argument("--seed", type=int, default=20_261_127)
    parser.add_argument("--only", default="", help=f"some of {','.join(KINDS)}")
    parser.add_argument("--episode", type=int, help="play this one alone")
    parser.add_argument("--minutes", type=float, default=600, help="begin no episode after that")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
