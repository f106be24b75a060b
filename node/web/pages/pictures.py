"""Pictures that the server draws: a QR code, and bars with a label each. Both are inline SVG."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import segno
from markupsafe import Markup

BAR_WIDTH: Final = 36
BAR_GAP: Final = 12
HEIGHT: Final = 120


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar of a chart, ready to be drawn; lengths in the chart's own units."""

    label: str
    text: str
    x: int
    y: int
    height: int

    @property
    def middle(self) -> int:
        """Where its label stands."""
        return self.x + BAR_WIDTH // 2


@dataclass(frozen=True, slots=True)
class Chart:
    """Bars side by side; `macros/chart.html` draws them."""

    bars: tuple[Bar, ...]

    @property
    def width(self) -> int:
        """Of the whole chart."""
        return len(self.bars) * (BAR_WIDTH + BAR_GAP)


def chart(points: Sequence[tuple[str, int, str]]) -> Chart:
    """Bars of (label, value, what the value is in words); the largest is as high as the chart."""
    largest = max((value for _, value, _ in points), default=0) or 1
    bars = []
    for place, (label, value, text) in enumerate(points):
        height = max(HEIGHT * value // largest, 1 if value else 0)
        x = place * (BAR_WIDTH + BAR_GAP) + BAR_GAP // 2
        bars.append(Bar(label, text, x, HEIGHT - height, height))
    return Chart(tuple(bars))


def qr(text: str) -> Markup:
    """A QR code of the text; letters of bech32 are best upper-case, which makes it smaller."""
    code = segno.make(text, error="l", boost_error=False, micro=False, mask=0)
    out = io.BytesIO()
    code.save(
        out, kind="svg", xmldecl=False, svgns=True, omitsize=True, border=3, dark="#000",
        light="#fff", svgclass="qr", lineclass=None, nl=False,
    )  # fmt: skip
    return Markup(out.getvalue().decode())  # noqa: S704  segno draws modules, no text
