"""A month on the vault for the audit: one creator is paid, one waits, one the token refuses."""

from __future__ import annotations

from node.devnet.evm import local_key
from node.devnet.evm_vault import DOLLAR, act, set_blocked_calldata
from node.money import sats
from tests.flows.vault.vault_town import Town


async def block(town: Town, address: str) -> None:
    """The token's issuer blocks an address."""
    calldata = set_blocked_calldata(address, True)
    await act(town.local, town.vault.owner, town.vault.token, calldata)


async def settle_in(town: Town) -> None:
    """Readers with pots, creators with things, and one of them blocked by the token's issuer."""
    world = town.world
    await world.join("rita", "ron", "coin", "none", "shut")
    for name in ("coin", "none", "shut"):
        await world.thing(f"{name}'s", owner=name)
    for name in ("coin", "shut"):
        await town.target(name)
    for name in ("coin", "none", "shut"):
        await world.fund(name, sats(2000), to_pot=True, at_s=None)
    await town.fill("rita", 20 * DOLLAR, 9 * DOLLAR)
    await town.fill("ron", 3 * DOLLAR, 3 * DOLLAR)
    for name in ("coin", "none", "shut"):
        await world.flattr("rita", f"{name}'s")
    await world.flattr("ron", "coin's")
    await block(town, local_key("shut").address)
