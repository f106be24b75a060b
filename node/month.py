"""A UTC calendar month, half-open: it begins with its first instant and ends before the next's.

A month is a value of two numbers. It orders, counts and prints; it reads no clock. Times are
seconds since 1970 in UTC, as integers of microseconds where a click's order matters.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from node.errors import BadMonth

_TEXT: Final = re.compile(r"([0-9]{4})-(0[1-9]|1[0-2])", re.ASCII)
_YEAR_MIN, _YEAR_MAX = 2010, 2999


@dataclass(frozen=True, slots=True, order=True)
class Month:
    """For example Month(2026, 11), printed `2026-11`."""

    year: int
    number: int

    def __post_init__(self) -> None:
        if not (_YEAR_MIN <= self.year <= _YEAR_MAX and 1 <= self.number <= 12):  # noqa: PLR2004  months
            raise BadMonth(f"{self.year}-{self.number} is no month of {_YEAR_MIN} to {_YEAR_MAX}")

    def __str__(self) -> str:
        return f"{self.year:04d}-{self.number:02d}"

    @classmethod
    def parse(cls, text: str) -> Month:
        """Read `2026-11`. Raises BadMonth."""
        if not (found := _TEXT.fullmatch(text)):
            raise BadMonth(f"{text!r} is no month: write it like 2026-11")
        return cls(int(found[1]), int(found[2]))

    @classmethod
    def from_ordinal(cls, ordinal: int) -> Month:
        """The inverse of `ordinal`."""
        year, number = divmod(ordinal, 12)
        return cls(year, number + 1)

    @classmethod
    def at(cls, unix_s: int) -> Month:
        """The month that holds this instant."""
        year, number, _ = _civil_from_days(unix_s // 86_400)
        return cls(year, number)

    @property
    def ordinal(self) -> int:
        """Months since year 0: what the database stores and orders by."""
        return self.year * 12 + self.number - 1

    @property
    def starts_s(self) -> int:
        """The first second of the month, since 1970."""
        return _days_from_civil(self.year, self.number) * 86_400

    @property
    def ends_s(self) -> int:
        """The cutoff: the first second that no longer belongs to the month."""
        return self.plus(1).starts_s

    def plus(self, months: int) -> Month:
        """So many months later (or earlier, if negative)."""
        return Month.from_ordinal(self.ordinal + months)


def _days_from_civil(year: int, number: int) -> int:
    """Days from 1970-01-01 to the first of the month, in the proleptic Gregorian calendar.

    Years begin in March here, so that the leap day is the last of its year.
    """
    shifted = year - (number <= 2)  # noqa: PLR2004  January and February close the year
    era, year_of_era = divmod(shifted, 400)
    day_of_year = (153 * ((number + 9) % 12) + 2) // 5
    day_of_era = year_of_era * 365 + year_of_era // 4 - year_of_era // 100 + day_of_year
    return era * 146_097 + day_of_era - 719_468


def _civil_from_days(days: int) -> tuple[int, int, int]:
    """(year, month, day) of a day count since 1970-01-01: the inverse of the above."""
    era, day_of_era = divmod(days + 719_468, 146_097)
    year_of_era = (
        day_of_era - day_of_era // 1460 + day_of_era // 36_524 - day_of_era // 146_096
    ) // 365
    day_of_year = day_of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    shifted = (5 * day_of_year + 2) // 153
    day = day_of_year - (153 * shifted + 2) // 5 + 1
    number = (shifted + 2) % 12 + 1
    return year_of_era + era * 400 + (number <= 2), number, day  # noqa: PLR2004  as above
