"""BOLT11: mutants, which no two readers may read differently."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest
from bech32 import CHARSET, bech32_create_checksum, bech32_encode, convertbits
from hypothesis import given
from hypothesis import strategies as st

from node.errors import QuoteRefused
from node.wallet.lightning.bolt11 import EXPIRY_MAX_S, RouteHop, parse_invoice
from node.wallet.lightning.simulated_invoice import public_key
from tests.hostile.bolt11_parts import key_of, number_words, sign

HASH = "0001020304050607080900010203040506070809000102030405060708090102"
SECRET = "11" * 32
Field = tuple[str, Sequence[int]]


def octets(text: str) -> list[int]:
    return convertbits(bytes.fromhex(text), 8, 5)  # type: ignore[no-any-return]  # bech32: no types


X_OF_G = "79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
HOP = "02" + X_OF_G + "0102030405060708" + "00000001" + "00000014" + "0003"
HOP_2 = "03" + X_OF_G + "030405060708090a" + "00000002" + "0000001e" + "0004"
P: Field = ("p", octets(HASH))
S: Field = ("s", octets(SECRET))
D: Field = ("d", octets("6869"))
H: Field = ("h", octets("22" * 32))
KEY = key_of(1)
PAYEE = public_key(KEY).hex()
N: Field = ("n", octets(PAYEE))
X: Field = ("x", [1, 28])
C: Field = ("c", [4, 16])
F: Field = ("9", [16, 8, 0])
GOOD = [P, S, D, X, C]
SIGNATURE = octets(X_OF_G * 2 + "00")
"""What can be somebody's: its r is the x of a point."""


def build(
    *fields: Field,
    head: str = "lnbc10u",
    stamp: int = 1_800_000_000,
    signature: Sequence[int] | None = None,
) -> str:
    """An invoice with these fields in this order, signed."""
    values = [stamp >> 5 * (6 - at) & 31 for at in range(7)]
    for name, value in fields:
        values += [CHARSET.index(name), len(value) >> 5, len(value) & 31, *value]
    ending = sign(head, values, KEY, 0) if signature is None else signature
    return bech32_encode(head, [*values, *ending])  # type: ignore[no-any-return]  # bech32: no types


def refused(text: str, words: str | None = None) -> None:
    with pytest.raises(QuoteRefused, match=words) as caught:
        parse_invoice(text)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("head", "prefix", "amount_msat"),
    [
        ("lnbc", "bc", None),
        ("lntb", "tb", None),
        ("lntbs", "tbs", None),
        ("lnbcrt", "bcrt", None),
        ("lnsb", "sb", None),
        ("lnbc1", "bc", 100_000_000_000),
        ("lnsb20m", "sb", 2_000_000_000),
        ("lntb2500u", "tb", 250_000_000),
        ("lntbs10n", "tbs", 1000),
        ("lnbcrt9678785340p", "bcrt", 967_878_534),
        ("lnbc10p", "bc", 1),
        ("lnbc21000000", "bc", 21_000_000 * 10**11),
    ],
)
def test_networks_and_amounts(head: str, prefix: str, amount_msat: int | None) -> None:
    invoice = parse_invoice(build(*GOOD, head=head))
    assert (invoice.network_prefix, invoice.amount_msat) == (prefix, amount_msat)


@pytest.mark.parametrize(
    "head",
    [
        *("ln", "lnxx", "lnbcr", "lnbcx1u", "lightning", "bc", "lnb", "lnltc1u", "lnsimnet"),
        *("lnbc0", "lnbc0u", "lnbc01u", "lnbc-1u", "lnbc+1u", "lnbc1.5u", "lnbcu", "lnbc1x"),
        *("lnbc1uu", "lnbc1k", "lnbc1p", "lnbc2500000001p", "lnbc21000001", "lnbc" + "9" * 20),
        *("lnbc1u ", "lnbc1_0u", "lntbs_1u", "lnbc10u1bc"),
    ],
)
def test_bad_networks_and_amounts_are_refused(head: str) -> None:
    refused(build(*GOOD, head=head))


