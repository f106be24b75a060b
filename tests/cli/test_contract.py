"""`contract deploy`, on a chain of one's own: from an empty folder to a vault in the settings."""

from __future__ import annotations

import json
import stat
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from node.app import open_stablecoin
from node.cli.contract import DEPLOYMENTS_NAME
from node.clock import SystemClock
from node.config import FILE_NAME, load_settings
from node.devnet.evm import Anvil, local_key, open_anvil
from node.devnet.evm_vault import deploy as deploy_contract
from node.devnet.evm_vault import dollar_content
from node.failpoints import FailpointHit
from node.store.engine import open_store
from node.wallet.stablecoin import networks
from tests.cli.conftest import Ended, run

OWNER, GUARDIAN, TREASURY = (local_key(name).address for name in ("ann", "ben", "cid"))
COIN_WEI = 10**18


@pytest.fixture
async def anvil(tmp_path: Path) -> AsyncIterator[Anvil]:
    async with open_anvil(tmp_path / "anvil") as opened:
        yield opened


@pytest.fixture
async def folder(tmp_path: Path, monkeypatch: Any) -> Path:
    """A node's folder, just made; its passphrase is in a file."""
    made = tmp_path / "node"
    assert (await run("init", "--folder", made)).status == 0
    (tmp_path / "passphrase").write_text("open sesame\n")
    monkeypatch.setenv("FLATTR_STABLECOIN__PASSPHRASE_FILE", str(tmp_path / "passphrase"))
    return made


async def deploy(folder: Path, *more: str, url: str = "http://127.0.0.1:1", **flags: str) -> Ended:
    chosen = {"network": "anvil", "owner": OWNER, "guardian": GUARDIAN, "treasury": TREASURY}
    options = [word for name, value in (chosen | flags).items() for word in (f"--{name}", value)]
    return await run("contract", "deploy", *options, "--rpc-url", url, *more, "--folder", folder)


async def deploy_dollar(anvil: Anvil) -> str:
    """By somebody else, as an issuer would."""
    issuer = await anvil.funded("issuer")
    return await deploy_contract(anvil, issuer, dollar_content(issuer.address))


async def deploy_funded(anvil: Anvil, folder: Path, *more: str, **flags: str) -> Ended:
    """With a key that has coin for gas: the first try says which."""
    ended = await deploy(folder, *more, url=anvil.url, **flags)
    words = ended.err.splitlines()[-1]
    assert "anvil_setBalance" in words, ended
    address = words.partition("the node's key ")[2].partition(" ")[0]
    await anvil.call("anvil_setBalance", address, hex(COIN_WEI))
    return await deploy(folder, *more, url=anvil.url, **flags)


async def doctor(folder: Path) -> Any:
    return (await run("doctor", "--json", "--folder", folder)).json


@pytest.mark.anvil
async def test_a_node_works_with_the_vault_that_it_deploys(anvil: Anvil, folder: Path) -> None:
    before = (folder / FILE_NAME).read_text()
    ended = await deploy_funded(anvil, folder)
    assert ended.status == 0, ended
    written = (folder / FILE_NAME).read_text()
    assert written.startswith(before)
    assert "sesame" not in written
    settings = load_settings(folder)
    chosen = settings.stablecoin
    assert chosen is not None
    assert (chosen.network, chosen.rpc_urls) == ("anvil", (anvil.url,))
    assert stat.S_IMODE((folder / "operator.json").stat().st_mode) == 0o600
    assert not (folder / DEPLOYMENTS_NAME).exists()
    async with (
        open_store(f"sqlite:///{folder / 'flattr.sqlite'}") as store,
        open_stablecoin(settings, folder, store, SystemClock()) as opened,
    ):
        roles = await opened.money.vault.roles()
        assert (roles.owner, roles.guardian, roles.treasury) == (OWNER, GUARDIAN, TREASURY)
        assert roles.operator == opened.signer.address
    for part in (chosen.vault, roles.token, OWNER, "contracts.build --check", "a delay of 0 s"):
        assert part in ended.out

    found = {f["part"]: f["good"] for f in (await doctor(folder))["findings"]}
    assert {part for part, is_good in found.items() if not is_good} == {"lnd"}
    assert {"key", "chain", "vault", "gas", "calls"} <= set(found)

    again = await deploy(folder, "--again", url=anvil.url)
    assert "names a vault already" in again.one_sentence()
    assert (folder / FILE_NAME).read_text() == written


@pytest.mark.anvil
async def test_on_a_network_of_others_two_rpcs_and_two_days_are_asked_for(
    anvil: Anvil, folder: Path, monkeypatch: Any
) -> None:
    token = await deploy_dollar(anvil)
    public = replace(networks.NETWORKS["anvil"], local=False, token=token)
    monkeypatch.setitem(networks.NETWORKS, "anvil", public)
    urls = (anvil.url, anvil.url.replace("127.0.0.1", "localhost"))
    alone = await deploy(folder, url=urls[0])
    assert "two RPCs" in alone.one_sentence()
    first = await deploy(folder, "--rpc-url", urls[1], url=urls[0])
    assert "A faucet" in first.err
    operator = first.err.partition("the node's key is ")[2].partition("\n")[0]
    await anvil.call("anvil_setBalance", operator, hex(COIN_WEI))
    ended = await deploy(folder, "--rpc-url", urls[1], url=urls[0])
    assert ended.status == 0, ended
    chosen = load_settings(folder).stablecoin
    assert chosen is not None
    assert chosen.rpc_urls == urls
    assert f"{token}, this network's USDC" in ended.out
    assert "a delay of 172800 s" in ended.out
    assert await anvil.chain.nonce(operator, finalized=True) == 0, "not final yet"
    bad = {f["part"] for f in (await doctor(folder))["findings"] if not f["good"]}
    assert bad == {"lnd"}, "the deployment is no stranger's transaction"


