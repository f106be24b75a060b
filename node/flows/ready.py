"""The two questions to the database that say whether a node is ready."""

from __future__ import annotations

import structlog

from node.store import leases, members
from node.store.engine import Store

_log = structlog.get_logger()


async def database_trouble(store: Store) -> str:
    """Why the database does not answer; empty when it does."""
    try:
        async with store.read() as tx:
            await members.count(tx)
    except Exception as error:  # noqa: BLE001  whatever it is, the answer is that it is not ready
        _log.warning("the database does not answer", error=str(error))
        return "the database does not answer"
    return ""


async def rail_stopped(store: Store, rail: str) -> str | None:
    """Why a rail must not send; None if it may."""
    async with store.read() as tx:
        return await leases.stopped(tx, rail)
