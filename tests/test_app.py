"""The stablecoin, put together: what a node refuses to start with, in words that say what to do."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from node.app import open_node, open_stablecoin
from node.clock import ManualClock
from node.config import LndSettings, MoneySettings, Settings, StablecoinSettings
from node.devnet.evm import LocalChain, local_key, open_tester
from node.devnet.evm_vault import LocalVault, act, deploy, deploy_vault
from node.errors import ConfigError, RailUnavailable
from node.money import Asset
from node.month import Month
from node.store import transactions
from node.store.engine import Store, open_store
from node.store.transactions import ChainTransaction
from node.wallet.lightning.simulated import open_simulated_network
from node.wallet.stablecoin import networks
from node.wallet.stablecoin.artifact import vault_artifact
from node.wallet.stablecoin.signer import Signer, write_keystore
from node.wallet.stablecoin.words import encode, encode_call

KEY = bytes(range(1, 33))
PASSPHRASE = "open sesame"
STARTS_S = Month(2026, 11).starts_s


@dataclass
class Bench:
    """A vault on a chain in this process, and a node's folder and database."""

    local: LocalVault
    store: Store
    folder: Path
    settings: Settings

    async def opens(self, signer: Any = None, chain: Any = None, **changes: Any) -> Any:
        """Open it with these settings of [stablecoin]; return what is opened."""
        chosen = self.settings.stablecoin.model_copy(update=changes)
        settings = self.settings.model_copy(update={"stablecoin": chosen})
        return await self.opens_with(settings, signer, chain or self.local.local.chain)

    async def opens_with(self, settings: Settings, signer: Any, chain: Any) -> Any:
        clock = ManualClock(STARTS_S)
        signer = signer or self.local.operator
        async with open_stablecoin(
            settings, self.folder, self.store, clock, chain=chain, signer=signer
        ) as opened:
            return opened


@pytest.fixture
async def tester() -> AsyncIterator[LocalChain]:
    async with open_tester(starts_s=STARTS_S) as opened:
        yield opened


@pytest.fixture
async def bench(tester: LocalChain, tmp_path: Path) -> AsyncIterator[Bench]:
    local = await deploy_vault(tester)
    deployed = (await tester.chain.latest()).number
    chosen = StablecoinSettings(
        network="eth-tester", rpc_urls=(), vault=local.address.lower(), first_block=deployed,
        keystore=Path("operator.json"), passphrase=PASSPHRASE,
    )  # fmt: skip
    settings = Settings(stablecoin=chosen)
    async with open_store(f"sqlite:///{tmp_path / 'flattr.sqlite'}") as store:
        yield Bench(local, store, tmp_path, settings)


async def test_what_is_opened_is_what_the_settings_say(bench: Bench) -> None:
    opened = await bench.opens(dues_units=3_000_000)
    assert (opened.network, opened.token) == ("eth-tester", bench.local.token)
    assert opened.treasury == bench.local.treasury.address == opened.rules.operator_target
    assert opened.money.vault.address == bench.local.address
    assert opened.rules.asset is Asset.USD
    assert opened.rules.dues.units == 3_000_000
    assert (await bench.opens(first_block=0)).money.first_block == 0


