"""Bring a contract onto its chain, once.

    price ▶ sign ▶ keep what was signed in a file ▶ broadcast ▶ look for the receipt ▶ its address

What may have been sent is kept before it is sent, here too: whoever is killed in between and begins
again sends the same bytes, which the chain takes once. The file lies in the node's folder, because
the database knows of no vault yet.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from node.errors import ConfigError, RailUnavailable, Reverted
from node.failpoints import failpoint
from node.flows.vault.chain_key import ether
from node.settlement.gas_fees import Fees, first_fees, gas_limit
from node.wallet.stablecoin.artifact import created, read_code, vault_artifact
from node.wallet.stablecoin.chain import Chain, Receipt
from node.wallet.stablecoin.signer import Order, Signed, Signer
from node.wallet.stablecoin.words import encode

LOOK_EVERY_S: Final = 3.0
LIMIT_S: Final = 600.0
NO_COIN_GAS: Final = 6_000_000
"""What deploying a vault takes at most, where it can't be estimated."""
FIRST_MAX: Final = 16
"""Of a key's contracts so many are looked at, to find a vault that it has deployed before."""


@dataclass(frozen=True, slots=True)
class Sender:
    """Who sends, where, and at most at which price of gas."""

    chain: Chain
    chain_id: int
    signer: Signer
    ceiling_wei: int
    coin: str = ""
    """Where its coin for gas comes from, in words."""


@dataclass(frozen=True, slots=True)
class Price:
    """What a transaction may cost: gas, and the offer for each."""

    gas: int
    fees: Fees

    @property
    def most_wei(self) -> int:
        """What the key must have for it."""
        return self.gas * self.fees.cap_wei


@dataclass(frozen=True, slots=True)
class Deployed:
    """A contract in a block."""

    address: str
    block_number: int
    tx_hash: str


def vault_content(
    token: str, owner: str, operator: str, guardian: str, treasury: str, delay_s: int
) -> bytes:
    """What deploys a vault with these keys (contracts/PayoutVault.vy)."""
    arguments = encode(token, owner, operator, guardian, treasury, delay_s)
    return vault_artifact().bytecode + arguments


async def price(sender: Sender, to: str | None, content: bytes) -> Price:
    """What it would cost now. Raises Reverted when it would be refused, RailUnavailable."""
    needed = await sender.chain.estimate_gas(sender.signer.address, to, content)
    return Price(gas_limit(needed), await _fees(sender))


def sign(sender: Sender, nonce: int, to: str | None, content: bytes, offer: Price) -> Signed:
    """The transaction, signed. `to` is None to deploy."""
    order = Order(
        sender.chain_id, nonce, to, content, offer.gas, offer.fees.tip_wei, offer.fees.cap_wei
    )
    return sender.signer.sign(order)


async def receipt_of(
    chain: Chain,
    signed: Signed,
    progress: Callable[[str], None],
    *,
    every_s: float = LOOK_EVERY_S,
    limit_s: float = LIMIT_S,
) -> Receipt:
    """Broadcast it again and again until it is in a block.

    `progress` gets what the RPCs answer, whenever that is something else than before. Raises
    RailUnavailable when it is in none in time, Reverted when it failed there.
    """
    answer = before = ""
    for look in range(round(limit_s / every_s) + 1):
        await asyncio.sleep(every_s if look else 0)
        answer = await chain.broadcast(signed.raw)
        failpoint("contract.send.after_effect")
        try:
            receipt = await chain.receipt(signed.tx_hash)
        except RailUnavailable as error:  # One of two RPCs has the block already, or one is away.
            receipt, answer = None, str(error)
        if receipt is not None and not receipt.ok:
            raise Reverted(f"{signed.tx_hash} failed in block {receipt.block_number}")
        if receipt is not None:
            return receipt
        if answer != before:
            progress(f"not in a block yet; {answer}")
        before = answer
    raise RailUnavailable(f"{signed.tx_hash} is in no block after {limit_s:.0f} s ({answer})")


