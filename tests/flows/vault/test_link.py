"""An address is linked by its own signature, to one member, once."""

from __future__ import annotations

import asyncio

import pytest
from eth_account import Account
from eth_account.messages import encode_defunct

from node.errors import BadInput, BadTarget, Conflict, Forbidden, NotFound, TooMany
from node.flows import join
from node.flows.vault import chain_money
from node.flows.vault.books import USD
from node.flows.vault.events import ChainMoney
from node.flows.vault.link import CHALLENGES_MAX, Linking, challenge, link
from node.ids import MemberId
from node.ledger import accounts
from node.store import chain_addresses, journal
from tests.conftest import MONTH
from tests.wallet.stablecoin.fake_chain import CHAIN_ID, VAULT, address_of, new_chain, vault_on

KEY = Account.from_key("0x" + "11" * 32)
OTHER = Account.from_key("0x" + "22" * 32)
URL = "https://flattr.example"


@pytest.fixture
def linking(store, clock):
    chain = new_chain(MONTH.starts_s + 60)
    money = ChainMoney(store, clock, chain, vault_on(chain), CHAIN_ID, 1)
    return Linking(money, URL, "anvil")


@pytest.fixture
async def ann(store, clock):
    return (await join.join(store, clock, "ann"))[0]


@pytest.fixture
async def bob(store, clock):
    return (await join.join(store, clock, "bob"))[0]


def sign(text: str, key=KEY) -> str:
    return "0x" + bytes(key.sign_message(encode_defunct(text=text)).signature).hex()


async def linked_by(linking: Linking, member: MemberId, key=KEY):
    text = await challenge(linking, member, key.address)
    return await link(linking, member, text, sign(text, key))


async def has(linking: Linking, member: MemberId) -> tuple[int, int]:
    async with linking.money.store.read() as tx:
        free = await journal.balance(tx, accounts.available(USD, member))
        pot = await journal.balance(tx, accounts.pot(USD, member, MONTH))
    return free.units, pot.units


async def test_a_signature_links_the_address_and_credits_what_it_has_paid_in(linking, ann):
    linking.money.chain.deposit(KEY.address, 10, pot=4)
    linking.money.chain.mine()
    await chain_money.read(linking.money)
    linked = await linked_by(linking, ann)
    assert (linked.address, linked.member) == (KEY.address, ann)
    assert await has(linking, ann) == (6, 4)
    linking.money.chain.deposit(KEY.address, 1)
    linking.money.chain.mine()
    await chain_money.read(linking.money)
    assert await has(linking, ann) == (7, 4)


async def test_the_signed_text_names_member_and_network(linking, ann):
    text = await challenge(linking, ann, KEY.address.lower())
    assert "member ann of this flattr-node, on the network anvil" in text
    assert text.startswith("flattr.example wants you")
    assert KEY.address in text


async def test_a_text_links_once_and_only_for_who_asked(linking, ann, bob):
    text = await challenge(linking, ann, KEY.address)
    with pytest.raises(BadInput, match="another site, chain or member"):
        await link(linking, bob, text, sign(text))
    with pytest.raises(Conflict, match="ask for another"):
        renamed = text.replace("member ann", "member bob")
        await link(linking, bob, renamed, sign(renamed))
    await link(linking, ann, text, sign(text))
    with pytest.raises(Conflict, match="ask for another"):
        await link(linking, ann, text, sign(text))


async def test_of_two_that_bring_the_same_text_one_is_told_it_was_used(linking, ann):
    text = await challenge(linking, ann, KEY.address)
    both = await asyncio.gather(
        *(link(linking, ann, text, sign(text)) for _ in range(2)), return_exceptions=True
    )
    assert sorted(type(one).__name__ for one in both) == ["Conflict", "LinkedAddress"]


