"""The text that links an address: read back exactly, refused otherwise, and who has signed it."""

from dataclasses import replace

import pytest
from eth_account import Account
from eth_account.messages import encode_defunct
from hypothesis import given
from hypothesis import strategies as st

from node.errors import BadInput, RailUnavailable
from node.wallet.stablecoin.siwe import (
    LinkText,
    is_signed_by,
    parse_link_text,
    parse_signature,
)
from tests.conftest import MONTH
from tests.wallet.stablecoin.fake_chain import address_of, new_chain

KEY = Account.from_key("0x" + "11" * 32)
OTHER = Account.from_key("0x" + "22" * 32)
ASKED = LinkText(
    "example.org:8080", KEY.address, "Link this address, on the network anvil.",
    "https://example.org:8080", 31337, "0123456789abcdef", MONTH.starts_s, MONTH.starts_s + 600,
)  # fmt: skip
LINES = ASKED.text().split("\n")


def signed(text: str, key=KEY) -> bytes:
    return bytes(key.sign_message(encode_defunct(text=text)).signature)


def with_line(number: int, line: str) -> str:
    return "\n".join([*LINES[:number], line, *LINES[number + 1 :]])


def test_the_text_is_that_of_the_standard():
    assert ASKED.text() == (
        "example.org:8080 wants you to sign in with your Ethereum account:\n"
        f"{KEY.address}\n\n"
        "Link this address, on the network anvil.\n\n"
        "URI: https://example.org:8080\nVersion: 1\nChain ID: 31337\n"
        "Nonce: 0123456789abcdef\nIssued At: 2026-11-01T00:00:00Z\n"
        "Expiration Time: 2026-11-01T00:10:00Z"
    )


def test_a_text_is_read_back():
    assert parse_link_text(ASKED.text()) == ASKED


@pytest.mark.parametrize(
    ("number", "line", "words"),
    [
        (0, "https://example.org" + LINES[0][16:], "line 1 .* the site"),
        (0, LINES[0].removesuffix(":"), "line 1"),
        (0, "exämple.org" + LINES[0][16:], "line 1"),
        (1, KEY.address[:-1], "line 2 .* the address"),
        (1, KEY.address.lower(), "checksum"),
        (1, KEY.address.swapcase().replace("0X", "0x"), "checksum"),
        (2, " ", "line 3"),
        (3, "", "line 4 .* what it is for"),
        (3, "a\rb", "line 4"),
        (3, "ünicode", "line 4"),
        (5, "URI: javascript:alert", "line 6 .* URI"),
        (5, LINES[5] + " ", "line 6"),
        (6, "Version: 2", "line 7 .* Version 1"),
        (7, "Chain ID: 0x1", "line 8 .* Chain ID"),
        (7, "Chain ID: 01", "line 8"),
        (7, "Chain ID: " + "9" * 30, "line 8"),
        (8, "Nonce: short", "line 9 .* Nonce"),
        (8, "nonce: 0123456789abcdef", "line 9"),
        (9, "Issued At: 2026-11-01T00:00:00+00:00", "line 10 .* Issued At"),
        (9, "Issued At: 2026-13-01T00:00:00Z", "no time"),
        (9, "Issued At: ٢٠٢٦-11-01T00:00:00Z", "line 10"),
        (10, "Expiration Time: 2026-11-01T00:10:01Z", "at most 600 seconds"),
        (10, "Expiration Time: 2026-11-01T00:00:00Z", "at most 600 seconds"),
        (10, "Not Before: 2026-11-01T00:10:00Z", "line 11 .* Expiration Time"),
    ],
)
def test_a_text_that_is_not_ours_line_by_line_is_refused_with_words(number, line, words):
    with pytest.raises(BadInput, match=words):
        parse_link_text(with_line(number, line))


@pytest.mark.parametrize(
    "text",
    [
        "",
        ASKED.text() + "\n",
        ASKED.text() + "\nRequest ID: 7",
        ASKED.text() + "\nResources:\n- https://example.org",
        ASKED.text().replace("\n", "\r\n"),
        "\n".join(LINES[:3] + LINES[5:]),
        "\n".join(LINES[:-1]),
        ASKED.text() + "x" * 5000,
    ],
)
def test_a_text_with_more_or_less_is_refused(text):
    with pytest.raises(BadInput):
        parse_link_text(text)


@given(st.text(max_size=400))
def test_any_text_is_refused_in_words_and_not_in_a_crash(text):
    with pytest.raises(BadInput):
        parse_link_text(text)


@given(st.integers(0, len(ASKED.text()) - 1), st.characters(codec="utf-8"))
def test_a_text_with_another_character_is_another_text_or_none(place, character):
    text = ASKED.text()
    changed = text[:place] + character + text[place + 1 :]
    try:
        read = parse_link_text(changed)
    except BadInput:
        return
    assert read.text() == changed


@pytest.mark.parametrize("text", ["", "0x", "0xa", "ab" * 65, "0x" + "zz" * 65, "0x" + "a" * 8194])
def test_a_signature_is_hexadecimal_and_not_endless(text):
    with pytest.raises(BadInput):
        parse_signature(text)


async def test_a_keys_signature_of_this_text_is_its_addresses():
    chain = new_chain(0)
    text = ASKED.text()
    assert await is_signed_by(chain, KEY.address, text, signed(text))
    assert not await is_signed_by(chain, OTHER.address, text, signed(text))
    assert not await is_signed_by(chain, KEY.address, text, signed(text, OTHER))
    other = replace(ASKED, nonce="another0nonce").text()
    assert not await is_signed_by(chain, KEY.address, other, signed(text))


@pytest.mark.parametrize(
    "signature",
    [b"", b"\0" * 65, b"\xff" * 65, b"\x01" * 64, b"\x01" * 66, signed("x")[:64] + b"\x05"],
)
async def test_bytes_that_are_no_signature_are_nobodys(signature):
    assert not await is_signed_by(new_chain(0), KEY.address, ASKED.text(), signature)


async def test_a_contract_wallet_is_asked_itself():
    chain, wallet, other = new_chain(0), address_of("a wallet"), address_of("another wallet")
    chain.wallets = {wallet, other}
    its = b"many signatures" + bytes.fromhex(wallet[2:])
    assert await is_signed_by(chain, wallet, ASKED.text(), its)
    assert not await is_signed_by(chain, other, ASKED.text(), its)
    assert not await is_signed_by(chain, address_of("no wallet"), ASKED.text(), its)
    chain.away = True
    with pytest.raises(RailUnavailable):
        await is_signed_by(chain, wallet, ASKED.text(), its)
