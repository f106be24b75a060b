"""A link says the same call as its calldata."""

from __future__ import annotations

import re

import pytest

from node.errors import BadTarget
from node.wallet.stablecoin import calldata
from node.wallet.stablecoin.eip681 import WalletCall, call_link
from node.wallet.stablecoin.words import encode_call
from tests.wallet.stablecoin.fake_chain import TOKEN, VAULT, address_of

ANN = address_of("ann")
CHAIN_ID = 84532
CALLS = [
    (WalletCall(TOKEN, CHAIN_ID, "approve(address,uint256)", (VAULT, 7)),
     calldata.approve_calldata(VAULT, 7)),
    (WalletCall(VAULT, CHAIN_ID, "deposit(uint256,address,uint64)", (7, ANN, 2**64 - 1)),
     calldata.deposit_calldata(7, ANN, 2**64 - 1)),
    (WalletCall(VAULT, CHAIN_ID, "set_pot(uint64)", (0,)), calldata.set_pot_calldata(0)),
    (WalletCall(VAULT, CHAIN_ID, "request_exit()"), calldata.request_exit_calldata()),
    (WalletCall(VAULT, CHAIN_ID, "withdraw(uint256,address)", (2**96 - 1, ANN)),
     calldata.withdraw_calldata(2**96 - 1, ANN)),
    (WalletCall(VAULT, CHAIN_ID, "claim(address)", (ANN,)), calldata.claim_calldata(ANN)),
]  # fmt: skip
LINK = re.compile(r"ethereum:(0x[0-9a-fA-F]{40})@([0-9]+)/(\w+)(?:\?(.+))?")


def test_a_link_is_laid_out_as_in_the_standards_example():
    """EIP-681, its example of a token's transfer, with the chain's number."""
    to = "0x8e23ee67d1332ad560396262c48ffbb01f93d052"
    token = "0x89205a3a3b2a69de6dbf7f01ed13b2108b2c43e7"
    assert call_link(token, 1, "transfer(address,uint256)", to, 1).lower() == (
        f"ethereum:{token}@1/transfer?address={to}&uint256=1"
    )


@pytest.mark.parametrize(("call", "expected"), CALLS, ids=lambda one: getattr(one, "signature", ""))
def test_a_wallet_that_follows_the_link_sends_the_calldata(call, expected):
    assert call.calldata == expected
    found = LINK.fullmatch(call.link)
    assert found is not None
    assert (found[1], found[2]) == (call.to, str(CHAIN_ID))
    pairs = [pair.split("=") for pair in found[4].split("&")] if found[4] else []
    signature = f"{found[3]}({','.join(kind for kind, _ in pairs)})"
    read = [value if kind == "address" else int(value) for kind, value in pairs]
    assert encode_call(signature, *read) == expected


@pytest.mark.parametrize(
    ("signature", "arguments"),
    [
        ("charge(uint256,uint256[])", (1, 2)),
        ("set_pot(uint64)", (2**64,)),
        ("set_pot(uint64)", (-1,)),
        ("set_pot(uint64)", ()),
        ("set_pot(uint64)", (ANN,)),
        ("claim(address)", (7,)),
        ("claim(bytes32)", (7,)),
        ("claim(address)&value=1", (ANN,)),
    ],
)
def test_what_a_link_cannot_say_is_no_link(signature, arguments):
    with pytest.raises(ValueError):  # noqa: PT011 - the words differ by case
        call_link(VAULT, CHAIN_ID, signature, *arguments)


@pytest.mark.parametrize("address", ["ann.eth", ANN + "&value=1", ANN[:-1]])
def test_nothing_can_be_slipped_in_by_an_address(address):
    with pytest.raises(BadTarget):
        call_link(VAULT, CHAIN_ID, "claim(address)", address)
    with pytest.raises(BadTarget):
        call_link(address, CHAIN_ID, "request_exit()")
