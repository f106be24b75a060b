"""Which vaults a node refuses to work with, and what it says then."""

from __future__ import annotations

from typing import Any

import pytest

from node.devnet.evm import Anvil, LocalChain
from node.devnet.evm_vault import LocalVault, deploy, deploy_vault
from node.errors import ConfigError
from node.wallet.stablecoin.artifact import vault_artifact
from node.wallet.stablecoin.vault import Vault
from node.wallet.stablecoin.words import ZERO_ADDRESS, encode, encode_call

DAY_S = 86_400


async def test_a_vault_that_is_as_it_must_be_passes(vault: LocalVault) -> None:
    roles = await vault.vault.check(vault.local.chain_id, operator=vault.operator.address)
    assert roles == await vault.vault.roles()
    slow = await deploy_vault(vault.local, delay_s=2 * DAY_S)
    roles = await slow.vault.check(slow.local.chain_id, delay_min_s=2 * DAY_S)
    assert roles.delay_s == 2 * DAY_S


async def refuses(vault: Vault, match: str, chain_id: int, **demands: Any) -> None:
    with pytest.raises(ConfigError, match=match):
        await vault.check(chain_id, **demands)


async def test_a_vault_with_other_keys_or_on_another_chain_is_refused(vault: LocalVault) -> None:
    chain_id = vault.local.chain_id
    await refuses(vault.vault, "serve chain", 8_453)
    await refuses(vault.vault, "operator is", chain_id, operator=vault.owner.address)
    await refuses(vault.vault, "pays 0 s after", chain_id, delay_min_s=1)
    nobodys = Vault(vault.local.chain, vault.owner.address)
    await refuses(nobodys, "is no payout vault", chain_id)
    await refuses(Vault(vault.local.chain, vault.token), "is no payout vault", chain_id)
    same = await deploy_vault(vault.local, operator=vault.guardian.address)
    await refuses(same.vault, "could not veto", chain_id)
    for guardian in (vault.owner.address, ZERO_ADDRESS):
        calldata = encode_call("set_role(uint256,address)", 1, guardian)
        await vault.act(vault.owner, calldata)
        if guardian == ZERO_ADDRESS:
            await vault.vault.check(chain_id)
        else:
            await refuses(vault.vault, "could not veto", chain_id)


# Contracts of a few bytes: answers 18 to everything; answers nothing; refuses everything.
EIGHTEEN = bytes.fromhex("6760125f5260205ff35f5260086018f3")
SILENT = bytes.fromhex("60015ff3")
REFUSING = bytes.fromhex("645f5ffd00005f526005601bf3")


@pytest.mark.parametrize(
    ("token", "match"),
    [(EIGHTEEN, "has 18 decimals"), (SILENT, "has no decimals"), (REFUSING, "has no decimals")],
)
async def test_a_vault_whose_token_counts_otherwise_is_refused(
    local: LocalChain, token: bytes, match: str
) -> None:
    owner, operator = await local.funded("owner"), await local.funded("operator")
    address = await deploy(local, owner, token)
    roles = encode(address, owner.address, operator.address, ZERO_ADDRESS, owner.address, 0)
    vault = Vault(local.chain, await deploy(local, owner, vault_artifact().bytecode + roles))
    await refuses(vault, match, local.chain_id)


@pytest.mark.anvil
async def test_code_that_differs_in_one_bit_is_refused(anvil: Anvil) -> None:
    vault = await deploy_vault(anvil)
    code = bytearray(await anvil.chain.code(vault.address))
    for place in (0, len(code) // 2, len(vault_artifact().runtime) - 1):
        code[place] ^= 1
        await anvil.call("anvil_setCode", vault.address, f"0x{code.hex()}")
        await refuses(vault.vault, "is no payout vault", anvil.chain_id)
        code[place] ^= 1
    for changed in (bytes(code[:-1]), bytes(code) + b"\0", bytes(code[:-64]), b""):
        await anvil.call("anvil_setCode", vault.address, f"0x{changed.hex()}")
        await refuses(vault.vault, "is no payout vault", anvil.chain_id)
    await anvil.call("anvil_setCode", vault.address, f"0x{code.hex()}")
    await vault.vault.check(anvil.chain_id)