def test_every_field_is_read() -> None:
    routes: list[Field] = [("r", octets(HOP + HOP_2)), ("r", octets(HOP))]
    text = build(("f", [17, *octets("44" * 20)]), ("2", [1, 2]), N, H, C, X, S, P, F, *routes)
    invoice = parse_invoice(text)
    first = RouteHop("02" + X_OF_G, 0x0102030405060708, 1, 20, 3)
    second = RouteHop("03" + X_OF_G, 0x030405060708090A, 2, 30, 4)
    assert invoice.route_hints == ((first, second), (first,))
    assert (invoice.payee, invoice.description_hash) == (PAYEE, "22" * 32)
    assert (invoice.expiry_s, invoice.min_final_cltv) == (60, 144)
    assert invoice.features == {8, 14}


@pytest.mark.parametrize("field", [P, S, D, H, N, X, C, F, ("m", [0, 0])], ids=lambda f: f[0])
def test_a_field_given_twice_is_refused_whatever_it_says(field: Field) -> None:
    name, value = field
    fields = [*(kept for kept in [P, S, H, X, C] if kept[0] != name), field]
    for again in (value, [*value[:-1], value[-1] ^ 16], value[:-1], [*value, 0], []):
        for mutant in ([*fields, (name, again)], [(name, again), *fields]):
            refused(build(*mutant))


@pytest.mark.parametrize("missing", [P, S, D], ids=["p", "s", "d and h"])
def test_a_missing_field_is_refused(missing: Field) -> None:
    refused(build(*(field for field in GOOD if field is not missing)))


@pytest.mark.parametrize("field", [P, S, H, N], ids=lambda f: f[0])
def test_a_field_of_another_size_is_refused(field: Field) -> None:
    rest = [kept for kept in [P, S, H] if kept is not field]
    for value in ([], field[1][:-1], field[1][1:], [*field[1], 0], [*field[1]] * 2):
        refused(build(*rest, (field[0], value)))


@pytest.mark.parametrize("field", [P, S, H], ids=lambda f: f[0])
def test_padding_must_be_zero(field: Field) -> None:
    rest = [kept for kept in [P, S, H] if kept is not field]
    refused(build(*rest, (field[0], [*field[1][:-1], field[1][-1] | 1])), "padded")


@pytest.mark.parametrize("name", ["x", "c"])
@pytest.mark.parametrize("value", [[], [0, 1], [0, 0], [1] * 13])
def test_numbers_are_plain(name: str, value: list[int]) -> None:
    refused(build(P, S, D, (name, value)), "plain number")
    assert parse_invoice(build(P, S, D, (name, [0]))).text


def test_the_payee_must_be_a_key() -> None:
    for start in ("00", "01", "04", "ff"):
        refused(build(*GOOD, ("n", octets(start + "33" * 32))), "public key")


def test_an_invoice_that_says_no_time_lock_is_read_as_lnd_reads_it() -> None:
    assert parse_invoice(build(P, S, D)).min_final_cltv == 24


def test_an_expiry_that_lnd_would_wrap_around_is_refused() -> None:
    good = build(P, S, D, ("x", number_words(EXPIRY_MAX_S)))
    assert parse_invoice(good).expiry_s == EXPIRY_MAX_S
    refused(build(P, S, D, ("x", number_words(2**59))), "beyond")


@pytest.mark.parametrize("code", range(4))
def test_a_named_payee_must_have_signed(code: int) -> None:
    good = parse_invoice(build(*GOOD, N))
    assert good.payee == PAYEE
    other = octets(public_key(key_of(2)).hex())
    refused(build(*GOOD, ("n", other)), "not its payee's")
    refused(build(*GOOD, N, signature=[*SIGNATURE[:-1], code << 3]), "not its payee's")


def test_a_signature_that_is_nobodys_is_refused() -> None:
    refused(build(*GOOD, signature=[1] * 102 + [0, 0]), "signature")
    refused(build(*GOOD, signature=[*SIGNATURE[:-2], 0, 2 << 3]), "signature")


def test_a_description_is_text() -> None:
    refused(build(P, S, ("d", octets("ff80"))), "UTF-8")
    refused(build(P, S, ("d", [1, 1, 1])), "padded")


@pytest.mark.parametrize(
    "value",
    [
        *([], [17], [17, *octets("44" * 19)], [18, *octets("44" * 21)], [0, *octets("44" * 21)]),
        *([1, *octets("44" * 20)], [17, *octets("44" * 20)[:-1], 1, 1]),
    ],
)
def test_a_fallback_address_can_be_one(value: list[int]) -> None:
    refused(build(*GOOD, ("f", value)))
    assert parse_invoice(build(*GOOD, ("f", [30, 1])))


