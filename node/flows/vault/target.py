"""A payout target on the chain: an address, tried before it is saved, as one of Lightning is.

The token is asked what it would do with a transfer of nothing from the node's key to that address.
A token that refuses this to one address and lets it pass to the vault has blocked the address; one
that refuses both is down, and nothing is learned.
"""

from __future__ import annotations

from node.errors import BadTarget, RailUnavailable, Reverted
from node.flows.join import SavedTarget, demand_may_set, save_target
from node.flows.vault.stablecoin import Stablecoin
from node.ids import MemberId
from node.wallet.stablecoin.calldata import transfer_calldata
from node.wallet.stablecoin.targets import parse_evm_target


async def set_vault_target(
    stablecoin: Stablecoin, member: MemberId, text: str, *, fresh: bool = False
) -> SavedTarget:
    """Try an address and save it; `fresh`: a wallet of the member has just signed.

    Raises BadTarget with what to do, RailUnavailable, FreshSignInNeeded for a change.
    """
    money = stablecoin.money
    target = parse_evm_target(text, refused=(money.vault.address, stablecoin.token))
    if target.address == stablecoin.signer.address:
        raise BadTarget("that is the address of the node's own key: give one of yours")
    if not fresh:
        await demand_may_set(money.store, stablecoin.rules, member, target.text)
    await _try(stablecoin, target.address)
    return await save_target(
        money.store, money.clock, stablecoin.rules, member, target, "the token would pay it",
        fresh=fresh,
    )  # fmt: skip


async def _try(stablecoin: Stablecoin, address: str) -> None:
    try:
        await _ask(stablecoin, address)
    except Reverted as refusal:
        try:
            await _ask(stablecoin, stablecoin.money.vault.address)
        except Reverted as error:
            raise RailUnavailable("the token pays nobody now: try again later") from error
        raise BadTarget(
            f"the token refuses to pay {address} ({refusal.reason or 'it says no reason'}): its"
            " issuer has blocked it; give another one"
        ) from refusal


async def _ask(stablecoin: Stablecoin, to: str) -> None:
    """An estimate is the one call of the chain that says from whom."""
    nothing = transfer_calldata(to, 0)
    await stablecoin.money.chain.estimate_gas(stablecoin.signer.address, stablecoin.token, nothing)
