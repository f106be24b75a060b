"""The vault's state and events, by really causing each; and which vaults are refused."""

from __future__ import annotations

from dataclasses import replace

import pytest

from node.devnet.evm import jump
from node.devnet.evm_vault import (
    DOLLAR,
    LocalVault,
    act,
    deploy_vault,
    mint_calldata,
)
from node.errors import RailUnavailable, Reverted
from node.wallet.stablecoin.calldata import (
    abandon_calldata,
    attribute_calldata,
    charge_calldata,
    claim_calldata,
    open_month_calldata,
    reclaim_calldata,
    request_exit_calldata,
    set_pot_calldata,
    transfer_calldata,
    veto_calldata,
    withdraw_calldata,
)
from node.wallet.stablecoin.chain import Log
from node.wallet.stablecoin.event_logs import read_event
from node.wallet.stablecoin.events import (
    Abandoned,
    BatchPaid,
    CapSet,
    Charged,
    ChargeShort,
    Claimed,
    CommissionDeferred,
    CommissionPaid,
    Deposited,
    ExitRequested,
    MonthOpened,
    MonthSealed,
    MonthVetoed,
    OwnershipTransferred,
    OwnershipTransferStarted,
    PausedSet,
    PaymentDeferred,
    PotSet,
    Reclaimed,
    RoleSet,
    Swept,
    Withdrawn,
)
from node.wallet.stablecoin.signer import Signer
from node.wallet.stablecoin.vault import VaultAccount, VaultMonth, VaultRoles
from node.wallet.stablecoin.words import ZERO_ADDRESS, encode_call, word
from tests.wallet.stablecoin.month import (
    DAY_S,
    FILE,
    block,
    events,
    pay,
    pay_while_the_token_is_down,
    seal,
    time_s,
    tree,
)


async def test_what_members_do_is_told(vault: LocalVault) -> None:
    alice = await vault.local.funded("alice")
    receipt = await vault.deposit(alice, 5 * DOLLAR, 2 * DOLLAR)
    assert events(vault, receipt) == [
        PotSet(alice.address, 2 * DOLLAR),
        Deposited(alice.address, 5 * DOLLAR, alice.address),
    ]
    assert await vault.vault.account(alice.address) == VaultAccount(5 * DOLLAR, 2 * DOLLAR, 0, 0)
    assert await vault.vault.free(alice.address) == 3 * DOLLAR
    receipt = await vault.act(alice, withdraw_calldata(3 * DOLLAR, vault.owner.address))
    assert events(vault, receipt) == [Withdrawn(alice.address, vault.owner.address, 3 * DOLLAR)]
    assert await vault.vault.token_balance(vault.owner.address) == 3 * DOLLAR
    receipt = await vault.act(alice, request_exit_calldata())
    at_s = await time_s(receipt, vault.local) + 14 * DAY_S
    assert events(vault, receipt) == [ExitRequested(alice.address, at_s)]
    assert await vault.vault.exit_at(alice.address) == at_s
    receipt = await vault.act(alice, set_pot_calldata(3 * DOLLAR))
    assert events(vault, receipt) == [PotSet(alice.address, 3 * DOLLAR)]
    await vault.mint(vault.address, 7)
    receipt = await vault.act(vault.operator, attribute_calldata(alice.address, 7))
    assert events(vault, receipt) == [Deposited(alice.address, 7, ZERO_ADDRESS)]
    assert await vault.vault.liabilities() == 2 * DOLLAR + 7


async def charge(vault: LocalVault) -> tuple[Signer, Signer]:
    """Open a month, and charge two members 3 dollars: one less than was asked of them."""
    alice, bob = await vault.local.funded("alice"), await vault.local.funded("bob")
    for member in (alice, bob):
        await vault.deposit(member, 5 * DOLLAR, 2 * DOLLAR)
    receipt = await vault.act(vault.operator, open_month_calldata())
    assert events(vault, receipt) == [MonthOpened(1)]
    opened_s = await time_s(receipt, vault.local)
    assert (await vault.vault.month_state(1)).opened_at_s == opened_s
    words = [word(alice.address, DOLLAR), word(bob.address, 3 * DOLLAR)]
    receipt = await vault.act(vault.operator, charge_calldata(1, words))
    assert events(vault, receipt) == [
        ChargeShort(1, bob.address, 3 * DOLLAR, 2 * DOLLAR),
        Charged(1, 2, 3 * DOLLAR),
    ]
    return alice, bob


