"""Things: made when they are first named, and claimed by who controls their page.

A claim is proved where the thing is (`proofs.py`). Pending flattrs of the last three months join
the split of the month of the claim (design.md §3.4). A thing that has an owner keeps it: no proof
takes it away. Whole sites are claimed in `sites.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from node.canonical import authority_of, canonical_url
from node.clock import Clock
from node.errors import BadInput, Conflict, Forbidden, NotFound
from node.flows.proofs import (
    Eyes,
    Seen,
    claim_line,
    found_in,
    judge,
    nostr_proof,
    read_places,
)
from node.ids import MemberId, ThingId
from node.store import identities, leaving, members, sites, things
from node.store.engine import Store, Tx
from node.store.things import Thing

TITLE_MAX: Final = 200


@dataclass(frozen=True, slots=True)
class Claiming:
    """What a claim needs. `node_url` is the node's public URL, which the lines name."""

    store: Store
    clock: Clock
    eyes: Eyes
    node_url: str


@dataclass(frozen=True, slots=True)
class Claimer:
    """Who claims: the line to place, and the Nostr keys that this member signs in with."""

    member: MemberId
    name: str
    line: str
    nostr_keys: tuple[str, ...]

    @property
    def proofs(self) -> frozenset[str]:
        """What counts when it is seen at a place."""
        return frozenset([self.line, *(nostr_proof(key, self.line) for key in self.nostr_keys)])


@dataclass(frozen=True, slots=True)
class ClaimResult:
    """What a claim saw. `proved_by` is where the proof was; None if it was nowhere."""

    thing: Thing
    proved_by: str | None
    seen: tuple[Seen, ...]


async def add_thing(store: Store, clock: Clock, url: str, title: str) -> Thing:
    """The thing of this URL, made if it is new: then its site's holder owns it.

    Raises BadUrl, BadInput.
    """
    canonical = canonical_url(url)
    title = " ".join(title.split())
    if len(title) > TITLE_MAX or not title.isprintable():
        raise BadInput(f"a title is at most {TITLE_MAX} printable characters")
    async with store.read() as tx:
        found = await things.by_url(tx, canonical)
    if found is not None:
        return found
    site = authority_of(canonical)
    async with store.write("thing.add") as tx:
        await sites.fence(tx, site, exclusive=False)
        thing = await things.add(tx, canonical, site, title, clock.now_us())
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


async def claim(claiming: Claiming, member: MemberId, thing: ThingId) -> ClaimResult:
    """Look for the member's proof, and make the member the owner if it is there.

    Raises NotFound, Conflict when it is owned by another, Forbidden for who is suspended.
    """
    wanted = await get_thing(claiming.store, thing)
    _demand_free(wanted, member)
    if wanted.owner == member:
        return ClaimResult(wanted, "claimed before", ())
    async with claiming.store.read() as tx:
        claimer = await demand_claimer(tx, claiming.node_url, member)
    readings = await read_places(claiming.eyes, wanted.url)
    seen = tuple(judge(reading, claimer.proofs) for reading in readings)
    if (proof := found_in(seen)) is None:
        return ClaimResult(wanted, None, seen)
    owned = await grant(claiming.store, claiming.clock, member, thing)
    return ClaimResult(owned, proof.place, seen)


async def grant(store: Store, clock: Clock, member: MemberId, thing: ThingId) -> Thing:
    """Make a member the owner, on the operator's word. Raises NotFound, Conflict."""
    async with store.write("thing.claim") as tx:
        if not await leaving.lock(tx, member):
            raise Conflict("this account is closed: it can own nothing")
        given = await things.claim(tx, thing, member, clock.now_us())
        found = await things.get(tx, thing)
    if found is None:
        raise NotFound(f"there is no thing {thing}")
    if not given:
        _demand_free(found, member)
    return found


async def claimer(claiming: Claiming, member: MemberId) -> Claimer:
    """A member as one who claims. Raises NotFound."""
    async with claiming.store.read() as tx:
        return await claimer_of(tx, claiming.node_url, member)


async def claimer_of(tx: Tx, node_url: str, member: MemberId) -> Claimer:
    """A member as one who claims. Raises NotFound."""
    found = await members.get(tx, member)
    if found is None:
        raise NotFound("there is no such member")
    line = claim_line(node_url, member, found.name)
    linked = await identities.of_member(tx, member)
    keys = tuple(one.key for one in linked if one.kind == "nostr")
    return Claimer(member, found.name, line, keys)


async def demand_claimer(tx: Tx, node_url: str, member: MemberId) -> Claimer:
    """The same, of a member who may claim. Raises Forbidden for who is suspended."""
    found = await members.get(tx, member)
    if found is not None and found.suspended_us is not None:
        raise Forbidden("your account is suspended: ask the operator")
    return await claimer_of(tx, node_url, member)


def _demand_free(thing: Thing, member: MemberId) -> None:
    if thing.owner not in {None, member}:
        raise Conflict("this thing has an owner: ask the operator if that is wrong")
