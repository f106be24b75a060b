"""What all models share: strict reading, and the types that amounts, months and pages have.

Strict: unknown fields are refused, a whole number is no string, no float and no bool, and stays
within what both databases hold as msat. Text that is kept holds nothing that can't be seen.
"""

from __future__ import annotations

import unicodedata
from typing import Annotated, Final, Literal, TypeAlias

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from node.web.reading import ROW_ID_MAX

MSAT_MAX: Final = 2**63 - 1
USD_UNITS_MAX: Final = 10**15
"""The most that is asked for at once: a thousand million dollars."""
SAT_MAX: Final = MSAT_MAX // 1000
PAGE_MAX: Final = 200
PAGE_DEFAULT: Final = 50
DIGITS_MAX: Final = 16
MONTH_PATTERN: Final = r"^[0-9]{4}-(0[1-9]|1[0-2])$"


def _visible(text: str) -> str:
    if any(unicodedata.category(char) in {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"} for char in text):
        raise ValueError("it holds a character that can't be seen")
    return text


def digits(value: object) -> object:
    """A number in a query is decimal digits, and nothing else that int() would read."""
    if (
        isinstance(value, str)
        and value.isascii()
        and value.isdecimal()
        and len(value) <= DIGITS_MAX
    ):
        return int(value)
    return value


class Asked(BaseModel):
    """A request's body or query."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Told(BaseModel):
    """An answer."""

    model_config = ConfigDict(frozen=True)


class Page(Told):
    """A piece of a list. `next`: pass it as `after` to read on; null at the end."""

    next: str | None = Field(default=None, examples=["MTc5NDg3MzYwMDAwMDAwMDpkM2Iw"])


Msat = Annotated[int, Field(ge=0, le=MSAT_MAX)]
Units = Annotated[int, Field(ge=0, description="In base units: a dollar has 1000000.")]
AssetName: TypeAlias = Literal["sat", "usd"]
SatWanted = Annotated[int, Field(ge=1, le=SAT_MAX, examples=[5000])]
ThingNumber = Annotated[int, Field(ge=1, le=ROW_ID_MAX, examples=[7])]
ThingQuery = Annotated[int, BeforeValidator(digits), Field(ge=1, le=ROW_ID_MAX, examples=[7])]
UsdUnits = Annotated[int, Field(ge=0, le=USD_UNITS_MAX, examples=[5_000_000])]
UsdUnitsQuery = Annotated[int, BeforeValidator(digits), Field(ge=0, le=USD_UNITS_MAX)]
PlaceQuery = Annotated[int, BeforeValidator(digits), Field(ge=1, le=ROW_ID_MAX)]
"""How many rows of a list that does not change were seen."""
Limit = Annotated[
    int, BeforeValidator(digits), Field(ge=1, le=PAGE_MAX, description="How many at most.")
]
MonthText = Annotated[str, Field(pattern=MONTH_PATTERN, examples=["2026-11"])]
UrlText = Annotated[
    str, Field(min_length=1, max_length=8192, examples=["https://blog.example/2026/a-post"])
]
UrlQuery = Annotated[
    str, Field(min_length=1, max_length=4096, examples=["https://blog.example/2026/a-post"])
]
"""A URL within a URL: a request line has its limit, too."""
Label = Annotated[str, AfterValidator(_visible), Field(min_length=1, max_length=100)]
TimeS = Annotated[int, Field(description="Seconds since 1970, UTC.", examples=[1794873600])]


class PageQuery(Asked):
    """Which piece of a list."""

    after: str | None = Field(default=None, max_length=200, description="`next` of the last page.")
    limit: Limit = PAGE_DEFAULT