@pytest.mark.anvil
async def test_who_dies_before_the_settings_are_written_deploys_one_vault(
    anvil: Anvil, folder: Path, monkeypatch: Any
) -> None:
    monkeypatch.setenv("FLATTR_FAILPOINTS", "contract.send.after_effect=raise@2")
    with pytest.raises(FailpointHit):
        await deploy_funded(anvil, folder)
    monkeypatch.delenv("FLATTR_FAILPOINTS")
    assert load_settings(folder).stablecoin is None
    other = await deploy(folder, url=anvil.url, treasury=OWNER)
    assert "other arguments" in other.err
    assert (await deploy(folder, url=anvil.url)).status == 0
    chosen = load_settings(folder).stablecoin
    assert chosen is not None
    assert chosen.first_block == 2


@pytest.mark.anvil
async def test_a_key_that_has_deployed_before_wants_to_be_told(anvil: Anvil, folder: Path) -> None:
    empty = (folder / FILE_NAME).read_text()
    assert (await deploy_funded(anvil, folder)).status == 0
    first = load_settings(folder).stablecoin
    (folder / FILE_NAME).write_text(empty)
    ended = await deploy(folder, url=anvil.url)
    assert ended.status == 1
    assert first is not None
    assert first.vault in ended.err
    assert "--again" in ended.err
    assert (await deploy(folder, "--again", url=anvil.url)).status == 0
    second = load_settings(folder).stablecoin
    assert second is not None
    assert second.vault != first.vault


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        ({"network": "moonnet"}, "base-sepolia"),
        ({"network": "base"}, "not been audited"),
        ({"network": "eth-tester"}, "inside of a demo"),
        ({"network": "base-sepolia"}, "two RPCs"),
        ({"network": "base-sepolia", "delay-s": "3600"}, "172800 s or more"),
        ({"owner": "0x12"}, "--owner"),
        ({"token": "dollar"}, "--token"),
    ],
)
async def test_a_plan_that_makes_no_sense_is_one_sentence(
    folder: Path, flags: dict[str, str], words: str
) -> None:
    assert words in (await deploy(folder, **flags)).one_sentence()
    assert not (folder / "operator.json").exists()


@pytest.mark.anvil
async def test_what_would_be_refused_later_is_refused_before_it_costs(
    anvil: Anvil, folder: Path, monkeypatch: Any
) -> None:
    async def refused(**flags: str) -> str:
        ended = await deploy(folder, url=anvil.url, **flags)
        assert ended.status == 1
        return ended.err.splitlines()[-1]

    assert "decimals" in await refused(token=OWNER)
    assert "a third key" in await refused(guardian=OWNER)
    operator = (await refused()).partition("the node's key ")[2].partition(" ")[0]
    assert "it must be another" in await refused(owner=operator)
    assert "a third key" in await refused(guardian=operator)
    assert "treasury must be" in await refused(treasury=operator)
    assert "must be somebody" in await refused(treasury="0x" + 40 * "0")
    assert await anvil.chain.nonce(operator) == 0
    monkeypatch.setitem(networks.MAIN_CHAINS, anvil.chain_id, "Moon")
    assert "not been audited" in await refused()


async def test_without_settings_or_a_passphrase_nothing_is_made(
    folder: Path, tmp_path: Path, monkeypatch: Any
) -> None:
    assert "flattr-node init" in (await deploy(tmp_path / "nowhere")).one_sentence()
    monkeypatch.delenv("FLATTR_STABLECOIN__PASSPHRASE_FILE")
    assert "not reachable" in (await deploy(folder)).one_sentence()
    assert not (folder / "operator.json").exists()


async def test_doctor_says_that_the_chain_is_away(folder: Path) -> None:
    section = {
        "network": "anvil", "rpc_urls": ["http://127.0.0.1:1"], "vault": OWNER, "first_block": 1,
        "keystore": "none.json",
    }  # fmt: skip
    lines = [f"{name} = {json.dumps(value)}" for name, value in section.items()]

    async def bad() -> dict[str, str]:
        return {f["part"]: f["fix"] for f in (await doctor(folder))["findings"] if not f["good"]}

    with (folder / FILE_NAME).open("a") as file:
        file.write("\n".join(["[stablecoin]", *lines, ""]))
    assert "rpc_urls" in (await bad())["chain"]
    assert "restore the keystore" in (await bad())["key"]
    text = (folder / FILE_NAME).read_text()
    (folder / FILE_NAME).write_text(text.replace('"anvil"', '"moonnet"'))
    assert "correct [stablecoin]" in (await bad())["chain"]


@pytest.mark.anvil
async def test_a_key_is_not_made_without_a_passphrase(
    anvil: Anvil, folder: Path, monkeypatch: Any
) -> None:
    monkeypatch.delenv("FLATTR_STABLECOIN__PASSPHRASE_FILE")
    ended = await deploy(folder, url=anvil.url)
    assert "FLATTR_STABLECOIN__PASSPHRASE_FILE" in ended.one_sentence()
    assert not (folder / "operator.json").exists()
