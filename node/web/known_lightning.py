"""What LND said of itself lately: asked at most once in FRESH_S, however often we are asked."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Final

from node.clock import Clock
from node.errors import ConfigError, RailError
from node.wallet.lightning.answers import LndNode
from node.wallet.lightning.lnd import Lnd

FRESH_S: Final = 5
WAIT_S: Final = 5
SIMULATED_VERSION: Final = "simulated"
"""What the simulated LND answers as its version (`wallet/lightning/simulated_lightning.py`)."""


@dataclass(frozen=True, slots=True)
class Seen:
    """LND's own words, or why there are none."""

    node: LndNode | None
    trouble: str = ""

    @property
    def simulated(self) -> bool:
        """Whether this is no real LND."""
        return self.node is not None and self.node.version == SIMULATED_VERSION

    @property
    def name(self) -> str:
        """`SIMULATED`, `lnd 0.21.1-beta`, or `away`."""
        if self.node is None:
            return "away"
        return "SIMULATED" if self.simulated else f"lnd {self.node.version.split(' ')[0]}"


class KnownLightning:
    """One LND as it was seen lately."""

    def __init__(self, lnd: Lnd, clock: Clock) -> None:
        self._lnd = lnd
        self._clock = clock
        self._asking = asyncio.Lock()
        self._seen = Seen(None, "not asked yet")
        self._fresh_until_us = 0
        self._simulated: bool | None = None

    async def is_simulated(self) -> bool:
        """Whether this is no real LND: it is asked until it has said so once."""
        if self._simulated is None:
            seen = await self.look()
            self._simulated = None if seen.node is None else seen.simulated
        return bool(self._simulated)

    async def look(self) -> Seen:
        """What LND says of itself."""
        async with self._asking:
            if self._fresh_until_us <= self._clock.now_us():
                self._seen = await self._ask()
                self._fresh_until_us = self._clock.now_us() + FRESH_S * 1_000_000
        return self._seen

    async def _ask(self) -> Seen:
        try:
            async with asyncio.timeout(WAIT_S):
                return Seen(await self._lnd.read_node())
        except TimeoutError:
            return Seen(None, f"LND did not answer within {WAIT_S} s")
        except (RailError, ConfigError) as error:
            return Seen(None, str(error))
