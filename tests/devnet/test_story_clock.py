"""The demo's time: last month, forward only, and back in the present when told."""

import pytest

from node.clock import ManualClock, now_s
from node.devnet.story_clock import StoryClock
from node.month import Month

NOW = Month(2026, 11).starts_s + 10 * 86_400


@pytest.fixture
def machine() -> ManualClock:
    return ManualClock(NOW)


def test_the_story_begins_in_the_month_that_is_over(machine: ManualClock) -> None:
    clock = StoryClock(machine)
    assert clock.month == Month(2026, 10) == Month.at(now_s(clock))
    machine.advance(5)
    assert now_s(clock) == Month(2026, 10).starts_s + 9 * 3600 + 5


def test_no_skip_leaves_the_month_or_goes_back(machine: ManualClock) -> None:
    clock = StoryClock(machine)
    for seconds in (86_400, 40 * 86_400, -86_400, 1):
        before = now_s(clock)
        clock.skip(seconds)
        assert before <= now_s(clock) < clock.month.ends_s


def test_it_comes_back_to_the_machines_time(machine: ManualClock) -> None:
    clock = StoryClock(machine)
    clock.skip(86_400)
    clock.come_back()
    assert now_s(clock) == NOW
    machine.advance(7)
    assert now_s(clock) == NOW + 7


def test_the_first_second_of_a_month_is_soon_enough() -> None:
    clock = StoryClock(ManualClock(Month(2027, 1).starts_s))
    assert clock.month == Month(2026, 12)
    before = now_s(clock)
    clock.come_back()
    assert before < clock.month.ends_s <= now_s(clock)
