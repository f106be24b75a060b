"""Every page of the node, in one table. Add a module's PAGES here, and it is there."""

from __future__ import annotations

from typing import Final

from node.web.login import ethereum, finish, lightning, nostr, settings, start
from node.web.pages import welcome
from node.web.pages.page import Page
from node.web.pages.reader import fund, month, months, stablecoin, withdraw

ALL_PAGES: Final[tuple[Page, ...]] = (
    *welcome.PAGES,
    *start.PAGES,
    *lightning.PAGES,
    *ethereum.PAGES,
    *nostr.PAGES,
    *finish.PAGES,
    *settings.PAGES,
    *fund.PAGES,
    *stablecoin.PAGES,
    *month.PAGES,
    *months.PAGES,
    *withdraw.PAGES,
)  # fmt: skip
