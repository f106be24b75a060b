"""Every page of the console, in one table. /metrics has a handler of its own (`metrics.py`)."""

from __future__ import annotations

from typing import Final

from node.web.operator import dashboard, enter, events, log, members, months, payouts
from node.web.operator.page import OperatorPage

ALL_PAGES: Final[tuple[OperatorPage, ...]] = (
    *dashboard.PAGES,
    *enter.PAGES,
    *months.PAGES,
    *payouts.PAGES,
    *members.PAGES,
    *log.PAGES,
    *events.PAGES,
)
