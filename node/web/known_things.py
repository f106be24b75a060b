"""Things that were asked for lately, by id and by the URL as it was written.

A click must not wait for the database to learn who owns a thing. An owner that another process has
recorded is seen within FRESH_S; until then that owner can click it, and the close, which asks the
database itself, does not count that.
"""

from __future__ import annotations

from functools import partial
from typing import Final

from node.clock import Clock
from node.errors import NotFound
from node.flows import claim
from node.flows.together import Together
from node.ids import ThingId
from node.store.engine import Store
from node.store.things import Thing

FRESH_S: Final = 600
KNOWN_MAX: Final = 50_000


class KnownThings:
    """The things that this process knows."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._by_id: dict[int, tuple[Thing, int]] = {}
        self._ids: dict[str, ThingId] = {}
        self._things = Together[ThingId, Thing](partial(claim.find_things, store))

    def known(self, thing: int) -> Thing | None:
        """The thing with this id, if it was read lately."""
        found = self._by_id.get(thing)
        return found[0] if found is not None and found[1] > self._clock.now_us() else None

    def known_url(self, text: str) -> Thing | None:
        """The thing that this text, exactly so written, has named lately."""
        thing = self._ids.get(text)
        return None if thing is None else self.known(thing)

    async def by_id(self, thing: int) -> Thing:
        """The thing with this id. Raises NotFound."""
        if (known := self.known(thing)) is not None:
            return known
        if (found := await self._things.get(ThingId(thing))) is None:
            raise NotFound(f"there is no thing {thing}")
        return self._keep(found)

    async def by_url(self, text: str) -> Thing:
        """The thing of a URL, made if it is new. Raises BadUrl."""
        if (id_ := self._ids.get(text)) is not None:
            return await self.by_id(id_)
        thing = self._keep(await claim.add_thing(self._store, self._clock, text, ""))
        if len(self._ids) >= KNOWN_MAX:
            del self._ids[next(iter(self._ids))]
        self._ids[text] = thing.id
        return thing

    def forget(self, thing: ThingId) -> None:
        """The thing has changed."""
        self._by_id.pop(thing, None)

    def forget_all(self) -> None:
        """Many things have changed."""
        self._by_id.clear()

    def _keep(self, thing: Thing) -> Thing:
        if len(self._by_id) >= KNOWN_MAX:
            del self._by_id[next(iter(self._by_id))]
        self._by_id[thing.id] = (thing, self._clock.now_us() + FRESH_S * 1_000_000)
        return thing
