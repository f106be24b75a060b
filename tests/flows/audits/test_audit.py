"""The audit passes on clean books, with every figure, and finds what is broken with care.

One month is played on the simulated network: two deposits, a close, payouts by keysend and by
address, a withdrawal. The plain ways to break it are in `test_corruptions.py`.
"""

import asyncio
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
import pytest_asyncio

from node.errors import DatabaseAway
from node.flows import fund
from node.flows.audits import books
from node.flows.audits.audit import audit, stop_on_breach
from node.flows.audits.lines import State
from node.flows.close import result_digest
from node.flows.withdraw import withdraw
from node.ids import AttemptId, PaymentHash
from node.ledger import bookings
from node.money import Amount, Asset, sats
from node.settlement.month_split import THING_COLUMNS, pack, unpack
from node.store import closes, deposits, journal, listings
from tests.conftest import MONTH
from tests.flows.audits.played import open_copy, open_played_scene, play
from tests.simulation.scene import PAYER, READER, open_scene

ONE_LOOP = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def played(tmp_path_factory):
    async with open_played_scene(tmp_path_factory.mktemp("played")) as scene:
        yield scene


@pytest_asyncio.fixture(loop_scope="module")
async def copy(played, tmp_path):
    async with open_copy(played.node.store, tmp_path / "copy.sqlite") as store:
        yield store


def states(report):
    return {line.id for line in report.lines if line.state is State.BREACH}


@ONE_LOOP
async def test_clean_books_pass_with_every_figure(played):
    report = await audit(played.node.store, played.clock, played.node.lnd)
    assert report.result == "pass"
    assert [line.id for line in report.lines] == [
        "I1", "I2", "I3", "I5", "I6", "I7", "I9", "I9", "I10", "I11", "I12", "I13", "I13", "I14",
        "I15", "I16", "I17",
    ]  # fmt: skip
    figures = {line.law: line.figures for line in report.lines}
    assert "(exactly 10 %)" in figures[f"{MONTH} the split is exact and recomputed"]
    assert "5 / 5 hash to their payment; 5 SUCCEEDED in lnd" in figures["preimages"]
    assert "2 deposits, 95\u2009000 sat credited = 95\u2009000 sat" in figures["deposits"]
    assert not await stop_on_breach(played.node.store, played.clock, report)


@ONE_LOOP
async def test_without_lnd_it_says_what_was_not_checked(played):
    report = await audit(played.node.store, played.clock, None)
    assert (report.result, report.unchecked) == ("pass", ("I3", "I7", "I13"))
    assert "not compared with lnd" in next(x.figures for x in report.lines if x.id == "I6")


@pytest.mark.parametrize("fails", ["recompute", "_read"])
@ONE_LOOP
async def test_a_database_that_is_away_ends_both_halves_of_an_audit(played, monkeypatch, fails):
    async def away(*_: object) -> None:
        await asyncio.sleep(0)
        raise DatabaseAway("it is away")

    async def waits(*_: object) -> None:
        await asyncio.Event().wait()

    for half in ("recompute", "_read"):
        monkeypatch.setattr(books, half, away if half == fails else waits)
    before = asyncio.all_tasks()
    with pytest.raises(DatabaseAway, match="it is away"):
        await asyncio.wait_for(audit(played.node.store, played.clock, None), 30)
    assert asyncio.all_tasks() == before


@ONE_LOOP
async def test_a_deposit_that_nobody_paid_is_found(copy, played):
    """Forged with care: deposit, entry and balances agree, and only lnd has never seen it."""
    reader = played.creators[READER]
    async with copy.write() as tx:
        found = (await deposits.of_member(tx, reader, 1))[0]
        forged = replace(
            found, id="forged", payment_hash=PaymentHash("ab" * 32), payment_request=None
        )
        await deposits.add(tx, forged)
        assert await deposits.settle(tx, "forged", 1000, MONTH.ends_s + 100)
        entry = bookings.deposit(reader, Amount(1000), forged.payment_hash, None)
        await journal.append(tx, entry, played.clock.now_us())
    offline = await audit(copy, played.clock, None)
    assert offline.result == "pass", "the books alone can't know"
    assert states(await audit(copy, played.clock, played.node.lnd)) == {"I10"}


@ONE_LOOP
async def test_shares_that_were_moved_are_found_although_the_digest_fits(copy, played):
    async with copy.write() as tx:
        close = await closes.get(tx, MONTH, Asset.SAT)
        assert close is not None
        (blob,) = await closes.parts(tx, MONTH, Asset.SAT, "thing")
        rows = unpack(blob, len(THING_COLUMNS)).copy()
        rows[:2, 3] += np.array([1000, -1000])
        await tx.run("UPDATE close_part SET rows = :rows WHERE kind = 'thing'", rows=pack(rows))
        await closes.set_digest(tx, close, await result_digest(tx, close))
    assert states(await audit(copy, played.clock, played.node.lnd)) == {"I9"}


@ONE_LOOP
async def test_money_that_is_not_explained_is_a_breach(copy, played):
    async with copy.write() as tx:
        entry = bookings.unexplained(AttemptId("a"), Amount(5000), Amount(1000))
        await journal.append(tx, entry, played.clock.now_us())
    assert states(await audit(copy, played.clock, played.node.lnd)) == {"I13"}


