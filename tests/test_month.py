"""Months: UTC, half-open, and the same as the calendar's."""

from __future__ import annotations

import calendar
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.errors import BadMonth
from node.month import Month

months = st.builds(Month, st.integers(2010, 2998), st.integers(1, 12))


@given(months)
def test_a_month_is_as_long_as_the_calendar_says(month):
    days = calendar.monthrange(month.year, month.number)[1]
    assert month.ends_s - month.starts_s == days * 86_400
    assert month.starts_s == datetime(month.year, month.number, 1, tzinfo=UTC).timestamp()


@given(months)
def test_the_last_second_belongs_to_a_month_and_the_cutoff_to_the_next(month):
    assert Month.at(month.starts_s) == Month.at(month.ends_s - 1) == month
    assert Month.at(month.ends_s) == month.plus(1)


@given(months)
def test_a_month_is_read_as_it_is_written(month):
    assert Month.parse(str(month)) == Month.from_ordinal(month.ordinal) == month


@given(months, st.integers(-200, 200))
def test_months_count_on_and_back(month, step):
    if 2010 <= (month.ordinal + step) // 12 <= 2999:
        assert month.plus(step).plus(-step) == month
        assert (month.plus(step) > month) is (step > 0)


@pytest.mark.parametrize(
    "text",
    ["", "2026", "2026-13", "2026-00", "2026-1", "26-11", "2026-11-01", " 2026-11", "2026-11\n",
     "2026-١١", "1969-12", "9999-01"],
)  # fmt: skip
def test_what_is_no_month_is_refused(text):
    with pytest.raises(BadMonth):
        Month.parse(text)


def test_instants_outside_the_years_are_refused():
    for instant in (0, -1, 2**40):
        with pytest.raises(BadMonth):
            Month.at(instant)
