"""The month that runs, in the demo: some readers have filled their pots and have begun to click.

The month that was told is over. So that the pages have something to show of the one that runs, some
of last month's readers pay in again and flattr what they flattred then.
"""

from __future__ import annotations

from typing import Final

from node.devnet.story import Story
from node.errors import RailError
from node.flows import fund
from node.flows.fold import fold

READERS_MAX: Final = 3
AGAIN: Final = "again"


async def begin_month(story: Story) -> None:
    """The first days of the month that runs. Raises RailError when a paid invoice is not seen."""
    readers = [one for one in story.plan.readers if one.pot_sat][:READERS_MAX]
    for planned in readers:
        visitor = story.visitor[planned.name]
        deposit, payment_request = await visitor.deposit(planned.pot_sat, AGAIN)
        await story.network.readers.pay(payment_request)
        await fund.catch_up(story.node.funding)
        if (state := await visitor.deposit_state(deposit)) != "settled":
            raise RailError(f"{planned.name}'s invoice is paid, and the node says {state}")
        await visitor.fill_pot(planned.pot_sat)
        for act in story.plan.acts:
            if act.member == planned.name and act.verb == "flattr":
                await visitor.flattr(story.plan.things[act.thing].url)
    await fold(story.node.store, story.clock)
    names = ", ".join(one.name for one in readers)
    story.tell(f"{names} have filled their pots for this month too, and have begun to flattr.")
