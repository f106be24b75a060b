"""A vault on a hostile token, everybody who has to do with it, and its exact model beside it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from eth_utils import to_checksum_address

from tests.contracts.chain import (
    Artifact,
    Chain,
    Contract,
    Receipt,
    solidity_artifact,
    vyper_artifact,
)
from tests.contracts.model import VaultModel
from tests.contracts.records import DAY
from tests.contracts.token_model import TokenModel
from tests.contracts.tree import Batch, Tree, plant, word

CHAIN_ID = 1
DELAY = 2 * DAY
RICHES = 10**12


def _people(first: int, count: int) -> tuple[str, ...]:
    return tuple(
        to_checksum_address((first + number).to_bytes(20, "big")) for number in range(count)
    )


OWNER, OPERATOR, GUARDIAN, TREASURY, STRANGER, HEIR = KEYS = _people(0xA000, 6)
MEMBERS = _people(0xB000, 4)
CREATORS = _people(0xC000, 6)


@dataclass(frozen=True, slots=True)
class World:
    """One vault, and all that it has to do with."""

    chain: Chain
    token: Contract
    foreign: Contract
    vault: Contract

    def model(self) -> VaultModel:
        """The vault's model, as the vault is when it was deployed."""
        token = TokenModel()
        token.holdings.update(dict.fromkeys((*MEMBERS, STRANGER), RICHES))
        return VaultModel(
            self.vault.address, OWNER, OPERATOR, GUARDIAN, TREASURY, DELAY, token, self.chain.now
        )

    def balance(self, who: str) -> int:
        """What somebody has of the asset."""
        held: int = self.token.read("balanceOf", who)
        return held

    def plant(self, month: int, *batches: list[tuple[str, int]]) -> Tree:
        """The tree over batches of (recipient, amount)."""
        words = [[word(to, amount) for to, amount in batch] for batch in batches]
        return plant(self.vault.address, CHAIN_ID, month, words)

    def fund(self, pots: dict[str, int]) -> None:
        """Each member pays in as much as the pot, and sets it."""
        for member, pot in pots.items():
            self.vault.accept("deposit", pot, member, pot, sender=member)

    def charged(self, pots: dict[str, int]) -> int:
        """Open a month, and charge each member so much; the number of the month."""
        self.vault.accept("open_month", sender=OPERATOR)
        month: int = self.vault.read("month")
        words = [word(member, pot) for member, pot in pots.items()]
        self.vault.accept("charge", month, words, sender=OPERATOR)
        return month

    def sealed(self, month: int, *batches: list[tuple[str, int]]) -> Tree:
        """Seal batches, and wait until they can be paid."""
        tree = self.plant(month, *batches)
        arguments = (month, tree.root, len(batches), bytes(32))
        self.vault.accept("seal", *arguments, sender=OPERATOR)
        self.chain.wait(DELAY)
        return tree

    def pay(self, batch: Batch, sender: str = OPERATOR) -> Receipt:
        """Try to pay a batch."""
        return self.vault.send("pay_batch", *batch.arguments, sender=sender)


@lru_cache(maxsize=2)
def build_world(vault: Artifact | None = None) -> World:
    """Deploy everything; a vault of other code, if it is to be another one."""
    chain = Chain()
    hostile = solidity_artifact("HostileToken")
    token = chain.deploy(hostile, sender=STRANGER)
    foreign = chain.deploy(hostile, sender=STRANGER)
    roles = (OWNER, OPERATOR, GUARDIAN, TREASURY)
    made = vault or vyper_artifact("PayoutVault")
    deployed = chain.deploy(made, token.address, *roles, DELAY, sender=OWNER)
    for payer in (*MEMBERS, STRANGER):
        token.accept("mint", payer, RICHES, sender=payer)
        token.accept("approve", deployed.address, 2**255, sender=payer)
    return World(chain, token, foreign, deployed)
