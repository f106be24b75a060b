"""What the vault's events said, and the blocks up to which they were read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import Row

from node.ids import EntryId
from node.store.engine import Tx


class EventKind(StrEnum):
    """The events about one member's account, as the contract names them."""

    DEPOSITED = "deposited"
    WITHDRAWN = "withdrawn"
    RECLAIMED = "reclaimed"
    POT_SET = "pot_set"


class EventState(StrEnum):
    """How sure an event is, and whether it is in the books (see `chain_tables.py`)."""

    PENDING = "pending"
    SEEN = "seen"
    CREDITED = "credited"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class ChainEvent:
    """One event. `id` is the id of the entry that books it."""

    id: EntryId
    chain_id: int
    tx_hash: str
    log_index: int
    block_number: int
    block_hash: str
    time_s: int
    kind: EventKind
    address: str
    units: int
    state: EventState

    @property
    def ref(self) -> str:
        """Where to find it, for people."""
        return f"{self.tx_hash}:{self.log_index}"


@dataclass(frozen=True, slots=True)
class ReadBlock:
    """A block up to which the events were read."""

    number: int
    hash: str
    time_s: int


async def add(tx: Tx, events: Sequence[ChainEvent]) -> None:
    """Store events. One that is pending becomes what it is now: it may have moved to another block.

    What is final stays as it is.
    """
    await tx.run_each(
        "INSERT INTO chain_event (id, chain_id, tx_hash, log_index, block_number, block_hash,"
        " time_s, kind, address, units, state) VALUES (:id, :chain_id, :tx_hash, :log_index,"
        " :block_number, :block_hash, :time_s, :kind, :address, :units, :state)"
        " ON CONFLICT (id) DO UPDATE SET block_number = excluded.block_number,"
        " block_hash = excluded.block_hash, time_s = excluded.time_s, kind = excluded.kind,"
        " address = excluded.address, units = excluded.units, state = excluded.state"
        " WHERE chain_event.state = 'pending'",
        [
            {
                "id": one.id, "chain_id": one.chain_id, "tx_hash": one.tx_hash,
                "log_index": one.log_index, "block_number": one.block_number,
                "block_hash": one.block_hash, "time_s": one.time_s, "kind": str(one.kind),
                "address": one.address, "units": one.units, "state": str(one.state),
            }
            for one in events
        ],
    )  # fmt: skip


async def credit(tx: Tx, event: EntryId) -> None:
    """It is in the books."""
    await tx.run(
        "UPDATE chain_event SET state = 'credited' WHERE id = :id AND state = 'seen'", id=event
    )


async def of_address(tx: Tx, chain_id: int, address: str, state: EventState) -> list[ChainEvent]:
    """An address's events in a state, in the chain's order."""
    rows = await tx.rows(
        "SELECT * FROM chain_event WHERE chain_id = :chain_id AND address = :address"
        " AND state = :state ORDER BY block_number, log_index",
        chain_id=chain_id, address=address, state=state,
    )  # fmt: skip
    return [_event(row) for row in rows]


async def in_state(tx: Tx, chain_id: int, state: EventState, limit: int) -> list[ChainEvent]:
    """All events in a state, in the chain's order."""
    rows = await tx.rows(
        "SELECT * FROM chain_event WHERE chain_id = :chain_id AND state = :state"
        " ORDER BY block_number, log_index LIMIT :limit",
        chain_id=chain_id, state=state, limit=limit,
    )  # fmt: skip
    return [_event(row) for row in rows]


async def forget_pending(tx: Tx, chain_id: int, first: int, last: int) -> int:
    """Delete what is pending in these blocks: they are not, or are now read for good."""
    return await tx.run(
        "DELETE FROM chain_event WHERE chain_id = :chain_id AND state = 'pending'"
        " AND block_number >= :first AND block_number <= :last",
        chain_id=chain_id, first=first, last=last,
    )  # fmt: skip


async def keep_block(tx: Tx, chain_id: int, block: ReadBlock) -> None:
    """The events were read up to this block."""
    await tx.run(
        "INSERT INTO chain_block (chain_id, number, hash, time_s)"
        " VALUES (:chain_id, :number, :hash, :time_s) ON CONFLICT (chain_id, number)"
        " DO UPDATE SET hash = excluded.hash, time_s = excluded.time_s",
        chain_id=chain_id, number=block.number, hash=block.hash, time_s=block.time_s,
    )  # fmt: skip


async def blocks(tx: Tx, chain_id: int) -> list[ReadBlock]:
    """The blocks that are kept, the newest first."""
    sql = "SELECT * FROM chain_block WHERE chain_id = :chain_id ORDER BY number DESC"
    found = await tx.rows(sql, chain_id=chain_id)
    return [ReadBlock(row.number, row.hash, row.time_s) for row in found]


async def block(tx: Tx, chain_id: int, number: int) -> ReadBlock | None:
    """A block that is kept."""
    row = await tx.row(
        "SELECT * FROM chain_block WHERE chain_id = :chain_id AND number = :number",
        chain_id=chain_id, number=number,
    )  # fmt: skip
    return None if row is None else ReadBlock(row.number, row.hash, row.time_s)


async def forget_blocks(tx: Tx, chain_id: int, first: int, last: int) -> None:
    """Delete blocks of a range."""
    await tx.run(
        "DELETE FROM chain_block WHERE chain_id = :chain_id AND number >= :first"
        " AND number <= :last",
        chain_id=chain_id, first=first, last=last,
    )  # fmt: skip


def _event(row: Row[Any]) -> ChainEvent:
    return ChainEvent(
        EntryId(row.id), row.chain_id, row.tx_hash, row.log_index, row.block_number,
        row.block_hash, row.time_s, EventKind(row.kind), row.address, row.units,
        EventState(row.state),
    )  # fmt: skip
