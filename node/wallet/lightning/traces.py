"""What a payment leaves on the channels, for a proof that it left nothing.

lnd counts what each channel has sent, whatever it says of payments. And it forgets at each start
since when it watches a channel (`lifetime`): so it shows when it was started.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Traces:
    """Of all open channels. `watched_s`: for how long lnd has watched the one it knows longest."""

    sent_sat: int
    active: frozenset[int]
    """The ids of channels that are up."""
    inactive: frozenset[int]
    watched_s: int | None
    """None: there is no channel."""

    @property
    def slack_msat(self) -> int:
        """How far `sent_sat` may be off: each channel counts whole sats."""
        return 1000 * max(1, len(self.active) + len(self.inactive))


def read_traces(channels: Iterable[Any]) -> Traces:
    """From the channels of ListChannels."""
    listed = list(channels)
    return Traces(
        sent_sat=sum(one.total_satoshis_sent for one in listed),
        active=frozenset(one.chan_id for one in listed if one.active),
        inactive=frozenset(one.chan_id for one in listed if not one.active),
        watched_s=max((one.lifetime for one in listed), default=None),
    )
