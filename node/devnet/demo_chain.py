"""The demo's chain: a vault on it, and what its owner and its members do with their own keys.

    eth-tester in this process (the default)        anvil as a process (--evm)

Its time begins where the story does, in last month, and comes back to the present with it. The
members pay in as anybody would, from wallets of their own; what arrived is asked of the token.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from node.config import StablecoinSettings
from node.devnet.evm import LocalChain, local_key, local_secret, open_anvil, open_tester
from node.devnet.evm_vault import LocalVault, deploy_vault
from node.wallet.stablecoin.chain import Chain
from node.wallet.stablecoin.networks import TESTER
from node.wallet.stablecoin.signer import write_keystore

OPERATOR: Final = "operator"
KEYSTORE: Final = "operator.json"
PASSPHRASE: Final = "a network of one's own"  # noqa: S105 - it guards a key that everybody knows
SIMULATED: Final = "eth-tester"


@dataclass(frozen=True, slots=True)
class DemoChain:
    """A running chain with a vault. `label` is what the demo's last line calls it."""

    label: str
    network: str
    local: LocalChain
    vault: LocalVault
    first_block: int
    keystore: Path

    @property
    def simulated(self) -> bool:
        """Whether it is a chain inside of this process."""
        return self.local.url is None

    @property
    def in_process(self) -> Chain | None:
        """The chain for a node that can't reach it by a URL."""
        return self.local.chain if self.simulated else None

    def settings(self) -> StablecoinSettings:
        """What the operator would write."""
        return StablecoinSettings(
            network=self.network,
            rpc_urls=(self.local.url or "in this process",),
            vault=self.vault.address,
            first_block=self.first_block,
            keystore=self.keystore,
            passphrase=PASSPHRASE,
            gas_ceiling_gwei=1000,
        )

    async def pay_in(self, name: str, units: int) -> str:
        """A member mints test dollars, pays them in, and makes all of it the pot; the address."""
        member = await self.local.funded(name)
        await self.vault.deposit(member, units, units)
        return member.address

    async def received(self, address: str) -> int:
        """By the token: what an address has, in base units."""
        return await self.vault.vault.token_balance(address)

    async def gas_of(self, transactions: list[str]) -> int:
        """The gas that these took together, by their receipts."""
        receipts = [await self.local.chain.receipt(one) for one in transactions]
        return sum(one.gas_used for one in receipts if one is not None)


def sign_text(name: str, text: str) -> str:
    """What a member's wallet answers to a text that is to be signed (personal_sign)."""
    from eth_account import Account  # noqa: PLC0415 - it takes a second
    from eth_account.messages import encode_defunct  # noqa: PLC0415 - the same

    signed: Any = Account.from_key(local_secret(name)).sign_message(encode_defunct(text=text))
    return "0x" + bytes(signed.signature).hex()


def address_of(name: str) -> str:
    """The address of a member's wallet."""
    return local_key(name).address


@asynccontextmanager
async def open_demo_chain(
    folder: Path, starts_s: int, progress: Callable[[str], None], *, evm: bool
) -> AsyncIterator[DemoChain]:
    """A new chain and a vault on it, until the block ends. Raises DaemonError."""
    async with AsyncExitStack() as stack:
        if evm:
            anvil = await stack.enter_async_context(
                open_anvil(folder, starts_s=starts_s, progress=progress)
            )
            label = str(await anvil.call("web3_clientVersion")).replace("/v", " ")
            local: LocalChain = anvil
        else:
            local = await stack.enter_async_context(open_tester(starts_s=starts_s))
            label = SIMULATED
        os.makedirs(folder, exist_ok=True)  # noqa: PTH103 - one call, before anything runs
        write_keystore(folder / KEYSTORE, PASSPHRASE, local_secret(OPERATOR))
        before = (await local.chain.latest()).number
        vault = await deploy_vault(local)
        first_block = await _deployed_in(local, vault, before)
        yield DemoChain(
            label, "anvil" if evm else TESTER, local, vault, first_block,
            (folder / KEYSTORE).absolute(),
        )  # fmt: skip


async def _deployed_in(local: LocalChain, vault: LocalVault, before: int) -> int:
    """The block of the vault's first event, which is the one that it was deployed in."""
    latest = await local.chain.latest()
    logs = await local.chain.logs(vault.address, before, latest.number)
    return min(log.block_number for log in logs)
