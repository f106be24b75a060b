"""Which payouts are tried in a round."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from node.ids import AttemptId, MemberId, PayoutId
from node.money import Amount, Asset, sats
from node.settlement.attempt import Attempt, AttemptState
from node.settlement.batch import HELD_AFTER_S, HELD_MAX, choose, room_left
from node.settlement.fees import payout_fee_limit
from node.settlement.payout import Payout, PayoutKind


def payout(name: str, member: int, sat: int, kind: PayoutKind = PayoutKind.CREATOR) -> Payout:
    amount = sats(sat)
    return Payout(PayoutId(name), kind, MemberId(member), amount, payout_fee_limit(amount), "x")


def names(chosen: tuple[Payout, ...]) -> list[str]:
    return [one.id for one in chosen]


due = st.lists(
    st.builds(
        payout, st.uuids().map(str), st.integers(1, 5), st.integers(1, 1000),
        st.sampled_from(PayoutKind),
    ),
    max_size=30,
)  # fmt: skip


def test_one_receiver_is_paid_once_at_a_time_and_the_oldest_first():
    waiting = [payout("a", 1, 5), payout("b", 1, 5), payout("c", 2, 5)]
    chosen = choose(waiting, busy=set(), places=10, spendable=sats(1000))
    assert names(chosen.chosen) == ["a", "c"]
    assert not chosen.short


def test_whoever_has_a_payout_in_flight_waits():
    busy = {(PayoutKind.CREATOR, MemberId(1))}
    chosen = choose([payout("a", 1, 5)], busy=busy, places=10, spendable=sats(1000))
    assert names(chosen.chosen) == []


def test_a_withdrawal_does_not_wait_for_a_creators_payout():
    busy = {(PayoutKind.CREATOR, MemberId(1))}
    waiting = [payout("w", 1, 5, PayoutKind.WITHDRAWAL)]
    assert names(choose(waiting, busy=busy, places=1, spendable=sats(9)).chosen) == ["w"]


def test_no_more_than_the_places():
    waiting = [payout(str(member), member, 1) for member in range(9)]
    chosen = choose(waiting, busy=set(), places=4, spendable=sats(1000))
    assert len(chosen.chosen) == 4


def test_the_fee_at_its_limit_must_fit_too():
    waiting = [payout("a", 1, 100)]
    assert choose(waiting, busy=set(), places=9, spendable=sats(101)).short == tuple(waiting)
    assert names(choose(waiting, busy=set(), places=9, spendable=sats(102)).chosen) == ["a"]


def test_what_does_not_fit_waits_with_words_and_smaller_ones_go():
    waiting = [payout("big", 1, 900), payout("small", 2, 10)]
    chosen = choose(waiting, busy=set(), places=9, spendable=sats(100))
    assert (names(chosen.chosen), names(chosen.short)) == (["small"], ["big"])
    assert "Add outbound liquidity" in chosen.short_words


def test_what_was_chosen_before_is_gone_and_the_words_say_what_is_left():
    waiting = [payout("a", 1, 40), payout("b", 2, 40), payout("c", 3, 40), payout("d", 4, 20)]
    chosen = choose(waiting, busy=set(), places=9, spendable=sats(100))
    assert (names(chosen.chosen), names(chosen.short)) == (["a", "b"], ["c", "d"])
    assert chosen.short_words == (
        "2 payouts wait: they need 64 sat with fees, and 16 sat of 100 sat can still be sent. "
        "Add outbound liquidity to the node."
    )


def test_the_words_are_in_the_rails_own_asset():
    dear = replace(
        payout("a", 1, 5), amount=Amount(5_000_000, Asset.USD), fee_limit=Amount(0, Asset.USD)
    )
    chosen = choose([dear], busy=set(), places=1, spendable=Amount(1_000_000, Asset.USD))
    assert "they need 5 usd with fees, and 1 usd of 1 usd" in chosen.short_words.replace(".00", "")
    assert choose([], busy=set(), places=1, spendable=sats(1)).short_words == ""


@given(due, st.integers(0, 10), st.integers(0, 5000))
def test_a_round_never_takes_more_than_there_is(waiting, places, spendable):
    chosen = choose(waiting, busy=set(), places=places, spendable=sats(spendable))
    costs = [one.amount.units + one.fee_limit.units for one in chosen.chosen]
    assert sum(costs) <= sats(spendable).units
    assert len(chosen.chosen) <= places
    receivers = [(one.kind, one.member) for one in chosen.chosen]
    assert len(set(receivers)) == len(receivers)
    assert [one for one in waiting if one in chosen.chosen] == list(chosen.chosen)
    assert isinstance(sum((one.amount for one in chosen.chosen), Amount(0)), Amount)


NOW_S = 1_800_000_000


def out(age_s: int | None, sat: int = 1, state: AttemptState = AttemptState.SENT) -> Attempt:
    sent_s = None if age_s is None else NOW_S - age_s
    return Attempt(
        AttemptId("a"), "lightning", 1, (PayoutId("p"),), "00", "lnsb", sats(sat), sats(0), None,
        "02", state, sent_s=sent_s,
    )  # fmt: skip


def places(live: list[Attempt], spendable_sat: int = 10_000) -> int:
    return room_left(live, NOW_S, 32, sats(spendable_sat)).places


def test_what_is_out_takes_a_place_and_what_is_held_gives_it_back():
    assert places([]) == 32
    assert places([out(HELD_AFTER_S - 1)] * 30 + [out(None)]) == 1
    assert places([out(HELD_AFTER_S - 1)] * 40) == 0
    assert places([out(HELD_AFTER_S)] * 40) == 32
    assert places([out(HELD_AFTER_S)] * 40 + [out(0)] * 31) == 1
    assert places([out(0, state=AttemptState.LIMBO)] * 40) == 32


def test_too_many_held_or_too_much_of_the_money_count_again():
    assert places([out(HELD_AFTER_S)] * HELD_MAX) == 32
    assert places([out(HELD_AFTER_S)] * (HELD_MAX + 1)) == 0
    assert places([out(HELD_AFTER_S, 25)] * 4, spendable_sat=400) == 32
    assert places([out(HELD_AFTER_S, 25)] * 4, spendable_sat=399) == 28


def test_who_holds_and_for_how_long_is_said():
    room = room_left([out(HELD_AFTER_S, 5), out(7200, 6), out(1)], NOW_S, 32, sats(1000))
    assert room.words == (
        "2 payouts are held by their receivers, 11 sat with fees, the oldest for 120 minutes"
    )
    assert room_left([out(1)], NOW_S, 32, sats(1000)).words == ""
