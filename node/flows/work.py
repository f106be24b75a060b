"""Work off a list with a few tasks at a time, so that a failure stops what comes next, and no more.

    begun       is finished, whatever happens to the others
    not begun   is left, once one has raised
    then        the gravest error is raised, as it is

asyncio's TaskGroup cancels the others instead, in the middle of whatever they do.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

from node.errors import CorruptBooks

T = TypeVar("T")


async def work_off(
    items: Iterable[T], work: Callable[[T], Awaitable[bool]], *, places: int, name: str
) -> None:
    """Run `work` on each item, in order, in so many tasks. A task ends when `work` says False.

    Raises CorruptBooks if one raised it, else what was raised first.
    """
    waiting = iter(items)
    errors: list[Exception] = []

    async def worker() -> None:
        for item in waiting:
            if errors:
                return
            try:
                if not await work(item):
                    return
            except Exception as error:  # noqa: BLE001  raised below, when the others have finished
                errors.append(error)

    async with asyncio.TaskGroup() as group:
        for _ in range(places):
            group.create_task(worker(), name=name)
    if errors:
        raise next((one for one in errors if isinstance(one, CorruptBooks)), errors[0])
