"""The networks that the stablecoin can be on, each known by its name in the settings.

Test networks, and those of one's own. A main network is refused: the vault has not been audited,
and what people would put into it there is real.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from node.errors import ConfigError
from node.wallet.stablecoin.chain import FINALIZED, LATEST

DELAY_MIN_S: Final = 2 * 86_400
"""How long a seal can be vetoed, at least, where others take part (contracts/README.md)."""
TESTER: Final = "eth-tester"
"""A chain inside of the node's own process: the demo's, which hands it in."""
MAIN_CHAINS: Final = {1: "Ethereum", 10: "OP Mainnet", 8453: "Base", 42_161: "Arbitrum One"}
_MAIN_NAMES: Final = frozenset(
    {"mainnet", "ethereum", "optimism", "op-mainnet", "base", "base-mainnet", "arbitrum",
     "arbitrum-one"}
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ChainNetwork:
    """One network. `token` is its dollar, by its issuer; `explorer` shows it to people."""

    name: str
    chain_id: int
    token: str | None = None
    explorer: str | None = None
    local: bool = False
    """One's own: one RPC is enough, its newest block is final, and no veto needs time."""

    @property
    def delay_min_s(self) -> int:
        """The least delay of a seal that a vault may have here."""
        return 0 if self.local else DELAY_MIN_S

    @property
    def final(self) -> str:
        """The tag of the block that counts as final here."""
        return LATEST if self.local else FINALIZED

    def address_url(self, address: str) -> str | None:
        """Where people see an address, if anywhere."""
        return None if self.explorer is None else f"{self.explorer}/address/{address}"

    def transaction_url(self, transaction: str) -> str | None:
        """Where people see a transaction, if anywhere."""
        return None if self.explorer is None else f"{self.explorer}/tx/{transaction}"


_ALL: Final = (
    ChainNetwork("anvil", 31_337, local=True),
    ChainNetwork(TESTER, 131_277_322_940_537, local=True),
    ChainNetwork(
        "base-sepolia", 84_532, "0x036CbD53842c5426634e7929541eC2318f3dCF7e",
        "https://sepolia.basescan.org",
    ),
    ChainNetwork(
        "op-sepolia", 11_155_420, "0x5fd84259d66Cd46123540766Be93DFE6D43130D7",
        "https://sepolia-optimism.etherscan.io",
    ),
    ChainNetwork(
        "arbitrum-sepolia", 421_614, "0x75faf114eafb1BDbe2F0316DF893fd58CE46AA4d",
        "https://sepolia.arbiscan.io",
    ),
    ChainNetwork(
        "sepolia", 11_155_111, "0x1c7D4B196Cb0C7B01d743Fbc6116a902379C7238",
        "https://sepolia.etherscan.io",
    ),
)  # fmt: skip
NETWORKS: Final = {one.name: one for one in _ALL}


def chain_network(name: str) -> ChainNetwork:
    """The network of this name. Raises ConfigError, which lists those that there are."""
    if name.lower() in _MAIN_NAMES:
        raise ConfigError(_refusal(name))
    if name not in NETWORKS:
        raise ConfigError(
            f"{name} is no network that this node knows: write one of {', '.join(NETWORKS)}"
        )
    return NETWORKS[name]


def demand_test_chain(chain_id: int) -> None:
    """Raises ConfigError for the number of a main network."""
    if chain_id in MAIN_CHAINS:
        raise ConfigError(_refusal(f"{MAIN_CHAINS[chain_id]} (chain {chain_id})"))


def _refusal(what: str) -> str:
    return (
        f"{what} is a main network, and the payout vault has not been audited: it is for test"
        f" networks until it has been. Write one of {', '.join(NETWORKS)}"
    )
