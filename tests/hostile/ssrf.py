"""Every way in (ssrf_vectors.py) at every door through which the node asks a stranger's host.

    python -m tests.hostile ssrf

The doors are what calls `wallet/fetch.py` in the code: a test compares this list with the syntax
tree, so that a new one can't be forgotten. Counted are the connections at listeners on the
machine's own addresses. Nothing leaves the machine: a connection to a public address is refused
where the socket would be connected.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from node.errors import NodeError
from tests.hostile.printed import table
from tests.hostile.ssrf_doors import DOORS, Door
from tests.hostile.ssrf_place import Place, open_place
from tests.hostile.ssrf_vectors import Vector, vectors

TIMES: Final = 3
"""Each vector is tried so often, for a DNS that answers otherwise the next time."""
Found = dict[str, tuple[int, list[str]]]


async def run(
    folder: Path,
    chosen: Sequence[Vector] | None = None,
    doors: Sequence[str] = tuple(DOORS),
    *,
    each: int = 1,
) -> Found:
    """(vectors, those that reached a canary) by door; of all vectors every so many-th."""
    found: Found = {}
    async with open_place(folder) as place:
        ways = chosen or vectors([host for host, _ in place.canaries.places])
        for number, name in enumerate(doors):
            mine = ways[number % each :: each]
            visited = [way.name for way in mine if await _reaches(place, DOORS[name], way)]
            found[name] = (len(mine), visited)
    return found


async def _reaches(place: Place, door: Door, vector: Vector) -> bool:
    before = len(place.canaries.visits)
    place.names.answers, place.names.turn = vector.answers, 0
    url = vector.url.replace("{port}", str(place.canaries.port))
    for _ in range(TIMES if len(vector.answers) > 1 else 1):
        with suppress(NodeError):
            await door(place, url, vector)
    return len(place.canaries.visits) > before


def printed(found: Found) -> str:
    """The table, and each way that led inside."""
    rows = [[name, number, len(visited)] for name, (number, visited) in found.items()]
    lines = [table(["door", "vectors", "reached a canary"], rows)]
    lines += [f"{name}: {way}" for name, (_, visited) in found.items() for way in visited[:20]]
    return "\n".join(lines)
