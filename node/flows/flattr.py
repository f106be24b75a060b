"""One click: waits in a group, and is answered when its group is on disk.

There is no timer. A group is being written while the next one fills, so a lone click is written at
once, and under load hundreds share one commit. All clicks of a group wait for one future. Where the
database has several writers, a group that has become large does not wait for the one before it: two
clicks of which neither waited for the other's answer have no order.

A click is idempotent by (member, thing, month): flattring twice is flattring once. With an
Idempotency-Key it is idempotent in time as well: a repetition answers what the first one answered
and changes nothing, even if an undo came between. Keys are remembered here at once, and with the
click on disk; folding (`flows/fold.py`) drops repetitions that another process could not see.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Final

import structlog

from node.clock import Clock, now_s, this_month
from node.errors import BadMonth, Busy, Conflict, KeyReused
from node.flows.together import Together
from node.ids import MemberId, ThingId
from node.month import Month
from node.settlement.fold import FLATTR, UNDO
from node.store import flattrs, inbox
from node.store.click_socket import ClickSocket, open_click_server, open_socket_writer
from node.store.click_writer import ClickWriter, open_click_writers, open_sqlite_writer
from node.store.engine import Store
from node.store.inbox import ClickRow
from node.store.things import Thing

WAITING_MAX: Final = 16_384
WORTH_A_COMMIT: Final = 32
"""So many clicks are written beside a group under way, if a writer is free."""
KEYS_MAX: Final = 200_000
TROUBLE_S: Final = 10
"""So long clicks that could not be written are told of, if nobody clicks after that."""
_DIGEST_BYTES: Final = 16

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Clicked:
    """A click that is on disk."""

    thing: ThingId
    month: Month
    flattred: bool


class _Written(asyncio.Future[Month]):
    """The month that a group of clicks was written in.

    Hundreds wait for one, so a waiter that goes away must not end it for the others. A shield for
    each waiter would say the same and costs a twelfth of the whole click.
    """

    def cancel(self, msg: object = None) -> bool:
        """Refuse: who is cancelled ends when the group is written, a commit later."""
        del msg
        return False


class _Group:
    """Clicks that are written together, and the one future that they wait for."""

    __slots__ = ("done", "rows")

    def __init__(self) -> None:
        self.rows: list[ClickRow] = []
        self.done = _Written()


class Clicks:
    """The groups. Clicks are added on the event loop; one task for each writer writes."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self.store = store
        self.clock = clock
        self._filling = _Group()
        self._writing = 0
        self._some = asyncio.Event()
        self._keys: OrderedDict[tuple[MemberId, bytes], tuple[bytes, asyncio.Future[Month]]]
        self._keys = OrderedDict()
        self._folded = Together[tuple[MemberId, bytes], tuple[bytes, Month]](self._find_folded)
        self._on_disk = Together[tuple[MemberId, bytes], tuple[bytes, Month]](self._find_on_disk)
        self.written = 0
        self._troubled_until_s = 0

    @property
    def trouble(self) -> str:
        """Why clicks are refused just now; empty when the newest could be written."""
        troubled = now_s(self.clock) < self._troubled_until_s
        return "clicks can't be written: see the log" if troubled else ""

    @property
    def waiting(self) -> int:
        """Clicks that are not on disk yet."""
        return len(self._filling.rows) + self._writing

    def note_written(self, clicks: int) -> None:
        """So many clicks were written for another process."""
        self.written += clicks

    async def flattr(
        self, member: MemberId, thing: Thing, month: Month | None, key: str
    ) -> Clicked:
        """Flattr a thing. `key`: an Idempotency-Key, or empty.

        Raises Conflict for one's own thing, BadMonth unless `month` is this one, KeyReused, Busy.
        """
        if thing.owner == member:
            raise Conflict("that is your own thing: it can't be flattred by you")
        return await self._click(member, thing.id, FLATTR, month, key)

    async def undo(self, member: MemberId, thing: Thing, month: Month | None, key: str) -> Clicked:
        """Take a flattr of this month back. Raises BadMonth, KeyReused, Busy."""
        return await self._click(member, thing.id, UNDO, month, key)

    async def remember_keys(self) -> None:
        """Know the keys of clicks that a process before this one wrote and did not fold."""
        async with self.store.read() as tx:
            known = _by_key(await inbox.keys(tx))
        for key, (request, month) in known.items():
            done: asyncio.Future[Month] = asyncio.get_running_loop().create_future()
            done.set_result(month)
            self._keys[key] = (request, done)

    async def write_groups(self, writer: ClickWriter) -> None:
        """Write group after group, until cancelled. Run by one task for each writer."""
        while True:
            await self._some.wait()
            self._some.clear()
            while self._is_worth_writing():
                group, self._filling = self._filling, _Group()
                self._writing += len(group.rows)
                await self._write(writer, group)
                self._writing -= len(group.rows)

    def _is_worth_writing(self) -> bool:
        """Whether a group is to be begun now: none is under way, or it is worth a commit more."""
        waiting = len(self._filling.rows)
        return waiting >= WORTH_A_COMMIT or (waiting > 0 and not self._writing)

    async def drain(self) -> None:
        """Wait until nothing waits."""
        while self._filling.rows or self._writing:
            await asyncio.wait([self._filling.done], timeout=0.01)

    async def _click(
        self, member: MemberId, thing: ThingId, op: int, month: Month | None, key: str
    ) -> Clicked:
        if month is not None and month != this_month(self.clock):
            raise BadMonth(f"{month} is not the month that it is: {this_month(self.clock)}")
        if key:
            landed = await self._keyed(member, thing, op, key)
        else:
            landed = await self._add((member, thing, op, None))
        return Clicked(thing, landed, op == FLATTR)

    async def _keyed(self, member: MemberId, thing: ThingId, op: int, key: str) -> Month:
        named = hashlib.blake2b(key.encode(), digest_size=_DIGEST_BYTES).digest()
        body = hashlib.blake2b(f"{thing}:{op}".encode(), digest_size=_DIGEST_BYTES).digest()
        mine = (member, named)
        if (known := self._keys.get(mine)) is None or _has_failed(known[1]):
            look = self._folded if known is None else self._on_disk
            if (before := await look.get(mine)) is not None:
                _demand_same(before[0], body)
                return before[1]
        # No await between looking and adding: two requests with one key can't both be first.
        known = self._keys.get(mine)
        if known is not None and not _has_failed(known[1]):
            _demand_same(known[0], body)
            return await known[1]
        done = self._add((member, thing, op, named + body))
        self._keys[mine] = (body, done)
        if len(self._keys) > KEYS_MAX:
            self._keys.popitem(last=False)
        return await done

    async def _find_folded(
        self, keys: Sequence[tuple[MemberId, bytes]]
    ) -> Mapping[tuple[MemberId, bytes], tuple[bytes, Month]]:
        """(body, month) of folded clicks by key: one query for all that wait, not one for each."""
        async with self.store.read() as tx:
            return await flattrs.keys_used(tx, keys)

    async def _find_on_disk(
        self, keys: Sequence[tuple[MemberId, bytes]]
    ) -> Mapping[tuple[MemberId, bytes], tuple[bytes, Month]]:
        """The same, and of those that are not folded yet: what failed may have been written."""
        async with self.store.read() as tx:
            waiting = _by_key(await inbox.keys(tx))
            folded = await flattrs.keys_used(tx, keys)
        return waiting | folded

    def _add(self, row: ClickRow) -> asyncio.Future[Month]:
        group = self._filling
        if self.waiting >= WAITING_MAX:
            raise Busy("too many clicks are waiting: try again in a second")
        group.rows.append(row)
        if self._is_worth_writing():
            self._some.set()
        return group.done

    async def _write(self, writer: ClickWriter, group: _Group) -> None:
        try:
            month = await writer.commit(group.rows)
        except Exception as error:  # noqa: BLE001  whatever it was, nothing was acknowledged
            _log.error("clicks could not be written", clicks=len(group.rows), error=str(error))
            group.done.set_exception(Busy("the click could not be written: try again"))
            group.done.exception()  # marked as seen: a waiter may have gone away
            self._troubled_until_s = now_s(self.clock) + TROUBLE_S
            return
        self._troubled_until_s = 0
        self.written += len(group.rows)
        group.done.set_result(month)