class Deployments:
    """What may have been sent of a key's deployments: a file of `name: signed bytes`."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def get(self, name: str, content: bytes, sender: Sender) -> tuple[int, Signed] | None:
        """(nonce, what was signed) to deploy this content. Raises ConfigError for another's."""
        kept = self._read().get(name)
        if kept is None:
            return None
        if kept["of"] != _of(content, sender):
            raise ConfigError(
                f"{self.path.name}: a {name} with other arguments was sent before, in {kept['tx']}."
                " Give the same ones to finish that; --again deploys another one"
            )
        return int(kept["nonce"]), Signed(bytes.fromhex(kept["raw"]), kept["tx"])

    def keep(self, name: str, content: bytes, sender: Sender, nonce: int, signed: Signed) -> None:
        """From now on it counts as sent."""
        of = _of(content, sender)
        kept = {"of": of, "nonce": str(nonce), "tx": signed.tx_hash, "raw": signed.raw.hex()}
        self._write(self._read() | {name: kept})

    def forget(self, name: str) -> None:
        """It failed in its block, so it can be sent anew."""
        self._write({key: kept for key, kept in self._read().items() if key != name})

    def begin_again(self) -> None:
        """Forget all of it."""
        self.path.unlink(missing_ok=True)

    def _read(self) -> dict[str, dict[str, str]]:
        try:
            found: dict[str, dict[str, str]] = json.loads(self.path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except ValueError as error:
            raise ConfigError(f"{self.path} can't be read; --again begins anew") from error
        return found

    def _write(self, content: dict[str, dict[str, str]]) -> None:
        beside = self.path.with_suffix(".new")
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump(content, file)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(self.path)


async def deploy(
    sender: Sender,
    name: str,
    content: bytes,
    kept: Deployments,
    progress: Callable[[str], None],
    *,
    every_s: float = LOOK_EVERY_S,
    limit_s: float = LIMIT_S,
) -> Deployed:
    """Deploy this content (bytecode and arguments), or finish what was begun before.

    Raises Reverted, RailUnavailable (then the same command goes on), ConfigError.
    """
    before = kept.get(name, content, sender)
    if before is None:
        offer = await _affordable(sender, name, content)
        nonce = await sender.chain.nonce(sender.signer.address)
        signed = sign(sender, nonce, None, content, offer)
        failpoint("contract.send.before_commit")
        kept.keep(name, content, sender, nonce, signed)
        failpoint("contract.send.after_commit")
    else:
        nonce, signed = before
        await _demand_possible(sender, name, content, nonce, signed)
    progress(f"{signed.tx_hash} deploys the {name}: waiting for its block")
    try:
        receipt = await receipt_of(sender.chain, signed, progress, every_s=every_s, limit_s=limit_s)
    except Reverted:
        kept.forget(name)
        raise
    address = created(sender.signer.address, nonce)
    progress(f"the {name} is at {address}, in block {receipt.block_number}")
    return Deployed(address, receipt.block_number, signed.tx_hash)


async def vaults_of(chain: Chain, address: str) -> list[str]:
    """Vaults of this release that the first transactions of a key have deployed."""
    found = []
    for nonce in range(min(await chain.nonce(address), FIRST_MAX)):
        place = created(address, nonce)
        if read_code(await chain.code(place), vault_artifact().runtime) is not None:
            found.append(place)
    return found


async def _affordable(sender: Sender, name: str, content: bytes) -> Price:
    """The price of deploying it. Raises ConfigError, saying how much to send and to where."""
    address = sender.signer.address
    has_wei = await sender.chain.balance_wei(address)
    # Some RPCs estimate nothing for a key that has nothing.
    offer = (
        await price(sender, None, content) if has_wei else Price(NO_COIN_GAS, await _fees(sender))
    )
    if has_wei < offer.most_wei:
        raise ConfigError(
            f"the node's key {address} needs {ether(offer.most_wei - has_wei)} more for the gas of"
            f" the {name}: send it there, and give the same command again. {sender.coin}".strip()
        )
    return offer


async def _fees(sender: Sender) -> Fees:
    latest = await sender.chain.latest()
    return first_fees(latest.base_fee_wei, await sender.chain.tip_wei(), sender.ceiling_wei)


async def _demand_possible(
    sender: Sender, name: str, content: bytes, nonce: int, signed: Signed
) -> None:
    """Raises ConfigError when what was kept is in no block and can't get into one."""
    if await sender.chain.receipt(signed.tx_hash) is not None:
        return
    if await sender.chain.nonce(sender.signer.address, finalized=True) > nonce:
        raise ConfigError(
            f"the {name} that was sent before, {signed.tx_hash}, is not on this chain, and its"
            f" nonce {nonce} is used: --again deploys another one"
        )
    await _affordable(sender, name, content)


def _of(content: bytes, sender: Sender) -> str:
    named = f"{sender.chain_id} {sender.signer.address} ".encode()
    return hashlib.sha256(named + content).hexdigest()
