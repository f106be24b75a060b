"""The stablecoin's guards, each taken away: then the receivers show it, after so many seeds."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import pytest

from node.flows.lease import writing
from node.flows.vault import months, transfer
from node.flows.vault.call import Waiting
from node.flows.vault.transact import Transactor
from node.settlement.gas_fees import Fees, bumped
from node.settlement.transaction import TransactionEvent
from node.wallet.stablecoin.chain import Chain
from tests.crash.report import Mutant

Patch = pytest.MonkeyPatch


def new_nonce_after_a_timeout(patch: Patch) -> None:
    """What is not mined soon is signed anew, under the next nonce."""

    async def anew(self: Any, transaction: Any, newest: Any, lease: Any) -> Any:
        del lease
        nonce = await self._chain.nonce(transaction.sender)
        signed = self._signature(transaction, nonce, newest.gas, _dearer(newest))
        await self._broadcast(signed)
        return newest

    patch.setattr(Transactor, "_bump", anew)


def bump_under_another_nonce(patch: Patch) -> None:
    """The dearer signature has another nonce, so both can be mined."""

    async def bump(self: Any, transaction: Any, newest: Any, lease: Any) -> Any:
        del lease
        signed = self._signature(transaction, newest.nonce + 1, newest.gas, _dearer(newest))
        await self._broadcast(newest)
        return signed

    patch.setattr(Transactor, "_bump", bump)


def send_before_storing(patch: Patch) -> None:
    """It is broadcast, and only then stored; and nobody asks what else the key has done.

    With only the first of both a person is asked, and tells the node (`person.py`).
    """
    forget_the_accounted_check(patch)
    sign = Transactor._sign
    signature = Transactor._signature

    async def first(self: Any, call: Any, transaction: Any, lease: Any) -> Any:
        made: list[Any] = []

        def remember(inner: Any, *given: Any) -> Any:
            signed = signature(inner, *given)
            made.append(signed)
            for rpc in inner._chain._endpoints:
                rpc.chain.broadcast(signed.raw)
            return signed

        with pytest.MonkeyPatch.context() as inside:
            inside.setattr(Transactor, "_signature", remember)
            return await sign(self, call, transaction, lease)

    patch.setattr(Transactor, "_sign", first)


def believe_what_is_mined(patch: Patch) -> None:
    """A receipt in any block is the end of it."""

    async def at_once(self: Any, transaction: Any, receipt: Any, lease: Any) -> Any:
        mined = replace(
            transaction, tx_hash=receipt.tx_hash, block_number=receipt.block_number,
            block_hash=receipt.block_hash,
        )  # fmt: skip
        await self._move("chain.mined", transaction, TransactionEvent.MINED, mined, lease)
        async with self._store.read() as tx:
            stored = await transfer_state(tx, transaction.purpose)
        return await self._settle(stored, receipt, lease)

    patch.setattr(Transactor, "_note_mined", at_once)


async def transfer_state(tx: Any, purpose: str) -> Any:
    """The call as it is stored now."""
    from node.store import transactions  # noqa: PLC0415 - only a mutant wants it

    return await transactions.get(tx, purpose)


def believe_one_rpc(patch: Patch) -> None:
    """The first answer counts."""

    async def same(self: Any, what: str, ask: Any) -> Any:
        del what
        return await ask(self._endpoints[0])

    async def lowest(self: Any, tag: str) -> Any:
        return await self._endpoints[0].block(tag)

    patch.setattr(Chain, "_same", same)
    patch.setattr(Chain, "_lowest", lowest)


def forget_the_accounted_check(patch: Patch) -> None:
    """After a restore, or when its nonce was taken, a transfer is simply made."""

    async def always(*_: Any) -> bool:
        return True

    patch.setattr(transfer, "is_accounted", always)
    patch.setattr(Transactor, "_is_accounted", always)


def sign_anew_when_nothing_is_found(patch: Patch) -> None:
    """A receipt that is not there after a minute: it was never sent."""
    watch = Transactor._watch

    async def impatient(self: Any, call: Any, transaction: Any, lease: Any) -> Any:
        progress = await watch(self, call, transaction, lease)
        if isinstance(progress, Waiting) and progress.words.startswith("broadcast, and not"):
            async with writing(self._store, self._clock, lease, "chain.displaced") as tx:
                from node.store import transactions  # noqa: PLC0415 - only a mutant wants it

                stored = await transactions.get(tx, transaction.purpose)
                bare = replace(stored, nonce=None)
                await transactions.move(tx, stored, TransactionEvent.DISPLACED, bare)
        return progress

    patch.setattr(Transactor, "_watch", impatient)


def forget_that_a_batch_is_paid(patch: Patch) -> None:
    """The vault is not asked whether a call has happened."""

    def never(*_: Any) -> Any:
        async def happened() -> bool:
            return False

        return happened

    for name in ("_paid", "_sealed", "_opened"):
        patch.setattr(months.VaultMonths, name, never)


def _dearer(newest: Any) -> Fees:
    raised = bumped(Fees(newest.tip_wei, newest.cap_wei), newest.cap_wei // 2, 10**15)
    assert raised is not None, "the ceiling is high"
    return raised


MUTANTS: Final = {
    one.__name__: Mutant(one, 300, sample)
    for one, sample in (
        (new_nonce_after_a_timeout, 10),
        (bump_under_another_nonce, 10),
        (send_before_storing, 11),
        (believe_what_is_mined, 2),
        (believe_one_rpc, 9),
        (forget_the_accounted_check, 11),
        (sign_anew_when_nothing_is_found, 9),
        (forget_that_a_batch_is_paid, 133),
    )
}
