"""How long requests to the public server took, by kind: counted into buckets at each answer.

aiohttp tells each answer to an access logger, with its time. This is one: a look into a list for
each request, because clicks come by the thousand a second.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field
from typing import Any, Final

from aiohttp import web
from aiohttp.abc import AbstractAccessLogger

BUCKETS_S: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
"""Upper ends in seconds; a last bucket has what took longer."""
_CLICK: Final = "/api/v1/flattrs"
_API: Final = "/api/"
_CLICK_ENDS: Final = ("/flattrs", "/flattr", "/click")


@dataclass(slots=True)
class Series:
    """The requests of one kind and one class of status."""

    counts: list[int] = field(default_factory=lambda: [0] * (len(BUCKETS_S) + 1))
    sum_s: float = 0.0


class Latencies:
    """All series, by (kind, hundreds of the status): kind is click, api or page."""

    def __init__(self) -> None:
        self.series: dict[tuple[str, int], Series] = {}

    def note(self, method: str, path: str, status: int, seconds: float) -> None:
        """An answer was sent."""
        named = _kind(method, path), status // 100
        series = self.series.get(named)
        if series is None:
            series = self.series[named] = Series()
        series.counts[bisect_left(BUCKETS_S, seconds)] += 1
        series.sum_s += seconds


class AccessNotes(AbstractAccessLogger):
    """aiohttp's access logger; it writes no line. `logger` is the Latencies."""

    def __init__(self, logger: Any, log_format: str) -> None:
        super().__init__(logger, log_format)
        self._latencies: Latencies = logger

    def log(self, request: web.BaseRequest, response: web.StreamResponse, time: float) -> None:
        """An answer was sent."""
        self._latencies.note(request.method, request.raw_path, response.status, time)


def _kind(method: str, path: str) -> str:
    if path == _CLICK:
        return "click"
    path = path.partition("?")[0]
    if method in {"POST", "DELETE"} and path.endswith(_CLICK_ENDS):
        return "click"
    return "api" if path.startswith(_API) else "page"
