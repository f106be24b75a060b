"""The badge: how often a thing was flattred, as a picture of 20 pixels' height.

Nothing in it asks for anything: no script, no font, no picture. The colours follow the reader's
scheme. Widths are fixed by `textLength`, so that every font gives the same picture.
"""

from __future__ import annotations

from typing import Final
from xml.sax.saxutils import escape, quoteattr

HEIGHT: Final = 20
WORD: Final = "flattr"
WORD_WIDTH: Final = 29
LEFT_WIDTH: Final = 56
RIGHT_WIDTH_MIN: Final = 22
THOUSAND: Final = 1000
EXACT_BELOW: Final = 10_000
WITHOUT_TENTHS: Final = 100
_GLYPH_WIDTHS: Final = {".": 4.0, "k": 6.2, "M": 9.0}
_DIGIT_WIDTH: Final = 7.0
_RING: Final = (
    '<circle class="{name}" cx="12" cy="10" r="4.4" fill="none" stroke-width="2.6" pathLength="6"'
    ' stroke-dasharray="{dashes}" transform="rotate(-84 12 10)"/>'
)
_MARK: Final = _RING.format(name="o", dashes=".8 .2") + _RING.format(name="p", dashes=".8 5.2")
_STYLE: Final = (
    ".l{fill:#0b6b4f}.r{fill:#e0f1e9}.w{fill:#fff}.n{fill:#07513b}.o{stroke:#fff}.p{stroke:#ffc24b}"
    "@media(prefers-color-scheme:dark){.r{fill:#153226}.n{fill:#a9ecce}}"
)


def draw_badge(flattrs: int, title: str) -> str:
    """The SVG for a count and a thing's title, which may be empty."""
    number = short_number(flattrs)
    wide, width = _text_width(number), badge_width(flattrs)
    words = f"{flattrs} flattr{'' if flattrs == 1 else 's'}" + (f": {title}" if title else "")
    middle = LEFT_WIDTH + (width - LEFT_WIDTH) / 2
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{HEIGHT}"'
        f' viewBox="0 0 {width} {HEIGHT}" role="img" aria-label={quoteattr(words)}>'
        f"<title>{escape(words)}</title><style>{_STYLE}</style>"
        f'<clipPath id="c"><rect width="{width}" height="{HEIGHT}" rx="5"/></clipPath>'
        f'<g clip-path="url(#c)"><path class="r" d="M0 0h{width}v{HEIGHT}H0z"/>'
        f'<path class="l" d="M0 0h{LEFT_WIDTH}v{HEIGHT}H0z"/></g>'
        f"{_MARK}"
        '<g font-family="Verdana,DejaVu Sans,Geneva,sans-serif" font-size="11">'
        f'<text class="w" x="21" y="14" textLength="{WORD_WIDTH}">{WORD}</text>'
        f'<text class="n" x="{middle:g}" y="14" text-anchor="middle" textLength="{wide:g}">'
        f"{number}</text></g></svg>"
    )


def badge_width(flattrs: int) -> int:
    """How wide the badge for a count is, in pixels."""
    return LEFT_WIDTH + max(RIGHT_WIDTH_MIN, round(_text_width(short_number(flattrs))) + 14)


def short_number(number: int) -> str:
    """9999, 12.3k, 4.5M, rounded down."""
    if number < EXACT_BELOW:
        return str(number)
    unit, size = ("k", THOUSAND) if number < THOUSAND**2 else ("M", THOUSAND**2)
    whole, rest = divmod(number, size)
    if whole >= WITHOUT_TENTHS:
        return f"{whole}{unit}"
    return f"{whole}.{rest * 10 // size}{unit}"


def _text_width(number: str) -> float:
    """In pixels, at the size that the badge is written in."""
    return round(sum(_GLYPH_WIDTHS.get(char, _DIGIT_WIDTH) for char in number), 1)
