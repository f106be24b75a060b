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
from node.flows.vault.deploy import Sender, price, receipt_of, sign, vault_content
from node.wallet.stablecoin.artifact import Artifact, created, read_artifact
from node.wallet.stablecoin.calldata import approve_calldata, deposit_calldata
from node.wallet.stablecoin.chain import Receipt
from node.wallet.stablecoin.signer import Signer
from node.wallet.stablecoin.vault import Vault
from node.wallet.stablecoin.words import encode, encode_call

DOLLAR: Final = 1_000_000
"""A test dollar in base units."""
_NAME: Final = "TestDollar.json"
_BESIDE: Final = Path(__file__).with_name(_NAME)
_IN_TREE: Final = Path(__file__).parents[2] / "contracts" / "test" / _NAME
_CEILING_WEI: Final = 1_000 * 10**9
_LOOK_EVERY_S: Final = 0.05
_LIMIT_S: Final = 30.0


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
    Raises Reverted.
    """
    owner, key, guardian, treasury = [
        await local.funded(name) for name in ("owner", "operator", "guardian", "treasury")
    ]
    token = await deploy(local, owner, dollar_content(owner.address))
    roles = (owner.address, operator or key.address, guardian.address, treasury.address)
    address = await deploy(local, owner, vault_content(token, *roles, delay_s))
    return LocalVault(local, Vault(local.chain, address), token, owner, key, guardian, treasury)


async def deploy(local: LocalChain, signer: Signer, bytecode: bytes) -> str:
    """Deploy a contract; return its address. Raises Reverted when that fails."""
    nonce, _ = await _send(local, signer, None, bytecode)
    return created(signer.address, nonce)


async def act(local: LocalChain, signer: Signer, to: str, calldata: bytes) -> Receipt:
    """Send a call and wait for its block; one is made if none comes by itself.

    Raises Reverted when the contract would refuse it, or refuses it in the block.
    """
    _, receipt = await _send(local, signer, to, calldata)
    return receipt


def mint_calldata(to: str, units: int) -> bytes:
    """Of the test dollar: make so many out of nothing."""
    return encode_call("mint(address,uint256)", to, units)


def set_blocked_calldata(who: str, blocked: bool) -> bytes:
    """Of the test dollar: block an address. Its issuer's, who is the owner."""
    return encode_call("set_blocked(address,bool)", who, int(blocked))


def set_paused_calldata(paused: bool) -> bytes:
    """Of the test dollar: stop all transfers. Its issuer's, who is the owner."""
    return encode_call("set_paused(bool)", int(paused))


def dollar_artifact() -> Artifact:
    """The test dollar. Raises ConfigError when the installation lacks it."""
    return read_artifact(_BESIDE if _BESIDE.is_file() else _IN_TREE)


def dollar_content(issuer: str) -> bytes:
    """What deploys a test dollar; only the issuer can mint, block and pause."""
    return dollar_artifact().bytecode + encode(issuer)


async def _send(
    local: LocalChain, signer: Signer, to: str | None, content: bytes
) -> tuple[int, Receipt]:
    """(nonce, receipt)."""
    sender = Sender(local.chain, local.chain_id, signer, _CEILING_WEI)
    nonce = await local.chain.nonce(signer.address)
    signed = sign(sender, nonce, to, content, await price(sender, to, content))
    await local.chain.broadcast(signed.raw)
    if await local.chain.receipt(signed.tx_hash) is None:
        await local.mine()
    receipt = await receipt_of(
        local.chain, signed, lambda _: None, every_s=_LOOK_EVERY_S, limit_s=_LIMIT_S
    )
    return nonce, receipt
