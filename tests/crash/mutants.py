"""The guards, each taken away by name: `python -m tests.crash --mutant NAME`.

A simulation that finds nothing proves nothing, unless it finds these. Where two guards stand one
behind the other, so that either is enough, the mutant takes away both.
"""

from __future__ import annotations

import secrets
from dataclasses import replace
from typing import Any, Final

import pytest

from node.flows import fund, pay
from node.flows.pay import Payer
from node.ids import EntryId
from node.ledger import bookings
from node.money import Amount
from node.settlement.rail import Refused, Settled
from node.store import deposits, leases
from node.wallet.lightning import verdict
from node.wallet.lightning.verdict import Verdicts
from tests.crash.lightning.weather import Weather
from tests.crash.report import Mutant

Patch = pytest.MonkeyPatch
NEVER_S: Final = 10**9


def send_before_store(patch: Patch) -> None:
    """Send, and only then write down that it was sent."""
    store_attempt = Payer._store_attempt

    async def send_first(self: Payer, payout: Any, attempt: Any, *rest: Any) -> Any:
        await self._rail.send(attempt)
        return await store_attempt(self, payout, attempt, *rest)

    patch.setattr(Payer, "_store_attempt", send_first)


def believe_not_found(patch: Patch) -> None:
    """What lnd does not show was never paid."""

    async def missing(self: Verdicts, attempt: Any) -> Refused:
        del self, attempt
        return Refused("lnd does not know it")

    patch.setattr(Verdicts, "_missing", missing)


def fresh_invoice_after_one_failed(patch: Patch) -> None:
    """One FAILED is enough, and what is dead is not asked about again."""

    async def all_dead(*_: Any) -> bool:
        return True

    patch.setattr(verdict, "FAILED_STABLE_S", 0)
    patch.setattr(Payer, "_all_dead", all_dead)


def skip_the_unique_index(patch: Patch) -> None:
    """A payment hash may be used by many: without the primary key of `used_hash`, and the other."""
    first = deposits.use_hash_first

    async def use_hash_first(*asked: Any) -> bool:
        await first(*asked)
        return True

    patch.setattr(deposits, "use_hash_first", use_hash_first)
    patch.setattr("tests.crash.lightning.scene.DAMAGE", HASHES_ARE_NOT_UNIQUE)


_UNIQUE: Final = "replace(sql, 'UNIQUE (reference)', 'CHECK (true)')"
HASHES_ARE_NOT_UNIQUE: Final = (
    "PRAGMA writable_schema = ON",
    f"UPDATE sqlite_master SET sql = {_UNIQUE} WHERE name = 'attempt'",
    "DELETE FROM sqlite_master WHERE name = 'sqlite_autoindex_attempt_3'",
    "PRAGMA writable_schema = RESET",
    "VACUUM",
)
"""Without the last one the index's page is left over, and the node's own check stops it."""


def credit_without_the_once_guard(patch: Patch) -> None:
    """A deposit is credited whenever lnd says that it was paid."""
    deposit = bookings.deposit

    async def settle(tx: Any, deposit_id: str, paid_units: int, settled_s: int) -> bool:
        await tx.run(
            "UPDATE deposit SET state = 'settled', paid_units = :paid, settled_s = :at"
            " WHERE id = :id",
            id=deposit_id, paid=paid_units, at=settled_s,
        )  # fmt: skip
        return True

    def book(*what: Any) -> Any:
        return replace(deposit(*what), id=EntryId(secrets.token_hex(16)))

    patch.setattr(fund.deposits, "settle", settle)
    patch.setattr(fund.bookings, "deposit", book)


def do_not_check_the_preimage(patch: Patch) -> None:
    """SUCCEEDED is SUCCEEDED, whatever proves it."""

    def succeeded(attempt: Any, view: Any) -> Settled:
        return Settled(attempt.amount, Amount(view.fee_msat), view.preimage)

    patch.setattr(verdict, "_succeeded", succeeded)


def believe_the_failure_reason(patch: Patch) -> None:
    """A payment with a reason to fail has failed."""
    succeeded = verdict._succeeded

    def judged(attempt: Any, view: Any) -> Any:
        return Refused("timeout") if view.failure_reason else succeeded(attempt, view)

    patch.setattr(verdict, "_succeeded", judged)


def forget_the_lease_epoch(patch: Patch) -> None:
    """Whoever wants to pay does, and may stand still as long as it likes before it sends."""
    take = leases.take

    async def take_always(tx: Any, name: str, holder: str, now_us: int, until_us: int) -> Any:
        await tx.run("UPDATE lease SET until_us = 0 WHERE name = :name", name=name)
        return await take(tx, name, holder, now_us, until_us)

    async def renew(*_: Any) -> None:
        return None

    patch.setattr(leases, "take", take_always)
    patch.setattr(leases, "renew", renew)
    patch.setattr(pay, "SEND_WITHIN_S", -NEVER_S)


def _two_and_a_stall(seed: int) -> bool:
    """The lease matters when one payer stands still while another goes on."""
    return Weather(seed).chances.keys() >= {"second_node", "db_stall", "no_route"}


def _reused_hashes(seed: int) -> bool:
    """The index matters when a creator's server gives an invoice that was used before."""
    return Weather(seed).chances.get("lnurl_reused", 0.0) > 0.1


LIGHTNING: Final[dict[str, Mutant]] = {
    "send_before_store": Mutant(send_before_store, 200, sample=0),
    "believe_not_found": Mutant(believe_not_found, 200, sample=41),
    "fresh_invoice_after_one_failed": Mutant(fresh_invoice_after_one_failed, 400, sample=1),
    "skip_the_unique_index": Mutant(skip_the_unique_index, 800, sample=252, worth=_reused_hashes),
    "credit_without_the_once_guard": Mutant(credit_without_the_once_guard, 100, sample=3),
    "do_not_check_the_preimage": Mutant(do_not_check_the_preimage, 400, sample=2),
    "believe_the_failure_reason": Mutant(believe_the_failure_reason, 400, sample=10),
    "forget_the_lease_epoch": Mutant(
        forget_the_lease_epoch, 3000, sample=1192, worth=_two_and_a_stall
    ),
}
