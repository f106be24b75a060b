"""A payout target in the stablecoin: an address and nothing else, never one that swallows money."""

import pytest

from node.errors import BadTarget
from node.wallet.stablecoin.targets import parse_evm_target
from tests.wallet.stablecoin.fake_chain import TOKEN, VAULT

CHECKSUMMED = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"  # the first example of EIP-55
REFUSED = (VAULT, TOKEN)


@pytest.mark.parametrize(
    "text",
    [CHECKSUMMED, CHECKSUMMED.lower(), "0x" + CHECKSUMMED[2:].upper(), f"  {CHECKSUMMED}\n"],
)
def test_an_address_is_read_in_every_spelling_that_has_no_wrong_checksum(text):
    target = parse_evm_target(text, REFUSED)
    assert target.text == CHECKSUMMED
    assert target.fingerprint == CHECKSUMMED.lower()
    assert parse_evm_target(target.text, REFUSED) == target


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "not an EVM address"),
        ("0x", "not an EVM address"),
        (CHECKSUMMED[2:], "not an EVM address"),
        (CHECKSUMMED[:-1], "not an EVM address"),
        (CHECKSUMMED + "0", "not an EVM address"),
        (CHECKSUMMED.replace("5aAe", "5aAg"), "not an EVM address"),
        ("0X" + CHECKSUMMED[2:], "not an EVM address"),
        (CHECKSUMMED[:2] + "\u0665" + CHECKSUMMED[3:], "not an EVM address"),
        (CHECKSUMMED.replace("aA", "Aa"), "checksum"),
        (CHECKSUMMED[:-1] + "D", "checksum"),
        ("0x" + "0" * 40, "zero address"),
        (VAULT, "vault or its token"),
        (TOKEN.lower(), "vault or its token"),
        ("vitalik.eth", "names are not looked up"),
        ("lnbc1pvjluez", "not an EVM address"),
    ],
)
def test_what_would_lose_the_money_is_refused_with_words(text, words):
    with pytest.raises(BadTarget, match=words):
        parse_evm_target(text, REFUSED)


@pytest.mark.parametrize("secret", ["ab" * 32, "0x" + "AB" * 32])
def test_a_private_key_is_not_repeated(secret):
    with pytest.raises(BadTarget, match="private key") as refused:
        parse_evm_target(secret, REFUSED)
    assert secret not in str(refused.value)
