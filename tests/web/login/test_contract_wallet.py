"""A wallet that is a contract signs in (EIP-1271), on a real EVM, and only on the node's chain."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from eth_account import Account

from node.devnet.evm import local_secret
from node.devnet.evm_vault import deploy
from node.wallet.stablecoin.words import encode
from tests.flows.sign_in import keys
from tests.web.login.conftest import Guest
from tests.web.pages.conftest import People

COMPILED = Path(__file__).parents[3] / "contracts" / "test" / "solidity" / "compiled.json"


@pytest.fixture
async def guest(usd_world):
    made = People(usd_world)
    yield Guest(await made.visitor())
    for http in made.opened:
        await http.close()


@pytest.fixture
def owner():
    return Account.from_key(local_secret("wallet owner"))


@pytest.fixture
async def contract(usd_world, owner) -> str:
    """The address of a contract that accepts what its owner has signed."""
    local = usd_world.vault.local
    code = json.loads(COMPILED.read_text())["contracts"]["Wallet"]["bytecode"]
    content = bytes.fromhex(code.removeprefix("0x")) + encode(owner.address)
    return await deploy(local, await local.funded("wallet owner"), content)


async def sign(guest, contract, key):
    """Ask for the contract's text, and bring the signature of this key."""
    shown = await guest.person.send("/sign-in/ethereum", "/sign-in/ethereum/text", address=contract)
    form = shown.form("/sign-in/ethereum")
    signature = keys.sign_text(form["text"], key)
    return await guest.person.post("/sign-in/ethereum", form | {"signature": signature})


async def test_its_owner_signs_for_it_and_its_chain_is_kept(guest, usd_world, contract, owner):
    asked = await sign(guest, contract, owner)
    assert f"Ethereum wallet {contract[:8]}" in asked.text
    form = asked.form("/sign-in/name") | {"name": "safe"}
    assert (await guest.person.post("/sign-in/name", form)).path == "/month"
    chain_id = usd_world.node.stablecoin.money.chain_id
    async with usd_world.node.store.read() as tx:
        key = await tx.value("SELECT key FROM identity")
    assert key == f"eip155:{chain_id}:{contract}"
    assert contract in (await guest.person.get("/settings/identities")).text


async def test_nobody_else_signs_for_it(guest, usd_world, contract):
    shown = await sign(guest, contract, keys.ethereum_wallet(22))
    assert f"The signature is not one of {contract}" in shown.text
    async with usd_world.node.store.read() as tx:
        assert await tx.value("SELECT count(*) FROM sign_in_proof") == 0


async def test_the_text_names_the_nodes_own_chain(guest, usd_world, contract):
    shown = await guest.person.send("/sign-in/ethereum", "/sign-in/ethereum/text", address=contract)
    chain_id = usd_world.node.stablecoin.money.chain_id
    assert f"Chain ID: {chain_id}" in shown.text
