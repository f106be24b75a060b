"""Chaos on a real chain: forks to 64 blocks, drops, stolen nonces and kills, month after month.

    python -m tests.crash.vault.anvil --seeds 300
    python -m tests.crash.vault.anvil --from 17 --seeds 1      one seed again

Each seed has an anvil and a database of its own. The oracle is the token's Transfer logs. Exits
with 1 when a seed has failed.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
import traceback
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any, Final

from node import failpoints
from node.clock import ManualClock
from node.devnet import evm
from node.devnet.evm import open_anvil
from node.devnet.evm_vault import act, deploy_vault
from node.errors import NodeError
from node.store.engine import open_store
from node.wallet.stablecoin.calldata import transfer_calldata
from tests.crash.seeds import quiet
from tests.flows.vault import test_vault_month as month
from tests.flows.vault.test_vault_month import POINTS, POT, READERS, Stand, creators

SLOTS: Final = 33
"""A block is final when twice as many are above it: 66, so that a fork of 64 takes no final one."""
STEPS_MAX: Final = 400
ACTIONS_MAX: Final = 10
DEPTHS: Final = (1, 2, 5, 13, 30, 64)


class Chaos:
    """What happens between the steps of one month."""

    def __init__(self, stand: Stand, seed: int) -> None:
        self.stand = stand
        self.random = Random(f"anvil {seed}")
        self.struck: Counter[str] = Counter()
        self.left = self.random.randint(3, ACTIONS_MAX)

    async def between(self, turn: int, progress: Any) -> None:
        """Perhaps something; then blocks, more of them when nothing is left to happen."""
        del turn, progress
        if self.left and self.random.random() < 0.35:
            self.left -= 1
            await self.random.choice((self._reorg, self._reorg, self._drop, self._steal))()
        self.stand.clock.advance(self.random.choice((2, 30, 70)))
        await self.stand.anvil.mine(self.random.choice((1, 3, 20)) if self.left else 20)

    def kill(self) -> None:
        """One kill, at a failpoint that is passed so often."""
        point = self.random.choice(POINTS)
        failpoints.arm({point: f"raise@{self.random.randint(1, 4)}"})

    async def _reorg(self) -> None:
        final = await self.stand.anvil.chain.finalized()
        latest = await self.stand.anvil.chain.latest()
        depth = min(self.random.choice(DEPTHS), latest.number - final.number - 1)
        if depth > 0:
            await self.stand.anvil.reorg(depth)
            self.struck["reorg of more than 12" if depth > 12 else "reorg"] += 1

    async def _drop(self) -> None:
        await self.stand.anvil.drop_all()
        self.struck["the pool forgets"] += 1

    async def _steal(self) -> None:
        """Another program with the key: its transaction, and not ours, gets the next nonce."""
        stand = self.stand
        await stand.anvil.drop_all()
        nothing = transfer_calldata(stand.local.owner.address, 0)
        await act(stand.anvil, stand.local.operator, stand.local.token, nothing)
        self.struck["nonce stolen"] += 1


async def play(seed: int) -> tuple[Counter[str], str]:
    """(what struck, what is wrong: nothing if it is right)."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        async with (
            open_anvil(place / "anvil") as anvil,
            open_store(f"sqlite:///{place / 'flattr.sqlite'}") as store,
        ):
            local = await deploy_vault(anvil)
            for name in READERS:
                await local.deposit(await anvil.funded(name), 2 * POT, POT)
            await anvil.finalize()
            await anvil.set_instant(False)
            chaos = Chaos(Stand(store, ManualClock(1_800_000_000), anvil, local), seed)
            return chaos.struck, await _play(chaos)


async def _play(chaos: Chaos) -> str:
    payments = creators(5)
    chaos.kill()
    try:
        await chaos.stand.play(payments, chaos.between)
        await chaos.stand.judge(payments, set())
    except (AssertionError, NodeError):
        return traceback.format_exc(limit=3)
    finally:
        failpoints.arm({})
        chaos.struck["killed"] += chaos.stand.lives
    return ""


async def run(first: int, seeds: int) -> int:
    """All seeds, one after the other; the exit status."""
    struck: Counter[str] = Counter()
    failed: list[int] = []
    began_s = time.monotonic()
    month.STEPS_MAX, evm.EPOCH_SLOTS = STEPS_MAX, SLOTS
    for seed in range(first, first + seeds):
        found, wrong = await play(seed)
        struck += found
        _say(f"  seed {seed}: {dict(found)}")
        if wrong:
            failed.append(seed)
            _say(f"seed {seed} FAILED\n{wrong}")
            _say(f"  replay: python -m tests.crash.vault.anvil --from {seed} --seeds 1")
    _say(f"anvil: {seeds} seeds in {time.monotonic() - began_s:.0f} s, {len(failed)} failed")
    for kind, count in sorted(struck.items()):
        _say(f"    {kind:32} {count:>8,}")
    return int(bool(failed))


def main() -> int:
    """Read the arguments, and run."""
    parser = argparse.ArgumentParser(prog="python -m tests.crash.vault.anvil", description=__doc__)
    parser.add_argument("--seeds", type=int, default=300, help="how many")
    parser.add_argument("--from", type=int, default=0, dest="first", help="the first seed")
    asked = parser.parse_args()
    with quiet():
        return asyncio.run(run(asked.first, asked.seeds))


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
