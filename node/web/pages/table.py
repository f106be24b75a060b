"""Every page of the node, in one table. Add a module's PAGES here, and it is there."""

from __future__ import annotations

from typing import Final

from node.web.login import ethereum, finish, lightning, nostr, settings, start
from node.web.pages import files, welcome, window
from node.web.pages.creator import claim, earnings, feed, home, payouts, target
from node.web.pages.page import Page
from node.web.pages.public import creators, popular, things
from node.web.pages.reader import fund, month, months, sites, stablecoin, withdraw
from node.web.pages.settings import closing
from node.web.pages.settings import home as settings_home
from node.web.pages.site import button

ALL_PAGES: Final[tuple[Page, ...]] = (
    *files.PAGES,
    *welcome.PAGES,
    *start.PAGES,
    *lightning.PAGES,
    *ethereum.PAGES,
    *nostr.PAGES,
    *finish.PAGES,
    *settings.PAGES,
    *window.PAGES,
    *sites.PAGES,
    *button.PAGES,
    *fund.PAGES,
    *stablecoin.PAGES,
    *month.PAGES,
    *months.PAGES,
    *withdraw.PAGES,
    *settings_home.PAGES,
    *closing.PAGES,
    *home.PAGES,
    *earnings.PAGES,
    *payouts.PAGES,
    *feed.PAGES,
    *claim.PAGES,
    *target.PAGES,
    *things.PAGES,
    *creators.PAGES,
    *popular.PAGES,
)  # fmt: skip
