"""Networks by name: test networks and one's own, and no main network by any door."""

from __future__ import annotations

import pytest

from node.errors import ConfigError
from node.wallet.stablecoin.chain import FINALIZED, LATEST
from node.wallet.stablecoin.networks import (
    DELAY_MIN_S,
    MAIN_CHAINS,
    NETWORKS,
    chain_network,
    demand_test_chain,
)
from node.wallet.stablecoin.words import read_address
from node.web.pages.creator.payouts import transaction_url


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(ConfigError) as refused:
        chain_network("moonnet")
    assert all(name in str(refused.value) for name in NETWORKS)


@pytest.mark.parametrize("name", ["mainnet", "base", "Ethereum", "arbitrum-one", "OP-mainnet"])
def test_the_name_of_a_main_network_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match="not been audited"):
        chain_network(name)


@pytest.mark.parametrize("chain_id", [1, 10, 8453, 42_161])
def test_the_number_of_a_main_network_is_refused(chain_id: int) -> None:
    with pytest.raises(ConfigError, match="not been audited"):
        demand_test_chain(chain_id)


def test_no_network_is_a_main_network() -> None:
    numbers = [network.chain_id for network in NETWORKS.values()]
    assert not set(numbers) & set(MAIN_CHAINS)
    assert len(set(numbers)) == len(numbers)
    for number in numbers:
        demand_test_chain(number)


def test_only_ones_own_network_is_final_at_once() -> None:
    assert {name for name, one in NETWORKS.items() if one.local} == {"anvil", "eth-tester"}
    for one in NETWORKS.values():
        assert one.final == (LATEST if one.local else FINALIZED)
        assert one.delay_min_s == (0 if one.local else DELAY_MIN_S)
        assert one.local == (one.token is None) == (one.explorer is None)


def test_the_tokens_have_their_checksum() -> None:
    tokens = [one.token for one in NETWORKS.values() if one.token]
    assert [read_address(token) for token in tokens] == tokens


def test_an_address_is_shown_by_its_explorer() -> None:
    url = chain_network("base-sepolia").address_url("0xaa")
    assert url == "https://sepolia.basescan.org/address/0xaa"
    assert chain_network("anvil").address_url("0xaa") is None


def test_a_payouts_transaction_is_shown_by_the_explorer_of_its_chain() -> None:
    url = transaction_url("base-sepolia", "0xbb")
    assert url == "https://sepolia.basescan.org/tx/0xbb"
    assert transaction_url("anvil", "0xbb") is None
    assert transaction_url("base-sepolia", None) is None
    assert transaction_url(None, "0xbb") is None
