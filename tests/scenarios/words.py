"""The small words of a scenario: amounts, times, lists."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from node.money import Amount, msat, sats

_AMOUNT = re.compile(r"(?P<name>[\w: -]*?)\s*(?P<number>\d[\d_]*)\s*(?P<unit>sat|msat)")
_SPAN = re.compile(r"(\d+) (second|minute|hour|day)s?")


def names(text: str) -> list[str]:
    """`alice, bob` as a list."""
    return [name.strip() for name in text.split(",") if name.strip()]


def amount(text: str) -> Amount:
    """`9000 msat` or `9 sat`; `nothing`."""
    if text.strip() == "nothing":
        return msat(0)
    found = _AMOUNT.fullmatch(text.strip())
    if found is None or found["name"]:
        raise ValueError(f"{text!r} is no amount: write 9000 msat or 9 sat")
    return (sats if found["unit"] == "sat" else msat)(int(found["number"]))


def amounts(text: str) -> list[tuple[str, int]]:
    """`alice 9 sat, bob nothing` as (name, msat)."""
    pairs = []
    for part in names(text):
        name, _, rest = part.partition(" ")
        pairs.append((name, amount(rest).units))
    return pairs


def figures(text: str) -> dict[str, int]:
    """`pots 9 sat, readers 2` as msat and plain numbers by name."""
    found = {}
    for part in names(text):
        name, _, rest = part.partition(" ")
        found[name] = int(rest) if rest.isdigit() else amount(rest).units
    return found


def instant_s(text: str) -> int:
    """`2026-11-30 23:59:59`, UTC, as seconds since 1970."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


def span_s(text: str) -> float:
    """`31 seconds`, `3 days`."""
    found = _SPAN.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"{text!r} is no span of time")
    return timedelta(**{f"{found[2]}s": int(found[1])}).total_seconds()