async def test_another_keys_signature_links_nothing_and_does_not_use_the_text_up(linking, ann):
    text = await challenge(linking, ann, KEY.address)
    with pytest.raises(Forbidden):
        await link(linking, ann, text, sign(text, OTHER))
    assert (await link(linking, ann, text, sign(text))).address == KEY.address


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("flattr.example wants", "evil.example wants"),
        ("URI: https://flattr.example", "URI: https://evil.example"),
        ("Chain ID: 31337", "Chain ID: 1"),
        ("network anvil", "network base"),
    ],
)
async def test_a_text_for_another_place_is_refused(linking, ann, old, new):
    text = (await challenge(linking, ann, KEY.address)).replace(old, new)
    with pytest.raises(BadInput, match="another site, chain or member"):
        await link(linking, ann, text, sign(text))


async def test_a_nonce_of_ones_own_is_refused(linking, ann):
    text = await challenge(linking, ann, KEY.address)
    nonce = text.partition("Nonce: ")[2][:32]
    forged = text.replace(nonce, "f" * 32)
    with pytest.raises(Conflict, match="ask for another"):
        await link(linking, ann, forged, sign(forged))


async def test_a_text_runs_out(linking, ann, clock):
    text = await challenge(linking, ann, KEY.address)
    clock.advance(600)
    with pytest.raises(BadInput, match="run out"):
        await link(linking, ann, text, sign(text))


async def test_an_address_belongs_to_one_member(linking, ann, bob):
    first = await linked_by(linking, ann)
    with pytest.raises(Conflict, match="another member"):
        await linked_by(linking, bob)
    assert await linked_by(linking, ann) == first


async def test_another_address_takes_the_place_of_an_empty_one_only(linking, ann, bob):
    await linked_by(linking, ann)
    chain = linking.money.chain
    chain.deposit(KEY.address, 5, pot=2)
    chain.mine(final=False)
    with pytest.raises(Conflict, match="withdraw it first"):
        await linked_by(linking, ann, OTHER)
    chain.mine()
    await chain_money.read(linking.money)
    chain.withdraw(KEY.address, 5)
    chain.mine()
    with pytest.raises(Conflict, match="withdraw it first"):
        await linked_by(linking, ann, OTHER)
    await chain_money.read(linking.money)
    assert (await linked_by(linking, ann, OTHER)).address == OTHER.address
    assert (await linked_by(linking, bob, KEY)).pot_units == 2
    chain.deposit(KEY.address, 3)
    chain.mine()
    await chain_money.read(linking.money)
    assert await has(linking, bob) == (1, 2)
    assert await has(linking, ann) == (0, 0)


async def test_a_contract_wallet_can_be_linked(linking, ann):
    wallet = address_of("a wallet")
    linking.money.chain.wallets.add(wallet)
    text = await challenge(linking, ann, wallet)
    with pytest.raises(Forbidden):
        await link(linking, ann, text, sign(text))
    assert (await link(linking, ann, text, "0x00" + wallet[2:])).address == wallet


async def test_few_texts_wait_at_a_time(linking, ann, clock):
    for _ in range(CHALLENGES_MAX):
        await challenge(linking, ann, KEY.address)
    with pytest.raises(TooMany):
        await challenge(linking, ann, KEY.address)
    clock.advance(601)
    await challenge(linking, ann, KEY.address)


@pytest.mark.parametrize("address", ["ann", "0x" + "0" * 40, VAULT, "0x" + "ab" * 32])
async def test_what_is_no_wallet_is_not_asked_to_sign(linking, ann, address):
    with pytest.raises(BadTarget):
        await challenge(linking, ann, address)


async def test_nobody_gets_no_text(linking):
    with pytest.raises(NotFound):
        await challenge(linking, MemberId(77), KEY.address)


async def test_the_nonce_itself_is_not_stored(linking, ann):
    text = await challenge(linking, ann, KEY.address)
    nonce = text.partition("Nonce: ")[2][:32]
    async with linking.money.store.read() as tx:
        stored = await tx.value("SELECT nonce_hash FROM link_challenge")
        assert await chain_addresses.open_challenges(tx, ann) == 1
    assert nonce not in stored
