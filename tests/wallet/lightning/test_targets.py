"""Payout targets: each text gets the right target, or one line that says why not."""

from __future__ import annotations

import pytest
from bech32 import CHARSET, bech32_encode, convertbits
from hypothesis import given
from hypothesis import strategies as st

from node.errors import BadTarget
from node.wallet.lightning.targets import (
    Bolt11,
    LightningAddress,
    LnurlPay,
    NodeKey,
    Target,
    parse_target,
)
from tests.hostile.bolt11_parts import key_of, sign

KEY = "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
"""The generator of secp256k1, which is a point."""
OTHER_KEY = "03" + KEY[2:]
PAGE = "https://pay.example/lnurlp/anna?id=7"
WELL_KNOWN = "https://pay.example/.well-known/lnurlp/anna"


def lnurl(url: str, head: str = "lnurl") -> str:
    return str(bech32_encode(head, convertbits(url.encode(), 8, 5)))


def invoice(head: str = "lnbc10u", payee: str | None = None, payment_hash: str = "22" * 32) -> str:
    values = [1, 21, 20, 21, 11, 0, 0]
    fields = [
        ("p", payment_hash),
        ("s", "11" * 32),
        ("d", "6869"),
        *([("n", payee)] if payee else []),
    ]
    for name, text in fields:
        value = convertbits(bytes.fromhex(text), 8, 5)
        values += [CHARSET.index(name), len(value) >> 5, len(value) & 31, *value]
    return str(bech32_encode(head, [*values, *sign(head, values, key_of(0), 0)]))


ADDRESS = LightningAddress("anna", "pay.example")

# The eighteen texts that every payout field is judged by, and a few of their spellings.
PAYABLE: list[tuple[str, Target]] = [
    ("anna@pay.example", ADDRESS),
    (" Anna@Pay.Example\n", ADDRESS),
    ("lightning:anna@pay.example", ADDRESS),
    ("anna+month@pay.example", LightningAddress("anna+month", "pay.example")),
    ("0xanna@pay.example", LightningAddress("0xanna", "pay.example")),
    ("anna@Bücher.example", LightningAddress("anna", "xn--bcher-kva.example")),
    (lnurl(PAGE), LnurlPay(PAGE)),
    (lnurl(PAGE).upper(), LnurlPay(PAGE)),
    ("LIGHTNING:" + lnurl(PAGE).upper(), LnurlPay(PAGE)),
    (f"https://wallet.example/?lightning={lnurl(PAGE)}", LnurlPay(PAGE)),
    ("lnurlp://pay.example/lnurlp/anna?id=7", LnurlPay(PAGE)),
    (lnurl("HTTPS://Pay.Example:443/lnurlp/anna?id=7"), LnurlPay(PAGE)),
    (WELL_KNOWN, LnurlPay(WELL_KNOWN)),
    (invoice("lnbc10u"), Bolt11(invoice("lnbc10u"))),
    (invoice("lnsb10u").upper(), Bolt11(invoice("lnsb10u"))),
    (f"lightning:{invoice('lnbcrt10u')}", Bolt11(invoice("lnbcrt10u"))),
    (f"bitcoin:bc1qx?amount=1&lightning={invoice()}", Bolt11(invoice())),
    (KEY, NodeKey(KEY)),
    (KEY.upper(), NodeKey(KEY)),
    (f"{KEY}@203.0.113.5:9735", NodeKey(KEY)),
]

REFUSED: list[tuple[str, str]] = [
    ("lno1qgsqvgnwgcg35z6ee2h3yczraddm72xrfua9uve2rlrm9deu7xyfzrc", "BOLT12"),
    ("LNO1QGSQVGNWGCG35Z6EE2H3", "BOLT12"),
    ("₿anna@pay.example", "BIP-353"),
    ("0x52908400098527886E0F7030069857D2E4169EE7", "Ethereum address"),
    ("anna.eth", "Ethereum name"),
    ("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", "on-chain"),
    ("BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4", "on-chain"),
    ("sb1qw508d6qejxtdg4y5r3zarvary0c5xw7k8zcwm0", "on-chain"),
    ("bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080", "on-chain"),
    ("1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2", "on-chain"),
    ("3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy", "on-chain"),
    ("mk2QpYatsKicvFVuTAQLBryyccRXMUaGHP", "on-chain"),
    ("bitcoin:bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4?amount=1", "on-chain"),
    ("bitcoin:?lno=lno1qgsq", "on-chain"),
    ("lnurlw://pay.example/x", "withdraw"),
    (lnurl("https://pay.example/x?tag=withdrawRequest&k1=aa"), "withdraw"),
    ("keyauth://pay.example/x?tag=login&k1=aa", "log in"),
    (lnurl("https://pay.example/x?tag=login&k1=aa"), "log in"),
    ("lnurlc://pay.example/x", "channel"),
    ("nostr+walletconnect://b889?secret=aa", "secret of a wallet"),
    ("nsec1vl029mgpspedva04g90vltkh6fvh240zqtv9k0t9af8935ke9laqsnlfe5", "secret of a wallet"),
    ("npub10elfcs4fr0l0r8af98jlmgdh9c8tcxjvz9qkw038js35mp4dma8qzvjptg", "Nostr"),
    (invoice("lnbc"), "no amount"),
    (invoice("lnbc10u")[:-1] + "q", "checksum"),
    (invoice("lnbc10u").replace("lnbc", "LNbc"), "mixes"),
    (lnurl(PAGE)[:-1] + "b", "damaged"),
    (lnurl(PAGE).upper().replace("LNURL", "lnurl"), "damaged"),
    (lnurl(PAGE, "lnurlq"), "nothing that can be paid"),
    (lnurl("http://pay.example/x"), "leads nowhere"),
    (lnurl("https://127.0.0.1/x"), "leads nowhere"),
    (lnurl("https://lnd:8080/x"), "leads nowhere"),
    (lnurl("https://a@pay.example/x"), "leads nowhere"),
    (lnurl("https://expyuzz4wqqyqhjn.onion/x"), "leads nowhere"),
    (lnurl("file:///etc/passwd"), "leads nowhere"),
    (lnurl("https://pay.example/\r\nX: y"), "leads nowhere"),
    (lnurl("https://p\u00e4y.example/"), "leads nowhere"),
    ("lnurlp://localhost/x", "leads nowhere"),
    ("https://pay.example/anna", "web page"),
    ("02" + "ff" * 32, "public key"),
    ("02" + "00" * 31 + "05", "public key"),
    ("04" + KEY[2:], "public key"),
    ("anna@localhost", "after @"),
    ("anna@127.0.0.1", "after @"),
    ("anna@pay", "after @"),
    ("anna@pay.example:8080", "no port"),
    ("anna@127.0.0.1:8080", "no port"),
    ("anna@[::1]", "no port"),
    ("anna@0x7f.1", "after @"),
    ("anna@stra\u00dfe.example", "after @"),
    ("an na@pay.example", "nothing"),
    ("\u017fanna@pay.example", "nothing"),
    ("ann\u00e9@pay.example", "nothing"),
    ("a" * 65 + "@pay.example", "nothing"),
    ("anna@evil.example@pay.example", "nothing"),
    ("anna@pay.example/../x", "nothing"),
    ("@pay.example", "nothing"),
    ("anna", "nothing"),
    ("", "nothing"),
    ("lightning:", "nothing"),
    ("DE89370400440532013000", "nothing"),
    ("a" * 9000, "too long"),
]


