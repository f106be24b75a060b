"""Whether a month is over by another calendar than this machine's, before it is closed for ever.

A clock that jumps forward would close the month that still runs, and a close is never undone. LND
sees the time in the newest block's header, which no clock of ours has made: miners may date a block
two hours ahead, and none comes for a while now and then. So a month is closed when a block has come
that is no older than two hours before its end. In the stablecoin a close waits for a final block
after it anyway.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from node.errors import RailUnavailable
from node.month import Month
from node.wallet.lightning.lnd import Lnd

APART_MAX_S: Final = 2 * 3600
"""How long before the end of a month its last block may have been found."""


async def demand_over(lnd: Lnd, month: Month) -> None:
    """LND's newest block says, too, that the month is over. Raises RailUnavailable."""
    header_s = (await lnd.read_node()).best_header_s
    if header_s >= month.ends_s - APART_MAX_S:
        return
    at = datetime.fromtimestamp(header_s, UTC).strftime("%Y-%m-%d %H:%M UTC")
    raise RailUnavailable(
        f"{month} is over by this machine's clock, and lnd's newest block is of {at}: the month is"
        " closed when a block says so, too. Set the clock by NTP, or wait for lnd to read the chain"
    )
