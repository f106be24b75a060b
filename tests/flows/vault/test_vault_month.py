"""A month on a real vault, on anvil: charged once, paid once, counted from the token's own logs."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from node import failpoints
from node.clock import ManualClock
from node.devnet import evm
from node.devnet.evm import Anvil, local_key, open_anvil
from node.devnet.evm_vault import (
    DOLLAR,
    LocalVault,
    act,
    deploy_vault,
    set_blocked_calldata,
    set_paused_calldata,
)
from node.errors import CorruptBooks
from node.failpoints import FailpointHit
from node.flows.vault.call import Waiting
from node.flows.vault.months import Collected, Distributed, VaultMonths
from node.flows.vault.transact import Transactor
from node.ledger import accounts
from node.money import Asset
from node.store import checks, journal, leases
from node.store.engine import Store, open_store
from node.wallet.stablecoin.calldata import claim_calldata, transfer_calldata

GWEI = 10**9
READERS = ("ann", "ben", "cid")
POT = 10 * DOLLAR
GROSS = len(READERS) * POT
HASH = b"\x11" * 32
STEPS_MAX = 80
POINTS = (
    "chain.sign.before_commit", "chain.sign.after_commit", "chain.send.after_effect",
    "chain.mined.after_commit", "chain.settle.before_commit", "chain.settle.after_commit",
)  # fmt: skip


@dataclass
class Stand:
    """A node's key, its database, and the vault on a chain of one's own."""

    store: Store
    clock: ManualClock
    anvil: Anvil
    local: LocalVault
    lives: int = 0
    collected: Collected | None = None
    words: Counter[str] = field(default_factory=Counter)

    def months(self) -> VaultMonths:
        """As a process that has just started has it."""
        key, chain = self.local.operator, self.anvil.chain
        transactor = Transactor(
            self.store, self.clock, chain, self.anvil.chain_id, key, 1000 * GWEI
        )
        return VaultMonths(chain, self.anvil.chain_id, self.local.vault, transactor)

    async def step(self, payments: list[tuple[str, int]]) -> Any:
        now_us = self.clock.now_us()
        async with self.store.write() as tx:
            holder = f"life {self.lives}"
            lease = await leases.take(tx, "pay.stablecoin", holder, now_us, now_us + 120 * 10**6)
        assert lease is not None
        charges = [(local_key(name).address, POT) for name in READERS]
        collected = await self.months().collect(1, charges, lease)
        if not isinstance(collected, Collected):
            return collected
        self.collected = collected
        return await self.months().distribute(1, collected, payments, HASH, lease)

    async def play(self, payments: list[tuple[str, int]], between: Any = None) -> Distributed:
        """Step after step, a block between two, until all is final."""
        for turn in range(STEPS_MAX):
            try:
                progress = await self.step(payments)
            except FailpointHit:
                self.lives += 1
                self.clock.advance(3600)
                continue
            if isinstance(progress, Distributed):
                return progress
            assert isinstance(progress, Waiting), progress
            self.words[progress.words] += 1
            if between is not None:
                await between(turn, progress)
            await self.anvil.mine()
            self.clock.advance(2)
        raise AssertionError(f"still waiting: {progress.words}")

    async def arrived(self) -> Counter[str]:
        """By the token: base units that went from the vault to each address, and how often."""
        latest = await self.anvil.chain.latest()
        counted: Counter[str] = Counter()
        for log in await self.anvil.chain.logs(self.local.token, 0, latest.number):
            sender, to = ("0x" + topic[-20:].hex() for topic in log.topics[1:3])
            if sender == self.local.address.lower() and log.data != bytes(32):
                counted[to] += int.from_bytes(log.data, "big")
                counted[f"times {to}"] += 1
        return counted

    async def judge(self, payments: list[tuple[str, int]], deferred: set[str]) -> None:
        """Everybody got it once; the operator's tenth is exact."""
        arrived = await self.arrived()
        for address, units in payments:
            if address in deferred:
                assert arrived[address.lower()] == 0
            else:
                assert arrived[address.lower()] == units, address
                assert arrived[f"times {address.lower()}"] == 1
        treasury = self.local.treasury.address.lower()
        assert (arrived[treasury], arrived[f"times {treasury}"]) == (GROSS // 10, 1)
        for name in READERS:
            account = await self.local.vault.account(local_key(name).address)
            assert account.balance_units == POT, "charged once: the other pot's worth is there"
        async with self.store.read() as tx:
            assert await checks.breaches(tx, deep=True) == []
            assert await journal.balance(tx, accounts.expense(Asset.ETH, "gas"))


def creators(number: int) -> list[tuple[str, int]]:
    """So many creators who share the net; the first one gets what can't be divided."""
    each, rest = divmod(GROSS - GROSS // 10, number)
    return [
        (local_key(f"creator {place}").address, each + (rest if place == 0 else 0))
        for place in range(number)
    ]


@pytest.fixture
async def stand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Stand]:
    monkeypatch.setattr(evm, "EPOCH_SLOTS", 6)  # final when 12 blocks are above
    async with (
        open_anvil(tmp_path / "anvil") as anvil,
        open_store(f"sqlite:///{tmp_path / 'flattr.sqlite'}") as store,
    ):
        local = await deploy_vault(anvil)
        for name in READERS:
            member = await anvil.funded(name)
            await local.deposit(member, 2 * POT, POT)
        await anvil.finalize()
        await anvil.set_instant(False)
        yield Stand(store, ManualClock(1_800_000_000), anvil, local)


async def test_a_blocked_creator_of_a_hundred_gets_a_claimable_and_nobody_waits(stand: Stand):
    payments = creators(100)
    blocked = payments[50][0]
    await _issuer(stand, set_blocked_calldata(blocked, True))
    distributed = await stand.play(payments)
    assert distributed.deferred == {blocked: payments[50][1]}
    assert distributed.commission_paid == GROSS // 10
    await stand.judge(payments, {blocked})
    await _issuer(stand, set_blocked_calldata(blocked, False))
    await stand.anvil.set_instant(True)
    await stand.local.act(await stand.anvil.funded("anybody"), claim_calldata(blocked))
    assert (await stand.arrived())[blocked.lower()] == payments[50][1]


async def test_while_the_token_is_paused_the_batch_waits_and_nothing_is_booked(stand: Stand):
    payments = creators(3)

    async def sealed(turn: int, progress: Waiting) -> None:
        state = await stand.local.vault.month_state(1)
        if state.payable_at_s and not paused:
            paused.append(turn)
            await _issuer(stand, set_paused_calldata(True))
        if len(paused) == 1 and "token down" in progress.words:
            assert (await stand.local.vault.month_state(1)).remaining == GROSS - GROSS // 10
            paused.append(turn)
            await _issuer(stand, set_paused_calldata(False))

    paused: list[int] = []
    distributed = await stand.play(payments, sealed)
    assert len(paused) == 2, "it was never paused at a batch"
    assert distributed.deferred == {}
    await stand.judge(payments, set())


async def test_a_reorg_of_ten_blocks_after_the_batch_pays_once(stand: Stand):
    payments, reorged = creators(5), []

    async def between(turn: int, _: Waiting) -> None:
        if not reorged and await stand.local.vault.is_batch_paid(1, 0):
            await stand.anvil.mine(9)
            await stand.anvil.reorg(10)
            assert not await stand.local.vault.is_batch_paid(1, 0)
            reorged.append(turn)

    assert (await stand.play(payments, between)).deferred == {}
    assert reorged
    await stand.judge(payments, set())


async def test_a_second_signer_that_takes_the_nonce_is_survived_without_a_hand(stand: Stand):
    payments, stolen = creators(5), []

    async def between(turn: int, progress: Waiting) -> None:
        if progress.words == "broadcast" and len(stolen) < 3:
            await stand.anvil.drop_all()
            nothing = transfer_calldata(stand.local.owner.address, 0)
            await act(stand.anvil, stand.local.operator, stand.local.token, nothing)
            stolen.append(turn)

    assert (await stand.play(payments, between)).deferred == {}
    assert len(stolen) == 3
    await stand.judge(payments, set())


@pytest.mark.parametrize("passing", [1, 3, 4])
@pytest.mark.parametrize("point", POINTS)
async def test_a_kill_at_every_failpoint_charges_once_and_pays_once(
    stand: Stand, point: str, passing: int
):
    """The third and fourth passings are those of the seal and of the batch."""
    payments = creators(5)
    failpoints.arm({point: f"raise@{passing}"})
    try:
        distributed = await stand.play(payments)
    finally:
        failpoints.arm({})
    assert stand.lives == 1, f"{point} was not passed {passing} times"
    assert distributed.deferred == {}
    await stand.judge(payments, set())


async def test_payments_that_are_not_the_net_are_never_sealed(stand: Stand):
    payments = creators(3)
    with pytest.raises(CorruptBooks):
        await stand.play([(payments[0][0], payments[0][1] - 1), *payments[1:]])
    assert (await stand.local.vault.month_state(1)).root == bytes(32)


async def _issuer(stand: Stand, calldata: bytes) -> None:
    await act(stand.anvil, stand.local.owner, stand.local.token, calldata)
