"""What a person has looked at of the node's key is final, and nothing else is believed."""

from __future__ import annotations

import pytest

from node.errors import Conflict
from node.flows.vault.chain_key import account_key
from tests.flows.vault.fake_mempool import KEY, FakeMempool


async def test_the_key_is_accounted_for_when_all_that_it_has_done_is_final(store):
    """It was at once: a transfer that nobody could see yet was then made a second time."""
    chain = FakeMempool()
    chain.steal()
    for blocks in (1, chain.depth - 1):
        with pytest.raises(Conflict):
            await account_key(store, chain, 1, KEY)
        chain.mine(blocks)
    chain.mine(2)
    assert await account_key(store, chain, 1, KEY) == 1
