"""Things: made when they are first named, and claimed by who controls their page.

A claim is proved where the thing is: by a line in `/.well-known/flattr-node.txt` of its host, or by
a meta tag on the page itself. The line names the member, so that nobody can claim with a proof that
another has put there. Pending flattrs of the last three months join the split of the month of the
claim (design.md §3.4).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from node.canonical import canonical_url
from node.clock import Clock
from node.errors import BadInput, Conflict, FetchRefused, NotFound
from node.ids import MemberId, ThingId, derive
from node.store import members, things
from node.store.engine import Store
from node.store.things import Thing
from node.wallet.fetch import Fetcher

TITLE_MAX: Final = 200
PAGE_BYTES_MAX: Final = 512 * 1024
WELL_KNOWN: Final = "/.well-known/flattr-node.txt"
_META: Final = re.compile(
    r"""<meta\s+name=["']flattr-node["']\s+content=["']([^"']{1,200})["']""", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class ClaimResult:
    """What a claim saw. `proved_by` is where the proof was; None if it was nowhere."""

    thing: Thing
    proved_by: str | None
    saw: tuple[str, ...]


def claim_line(member: MemberId, name: str) -> str:
    """What the owner puts on the site, the same for all of a member's claims."""
    return f"flattr-node={name}:{derive('claim', member, name)}"


async def add_thing(store: Store, clock: Clock, url: str, title: str) -> Thing:
    """The thing of this URL, made if it is new. Raises BadUrl, BadInput."""
    canonical = canonical_url(url)
    title = " ".join(title.split())
    if len(title) > TITLE_MAX or not title.isprintable():
        raise BadInput(f"a title is at most {TITLE_MAX} printable characters")
    async with store.read() as tx:
        found = await things.by_url(tx, canonical)
    if found is not None:
        return found
    async with store.write() as tx:
        thing = await things.add(tx, canonical, title, clock.now_us())
        made = await things.get(tx, thing)
    assert made is not None, "it was added above"
    return made


async def get_thing(store: Store, thing: ThingId) -> Thing:
    """The thing with this id. Raises NotFound."""
    if (found := (await find_things(store, [thing])).get(thing)) is None:
        raise NotFound(f"there is no thing {thing}")
    return found


async def find_things(store: Store, ids: Sequence[ThingId]) -> dict[ThingId, Thing]:
    """The things with these ids that there are, by id."""
    async with store.read() as tx:
        return await things.many(tx, ids)


async def claim(
    store: Store, clock: Clock, fetcher: Fetcher, member: MemberId, thing: ThingId
) -> ClaimResult:
    """Look for the member's line, and make the member the owner if it is there.

    Raises NotFound, Conflict when it is owned by another.
    """
    wanted = await get_thing(store, thing)
    _demand_free(wanted, member)
    if wanted.owner == member:
        return ClaimResult(wanted, "claimed before", ())
    async with store.read() as tx:
        claimer = await members.get(tx, member)
    assert claimer is not None, "a token's member exists"
    proved_by, saw = await _look(fetcher, wanted.url, claim_line(member, claimer.name))
    if proved_by is None:
        return ClaimResult(wanted, None, saw)
    return ClaimResult(await grant(store, clock, member, thing), proved_by, saw)


async def grant(store: Store, clock: Clock, member: MemberId, thing: ThingId) -> Thing:
    """Make a member the owner, on the operator's word. Raises NotFound, Conflict."""
    async with store.write() as tx:
        given = await things.claim(tx, thing, member, clock.now_us())
        found = await things.get(tx, thing)
    if found is None:
        raise NotFound(f"there is no thing {thing}")
    if not given:
        _demand_free(found, member)
    return found


async def _look(fetcher: Fetcher, url: str, line: str) -> tuple[str | None, tuple[str, ...]]:
    parts = urlsplit(url)
    well_known = f"{parts.scheme}://{parts.netloc}{WELL_KNOWN}"
    saw = []
    for place in (well_known, url):
        try:
            text = await fetcher.get_text(place, limit_bytes=PAGE_BYTES_MAX)
        except FetchRefused as error:
            saw.append(f"{place}: {error}")
            continue
        lines = {found.strip() for found in (*text.splitlines(), *_META.findall(text))}
        if line in lines:
            return place, (*saw, f"{place}: found")
        saw.append(f"{place}: answered, without the line")
    return None, tuple(saw)


def _demand_free(thing: Thing, member: MemberId) -> None:
    if thing.owner not in {None, member}:
        raise Conflict("this thing has an owner: ask the operator if that is wrong")
