"""The demo's time: it begins in last month, and comes back to the present before the close.

A month can be closed when it is over, and a demo can't wait for that. So the story happens in the
month that is already over, and the clock then goes forward to where every other clock is:

    last month                                 ┊ this month, by every clock
    join ─ fund ─ click ─ click ─ … ─ click ─▶ ┊ close ─ pay ─ serve …

Real lnd dates its invoices by the machine's clock, and nothing tells it otherwise. What compares
those dates with the node's clock is payments out (an invoice that is from the future or expired is
refused, a FAILED must stand for 30 s) and serving; both come after the return, when the node's
clock *is* the machine's. Before it there is only money in, which is credited to `available`, and
the reader sets it aside for the month by the node's clock. The other way round, a jump ahead of the
close, would leave the node a month ahead of its lnd, or the month that it is now frozen.

The clock never goes back, so durable events stay in the order of their times.
"""

from __future__ import annotations

from node.clock import Clock, now_s, this_month
from node.month import Month

_FIRST_S = 9 * 3600
_LAST_DAY_S = 86_400


class StoryClock:
    """Runs as fast as `machine`, behind it until `come_back`."""

    def __init__(self, machine: Clock) -> None:
        self._machine = machine
        self.month: Month = this_month(machine).plus(-1)
        """The month of the story."""
        self._lag_us = machine.now_us() - (self.month.starts_s + _FIRST_S) * 1_000_000

    def now_us(self) -> int:
        """Microseconds since 1970, UTC, in the story."""
        return self._machine.now_us() - self._lag_us

    async def sleep(self, seconds: float) -> None:
        """Sleep as the machine's clock does."""
        await self._machine.sleep(seconds)

    def skip(self, seconds: int) -> None:
        """Let time pass, but never past the month's last day."""
        left_s = self.month.ends_s - _LAST_DAY_S - now_s(self)
        self._lag_us -= max(0, min(seconds, left_s)) * 1_000_000

    def come_back(self) -> None:
        """Be at the machine's time from now on."""
        self._lag_us = 0
