"""The Lightning world: months of flattrs in sats, paid by one lnd, under drawn faults."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Final

from tests.crash.lightning.judge import judge, received
from tests.crash.lightning.play import play
from tests.crash.lightning.scene import open_scene, populated
from tests.crash.mutants import LIGHTNING
from tests.crash.report import Mutant, Report


class LightningWorld:
    """See `report.World`."""

    name: str = "lightning"
    mutants: Mapping[str, Mutant] = LIGHTNING

    def prepare(self) -> None:
        """See `World.prepare`."""
        populated()

    async def run(self, seed: int) -> Report:
        """See `World.run`."""
        made = populated()
        with open_scene(seed, made.path) as scene:
            scene.members, scene.things = made.members, list(made.things)
            await play(scene)
            ends = await judge(scene)
            for host in scene.hosts:
                await host.stop()
            await scene.network.world.aclose()
            got = received(scene)
            scene.say(f"ends {sorted(ends.items())} received {sorted(got.items())}")
            return Report(
                world=self.name,
                seed=seed,
                faults=scene.weather.count(),
                ends=ends,
                received=got,
                breaches=scene.breaches,
                trace=scene.trace.digest(),
                lines=scene.trace.lines,
                virtual_s=asyncio.get_running_loop().time(),
            )


WORLD: Final = LightningWorld()
