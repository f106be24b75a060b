"""The simulation's BOLT11: what it writes, everybody reads; what is forged, nobody believes."""

import dataclasses

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given, settings
from hypothesis import strategies as st

from node.errors import BadInput
from node.wallet.lightning.bolt11 import parse_invoice
from node.wallet.lightning.simulated_invoice import (
    Bolt11,
    decode_invoice,
    encode_invoice,
    public_key,
)

KEY = ec.derive_private_key(7, ec.SECP256K1())
INVOICE = Bolt11(
    payment_hash=bytes(range(32)),
    payment_secret=bytes(range(32, 64)),
    payee=public_key(KEY),
    amount_msat=21_000,
    timestamp_s=1_800_000_000,
    description="flattr",
)
INVOICES = st.builds(
    Bolt11,
    payment_hash=st.binary(min_size=32, max_size=32),
    payment_secret=st.binary(min_size=32, max_size=32),
    payee=st.just(public_key(KEY)),
    amount_msat=st.integers(0, 10**17),
    timestamp_s=st.integers(0, 2**35 - 1),
    description=st.text(st.characters(codec="utf-8"), max_size=80),
    expiry_s=st.integers(1, 2**33),
    final_cltv=st.integers(1, 2**20),
)


@settings(max_examples=100, deadline=None)
@given(invoice=INVOICES)
def test_what_is_written_is_read(invoice):
    assert decode_invoice(encode_invoice(invoice, KEY)) == invoice


@settings(max_examples=100, deadline=None)
@given(invoice=INVOICES)
def test_the_node_reads_it_as_it_reads_lnds(invoice):
    read = parse_invoice(encode_invoice(invoice, KEY))
    assert read.network_prefix == "sb"
    assert read.amount_msat == (invoice.amount_msat or None)
    assert read.payment_hash == invoice.payment_hash.hex()
    assert read.payment_secret == invoice.payment_secret.hex()
    assert read.payee == invoice.payee.hex()
    assert (read.expiry_s, read.min_final_cltv) == (invoice.expiry_s, invoice.final_cltv)
    assert read.features == frozenset(invoice.features)


@pytest.mark.parametrize(
    ("amount_msat", "text"),
    [(1, "lnsb10p1"), (100, "lnsb1n1"), (21_000, "lnsb210n1"), (10**8, "lnsb1m1"), (0, "lnsb1")],
)
def test_the_amount_is_written_as_short_as_can_be(amount_msat, text):
    invoice = dataclasses.replace(INVOICE, amount_msat=amount_msat)
    assert encode_invoice(invoice, KEY).startswith(text)


def test_a_forged_signature_is_refused():
    forged = encode_invoice(INVOICE, ec.generate_private_key(ec.SECP256K1()))
    with pytest.raises(BadInput, match="signature"):
        decode_invoice(forged)


@settings(max_examples=100, deadline=None)
@given(place=st.integers(0, 300), letter=st.sampled_from("qpzry9x8gf2tvdw0s3jn54khce6mua7l1bB"))
def test_a_changed_letter_is_refused(place, letter):
    text = encode_invoice(INVOICE, KEY)
    place %= len(text)
    changed = text[:place] + letter + text[place + 1 :]
    if changed != text:
        with pytest.raises(BadInput):
            decode_invoice(changed)


@pytest.mark.parametrize("text", ["", "lnsb", "lnbc1", "hello", "lnsb1qqqqqq", "ä" * 30])
def test_what_is_no_invoice_is_refused(text):
    with pytest.raises(BadInput):
        decode_invoice(text)
