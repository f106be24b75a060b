"""`close` and `payouts`: a month by hand, from the dry run to the proof of each payment."""

from types import SimpleNamespace

import pytest

from node.cli.close import _demand_over
from node.config import Settings
from node.errors import ConfigError
from node.money import Asset
from node.settlement.payout import HeldReason, PayoutEvent, PayoutState
from node.store import closes, payouts
from tests.cli.conftest import OLD, folder_of, run
from tests.simulation.scene import READER


async def frozen_months(scene):
    async with scene.node.store.read() as tx:
        return [close.month for close in await closes.all_of(tx, Asset.SAT)]


async def test_a_dry_run_shows_the_month_and_stores_nothing(place):
    await place.fill()
    ended = await run("close", "--dry-run", "--month", OLD, *folder_of(place))
    assert ended.status == 0, ended
    assert "90\u2009000 sat of 1 readers" in ended.out
    assert "9\u2009000 sat" in ended.out
    for name in ("creator0", "creator1", "creator2"):
        assert name in ended.out
    assert await frozen_months(place) == []


async def test_a_dry_run_says_why_somebody_would_not_be_paid(place):
    await place.fill()
    assert (await run("suspend", "creator1", *folder_of(place))).status == 0
    ended = await run("close", "--dry-run", "--month", OLD, *folder_of(place))
    line = next(line for line in ended.out.splitlines() if line.startswith("creator0"))
    assert line.split()[-1] == "yes"
    line = next(line for line in ended.out.splitlines() if line.startswith("creator1"))
    assert "held: the member is suspended" in line


async def test_closing_needs_a_word_and_happens_once(place):
    await place.fill()
    asked = await run("close", "--month", OLD, *folder_of(place))
    assert "can't be undone: say --yes" in asked.one_sentence()
    early = await run("close", "--month", OLD, "--yes", *folder_of(place))
    assert "lnd's newest block is of 2024-02-01" in early.one_sentence()
    assert await frozen_months(place) == []
    place.clock.set(OLD.ends_s)
    ended = await run("close", "--month", OLD, "--yes", *folder_of(place))
    assert ended.status == 0, ended
    assert "90,000,000 msat" in ended.out
    assert "payouts due" in ended.out
    again = await run("close", "--month", OLD, "--yes", *folder_of(place))
    assert again.out == ended.out
    gone = await run("close", "--month", OLD, "--dry-run", *folder_of(place))
    assert "closed already" in gone.one_sentence()


async def test_a_local_network_may_be_closed_by_the_clock(place):
    await place.fill()
    ended = await run("close", "--month", OLD, "--yes", "--by-this-clock", *folder_of(place))
    assert ended.status == 0, ended
    assert await frozen_months(place) == [OLD]


async def test_no_other_network_is_closed_by_the_clock():
    node = SimpleNamespace(settings=Settings(network="signet"))
    with pytest.raises(ConfigError, match="regtest and simnet only"):
        await _demand_over(node, OLD, by_this_clock=True)


async def test_a_month_that_is_not_over_is_not_closed(place):
    ended = await run("close", "--month", "2999-01", "--yes", *folder_of(place))
    assert "is not over" in ended.one_sentence()


async def test_payouts_are_paid_and_listed_with_their_proof(place):
    await place.play()
    due = (await run("payouts", "--json", *folder_of(place))).json["payouts"]
    assert {one["state"] for one in due} == {"due"}
    ended = await run("payouts", "--run", *folder_of(place))
    assert ended.status == 0, ended
    assert "paid 4" in ended.err
    paid = (await run("payouts", "--state", "paid", "--json", *folder_of(place))).json["payouts"]
    assert {one["for"] for one in paid} == {"creator0", "creator1", "creator2", "operator"}
    assert all(one["proof"] and one["fee_msat"] is not None for one in paid)
    assert place.paid_twice() == []
    assert len(place.network.settled("creator0")) == 1
    assert "no payouts" in (await run("payouts", "--state", "due", *folder_of(place))).out


async def test_only_a_held_payout_is_retried(place):
    await place.play()
    (first, *_) = await place.payouts()
    async with place.node.store.write() as tx:
        await payouts.move(tx, first, PayoutEvent.HELD, reason=HeldReason.NO_ROUTE)
    listed = await run("payouts", "--state", "held", *folder_of(place))
    assert "held: no route was found for seven days" in listed.out
    assert (await run("payouts", "--retry", first.id, *folder_of(place))).status == 0
    async with place.node.store.read() as tx:
        again = await payouts.get(tx, first.id)
    assert again is not None
    assert (again.state, again.tries, again.next_try_s) == (PayoutState.DUE, 0, 0)
    await place.pay()
    refused = await run("payouts", "--retry", first.id, *folder_of(place))
    assert "is paid: only held ones" in refused.one_sentence()
    unknown = await run("payouts", "--retry", "none", *folder_of(place))
    assert "there is no payout none" in unknown.one_sentence()


async def test_a_payout_without_target_is_not_retried(place):
    await place.play()
    (first, *_) = await place.payouts()
    async with place.node.store.write() as tx:
        await payouts.move(tx, first, PayoutEvent.HELD, reason=HeldReason.NO_TARGET)
    refused = await run("payouts", "--retry", first.id, *folder_of(place))
    assert "no payout target is set" in refused.one_sentence()


async def test_two_payers_do_not_pay_at_once(place):
    await place.play()
    place.clock.set(4_000_000_000)
    await place.round()  # takes the lease until far in the future
    ended = await run("payouts", "--run", *folder_of(place))
    assert "another process" in ended.one_sentence()


async def test_members_are_listed_suspended_and_given_their_things(place):
    names = {
        one["name"] for one in (await run("members", "--json", *folder_of(place))).json["members"]
    }
    assert names == {READER, "creator0", "creator1", "creator2"}
    given = await run("claim", "https://Example.org/a?utm_source=x", "--member", "creator0",
                      *folder_of(place))  # fmt: skip
    assert "https://example.org/a is creator0's now" in given.out
    taken = await run("claim", "https://example.org/a", "--member", "creator1", *folder_of(place))
    assert "has an owner" in taken.one_sentence()
    await run("suspend", "creator0", *folder_of(place))
    assert "suspended" in (await run("members", *folder_of(place))).out
    await run("unsuspend", "creator0", *folder_of(place))
    assert "suspended" not in (await run("members", *folder_of(place))).out
    assert "no member bob" in (await run("suspend", "bob", *folder_of(place))).one_sentence()
    bad = await run("claim", "not a url", "--member", "creator0", *folder_of(place))
    assert bad.one_sentence()
