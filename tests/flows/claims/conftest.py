"""Every test here has a site of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from node.clock import ManualClock
from node.store.engine import Store
from tests.flows.claims.site_town import Site, SiteTown, open_site, open_site_town


@pytest.fixture
async def town(store: Store, clock: ManualClock) -> AsyncIterator[SiteTown]:
    """A site that says nothing, with two members."""
    async with open_site_town(store, clock) as opened:
        await opened.join("alice", "bob")
        yield opened


@pytest.fixture
async def site(clock: ManualClock) -> AsyncIterator[Site]:
    """A site that says nothing, without a node."""
    async with open_site(clock) as opened:
        yield opened
