"""A month with everything in it that a member's ledger can show."""

from __future__ import annotations

from node.money import sats
from node.month import Month
from tests.conftest import MONTH

NEXT: Month = MONTH.plus(1)


async def busy_months(world) -> None:
    """Two months of ann, who reads and withdraws, and eve, who earns, is held, and pays dues."""
    await world.join("ann", "bob", "eve")
    await world.thing("eve-1", "eve")
    await world.thing("eve-2", "eve")
    await world.fund("ann", sats(5_003), to_pot=True, at_s=None)
    await world.fund("ann", sats(900), to_pot=False, at_s=None)
    await world.fund("bob", sats(1_001), to_pot=True, at_s=None)
    await world.flattr("ann", "eve-1")
    await world.flattr("ann", "eve-2")
    await world.flattr("bob", "eve-2")
    await world.target("eve")
    await world.withdraw("ann", sats(300), "ann@wallet.test")
    await world.pay_until_quiet()
    await world.close(MONTH)  # eve has no pot: held
    await world.fund("eve", world.rules.dues, to_pot=True, at_s=None)
    await world.fund("ann", sats(400), to_pot=True, at_s=None)
    await world.flattr("ann", "eve-2")
    await world.close(NEXT)  # the dues are paid: released and opened
    await world.pay_until_quiet()
