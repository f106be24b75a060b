"""Cells of CSV files, and numbers as other programs read them.

A text that begins like a formula is one to a spreadsheet, and titles are written by strangers: it
gets an apostrophe before it (OWASP, "CSV injection"). Numbers are ours, and stay as they are.
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

from node.money import Asset

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n")
PLACES: Final = {Asset.SAT: 3, Asset.USD: 6}
"""Decimal places of a sat in millisatoshi, and of a stablecoin unit."""


def text_cell(text: str) -> str:
    """A quoted cell that no spreadsheet runs."""
    safe = f"'{text}" if text.lstrip().startswith(_FORMULA) or text.startswith(_FORMULA) else text
    return '"' + safe.replace('"', '""') + '"'


def exact(units: int, asset: Asset) -> str:
    """Base units in sats or stablecoin units with all their places: `-1234` msat is `-1.234`."""
    return f"{Decimal(units).scaleb(-PLACES[asset]):.{PLACES[asset]}f}"


def with_comma(units: int, asset: Asset) -> str:
    """The same with a decimal comma."""
    return exact(units, asset).replace(".", ",")


def stamp(at_us: int) -> str:
    """A time as `2026-11-27T10:00:00Z`."""
    return datetime.fromtimestamp(at_us // 1_000_000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def day(at_us: int) -> str:
    """A day as `2026-11-27`."""
    return stamp(at_us)[:10]
