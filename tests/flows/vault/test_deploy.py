"""A contract is deployed once, wherever the one who does it is killed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from node import failpoints
from node.devnet.evm import LocalChain, local_key, open_tester
from node.devnet.evm_vault import act, dollar_content
from node.errors import ConfigError, RailUnavailable, Reverted
from node.failpoints import FailpointHit
from node.flows.vault.chain_key import ether
from node.flows.vault.deploy import (
    Deployed,
    Deployments,
    Sender,
    deploy,
    vault_content,
    vaults_of,
)
from node.wallet.stablecoin.artifact import created
from node.wallet.stablecoin.words import ZERO_ADDRESS
from tests.killed import points_of

KILLED = points_of("contract.send")
CEILING_WEI = 1000 * 10**9
# A contract of a few bytes that answers 18 to everything.
EIGHTEEN = bytes.fromhex("6760125f5260205ff35f5260086018f3")


@pytest.fixture
async def local() -> AsyncIterator[LocalChain]:
    async with open_tester() as tester:
        yield tester


@pytest.fixture
async def sender(local: LocalChain) -> Sender:
    return Sender(local.chain, local.chain_id, await local.funded("operator"), CEILING_WEI, "Dig")


@pytest.fixture
def kept(tmp_path: Path) -> Deployments:
    return Deployments(tmp_path / "contract-deploy.json")


async def run(sender: Sender, content: bytes, kept: Deployments, said: Any = None) -> Deployed:
    tell = (lambda _: None) if said is None else said.append
    return await deploy(sender, "toy", content, kept, tell, every_s=0.01, limit_s=1)


async def test_what_is_deployed_is_where_it_is_said_to_be(
    sender: Sender, kept: Deployments
) -> None:
    said: list[str] = []
    toy = await run(sender, EIGHTEEN, kept, said)
    assert await sender.chain.code(toy.address) != b""
    assert (await sender.chain.receipt(toy.tx_hash)).block_number == toy.block_number
    assert toy.tx_hash in said[0]
    assert toy.address in said[1]


@pytest.mark.parametrize("point", sorted(KILLED))
async def test_who_is_killed_in_between_deploys_once(
    sender: Sender, kept: Deployments, point: str
) -> None:
    failpoints.arm({point: "raise"})
    with pytest.raises(FailpointHit):
        await run(sender, EIGHTEEN, kept)
    failpoints.arm({})
    toy = await run(sender, EIGHTEEN, Deployments(kept.path))
    assert await run(sender, EIGHTEEN, kept) == toy
    assert await sender.chain.nonce(sender.signer.address) == 1
    assert toy.address == created(sender.signer.address, 0)


async def test_other_arguments_do_not_pass_for_what_was_sent(
    sender: Sender, kept: Deployments
) -> None:
    await run(sender, EIGHTEEN, kept)
    with pytest.raises(ConfigError, match="other arguments"):
        await run(sender, EIGHTEEN + b"\0", kept)
    assert await sender.chain.nonce(sender.signer.address) == 1
    kept.begin_again()
    await run(sender, EIGHTEEN + b"\0", kept)
    assert await sender.chain.nonce(sender.signer.address) == 2


async def test_a_nonce_that_somebody_else_used_is_said(
    local: LocalChain, sender: Sender, kept: Deployments
) -> None:
    failpoints.arm({"contract.send.after_commit": "raise"})
    with pytest.raises(FailpointHit):
        await run(sender, EIGHTEEN, kept)
    failpoints.arm({})
    await act(local, sender.signer, local_key("ann").address, b"")
    with pytest.raises(ConfigError, match=r"nonce 0 is used: --again"):
        await run(sender, EIGHTEEN, kept)


async def test_a_key_without_coin_is_told_how_much_to_get(
    local: LocalChain, kept: Deployments
) -> None:
    poor = Sender(local.chain, local.chain_id, local_key("poor"), CEILING_WEI, "Dig for it")
    with pytest.raises(ConfigError, match=rf"{poor.signer.address} needs 0\.\d+ ETH .* Dig"):
        await run(poor, EIGHTEEN, kept)
    assert not kept.path.exists()


async def test_arguments_that_the_vault_refuses_cost_nothing(
    sender: Sender, kept: Deployments
) -> None:
    dollar = await run(sender, dollar_content(sender.signer.address), kept)
    content = vault_content(dollar.address, ZERO_ADDRESS, *(3 * [dollar.address]), 0)
    kept.begin_again()
    with pytest.raises(Reverted, match="owner"):
        await run(sender, content, kept)
    assert not kept.path.exists()


async def test_a_failure_in_the_block_is_forgotten(
    sender: Sender, kept: Deployments, monkeypatch: Any
) -> None:
    async def too_little(*_: Any) -> int:
        return 200_000

    with monkeypatch.context() as patch:
        patch.setattr(sender.chain, "estimate_gas", too_little)
        with pytest.raises(Reverted, match="failed in block"):
            await run(sender, dollar_content(sender.signer.address), kept)
    toy = await run(sender, dollar_content(sender.signer.address), kept)
    assert toy.address == created(sender.signer.address, 1)


async def test_no_block_in_time_is_no_verdict(
    sender: Sender, kept: Deployments, monkeypatch: Any
) -> None:
    async def nothing(_: bytes) -> str:
        return "the pool is full"

    said: list[str] = []
    with monkeypatch.context() as patch:
        patch.setattr(sender.chain, "broadcast", nothing)
        with pytest.raises(RailUnavailable, match="the pool is full"):
            await run(sender, EIGHTEEN, kept, said)
    assert said[1:] == ["not in a block yet; the pool is full"]
    toy = await run(sender, EIGHTEEN, kept)
    assert toy.address == created(sender.signer.address, 0)


async def test_rpcs_that_differ_about_the_receipt_are_asked_again(
    sender: Sender, kept: Deployments, monkeypatch: Any
) -> None:
    receipt, times = sender.chain.receipt, iter(range(100))

    async def differ_first(tx_hash: str) -> Any:
        if next(times) < 3:
            raise RailUnavailable("the RPCs differ about a receipt")
        return await receipt(tx_hash)

    monkeypatch.setattr(sender.chain, "receipt", differ_first)
    said: list[str] = []
    toy = await run(sender, EIGHTEEN, kept, said)
    assert await sender.chain.code(toy.address) != b""
    assert said[1] == "not in a block yet; the RPCs differ about a receipt"
    assert len(said) == 3


async def test_a_file_that_can_not_be_read_is_not_taken_for_an_empty_one(
    sender: Sender, kept: Deployments
) -> None:
    kept.path.write_text("{")
    with pytest.raises(ConfigError, match="--again"):
        await run(sender, EIGHTEEN, kept)


async def test_a_key_finds_the_vault_that_it_deployed(
    local: LocalChain, sender: Sender, kept: Deployments
) -> None:
    me = sender.signer.address
    dollar = await run(sender, dollar_content(me), kept)
    kept.begin_again()
    vault = await run(sender, vault_content(dollar.address, me, me, ZERO_ADDRESS, me, 0), kept)
    assert await vaults_of(local.chain, me) == [vault.address]


def test_coin_is_shown_rounded_up() -> None:
    assert [ether(wei) for wei in (0, 1, 10**18, 15 * 10**17)] == [
        "0.000000 ETH", "0.000001 ETH", "1.000000 ETH", "1.500000 ETH",
    ]  # fmt: skip
