"""Every test here has a site of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from node.clock import ManualClock
from node.store.engine import Store
from tests.flows.claims.site_town import SiteTown, open_site_town


@pytest.fixture
async def town(store: Store, clock: ManualClock) -> AsyncIterator[SiteTown]:
    """A site that says nothing, with two members."""
    async with open_site_town(store, clock) as opened:
        await opened.join("alice", "bob")
        yield opened
