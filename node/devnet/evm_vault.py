"""A test dollar and a payout vault on a local chain, and what people do there.

The keys have names: owner, operator, guardian, treasury, and members as one likes. `act` sends a
transaction and waits until it is in a block, as a wallet would; the node's own way of sending,
which survives anything, is the rail's.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from node.devnet.evm import LocalChain
from node.devnet.processes import until
from node.errors import DaemonError
from node.settlement.gas_fees import first_fees, gas_limit
from node.wallet.stablecoin.artifact import read_artifact, vault_artifact
from node.wallet.stablecoin.calldata import approve_calldata, deposit_calldata
from node.wallet.stablecoin.chain import Receipt
from node.wallet.stablecoin.signer import Order, Signer
from node.wallet.stablecoin.vault import Vault
from node.wallet.stablecoin.words import encode, encode_call

DOLLAR: Final = 1_000_000
"""A test dollar in base units."""
_NAME: Final = "TestDollar.json"
_BESIDE: Final = Path(__file__).with_name(_NAME)
_IN_TREE: Final = Path(__file__).parents[2] / "contracts" / "test" / _NAME
_DEPLOY_GAS: Final = 6_000_000
_CEILING_WEI: Final = 1_000 * 10**9
_RECEIPT_LIMIT_S: Final = 30.0


@dataclass(frozen=True, slots=True)
class LocalVault:
    """A vault and its token, with all their keys."""

    local: LocalChain
    vault: Vault
    token: str
    owner: Signer
    operator: Signer
    guardian: Signer
    treasury: Signer

    @property
    def address(self) -> str:
        """The vault's address."""
        return self.vault.address

    async def mint(self, to: str, units: int) -> Receipt:
        """Make test dollars out of nothing."""
        return await act(self.local, self.owner, self.token, mint_calldata(to, units))

    async def deposit(self, member: Signer, units: int, pot_units: int = 0) -> Receipt:
        """A member mints, approves and pays in; a pot above the present one is set with it."""
        await self.mint(member.address, units)
        approve = approve_calldata(self.address, units)
        await act(self.local, member, self.token, approve)
        calldata = deposit_calldata(units, member.address, pot_units)
        return await self.act(member, calldata)

    async def act(self, signer: Signer, calldata: bytes) -> Receipt:
        """Call the vault. Raises Reverted when it refuses."""
        return await act(self.local, signer, self.address, calldata)


async def deploy_vault(
    local: LocalChain, *, delay_s: int = 0, operator: str | None = None
) -> LocalVault:
    """Deploy a test dollar, and a vault for it.

    `operator`: the address of the node's key; by default that of the local name `operator`.
    Raises DaemonError.
    """
    owner, key, guardian, treasury = [
        await local.funded(name) for name in ("owner", "operator", "guardian", "treasury")
    ]
    dollar = read_artifact(_BESIDE if _BESIDE.is_file() else _IN_TREE)
    token = await deploy(local, owner, dollar.bytecode + encode(owner.address))
    roles = (owner.address, operator or key.address, guardian.address, treasury.address)
    arguments = encode(token, *roles, delay_s)
    address = await deploy(local, owner, vault_artifact().bytecode + arguments)
    return LocalVault(local, Vault(local.chain, address), token, owner, key, guardian, treasury)


async def deploy(local: LocalChain, signer: Signer, bytecode: bytes) -> str:
    """Deploy a contract; return its address. Raises DaemonError when that fails."""
    nonce = await local.chain.nonce(signer.address)
    await _send(local, signer, nonce, None, bytecode, _DEPLOY_GAS)
    return _created(signer.address, nonce)


async def act(local: LocalChain, signer: Signer, to: str, calldata: bytes) -> Receipt:
    """Send a call and wait for its block; one is made if none comes by itself.

    Raises Reverted when the contract would refuse it, DaemonError when it refuses it in the block.
    """
    nonce = await local.chain.nonce(signer.address)
    needed = await local.chain.estimate_gas(signer.address, to, calldata)
    return await _send(local, signer, nonce, to, calldata, gas_limit(needed))


def mint_calldata(to: str, units: int) -> bytes:
    """Of the test dollar: make so many out of nothing."""
    return encode_call("mint(address,uint256)", to, units)


def set_blocked_calldata(who: str, blocked: bool) -> bytes:
    """Of the test dollar: block an address. Its issuer's, who is the owner."""
    return encode_call("set_blocked(address,bool)", who, int(blocked))


def set_paused_calldata(paused: bool) -> bytes:
    """Of the test dollar: stop all transfers. Its issuer's, who is the owner."""
    return encode_call("set_paused(bool)", int(paused))


async def _send(
    local: LocalChain, signer: Signer, nonce: int, to: str | None, content: bytes, gas: int
) -> Receipt:
    base_fee_wei = (await local.chain.latest()).base_fee_wei
    fees = first_fees(base_fee_wei, await local.chain.tip_wei(), _CEILING_WEI)
    order = Order(local.chain_id, nonce, to, content, gas, fees.tip_wei, fees.cap_wei)
    signed = signer.sign(order)
    answer = await local.chain.broadcast(signed.raw)
    receipt = await local.chain.receipt(signed.tx_hash)
    if receipt is None:
        await local.mine()
        receipts: list[Receipt] = []
        await until(lambda: _mined(local, signed.tx_hash, receipts), answer, _RECEIPT_LIMIT_S)
        receipt = receipts[0]
    if not receipt.ok:
        raise DaemonError(f"the transaction of {signer.address} failed in its block")
    return receipt


async def _mined(local: LocalChain, tx_hash: str, receipts: list[Receipt]) -> bool:
    receipt = await local.chain.receipt(tx_hash)
    if receipt is not None:
        receipts.append(receipt)
    return receipt is not None


def _created(sender: str, nonce: int) -> str:
    from web3.utils.address import get_create_address  # noqa: PLC0415 - it takes two seconds

    return str(get_create_address(sender, nonce))