async def test_the_key_comes_from_the_folder_by_its_passphrase(bench: Bench, tester: Any) -> None:
    address = write_keystore(bench.folder / "operator.json", PASSPHRASE, KEY)
    local = await deploy_vault(tester, operator=address)
    chosen = bench.settings.stablecoin.model_copy(
        update={"vault": local.address, "first_block": (await tester.chain.latest()).number}
    )
    clock = ManualClock(STARTS_S)

    async def opens(**changes: Any) -> str:
        settings = Settings(stablecoin=chosen.model_copy(update=changes))
        opening = open_stablecoin(settings, bench.folder, bench.store, clock, chain=tester.chain)
        async with opening as opened:
            return opened.signer.address

    assert await opens() == address
    assert await opens(keystore=bench.folder / "operator.json") == address
    with pytest.raises(ConfigError, match="FLATTR_STABLECOIN__PASSPHRASE_FILE"):
        await opens(passphrase=None)
    with pytest.raises(ConfigError, match="passphrase does not open"):
        await opens(passphrase="open barley")
    with pytest.raises(ConfigError, match="can't be read"):
        await opens(keystore=Path("elsewhere.json"))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"network": "anvil"}, "serve chain"),
        ({"network": "moonnet"}, "moonnet is no network"),
        ({"network": "base"}, "not been audited"),
        ({"vault": "0x12"}, "stablecoin.vault"),
        ({"vault": local_key("nobody").address}, "no payout vault"),
        ({"first_block": 1}, "not deployed in block 1"),
    ],
)
async def test_a_wrong_chain_or_vault_is_refused(bench: Bench, changes: Any, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        await bench.opens(**changes)


async def test_a_main_chain_is_refused_whatever_the_settings_call_it(
    bench: Bench, monkeypatch: Any
) -> None:
    monkeypatch.setitem(networks.MAIN_CHAINS, bench.local.local.chain_id, "Moon")
    with pytest.raises(ConfigError, match=r"Moon .* not been audited"):
        await bench.opens()


async def test_a_key_that_is_not_the_operator_is_refused(bench: Bench) -> None:
    with pytest.raises(ConfigError, match="operator is"):
        await bench.opens(signer=local_key("nobody"))


async def test_a_treasury_that_is_the_nodes_own_key_is_refused(bench: Bench) -> None:
    calldata = encode_call("set_role(uint256,address)", 2, bench.local.operator.address)
    await bench.local.act(bench.local.owner, calldata)
    with pytest.raises(ConfigError, match="treasury is its operator"):
        await bench.opens()


async def test_a_delay_that_is_too_short_for_others_is_refused(
    bench: Bench, monkeypatch: Any
) -> None:
    public = replace(networks.NETWORKS["eth-tester"], local=False)
    monkeypatch.setitem(networks.NETWORKS, "eth-tester", public)
    with pytest.raises(ConfigError, match="172800 s in which it can be vetoed"):
        await bench.opens()


async def test_another_commission_than_the_vaults_is_refused(bench: Bench) -> None:
    settings = bench.settings.model_copy(update={"money": MoneySettings(commission_bps=500)})
    with pytest.raises(ConfigError, match="the vault takes a tenth"):
        await bench.opens_with(settings, None, bench.local.local.chain)


async def test_without_a_section_or_with_one_rpc_it_does_not_open(bench: Bench) -> None:
    with pytest.raises(ConfigError, match="contract deploy"):
        await bench.opens_with(Settings(), None, None)
    one = {"network": "base-sepolia", "rpc_urls": ("https://rpc.example",)}
    for changes, words in ((one, "two RPCs"), ({}, "lives inside of a demo")):
        chosen = bench.settings.stablecoin.model_copy(update=changes)
        with pytest.raises(ConfigError, match=words):
            await bench.opens_with(Settings(stablecoin=chosen), None, None)


async def test_a_chain_that_is_away_is_no_fault_of_the_settings(bench: Bench) -> None:
    chosen = bench.settings.stablecoin.model_copy(
        update={"network": "anvil", "rpc_urls": ("http://127.0.0.1:1",)}
    )
    with pytest.raises(RailUnavailable, match="not reachable"):
        await bench.opens_with(Settings(stablecoin=chosen), None, None)


async def test_what_others_did_with_the_key_is_said_and_stops_nothing(
    bench: Bench, monkeypatch: Any
) -> None:
    address = bench.local.operator.address
    await act(bench.local.local, bench.local.operator, bench.local.owner.address, b"")
    with capture_logs() as logs:
        await bench.opens()
    assert logs == [], "what is final is nobody's to wait for"

    chain = bench.local.local.chain
    nonce = chain.nonce

    async def final_is_older(who: str, *, finalized: bool = False) -> int:
        return await nonce(who) - (1 if finalized else 0)

    monkeypatch.setattr(chain, "nonce", final_is_older)
    with capture_logs() as logs:
        await bench.opens()
    assert [(one["log_level"], one["nonces"]) for one in logs] == [("warning", [0])]

    call = ChainTransaction("test", address, bench.local.address, b"")
    async with bench.store.write() as tx:
        await transactions.add(tx, call, 1)
        assert await transactions.sign(tx, call, call.sender, 0)
    with capture_logs() as logs:
        await bench.opens()
    assert logs == [], "it is one of ours"
    async with bench.store.write() as tx:
        await tx.run("UPDATE chain_transaction SET nonce = 7")
    with capture_logs() as logs:
        await bench.opens()
    assert [one.get("nonce") for one in logs] == [None, 7]


# A contract of a few bytes that answers 18 to everything.
EIGHTEEN = bytes.fromhex("6760125f5260205ff35f5260086018f3")


async def test_a_token_that_counts_otherwise_is_refused(bench: Bench) -> None:
    local, owner = bench.local.local, bench.local.owner
    token = await deploy(local, owner, EIGHTEEN)
    roles = encode(
        token, owner.address, bench.local.operator.address, bench.local.guardian.address,
        bench.local.treasury.address, 0,
    )  # fmt: skip
    vault = await deploy(local, owner, vault_artifact().bytecode + roles)
    with pytest.raises(ConfigError, match="has 18 decimals"):
        await bench.opens(vault=vault)


async def test_a_node_has_the_second_rail_only_where_the_settings_name_it(bench: Bench) -> None:
    write_keystore(bench.folder / "operator.json", PASSPHRASE, KEY)
    set_operator = encode_call("set_role(uint256,address)", 0, Signer(KEY).address)
    await bench.local.act(bench.local.owner, set_operator)
    clock, chain = ManualClock(STARTS_S), bench.local.local.chain
    opening = open_simulated_network(bench.folder / "net", {"node": 10**9}, clock=clock)
    async with opening as network:
        lnd = LndSettings(lndconnect=network.nodes["node"].lndconnect)
        for chosen in (None, bench.settings.stablecoin):
            settings = Settings(network="simnet", lnd=lnd, stablecoin=chosen)
            opening_node = open_node(settings, bench.folder, clock, stablecoin_chain=chain)
            async with opening_node as node:
                assert (node.stablecoin is None) == (chosen is None)
                if node.stablecoin is not None:
                    assert node.stablecoin.money.store is node.store
                    assert node.stablecoin.money.chain is chain
