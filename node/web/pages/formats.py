"""How a template writes amounts, numbers and dates in one language.

    {{ amount|sat }}        1 234.567 sat, 2.50 USD (an Amount, or millisatoshi)
    {{ amount|bare }}       the same without the unit
    {{ amount|hint }}       ≈ €0.63, where the operator has set a rate, or nothing
    {{ count|number }}      1 234
    {{ at_s|date }}         Nov 27, 2026           seconds of UTC
    {{ at_s|datetime }}     Nov 27, 2026, 10:05 UTC
    {{ at_s|iso }}          2026-11-27T10:05:00Z, for <time datetime>
    {{ month|month }}       November 2026
    {{ seconds|duration }}  3 days
    {{ text|short }}        abcdef…uvwxyz

Thousands are parted by a narrow space that does not break, in every language.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from babel.dates import format_date, format_datetime, format_skeleton, format_timedelta
from babel.numbers import (
    format_compact_decimal,
    format_currency,
    format_decimal,
    get_group_symbol,
)
from babel.units import format_unit

from node.money import MSAT_PER_SAT, Amount, Asset
from node.month import Month
from node.web.pages.language import Language

NARROW: Final = "\u202f"
_UNITS: Final = {Asset.SAT: "sat", Asset.USD: "USD", Asset.ETH: "ETH"}
_PATTERNS: Final = {
    Asset.SAT: "#,##0.###", Asset.USD: "#,##0.00####", Asset.ETH: "#,##0.##########",
}  # fmt: skip
_SHORT_CHARS: Final = 10
_DAY_S: Final = 86_400
_SAT_PER_BITCOIN: Final = 100_000_000


def filters(language: Language, rate: tuple[str, int] = ("", 0)) -> dict[str, Callable[..., str]]:
    """The filters of one language, by name. `rate`: a currency, and what a bitcoin is in it."""
    written = Formats(language, rate)
    return {
        "sat": written.amount,
        "bare": written.bare,
        "hint": written.hint,
        "number": written.number,
        "date": written.date,
        "datetime": written.datetime,
        "month": written.month,
        "duration": written.duration,
        "iso": iso,
        "short": short,
    }


class Formats:
    """The same for Python."""

    def __init__(self, language: Language, rate: tuple[str, int] = ("", 0)) -> None:
        self._currency, self._per_bitcoin = rate
        self._locale = language.locale
        self._group = get_group_symbol(language.locale)

    def amount(self, amount: Amount | int) -> str:
        """With its unit."""
        known = amount if isinstance(amount, Amount) else Amount(amount)
        return f"{self.bare(known)}{NARROW}{_UNITS[known.asset]}"

    def bare(self, amount: Amount | int) -> str:
        """Without it."""
        known = amount if isinstance(amount, Amount) else Amount(amount)
        coins = Decimal(known.units) / known.asset.units_per_coin
        return self._spaced(coins, _PATTERNS[known.asset])

    def hint(self, amount: Amount) -> str:
        """About how much that is in the operator's currency; empty without a rate."""
        if not self._currency or not self._per_bitcoin or amount.asset is not Asset.SAT:
            return ""
        worth = Decimal(amount.units) * self._per_bitcoin / (_SAT_PER_BITCOIN * MSAT_PER_SAT)
        text = format_currency(worth, self._currency, locale=self._locale)
        return "≈" + NARROW + str(text)

    def number(self, number: int) -> str:
        """A whole number."""
        return self._spaced(number, "#,##0")

    def percent(self, bps: int) -> str:
        """Hundredths of a percent, as percent, without the sign."""
        return self._spaced(Decimal(bps) / 100, "#,##0.##")

    def date(self, at_s: int) -> str:
        """A day."""
        return str(format_date(_utc(at_s), "medium", locale=self._locale))

    def datetime(self, at_s: int) -> str:
        """A minute."""
        day, time = self.date(at_s), format_datetime(_utc(at_s), "HH:mm", locale=self._locale)
        return f"{day}, {time} UTC"

    def month(self, month: Month) -> str:
        """A month."""
        return str(format_skeleton("yMMMM", _utc(month.starts_s), locale=self._locale))

    def short_month(self, month: Month) -> str:
        """A month, for the axis of a chart."""
        return str(format_skeleton("MMM", _utc(month.starts_s), locale=self._locale))

    def compact(self, amount: Amount) -> str:
        """A rough amount without its unit, for a bar of a chart."""
        coins = Decimal(amount.units) / amount.asset.units_per_coin
        return str(format_compact_decimal(coins, locale=self._locale, fraction_digits=1))

    def duration(self, seconds: int) -> str:
        """About how long: in days, if it is more than one."""
        if (days := seconds // _DAY_S) > 1:
            return str(format_unit(days, "duration-day", locale=self._locale))
        return str(format_timedelta(timedelta(seconds=seconds), threshold=2, locale=self._locale))

    def _spaced(self, number: Any, pattern: str) -> str:
        text = format_decimal(number, pattern, locale=self._locale)
        return str(text).replace(self._group, NARROW)


def iso(at_s: int) -> str:
    """For machines."""
    return _utc(at_s).strftime("%Y-%m-%dT%H:%M:%SZ")


def short(text: str, chars: int = _SHORT_CHARS) -> str:
    """Both ends of a long text."""
    return text if len(text) <= 2 * chars + 1 else f"{text[:chars]}…{text[-chars:]}"


def _utc(at_s: int) -> datetime:
    return datetime.fromtimestamp(at_s, UTC)
