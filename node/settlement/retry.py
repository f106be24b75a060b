"""When a refused payout is tried again, and when a person must be asked.

One minute, doubling up to twelve hours, for seven days; then the payout is HELD with its money
safe. The times are pure functions of the number of tries, so a restart changes nothing.
"""

from __future__ import annotations

from typing import Final

FIRST_S: Final = 60
LONGEST_S: Final = 12 * 3600
GIVE_UP_AFTER_S: Final = 7 * 86_400


def backoff_s(tries: int) -> int:
    """Seconds to wait after so many refused tries (at least 1)."""
    return min(FIRST_S << min(tries - 1, 20), LONGEST_S)


def waited_s(tries: int) -> int:
    """Seconds waited in all after so many refused tries."""
    return sum(backoff_s(number) for number in range(1, tries + 1))


def gives_up(tries: int) -> bool:
    """Whether so many refused tries are enough."""
    return waited_s(tries) >= GIVE_UP_AFTER_S
