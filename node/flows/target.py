"""A payout target in one box: what was typed is recognised, tried, and saved for its asset.

0x and 40 digits                        the stablecoin    asked of the token (vault/target.py)
name@host, LNURL, a node key            sats              asked of its server (join.py)
an invoice, lno…, ₿…, on-chain, secrets refused, each in words of its own
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from node.clock import now_s
from node.errors import BadTarget
from node.flows import join, look
from node.flows.join import SavedTarget
from node.flows.node import Node
from node.flows.vault.target import set_vault_target
from node.ids import MemberId
from node.money import Asset
from node.store.members import StoredTarget

_OF_THE_CHAIN: Final = re.compile(r"0x[0-9a-f]*|[^\s@/:]+\.eth", re.IGNORECASE | re.ASCII)
_SECRET_DIGITS: Final = 64


@dataclass(frozen=True, slots=True)
class TargetState:
    """Where a member is paid in one asset. `waits_s`: until it counts; 0: it does.

    `target` None: nowhere yet.
    """

    asset: Asset
    target: StoredTarget | None
    waits_s: int


async def targets_of(node: Node, member: MemberId) -> list[TargetState]:
    """A member's targets, one for each asset of the node."""
    states = []
    for rules in node.every_rules:
        found = await look.target_of(node.store, rules, member)
        active_s = 0 if found is None else found.active_us // 1_000_000
        states.append(TargetState(rules.asset, found, max(0, active_s - now_s(node.clock))))
    return states


async def set_any_target(node: Node, member: MemberId, text: str, *, fresh: bool) -> SavedTarget:
    """Recognise a target, try it, and save it; `fresh`: a wallet of the member has just signed.

    Raises BadTarget with what to do, RailUnavailable, FreshSignInNeeded for a change.
    """
    text = text.strip()
    if _OF_THE_CHAIN.fullmatch(text):
        if len(text.lower().removeprefix("0x")) == _SECRET_DIGITS or node.stablecoin is not None:
            return await _set_address(node, member, text, fresh=fresh)
        raise BadTarget(
            "that is an address of Ethereum, and this node pays over Lightning alone: give a"
            " Lightning address, an LNURL or a node key"
        )
    return await join.set_target(
        node.store, node.clock, node.rules, node.fetcher, member, text, fresh=fresh, lnd=node.lnd
    )


async def _set_address(node: Node, member: MemberId, text: str, *, fresh: bool) -> SavedTarget:
    if node.stablecoin is None:
        raise BadTarget(
            "that is a private key or a hash, and nothing that can be paid. If it is a key, do not"
            " use it any more"
        )
    return await set_vault_target(node.stablecoin, member, text, fresh=fresh)
