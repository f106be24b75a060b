"""A stranger's JSON: one reading only, or none.

Python's parser takes the last of two equal keys, reads NaN and 1e400, and recurses as deep as it is
told. Two parsers that disagree on a text are how money is lost, so such a text is refused. So are
fractions: every number that this node reads from a stranger is a whole number of 64 bits.
"""

from __future__ import annotations

import json
import re
from typing import Final, NoReturn

from node.errors import FetchRefused
from node.money import UNITS_MAX

DEPTH_MAX: Final = 16
"""Objects and arrays within each other."""

_MARK: Final = re.compile(r'\\.|["\[\]{}]', re.DOTALL)
_DIGITS_MAX: Final = len(str(UNITS_MAX)) + 1


def read_object(text: str) -> dict[str, object]:
    """The JSON object in this text.

    Raises FetchRefused on anything else: another type, a key given twice, a fraction, NaN, a number
    beyond 64 bits, nesting deeper than DEPTH_MAX, half of a surrogate pair.
    """
    value = read_value(text)
    if not isinstance(value, dict):
        raise FetchRefused("the answer is JSON, but no object")
    return value


def read_value(text: str) -> object:
    """Any JSON value, by the same rules."""
    _check_depth(text)
    try:
        value: object = json.loads(
            text,
            parse_int=_whole,
            parse_float=_no_number,
            parse_constant=_no_number,
            object_pairs_hook=_unique,
        )
        json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise FetchRefused("the answer is not JSON") from error
    return value


def _check_depth(text: str) -> None:
    depth = 0
    quoted = False
    for mark in _MARK.finditer(text):
        sign = mark.group()
        if sign == '"':
            quoted = not quoted
        elif not quoted and sign in "[{":
            depth += 1
            if depth > DEPTH_MAX:
                raise FetchRefused(f"the answer is nested deeper than {DEPTH_MAX} levels")
        elif not quoted and sign in "]}":
            depth -= 1


def _whole(digits: str) -> int:
    if len(digits) > _DIGITS_MAX or abs(int(digits)) > UNITS_MAX:
        raise FetchRefused("the answer holds a number beyond 64 bits")
    return int(digits)


def _no_number(text: str) -> NoReturn:
    raise FetchRefused(f"the answer holds {text[:20]}, which is no whole number")


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise FetchRefused("the answer holds the same key twice")
    return found
