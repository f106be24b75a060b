"""How much one caller may ask to sign in: by address, and by the network that the address is of."""

from __future__ import annotations

import pytest

from node.config import WebSettings
from node.errors import Busy, TooMany
from node.web.limits import (
    CONTRACTS_A_MINUTE,
    NETWORK_SHARE,
    SIGN_IN_SHARE,
    Limits,
    network_of,
    site_of,
)

OF_ADDRESS = 3


@pytest.fixture
def limits(clock) -> Limits:
    return Limits(WebSettings(requests_per_minute=OF_ADDRESS * SIGN_IN_SHARE), clock)


@pytest.mark.parametrize(
    "addresses",
    [[f"2001:db8:7:{n:x}::1" for n in range(99)], [f"198.51.100.{n}" for n in range(99)]],
    ids=["an IPv6 customer", "an IPv4 network"],
)
def test_one_network_does_not_ask_for_all_challenges(limits, clock, addresses):
    sites = [site_of(address) for address in addresses]
    assert len(set(sites)) == len(sites)
    for site in sites[: NETWORK_SHARE * OF_ADDRESS]:
        limits.count_sign_in(site)
    for site in sites[NETWORK_SHARE * OF_ADDRESS :]:
        with pytest.raises(TooMany):
            limits.count_sign_in(site)
    for other in ("2001:db8:8::1", "198.51.101.1"):
        limits.count_sign_in(site_of(other))
    clock.advance(60)
    limits.count_sign_in(sites[-1])


def test_one_address_asks_as_often_as_before(limits):
    for _ in range(OF_ADDRESS):
        limits.count_sign_in(site_of("198.51.100.7"))
    with pytest.raises(TooMany):
        limits.count_sign_in(site_of("198.51.100.7"))
    limits.count_sign_in(site_of("198.51.100.8"))


def test_everybody_together_asks_contracts_so_often(limits, clock):
    for _ in range(CONTRACTS_A_MINUTE):
        limits.count_contract()
    with pytest.raises(Busy):
        limits.count_contract()
    clock.advance(60)
    limits.count_contract()


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("198.51.100.7", "198.51.100"),
        ("::ffff:198.51.100.7", "198.51.100"),
        ("2001:db8:7:1::1", "20010db80007/48"),
        ("2001:db8:7:ffff::1", "20010db80007/48"),
        ("not an address", "unknown"),
    ],
)
def test_an_address_is_of_one_network(address, network):
    assert network_of(site_of(address)) == network