@pytest.mark.parametrize(("text", "target"), PAYABLE)
def test_what_can_be_paid_is_understood_and_has_one_form(text: str, target: Target) -> None:
    found = parse_target(text)
    assert found == target
    assert parse_target(found.text) == found
    assert found.fingerprint == parse_target(found.text).fingerprint


@pytest.mark.parametrize(("text", "words"), REFUSED)
def test_what_cannot_is_refused_with_one_line_that_does_not_repeat_it(
    text: str, words: str
) -> None:
    with pytest.raises(BadTarget, match=words) as caught:
        parse_target(text)
    sentence = str(caught.value)
    assert sentence.isprintable()
    assert len(sentence) < 250
    assert len(text) < 9 or text not in sentence


def test_a_trailing_dot_is_no_other_wallet() -> None:
    assert parse_target("anna@pay.example.") == ADDRESS


def test_kinds() -> None:
    kinds = [parse_target(text).kind for text in ("a@b.example", lnurl(PAGE), invoice(), KEY)]
    assert kinds == ["address", "lnurl", "invoice", "node"]


def test_a_test_network_may_have_ports_and_loopback_and_only_its_own() -> None:
    allow = frozenset({"127.0.0.1:8080", "localhost:8081"})
    target = parse_target("anna@127.0.0.1:8080", allow=allow)
    assert target == LightningAddress("anna", "127.0.0.1:8080")
    assert isinstance(target, LightningAddress)
    assert target.url == "http://127.0.0.1:8080/.well-known/lnurlp/anna"
    assert parse_target("lnurlp://LOCALHOST:8081/x", allow=allow) == LnurlPay(
        "http://localhost:8081/x"
    )
    assert parse_target(lnurl("http://127.0.0.1:8080/x"), allow=allow).text
    for text in (
        "anna@127.0.0.1:8081",
        "anna@localhost:8080",
        "anna@127.0.0.1",
        "a@pay.example:8080",
    ):
        with pytest.raises(BadTarget):
            parse_target(text, allow=allow)


@pytest.mark.parametrize(
    "texts",
    [
        [
            "anna@pay.example",
            "ANNA+2026@pay.example",
            lnurl(WELL_KNOWN),
            WELL_KNOWN,
            lnurl("https://PAY.example:443/.well-known/lnurlp/%41nna+x?y=1"),
            "lnurlp://pay.example/.well-known/lnurlp/anna",
        ],
        [
            KEY,
            KEY.upper(),
            invoice(payee=KEY),
            invoice("lnsb20u", payee=KEY, payment_hash="33" * 32),
        ],
        [invoice(), invoice().upper(), "lightning:" + invoice()],
        [lnurl(PAGE), PAGE.replace("https", "lnurlp")],
    ],
)
def test_the_same_wallet_has_one_fingerprint(texts: list[str]) -> None:
    assert len({parse_target(text).fingerprint for text in texts}) == 1


def test_other_wallets_have_other_fingerprints() -> None:
    texts = [
        *("anna@pay.example", "bob@pay.example", "anna@pay2.example", "anna@a.pay.example"),
        *(KEY, OTHER_KEY, invoice(), invoice(payment_hash="33" * 32)),
        *(lnurl(PAGE), lnurl(PAGE + "8"), lnurl("https://pay.example/anna")),
    ]
    assert len({parse_target(text).fingerprint for text in texts}) == len(texts)


@given(st.one_of(st.text(), st.from_regex(r"(lnurlp?:|https:)//.{0,30}|.{1,5}@.{1,20}")))
def test_any_text_is_a_target_or_refused(text: str) -> None:
    try:
        target = parse_target(text)
    except BadTarget:
        return
    assert parse_target(target.text) == target


@given(st.binary(max_size=80))
def test_any_lnurl_is_a_target_or_refused(octets: bytes) -> None:
    text = bech32_encode("lnurl", convertbits(octets, 8, 5))
    try:
        target = parse_target(text)
    except BadTarget:
        return
    assert parse_target(target.text) == target
