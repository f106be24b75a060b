"""Every page of the node, in one table. Add a module's PAGES here, and it is there."""

from __future__ import annotations

from typing import Final

from node.web.pages import welcome
from node.web.pages.page import Page

ALL_PAGES: Final[tuple[Page, ...]] = (
    *welcome.PAGES,
)  # fmt: skip
