"""When a refused payout is tried again."""

from __future__ import annotations

import pytest

from node.settlement.retry import GIVE_UP_AFTER_S, LONGEST_S, backoff_s, gives_up, waited_s


@pytest.mark.parametrize(
    ("tries", "seconds"), [(1, 60), (2, 120), (3, 240), (10, 30_720), (11, 43_200), (500, 43_200)]
)
def test_a_minute_doubling_up_to_twelve_hours(tries, seconds):
    assert backoff_s(tries) == seconds


def test_the_wait_never_shrinks_and_has_a_limit():
    waits = [backoff_s(tries) for tries in range(1, 200)]
    assert waits == sorted(waits)
    assert max(waits) == LONGEST_S == 12 * 3600


@pytest.mark.parametrize(("tries", "seconds"), [(0, 0), (1, 60), (2, 180), (3, 420), (4, 900)])
def test_what_was_waited_is_the_sum_of_the_waits(tries, seconds):
    assert waited_s(tries) == seconds


def test_after_seven_days_a_person_is_asked():
    last = next(tries for tries in range(1, 1000) if gives_up(tries))
    assert waited_s(last - 1) < GIVE_UP_AFTER_S == 7 * 86_400 <= waited_s(last)
    assert all(gives_up(tries) for tries in range(last, last + 50))