async def test_a_month_is_told_from_its_opening_to_its_seal(vault: LocalVault) -> None:
    assert await vault.vault.month() == 0
    alice, _ = await charge(vault)
    assert await vault.vault.month() == 1
    assert await vault.vault.account(alice.address) == VaultAccount(
        4 * DOLLAR, 2 * DOLLAR, 1, DOLLAR
    )
    batches = [[word(alice.address, 2 * DOLLAR)], [word(alice.address, 700_000)]]
    before = await vault.vault.month_state(1)
    receipt = await seal(vault, 1, batches)
    payable_s = await time_s(receipt, vault.local)
    root = tree(vault, 1, batches).root
    assert events(vault, receipt) == [MonthSealed(1, root, 3 * DOLLAR, 300_000, 2, FILE, payable_s)]
    assert before == VaultMonth(bytes(32), 3 * DOLLAR, 0, before.opened_at_s, 0, 0, 0)
    assert await vault.vault.month_state(1) == VaultMonth(
        root, 3 * DOLLAR, 2_700_000, before.opened_at_s, payable_s, 2, 0
    )


async def test_batches_are_told_paid_or_deferred_and_the_commission_last(
    vault: LocalVault,
) -> None:
    await charge(vault)
    carol, dave = await vault.local.funded("carol"), await vault.local.funded("dave")
    batches = [[word(carol.address, 2 * DOLLAR)], [word(dave.address, 700_000)]]
    await seal(vault, 1, batches)
    with pytest.raises(Reverted, match="token down"):
        await pay_while_the_token_is_down(vault, batches)
    await block(vault, carol.address, True)
    assert events(vault, await pay(vault, 1, batches, 0)) == [
        PaymentDeferred(1, carol.address, 2 * DOLLAR),
        BatchPaid(1, 0, 1, 0, 2 * DOLLAR),
    ]
    assert await vault.vault.is_batch_paid(1, 0)
    assert not await vault.vault.is_batch_paid(1, 1)
    assert await vault.vault.claimable(carol.address) == 2 * DOLLAR
    with pytest.raises(Reverted, match="replayed"):
        await pay(vault, 1, batches, 0)
    assert events(vault, await pay(vault, 1, batches, 1)) == [
        BatchPaid(1, 1, 1, 700_000, 0),
        CommissionPaid(1, vault.treasury.address, 300_000),
    ]
    await block(vault, carol.address, False)
    receipt = await vault.act(dave, claim_calldata(carol.address))
    assert events(vault, receipt) == [Claimed(carol.address, 2 * DOLLAR)]
    assert await vault.vault.token_balance(carol.address) == 2 * DOLLAR
    assert (await vault.vault.month_state(1)).done == 2


async def test_a_vetoed_month_a_refused_treasury_and_an_abandoned_month_are_told(
    vault: LocalVault,
) -> None:
    slow = await deploy_vault(vault.local, delay_s=2 * DAY_S)
    alice, carol = await slow.local.funded("alice"), await slow.local.funded("carol")
    await slow.deposit(alice, 5 * DOLLAR, 2 * DOLLAR)
    await slow.act(slow.operator, open_month_calldata())
    await slow.act(slow.operator, charge_calldata(1, [word(alice.address, DOLLAR)]))
    batches = [[word(carol.address, 900_000)]]
    await seal(slow, 1, batches)
    with pytest.raises(Reverted, match="not payable"):
        await pay(slow, 1, batches, 0)
    receipt = await slow.act(slow.guardian, veto_calldata(1))
    assert events(slow, receipt) == [MonthVetoed(1)]
    await seal(slow, 1, batches)
    await jump(slow.local, 2 * DAY_S)
    await block(slow, slow.treasury.address, True)
    receipt = await pay(slow, 1, batches, 0)
    assert events(slow, receipt)[-1] == CommissionDeferred(1, slow.treasury.address, 100_000)
    await jump(slow.local, 27 * DAY_S)
    await slow.act(slow.operator, open_month_calldata())
    await slow.act(slow.operator, charge_calldata(2, [word(alice.address, DOLLAR)]))
    await jump(slow.local, 61 * DAY_S)
    receipt = await slow.act(carol, abandon_calldata())
    assert events(slow, receipt) == [Abandoned(2, DOLLAR)]
    assert await slow.vault.closed() == 2
    receipt = await slow.act(carol, reclaim_calldata(alice.address))
    assert events(slow, receipt) == [Reclaimed(2, alice.address, DOLLAR)]


