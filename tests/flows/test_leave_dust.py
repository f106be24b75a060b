"""What is held in the stablecoin and too little for any payment is no reason to stay for ever."""

from __future__ import annotations

import numpy as np
import pytest

from node.config import StablecoinSettings
from node.errors import BadInput
from node.flows.leave import leave, look_at_leaving
from node.flows.rules import stablecoin_rules
from node.ids import entry_id
from node.ledger import accounts
from node.ledger.entry import Entry, Transfer
from node.money import Amount, Asset
from node.store import held as tranches
from node.store import journal
from node.store.closes import Close, Figures, Stage
from tests.conftest import MONTH
from tests.flows.test_leave import node_of
from tests.world import MONEY, open_world

COIN = {
    "network": "anvil", "rpc_urls": ["http://127.0.0.1"], "vault": "0x" + 40 * "2",
    "first_block": 1, "keystore": "key.json",
}  # fmt: skip


@pytest.mark.parametrize(("units", "stays"), [(999_999, True), (1_000_000, False)])
async def test_dust_that_is_held_in_the_stablecoin_may_be_left_behind(store, clock, units, stays):
    async with open_world(store, clock) as world:
        await world.join("ann")
        ann, asked = world.members["ann"], StablecoinSettings.model_validate(COIN)
        rules = stablecoin_rules(MONEY, asked, "0x" + 40 * "1")
        held = Transfer(accounts.wallet(Asset.USD), accounts.held(Asset.USD, ann), units)
        entry = Entry(entry_id("test", ann), "test", Asset.USD, "", (held,))
        async with store.write() as tx:
            await journal.append(tx, entry, clock.now_us())
            close = Close(MONTH.plus(-1), Asset.USD, Stage.CHECKED, 1, 1000, 0, Figures(), None)
            await tranches.add_tranches(tx, close, np.array([ann]), np.array([units]), 1)
        node = node_of(world)
        node.every_rules = [world.rules, rules]
        found = await look_at_leaving(node, ann)
        if not stays:
            (said,) = found.in_the_way
            assert said.endswith("held until your dues are paid: pay them to receive it")
            return
        assert (found.in_the_way, found.left) == ((), (Amount(units, Asset.USD),))
        with pytest.raises(BadInput, match=str(units)):
            await leave(node, ann, "ann", (), fresh=True)
        await leave(node, ann, "ann", found.left, fresh=True)
        assert await world.balance(accounts.held(Asset.USD, ann)) == units
