"""The largest batch, under the limits of today's main networks."""

from __future__ import annotations

import pytest

from node.devnet.evm import Anvil
from node.devnet.evm_vault import deploy_vault
from node.settlement.gas_fees import TRANSACTION_GAS_MAX
from node.wallet.stablecoin.calldata import charge_calldata, open_month_calldata
from node.wallet.stablecoin.events import BatchPaid
from node.wallet.stablecoin.words import to_address, word
from tests.wallet.stablecoin.month import events, pay, seal


@pytest.mark.anvil
async def test_a_batch_of_500_fits_into_one_transaction(anvil: Anvil) -> None:
    vault = await deploy_vault(anvil)
    alice = await vault.local.funded("alice")
    await vault.deposit(alice, 600, 600)
    await vault.act(vault.operator, open_month_calldata())
    await vault.act(vault.operator, charge_calldata(1, [word(alice.address, 600)]))
    creators = [to_address(number << 96) for number in range(1, 501)]
    batches = [[word(creators[0], 41), *(word(each, 1) for each in creators[1:])]]
    await seal(vault, 1, batches)
    receipt = await pay(vault, 1, batches, 0)
    assert events(vault, receipt)[0] == BatchPaid(1, 0, 500, 540, 0)
    assert receipt.gas_used < TRANSACTION_GAS_MAX
