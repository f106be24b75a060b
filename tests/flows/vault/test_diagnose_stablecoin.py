"""`doctor` on the second rail: what is wrong with chain, vault and key, and how to mend it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from node.clock import ManualClock
from node.config import MoneySettings, Settings, StablecoinSettings
from node.devnet.evm import LocalChain, local_key, open_tester
from node.devnet.evm_vault import DOLLAR, LocalVault, act, deploy_vault
from node.errors import RailUnavailable
from node.flows import join
from node.flows.diagnose import Finding
from node.flows.vault import chain_money
from node.flows.vault.diagnose import key_finding, stablecoin_findings
from node.flows.vault.events import ChainMoney
from node.month import Month
from node.store import chain_addresses, leases, transactions
from node.store.chain_addresses import LinkedAddress
from node.store.engine import Store, open_store
from node.store.transactions import ChainTransaction
from node.wallet.stablecoin import networks
from node.wallet.stablecoin.networks import ChainNetwork, chain_network
from node.wallet.stablecoin.signer import write_keystore
from node.wallet.stablecoin.words import encode_call

STARTS_S = Month(2026, 11).starts_s
PARTS = ["chain", "finality", "vault", "token", "treasury", "gas", "events", "calls"]
LOCAL = chain_network("eth-tester")


@dataclass
class Patient:
    """A vault on a chain in this process, and what a node has of it."""

    local: LocalVault
    store: Store
    clock: ManualClock
    money: ChainMoney
    settings: Settings
    network: ChainNetwork = LOCAL
    signer: Any = None

    async def found(self) -> list[Finding]:
        signer = self.signer or self.local.operator
        parts = stablecoin_findings(self.money, self.network, self.settings, signer)
        return [finding async for finding in parts]

    async def bad(self) -> dict[str, tuple[str, str]]:
        return {f.part: (f.words, f.fix) for f in await self.found() if not f.good}


@pytest.fixture
async def local() -> AsyncIterator[LocalChain]:
    async with open_tester(starts_s=STARTS_S) as tester:
        yield tester


@pytest.fixture
async def patient(local: LocalChain, tmp_path: Path) -> AsyncIterator[Patient]:
    vault = await deploy_vault(local)
    first = (await local.chain.latest()).number
    chosen = StablecoinSettings(
        network="eth-tester", rpc_urls=(), vault=vault.address, first_block=first,
        keystore=Path("operator.json"),
    )  # fmt: skip
    clock = ManualClock(STARTS_S + 3600)
    async with open_store(f"sqlite:///{tmp_path / 'flattr.sqlite'}") as store:
        money = ChainMoney(store, clock, local.chain, vault.vault, local.chain_id, first)
        yield Patient(vault, store, clock, money, Settings(stablecoin=chosen))


async def test_a_rail_that_is_well_is_green_and_looking_changes_nothing(patient: Patient) -> None:
    await chain_money.read(patient.money)
    before = await chain_money.position(patient.money)
    found = await patient.found()
    assert [finding.part for finding in found] == PARTS
    assert [finding for finding in found if not finding.good or finding.fix] == []
    assert await chain_money.position(patient.money) == before


async def test_before_the_first_reading_it_says_who_begins(patient: Patient) -> None:
    words = {finding.part: finding.words for finding in await patient.found()}
    assert "serve begins" in words["events"]


async def test_rpcs_that_differ_are_found(patient: Patient, monkeypatch: Any) -> None:
    async def differ() -> Any:
        raise RailUnavailable("the RPCs a and b differ about block 7")

    monkeypatch.setattr(patient.money.chain, "finalized", differ)
    assert await patient.bad() == {
        "chain": (
            "the RPCs a and b differ about block 7",
            "look at stablecoin.rpc_urls; when the RPCs differ, wait or take another provider",
        )
    }


async def test_a_main_network_is_found(patient: Patient, monkeypatch: Any) -> None:
    monkeypatch.setitem(networks.MAIN_CHAINS, patient.local.local.chain_id, "Moon")
    assert "not been audited" in (await patient.bad())["chain"][0]


async def test_a_chain_that_stands_is_found_where_others_make_the_blocks(patient: Patient) -> None:
    patient.clock.advance(3 * 3600)
    assert await patient.bad() == {}
    patient.network = replace(LOCAL, local=False)
    found = await patient.bad()
    assert "no month can be closed" in found["finality"][1]
    assert "can be vetoed" in found["vault"][0]


@pytest.mark.parametrize(
    ("changes", "words"),
    [({"chain_id": 84_532}, "serve chain"), ({"first_block": 1}, "not deployed in block 1")],
)
async def test_a_wrong_chain_or_first_block_is_found(
    patient: Patient, changes: dict[str, int], words: str
) -> None:
    patient.network = replace(LOCAL, chain_id=changes.get("chain_id", LOCAL.chain_id))
    patient.money = replace(patient.money, **changes)
    assert words in (await patient.bad())["vault"][0]


async def test_another_operator_and_another_treasury_are_found(patient: Patient) -> None:
    patient.signer = local_key("nobody")
    words, fix = (await patient.bad())["vault"]
    assert "operator is" in words
    assert "set_role(0" in fix
    patient.signer = None
    role = encode_call("set_role(uint256,address)", 2, patient.local.operator.address)
    await patient.local.act(patient.local.owner, role)
    assert "set_role(2" in (await patient.bad())["vault"][1]


async def test_a_pause_is_found(patient: Patient) -> None:
    pause = encode_call("set_paused(bool)", 1)
    await patient.local.act(patient.local.guardian, pause)
    assert "paused for 336 hours more" in (await patient.bad())["vault"][0]


async def test_another_token_than_the_networks_is_said(patient: Patient) -> None:
    patient.network = replace(LOCAL, token=local_key("circle").address)
    words = {finding.part: finding.words for finding in await patient.found()}
    assert "not the USDC" in words["token"]


async def test_another_commission_is_found(patient: Patient) -> None:
    money = MoneySettings(commission_bps=0)
    patient.settings = patient.settings.model_copy(update={"money": money})
    assert "a tenth" in (await patient.bad())["treasury"][0]


async def test_a_key_that_can_not_pay_for_a_month_is_found(
    patient: Patient, monkeypatch: Any
) -> None:
    async def has(_: str) -> int:
        return 10**14

    monkeypatch.setattr(patient.money.chain, "balance_wei", has)
    alone = await patient.bad()
    member, _ = await join.join(patient.store, patient.clock, "ann")
    linked = LinkedAddress(LOCAL.chain_id, local_key("ann").address, member, 1, 0)
    async with patient.store.write() as tx:
        await chain_addresses.link(tx, linked)
    words, fix = (await patient.bad())["gas"]
    assert "0.000100 ETH; a month takes" in words
    assert "linked members: 1" in words
    assert patient.local.operator.address in fix
    assert alone["gas"] != (words, fix)


async def test_books_that_are_behind_the_chain_are_found(patient: Patient) -> None:
    await chain_money.read(patient.money)
    ann = await patient.local.local.funded("ann")
    await patient.local.deposit(ann, DOLLAR)
    assert await patient.bad() == {}
    await patient.local.local.jump_to(STARTS_S + 2 * 3600)
    assert "flattr-node serve" in (await patient.bad())["events"][1]


async def test_calls_of_a_stranger_and_of_another_chain_are_found(
    patient: Patient, monkeypatch: Any
) -> None:
    chain, operator = patient.money.chain, patient.local.operator
    await act(patient.local.local, operator, patient.local.owner.address, b"")
    nonce = chain.nonce

    async def final_is_older(who: str, *, finalized: bool = False) -> int:
        return await nonce(who) - (1 if finalized else 0)

    with monkeypatch.context() as patch:
        patch.setattr(chain, "nonce", final_is_older)
        assert "did not sign (nonce 0)" in (await patient.bad())["calls"][0]
    call = ChainTransaction("test", operator.address, patient.local.address, b"")
    async with patient.store.write() as tx:
        await transactions.add(tx, call, 1)
        assert await transactions.sign(tx, call, call.sender, 7)
    assert await patient.bad() == {}, "it waits to be broadcast"
    async with patient.store.write() as tx:
        await tx.run("UPDATE chain_transaction SET state = 'done'")
    assert "another chain" in (await patient.bad())["calls"][1]


async def test_a_stopped_rail_is_found(patient: Patient) -> None:
    async with patient.store.write() as tx:
        await leases.stop(tx, "stablecoin", "the books are not clean", 1)
    assert (await patient.bad())["calls"] == (
        "nothing is signed: the books are not clean", "when that is settled: flattr-node resume",
    )  # fmt: skip


def test_a_key_that_can_not_be_opened_is_found(tmp_path: Path) -> None:
    keystore = tmp_path / "operator.json"
    address = write_keystore(keystore, "open sesame", bytes(range(1, 33)))
    found, signer = key_finding(keystore, "open sesame")
    assert found.good
    assert signer is not None
    assert signer.address == address
    for passphrase, words in ((None, "PASSPHRASE_FILE"), ("open barley", "passphrase")):
        found, signer = key_finding(keystore, passphrase)
        assert (found.good, signer) == (False, None)
        assert words in found.fix
    assert not key_finding(tmp_path / "none.json", "open sesame")[0].good
