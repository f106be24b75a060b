"""Where the next page of a list begins: opaque text, which names the last row that was seen."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Sequence
from typing import Final

from node.errors import BadInput
from node.store.engine import NEWEST

_PLACE: Final = re.compile(r"([0-9]{1,19}):([!-~]{1,120})", re.ASCII)


def after(places: Sequence[tuple[int, str]], limit: int) -> str | None:
    """The cursor after the last of these rows (microseconds, id); None if it was no full page."""
    if len(places) < limit:
        return None
    at_us, row = places[-1]
    return base64.urlsafe_b64encode(f"{at_us}:{row}".encode()).decode()


def read(text: str | None) -> tuple[int, str]:
    """Where a page begins; without a cursor, before the newest row. Raises BadInput."""
    if text is None:
        return NEWEST
    try:
        place = base64.b64decode(text.encode(), altchars=b"-_", validate=True).decode("ascii")
    except (binascii.Error, ValueError) as error:
        raise BadInput("`after` is the `next` of the page before, as it was given") from error
    found = _PLACE.fullmatch(place)
    if found is None or int(found[1]) > NEWEST[0]:
        raise BadInput("`after` is the `next` of the page before, as it was given")
    return int(found[1]), found[2]
