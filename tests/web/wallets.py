"""What members do with their own wallets, beside the node."""

from __future__ import annotations

from eth_account import Account
from eth_account.messages import encode_defunct

from node.devnet.evm import local_key
from node.devnet.evm_vault import act
from node.flows.vault import chain_money


def signed(text: str, name: str) -> dict[str, str]:
    account = Account.from_key(local_key(name)._account.key)
    signature = bytes(account.sign_message(encode_defunct(text=text)).signature)
    return {"text": text, "signature": "0x" + signature.hex()}


async def challenge(client, name: str) -> str:
    asked = {"address": local_key(name).address}
    told = await client("POST", "/stablecoin/challenges", asked)
    assert told.status == 201, told.body
    return told.body["text"]


async def link(client, name: str):
    answer = await client("POST", "/stablecoin/link", signed(await challenge(client, name), name))
    assert answer.status == 200, answer.body
    return answer.body


async def book(world) -> None:
    await chain_money.read(world.node.stablecoin.money)


async def account(client, query: str = ""):
    answer = await client("GET", f"/stablecoin/account{query}")
    assert answer.status == 200, answer.body
    calls = {}
    for one in answer.body["calls"]:
        calls.setdefault(one["name"], one)
    return answer.body, calls


async def send(world, name: str, call) -> None:
    """A wallet sends what it was given, byte by byte."""
    signer = await world.vault.local.funded(name)
    await act(world.vault.local, signer, call["to"], bytes.fromhex(call["calldata"][2:]))