def test_a_private_route_begins_at_a_key() -> None:
    hop = "02" + "ff" * 32 + HOP[66:]
    refused(build(*GOOD, ("r", octets(hop))), "no public key")
    refused(build(*GOOD, ("r", octets(HOP + hop))), "no public key")


def test_a_blinded_path_is_not_passed_over() -> None:
    refused(build(*GOOD, ("5", octets("00" * 60))), "blinded")


@pytest.mark.parametrize("length", [0, 1, 50, 52, 101, 103])
def test_routes_have_whole_hops(length: int) -> None:
    refused(build(*GOOD, ("r", octets("02" * length))))


def feature_field(*bits: int) -> Field:
    number = sum(1 << bit for bit in bits)
    return "9", [number >> 5 * at & 31 for at in reversed(range(max(bits) // 5 + 1))]


def test_known_features_are_accepted_and_unknown_demands_refused() -> None:
    known = {8, 9, 14, 16, 17, 25, 48, 49, 31, 99, 263}
    assert parse_invoice(build(*GOOD, feature_field(*known))).features == known
    for bit in range(0, 300, 2):
        if bit not in known:
            refused(build(*GOOD, feature_field(15, bit)), f"feature {bit}$")


def test_parts_need_the_secret_feature() -> None:
    refused(build(*GOOD, feature_field(8, 17)), "parts")


@pytest.mark.parametrize(
    "signature",
    [
        [0] * 104,
        [31] * 104,
        [*[1] * 102, 0, 4],
        [*[1] * 102, 1, 0],
        [*[1] * 51, *[0] * 53],
        [*[0] * 52, *[1] * 50, 0, 0],
    ],
    ids=["zero", "beyond the order", "recovery id 4", "recovery id 32", "s is zero", "r is zero"],
)
def test_a_signature_that_can_be_none_is_refused(signature: list[int]) -> None:
    refused(build(*GOOD, signature=signature), "signature")


def test_fields_may_not_run_into_the_signature() -> None:
    for tail in ([1], [1, 0], [1, 31, 31], [0, 0, 1], [2, 3, 0, 0]):
        values = [0] * 7 + tail + SIGNATURE
        refused(bech32_encode("lnbc10u", values), "longer than the invoice")


@pytest.mark.parametrize(
    "mutate",
    [
        lambda text: text[:-1],
        lambda text: text + "q",
        lambda text: " " + text,
        lambda text: text + "\n",
        lambda text: "lightning:" + text,
        lambda text: text.replace("1", "", 1),
        lambda text: text[:20] + "b" + text[21:],
        lambda text: text[:20] + "\u017f" + text[21:],
        lambda text: text.replace("lnbc", "\u2113nbc"),
        lambda text: text[0].upper() + text[1:],
        lambda text: text + "q" * 8000,
        lambda _: "",
        lambda _: "1",
        lambda _: "lnbc1",
    ],
)
def test_a_damaged_text_is_refused(mutate: object) -> None:
    assert callable(mutate)
    refused(mutate(build(*GOOD)))


def test_a_bech32m_checksum_is_refused() -> None:
    text = build(*GOOD)
    head, _, rest = text.rpartition("1")
    values = [CHARSET.index(char) for char in rest[:-6]]
    checksum = [
        value ^ mark
        for value, mark in zip(
            bech32_create_checksum(head, values),
            [0x2BC830A2 >> 5 * (5 - at) & 31 for at in range(6)],
            strict=True,
        )
    ]
    refused(head + "1" + "".join(CHARSET[value] for value in [*values, *checksum]), "checksum")


def test_every_single_changed_character_is_noticed() -> None:
    text = build(*GOOD)
    dice = random.Random(1)
    for at in range(len(text)):
        other = dice.choice([char for char in CHARSET if char != text[at]])
        refused(text[:at] + other + text[at + 1 :])


@given(st.lists(st.integers(0, 31), max_size=260), st.sampled_from(["lnbc10u", "lnsb", "lntb1p"]))
def test_any_data_is_read_or_refused(values: list[int], head: str) -> None:
    try:
        invoice = parse_invoice(bech32_encode(head, [*values, *SIGNATURE]))
    except QuoteRefused:
        return
    assert len(invoice.payment_hash) == len(invoice.payment_secret) == 64
