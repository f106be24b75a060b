"""What the database itself refuses, whatever the code above it does; on both databases."""

import asyncio
from dataclasses import replace

import pytest
from sqlalchemy.exc import DBAPIError

from node.errors import ConfigError, CorruptBooks, InsufficientFunds, LeaseLost
from node.ids import MemberId, PaymentHash, PayoutId, attempt_id, withdrawal_id
from node.ledger import accounts, bookings
from node.ledger.entry import Entry
from node.money import Asset, msat, sats
from node.settlement.attempt import Attempt, AttemptEvent
from node.settlement.payout import Payout, PayoutKind
from node.store import attempts, checks, journal, leases, payouts
from node.store.engine import Store, open_store
from tests.conftest import MONTH

ANN = MemberId(1)
AT_US = 1
HASH = PaymentHash("ab" * 32)
POSTGRES_OFF = "SET LOCAL session_replication_role = replica"


def deposit(units: int = 1_000_000) -> Entry:
    return bookings.deposit(ANN, msat(units), HASH, None)


async def append(store: Store, entry: Entry) -> bool:
    async with store.write() as tx:
        return await journal.append(tx, entry, AT_US)


async def run(store: Store, sql: str) -> None:
    async with store.write() as tx:
        await tx.run(sql)


async def force(store: Store, sql: str) -> None:
    """Write past the triggers, as somebody with the database file could."""
    async with store.write() as tx:
        if tx.dialect.name == "sqlite":
            for row in await tx.rows("SELECT name FROM sqlite_master WHERE type = 'trigger'"):
                await tx.run(f"DROP TRIGGER {row.name}")
        else:
            await tx.run(POSTGRES_OFF)
        await tx.run(sql)


async def broken(store: Store) -> set[str]:
    async with store.read() as tx:
        return {breach.invariant for breach in await checks.breaches(tx, deep=True)}


async def test_no_balance_goes_below_zero(store):
    await append(store, deposit(1000))
    with pytest.raises(InsufficientFunds):
        await append(store, bookings.fill_pot(ANN, MONTH, msat(1001), "pot", "k"))
    async with store.read() as tx:
        assert await journal.balance(tx, accounts.available(Asset.SAT, ANN)) == msat(1000)


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE entry SET ref = 'x'",
        "DELETE FROM entry",
        "UPDATE posting SET units = units + 1",
        "DELETE FROM posting",
    ],
)
async def test_what_was_booked_is_never_changed(store, sql):
    await append(store, deposit())
    with pytest.raises(DBAPIError):
        await run(store, sql)


async def test_booking_twice_is_booking_once(store):
    assert await append(store, deposit())
    assert not await append(store, deposit())
    async with store.read() as tx:
        assert await journal.balance(tx, accounts.wallet(Asset.SAT)) == sats(1000)


async def test_the_same_event_with_another_amount_stops_the_books(store):
    await append(store, deposit())
    with pytest.raises(CorruptBooks):
        await append(store, deposit(2_000_000))


@pytest.mark.parametrize(
    ("sql", "invariant"),
    [
        ("UPDATE entry SET ref = 'x'", "I11"),
        ("UPDATE posting SET units = units + 1", "I11"),
        ("UPDATE chain SET seq = seq + 1", "I11"),
        ("UPDATE account SET balance = balance + 1 WHERE kind = 'available'", "I1"),
        ("UPDATE account SET kind = 'closing' WHERE kind = 'available'", "I9"),
    ],
)
async def test_what_was_tampered_with_is_found(database_url, sql, invariant):
    async with open_store(database_url) as store:
        await append(store, deposit())
        assert await broken(store) == set()
        await force(store, sql)
        assert invariant in await broken(store)


async def test_sixty_four_withdrawals_at_once_spend_only_what_is_there(store):
    await append(store, deposit(10_000))

    async def spend(number: int) -> bool:
        try:
            return await append(
                store, bookings.fill_pot(ANN, MONTH, msat(1000), "pot", str(number))
            )
        except InsufficientFunds:
            return False

    done = await asyncio.gather(*map(spend, range(64)))
    assert sum(done) == 10
    async with store.read() as tx:
        assert await journal.balance(tx, accounts.available(Asset.SAT, ANN)) == msat(0)
        assert await journal.balance(tx, accounts.pot(Asset.SAT, ANN, MONTH)) == msat(10_000)


async def test_a_payout_has_one_live_attempt(database_url):
    async with open_store(database_url) as store:
        first, second = attempt("01", 1), attempt("02", 2)
        await store_payout(store)
        await store_attempt(store, first)
        with pytest.raises(DBAPIError):
            await store_attempt(store, second)
        async with store.write() as tx:
            await attempts.move(tx, first, AttemptEvent.REFUSED)
        await store_attempt(store, second)


async def test_a_payment_hash_is_used_once(database_url):
    async with open_store(database_url) as store:
        first = attempt("01", 1)
        await store_payout(store)
        await store_attempt(store, first)
        async with store.write() as tx:
            await attempts.move(tx, first, AttemptEvent.REFUSED)
        again = replace(attempt("01", 2), id=attempt("02", 2).id)
        with pytest.raises(DBAPIError):
            await store_attempt(store, again)


async def test_a_state_is_left_once(database_url):
    async with open_store(database_url) as store:
        first = attempt("01", 1)
        await store_payout(store)
        await store_attempt(store, first)
        async with store.write() as tx:
            await attempts.move(tx, first, AttemptEvent.REFUSED)
        with pytest.raises(CorruptBooks):
            async with store.write() as tx:
                await attempts.move(tx, first, AttemptEvent.SETTLED)


async def test_a_lease_has_one_holder_and_the_old_one_learns_it(store):
    async with store.write() as tx:
        first = await leases.take(tx, "pay", "one", 0, 10)
        assert first is not None
        assert await leases.take(tx, "pay", "two", 9, 20) is None
        second = await leases.take(tx, "pay", "two", 10, 20)
        assert second is not None
        assert second.epoch == first.epoch + 1
    with pytest.raises(LeaseLost):
        async with store.write() as tx:
            await leases.renew(tx, first, 11, 30)


async def test_a_database_of_a_newer_node_is_refused(database_url):
    async with open_store(database_url) as store:
        await run(store, "UPDATE alembic_version SET version_num = 'zzzz'")
    with pytest.raises(ConfigError, match="newer"):
        async with open_store(database_url):
            pass


def payout() -> Payout:
    return Payout(withdrawal_id(ANN, "k"), PayoutKind.WITHDRAWAL, ANN, sats(5), sats(2), "a@b.test")


def attempt(reference: str, number: int) -> Attempt:
    named = PaymentHash(reference * 32)
    paid: PayoutId = payout().id
    return Attempt(
        attempt_id(paid, named), "lightning", number, (paid,), named, "lnbc", sats(5), sats(2),
        None, "me",
    )  # fmt: skip


async def store_payout(store: Store) -> None:
    async with store.write() as tx:
        await payouts.add(tx, [payout()], AT_US)


async def store_attempt(store: Store, one: Attempt) -> None:
    async with store.write() as tx:
        await attempts.add(tx, one, 1, AT_US)
