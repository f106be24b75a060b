"""Time is handed in, and never runs backwards."""

from __future__ import annotations

import time

from node.clock import ManualClock, SystemClock, now_s, this_month
from node.month import Month


def test_the_machines_clock_never_runs_backwards(monkeypatch):
    readings = iter([5_000_000, 3_000_000, 6_000_000])
    monkeypatch.setattr(time, "time_ns", lambda: next(readings))
    clock = SystemClock()
    assert [clock.now_us() for _ in range(3)] == [5000, 5000, 6000]


def test_a_manual_clock_stands_until_it_is_moved():
    clock = ManualClock(100)
    assert clock.now_us() == clock.now_us() == 100_000_000
    clock.advance(0.25)
    assert clock.now_us() == 100_250_000
    assert now_s(clock) == 100


def test_a_manual_clock_is_never_put_back():
    clock = ManualClock(100)
    clock.set(99)
    assert now_s(clock) == 100
    clock.set(101)
    assert now_s(clock) == 101


async def test_sleeping_on_a_manual_clock_takes_its_time():
    clock = ManualClock(100)
    await clock.sleep(3600)
    assert now_s(clock) == 3700


def test_this_month_changes_at_the_cutoff():
    month = Month(2026, 11)
    clock = ManualClock(month.ends_s - 1)
    assert this_month(clock) == month
    clock.advance(1)
    assert this_month(clock) == month.plus(1)