async def test_it_passes_on_postgres_and_finds_there_too(tmp_path, clock, postgres_url):
    async with open_scene(tmp_path, clock, creators=2, database=postgres_url) as scene:
        await play(scene)
        node = scene.node
        assert (await audit(node.store, clock, node.lnd)).result == "pass"
        async with node.store.write() as tx:
            await tx.run("ALTER TABLE posting DISABLE TRIGGER USER")
            await tx.run("ALTER TABLE entry DISABLE TRIGGER USER")
            await tx.run("UPDATE entry SET at_us = at_us - 1 WHERE seq = 2")
            await tx.run("UPDATE attempt SET proof = 'x' WHERE number = 1")
            await tx.run("UPDATE flattr_month SET things = substring(things from 5)")
            await tx.run("UPDATE deposit SET paid_units = paid_units + 1 WHERE to_pot")
        report = await audit(node.store, clock, node.lnd)
        assert states(report) >= {"I6", "I9", "I10", "I11"}
        assert await stop_on_breach(node.store, clock, report)


async def test_payments_that_run_meanwhile_are_no_breach(tmp_path, clock):
    """The books and lnd are not read at one moment; nothing that moves between is an alarm."""
    async with open_scene(tmp_path, clock, creators=12, keysend=True) as scene:
        await scene.play()
        scene.network.faults.latency_s = 0.1
        node, results = scene.node, Counter[str]()

        async def pay():
            await scene.pay([1] * 50)
            await withdraw_all(scene)

        paying = asyncio.create_task(pay())
        while not paying.done():
            results[(await audit(node.store, clock, node.lnd)).result] += 1
        await paying
        assert set(results) == {"pass"}
        assert results.total() >= 3


async def withdraw_all(scene):
    """What is left goes out, so that liabilities come near to nothing."""
    node, reader = scene.node, scene.creators[READER]
    async with node.store.read() as tx:
        left = await listings.members(tx, Asset.SAT, 10)
    sat = left[0].available.units // 1000 - 20
    if sat > 0:
        request = scene.network.invoice(READER, sat * 1000)
        await withdraw(node.store, node.clock, node.rules, reader, request, None, "", frozenset())
        await scene.pay([1] * 50)


async def test_an_unknown_payment_and_missing_sats_are_breaches(tmp_path, clock):
    async with open_scene(tmp_path, clock, creators=1) as scene:
        await scene.play()
        node, network = scene.node, scene.network
        left_msat = network.balance_msat(PAYER) - 50_000_000
        await network.pay(PAYER, network.invoice(READER, left_msat // 1000 * 1000))
        report = await audit(node.store, clock, node.lnd)
        assert states(report) == {"I3", "I7"}
        words = {line.id: line.figures for line in report.lines}
        assert "are missing from the channels" in words["I3"]
        assert "flattr-node reconcile" in words["I7"]


async def test_what_lnd_never_finishes_is_a_warning(tmp_path, clock):
    async with open_scene(tmp_path, clock, creators=1) as scene:
        await scene.play()
        scene.network.faults.phantom.next_count = 1
        await scene.round()
        clock.advance(2 * 3600)
        await scene.round()
        report = await audit(scene.node.store, clock, scene.node.lnd)
        assert report.result == "warn"
        line = next(line for line in report.lines if line.id == "I12")
        assert "LIMBO 1" in line.figures
        assert not await stop_on_breach(scene.node.store, clock, report)


async def test_a_paid_deposit_that_is_not_credited_yet_is_a_warning(tmp_path, clock):
    async with open_scene(tmp_path, clock, creators=1) as scene:
        node, reader = scene.node, scene.creators[READER]
        asked = await fund.ask_deposit(node.funding, reader, sats(50), to_pot=False, key="")
        await scene.network.pay(READER, asked.payment_request or "")
        report = await audit(node.store, clock, node.lnd)
        assert report.result == "warn"
        await fund.catch_up(node.funding)
        assert (await audit(node.store, clock, node.lnd)).result == "pass"


async def test_lnd_that_is_away_is_said_and_stops_nothing(tmp_path, clock):
    async with open_scene(tmp_path, clock, creators=1) as scene:
        await scene.play()
        scene.network.faults.unreachable = {PAYER}
        report = await audit(scene.node.store, clock, scene.node.lnd)
        assert (report.result, report.unchecked) == ("pass", ("I3", "I7", "I13"))
        assert "can't be reached" in next(x.figures for x in report.lines if x.id == "I3")


async def test_a_close_that_stands_still_is_a_warning(tmp_path, clock):
    async with open_scene(tmp_path, clock, creators=1) as scene:
        await scene.play()
        async with scene.node.store.write() as tx:
            await tx.run("UPDATE close SET stage = 'frozen' WHERE month = :m", m=MONTH.ordinal)
        report = await audit(scene.node.store, clock, None)
        assert report.result == "warn"
        assert any("the close stands at frozen" in line.figures for line in report.lines)


async def test_a_payment_that_was_taken_out_of_lnds_list_is_a_warning(tmp_path, clock):
    """Made by another hand and deleted: neither the books nor lnd know of it, but the channel."""
    async with open_scene(tmp_path, clock, creators=1) as scene:
        await scene.play()
        network, node = scene.network, scene.node
        await network.pay(PAYER, network.invoice(READER, 40_000_000))
        payments = network._world.nodes[PAYER].payments
        del payments[next(reversed(payments))]
        report = await audit(node.store, clock, node.lnd)
        (line,) = [line for line in report.lines if line.law == "channels agree"]
        assert line.state is State.WARN
        assert "40\u2009001 sat were forwarded, or paid and taken out" in line.figures
