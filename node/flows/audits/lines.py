"""What an audit says: a line for each invariant, and the whole."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from node.money import Asset, format_units
from node.store.checks import Breach


class State(StrEnum):
    """How an invariant stands."""

    OK = "ok"
    WARN = "warn"
    BREACH = "breach"
    UNCHECKED = "unchecked"
    """The other side could not be asked."""


@dataclass(frozen=True, slots=True)
class Line:
    """One invariant, by its name in docs/verify.md, and the figures behind it."""

    id: str
    law: str
    state: State
    figures: str


@dataclass(frozen=True, slots=True)
class Report:
    """A whole audit. `head`: of what, and when."""

    head: str
    lines: tuple[Line, ...]

    @property
    def result(self) -> str:
        """`breach` if any line is; else `warn` if any is a warning; else `pass`."""
        states = {line.state for line in self.lines}
        if State.BREACH in states:
            return "breach"
        return "warn" if State.WARN in states else "pass"

    @property
    def unchecked(self) -> tuple[str, ...]:
        """The invariants that were not checked."""
        return tuple(line.id for line in self.lines if line.state is State.UNCHECKED)


TROUBLES_SHOWN: Final = 3


def judge(
    number: str, law: str, figures: str, broken: Sequence[str], warnings: Sequence[str] = ()
) -> Line:
    """A line out of its figures and what was found: breaches, then warnings, in words."""
    if broken:
        return Line(number, law, State.BREACH, f"{_some(broken)} ({figures})")
    if warnings:
        return Line(number, law, State.WARN, f"{figures}; {_some(warnings)}")
    return Line(number, law, State.OK, figures)


def unchecked(number: str, law: str, why: str) -> Line:
    """A line that could not be compared."""
    return Line(number, law, State.UNCHECKED, f"not checked: {why}")


def words_of(breaches: Iterable[Breach], number: str) -> list[str]:
    """The broken laws of one invariant, in words, with the first rows that break each."""
    return [f"{one.law}: {'; '.join(one.rows)}" for one in breaches if one.invariant == number]


def sat(units: int) -> str:
    """Base units of bitcoin in sats, for people; negative ones, too."""
    sign = "-" if units < 0 else ""
    return f"{sign}{format_units(abs(units), Asset.SAT)} sat"


def coins(units: int, asset: Asset) -> str:
    """Base units of any asset, for people, with the asset's name; negative ones, too."""
    sign = "-" if units < 0 else ""
    return f"{sign}{format_units(abs(units), asset)} {asset}"


def count(number: int) -> str:
    """A whole number with thin-spaced thousands."""
    return f"{number:,}".replace(",", "\u2009")


def _some(words: Sequence[str]) -> str:
    shown = "; ".join(words[:TROUBLES_SHOWN])
    more = len(words) - TROUBLES_SHOWN
    return f"{shown}; and {more} more" if more > 0 else shown