async def test_what_owner_and_guardian_do_is_told(vault: LocalVault) -> None:
    owner, alice = vault.owner, await vault.local.funded("alice")
    born = await vault.local.chain.logs(vault.address, 0, (await vault.local.chain.latest()).number)
    assert [event for _, event in vault.vault.events(born)] == [
        OwnershipTransferred(ZERO_ADDRESS, owner.address),
        RoleSet(0, vault.operator.address),
        RoleSet(1, vault.guardian.address),
        RoleSet(2, vault.treasury.address),
    ]
    receipt = await vault.act(owner, encode_call("set_role(uint256,address)", 0, alice.address))
    assert events(vault, receipt) == [RoleSet(0, alice.address)]
    receipt = await vault.act(owner, encode_call("set_cap(uint256)", 10))
    assert events(vault, receipt) == [CapSet(10)]
    receipt = await vault.act(vault.guardian, encode_call("set_paused(bool)", 1))
    until_s = await time_s(receipt, vault.local) + 14 * DAY_S
    assert events(vault, receipt) == [PausedSet(vault.guardian.address, until_s)]
    assert await vault.vault.paused_until() == until_s
    offer = encode_call("transfer_ownership(address)", alice.address)
    receipt = await vault.act(owner, offer)
    assert events(vault, receipt) == [OwnershipTransferStarted(owner.address, alice.address)]
    receipt = await vault.act(alice, encode_call("accept_ownership()"))
    assert events(vault, receipt) == [OwnershipTransferred(owner.address, alice.address)]
    assert await vault.vault.roles() == VaultRoles(
        alice.address,
        alice.address,
        vault.guardian.address,
        vault.treasury.address,
        0,
        vault.token,
    )
    other = (await deploy_vault(vault.local)).token
    await act(vault.local, owner, other, mint_calldata(vault.address, 9))
    sweep = encode_call("sweep(address,address)", other, owner.address)
    receipt = await vault.act(alice, sweep)
    assert events(vault, receipt) == [Swept(other, owner.address, 9)]


async def test_what_other_contracts_say_is_not_the_vaults(vault: LocalVault) -> None:
    alice = await vault.local.funded("alice")
    receipt = await vault.deposit(alice, DOLLAR, 5)
    assert {log.address for log in receipt.logs} == {vault.address, vault.token}
    forged = [replace(log, address=vault.token) for log in receipt.logs]
    assert vault.vault.events(forged) == []
    transfer = await act(vault.local, alice, vault.token, transfer_calldata(vault.address, 0))
    assert [read_event(log) for log in transfer.logs] == [None]


async def test_a_log_that_no_vault_writes_is_unavailable(vault: LocalVault) -> None:
    receipt = await vault.deposit(await vault.local.funded("alice"), DOLLAR, 5)
    log = vault.vault.events(receipt.logs)[1][0]
    broken: list[Log] = [
        replace(log, topics=log.topics[:1]),
        replace(log, topics=(*log.topics, bytes(32))),
        replace(log, data=log.data[:-1]),
        replace(log, data=log.data[:-32]),
        replace(log, data=log.data + bytes(32)),
        replace(log, topics=(log.topics[0], b"\xff" * 32, log.topics[2])),
    ]
    for each in broken:
        with pytest.raises(RailUnavailable, match="no vault writes"):
            read_event(each)
    assert read_event(replace(log, topics=())) is None
