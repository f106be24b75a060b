"""The second rail, put together: the vault on its chain, the node's key, the rules of the asset.

Built by `app.py` when the settings name a vault. The same month, clicks and close serve both rails;
what is here is only how the stablecoin comes in (`money`) and goes out (`months`, `transactor`).
"""

from __future__ import annotations

from dataclasses import dataclass

from node.flows.rules import Rules
from node.flows.vault.events import ChainMoney
from node.flows.vault.months import VaultMonths
from node.flows.vault.transact import Transactor
from node.ids import MemberId
from node.month import Month
from node.settlement.vault_file import month_salt, salted_id
from node.wallet.stablecoin.signer import Signer

RAIL = "stablecoin"
"""Its name in leases, breakers and attempts."""


@dataclass(frozen=True, slots=True)
class Stablecoin:
    """What a running node has in hand for the stablecoin."""

    network: str
    """The chain's name in the settings, for people: every page and every signed text says it."""
    money: ChainMoney
    """Store, clock, chain, vault, chain id, and the block of the vault's deployment."""
    token: str
    """The address of the token."""
    treasury: str
    """Where the vault pays the commission."""
    signer: Signer
    """The node's key: the vault's operator. What waits for its creators waits at its address."""
    transactor: Transactor
    months: VaultMonths
    rules: Rules
    secret: bytes
    """32 secret bytes, the node's seed: the salts of the published month files come from it."""

    def salt(self, month: Month) -> bytes:
        """The salt of a month's published file. It is never published itself."""
        return month_salt(self.secret, self.money.vault.address, month)

    def file_id(self, month: Month, member: MemberId) -> str:
        """The name under which a member stands in a month's published file."""
        return salted_id(self.salt(month), member)
