"""EIP-4361: what is replayed, altered, late or somebody else's is no sign-in."""

from __future__ import annotations

from dataclasses import replace

import pytest

from node.errors import BadInput, BadTarget, Busy, Conflict, Forbidden, RailUnavailable
from node.flows.sign_in import ethereum
from node.flows.sign_in.asking import VALID_S, waiting
from node.wallet.stablecoin.siwe import parse_link_text
from tests.conftest import MONTH
from tests.flows.sign_in import keys
from tests.flows.sign_in.conftest import URL
from tests.wallet.stablecoin.fake_chain import address_of, new_chain

WALLET = address_of("a contract wallet")
START_S = MONTH.starts_s + 3600


async def ethereum_text(person, **changes) -> str:
    text = await ethereum.show(person.sign_in, person.secret, person.ethereum.address)
    return replace(parse_link_text(text), **changes).text() if changes else text


async def test_an_address_signs_what_is_shown(ann, sign_in):
    text = await ethereum_text(ann)
    assert text.startswith("flattr.example wants you to sign in")
    assert "network simnet" in text
    signature = keys.sign_text(text, ann.ethereum)
    proof = await ethereum.signed(sign_in, ann.secret, text, signature)
    assert (proof.kind, proof.key) == ("ethereum", ann.ethereum.address)


ALTERED = {
    "another site": {"domain": "evil.example"},
    "another port": {"domain": "flattr.example:8443"},
    "another uri": {"uri": "https://evil.example"},
    "a deeper uri": {"uri": URL + "/sign-in"},
    "another chain": {"chain_id": 1},
    "another purpose": {"statement": "I give everything away."},
    "a nonce that was never asked": {"nonce": "ab" * 32},
    "a later time": {"issued_s": START_S + VALID_S, "expires_s": START_S + 2 * VALID_S},
    "a time that is over": {"issued_s": START_S - VALID_S, "expires_s": START_S},
}


@pytest.mark.parametrize("change", ALTERED.values(), ids=ALTERED.keys())
async def test_an_altered_text_is_refused_though_it_is_signed(ann, sign_in, change):
    altered = await ethereum_text(ann, **change)
    with pytest.raises((BadInput, Conflict)):
        await ethereum.signed(sign_in, ann.secret, altered, keys.sign_text(altered, ann.ethereum))


async def test_a_text_with_another_address_in_it_is_refused(ann, bob, sign_in):
    altered = await ethereum_text(ann, address=bob.ethereum.address)
    with pytest.raises(Forbidden):
        await ethereum.signed(sign_in, ann.secret, altered, keys.sign_text(altered, ann.ethereum))


async def test_a_signature_of_another_is_refused(ann, bob, sign_in):
    text = await ethereum_text(ann)
    with pytest.raises(Forbidden):
        await ethereum.signed(sign_in, ann.secret, text, keys.sign_text(text, bob.ethereum))


async def test_a_text_in_another_browser_is_refused(ann, bob, sign_in):
    text = await ethereum_text(ann)
    with pytest.raises(Conflict):
        await ethereum.signed(sign_in, bob.secret, text, keys.sign_text(text, ann.ethereum))


async def test_a_text_that_has_run_out_is_refused(ann, sign_in, clock):
    text = await ethereum_text(ann)
    clock.advance(VALID_S)
    with pytest.raises(Conflict):
        await ethereum.signed(sign_in, ann.secret, text, keys.sign_text(text, ann.ethereum))


async def test_a_text_is_used_once(ann, sign_in):
    text = await ethereum_text(ann)
    signature = keys.sign_text(text, ann.ethereum)
    await ethereum.signed(sign_in, ann.secret, text, signature)
    with pytest.raises(Conflict):
        await ethereum.signed(sign_in, ann.secret, text, signature)


@pytest.mark.parametrize("address", ["", "0x12", "0x" + "0" * 40, "ann.eth"])
async def test_what_is_nobodys_address_is_refused(ann, sign_in, address):
    with pytest.raises(BadTarget):
        await ethereum.show(sign_in, ann.secret, address)


async def test_a_contract_wallet_is_asked_and_known_with_its_chain(ann, sign_in):
    sign_in.chain.wallets = {WALLET}
    text = await ethereum.show(sign_in, ann.secret, WALLET)
    proof = await ethereum.signed(sign_in, ann.secret, text, WALLET.lower())
    assert proof.key == f"eip155:{sign_in.chain_id}:{WALLET}"


async def test_a_contract_that_says_no_is_refused(ann, sign_in):
    sign_in.chain.wallets = {WALLET}
    text = await ethereum.show(sign_in, ann.secret, WALLET)
    with pytest.raises(Forbidden):
        await ethereum.signed(sign_in, ann.secret, text, "0x1234")


async def test_a_contract_on_a_node_without_a_chain_is_refused(ann, sign_in):
    alone = replace(sign_in, chain=None, chain_id=1)
    text = await ethereum.show(alone, ann.secret, WALLET)
    with pytest.raises(Forbidden):
        await ethereum.signed(alone, ann.secret, text, WALLET.lower())


async def test_a_contract_that_cannot_be_asked_can_be_asked_again(ann, sign_in):
    chain = new_chain(0)
    chain.wallets, chain.away = {WALLET}, True
    away = replace(sign_in, chain=chain)
    text = await ethereum.show(away, ann.secret, WALLET)
    with pytest.raises(RailUnavailable):
        await ethereum.signed(away, ann.secret, text, WALLET.lower())
    chain.away = False
    assert await ethereum.signed(away, ann.secret, text, WALLET.lower())


async def test_a_key_asks_no_contract_and_too_many_contracts_have_to_wait(ann, bob, sign_in):
    def too_many() -> None:
        raise Busy("too many", 60)

    text = await ethereum.show(sign_in, ann.secret, ann.ethereum.address)
    wrong = keys.sign_text(text, bob.ethereum)
    with pytest.raises(Busy):
        await ethereum.signed(sign_in, ann.secret, text, wrong, too_many)
    good = keys.sign_text(text, ann.ethereum)
    assert await ethereum.signed(sign_in, ann.secret, text, good, too_many)
    assert await waiting(sign_in, ann.secret)