@asynccontextmanager
async def open_clicks(
    store: Store, clock: Clock, socket: ClickSocket | None = None
) -> AsyncIterator[Clicks]:
    """The groups and the tasks that write them; ends when the last group is written.

    `socket`: where the groups of several processes come together (SQLite only).
    """
    clicks = Clicks(store, clock)
    async with _open_writers(clicks, socket) as writers:
        await clicks.remember_keys()
        tasks = [
            asyncio.create_task(clicks.write_groups(writer), name="write clicks")
            for writer in writers
        ]
        try:
            yield clicks
        finally:
            await clicks.drain()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


@asynccontextmanager
async def _open_writers(
    clicks: Clicks, socket: ClickSocket | None
) -> AsyncIterator[Sequence[ClickWriter]]:
    async with AsyncExitStack() as stack:
        if socket is None:
            opening = open_click_writers(clicks.store, clicks.clock)
            yield await stack.enter_async_context(opening)
        elif socket.writes:
            opened = open_sqlite_writer(clicks.store, clicks.clock)
            writer = await stack.enter_async_context(opened)
            server = open_click_server(socket.path, writer, clicks.note_written)
            await stack.enter_async_context(server)
            yield [writer]
        else:
            yield await stack.enter_async_context(open_socket_writer(socket.path))


def _by_key(
    written: Iterable[tuple[MemberId, bytes, Month]],
) -> dict[tuple[MemberId, bytes], tuple[bytes, Month]]:
    """(member, digest of the key) → the body that came with it, and its first month."""
    return {
        (member, request[:_DIGEST_BYTES]): (request[_DIGEST_BYTES:], month)
        for member, request, month in sorted(written, key=lambda one: one[2], reverse=True)
    }


def _has_failed(done: asyncio.Future[Month]) -> bool:
    """Whether a group could not be written, or was and its answer was lost."""
    return done.done() and done.exception() is not None


def _demand_same(before: bytes, body: bytes) -> None:
    if before != body:
        raise KeyReused("this Idempotency-Key was used for another click: take a new key")
