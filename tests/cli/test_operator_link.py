"""`operator-link`, and what the command line leaves in the operator's log."""

import pytest

from node.clock import SystemClock
from node.errors import Unauthorized
from node.flows.operator.access import use_link
from node.store import operator_log
from tests.cli.conftest import folder_of, run


async def test_operator_link_prints_a_link_that_signs_in_once(place):
    link = (await run("operator-link", *folder_of(place))).out.strip()
    secret = link.rpartition("/link/")[2]
    store, clock = place.node.store, SystemClock()
    assert (await use_link(store, clock, secret, "")).session.passkey is None
    with pytest.raises(Unauthorized):
        await use_link(store, clock, secret, "")


async def test_what_the_command_line_does_is_in_the_log(place):
    await run("suspend", "creator0", *folder_of(place))
    await run("drain", *folder_of(place))
    await run("resume", *folder_of(place))
    async with place.node.store.read() as tx:
        rows = await operator_log.everything(tx)
    assert [(row.act.actor, row.act.act) for row in rows] == [
        ("command line", one) for one in ("suspended", "stopped", "resumed")
    ]
