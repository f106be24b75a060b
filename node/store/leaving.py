"""Members who leave: what of them is ended, what is released, and what stays.

The ledger, deposits, payouts and what was flattred stay: they are the history of others as well.
"""

from __future__ import annotations

from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Row

from node.ids import MemberId, ThingId
from node.store.engine import Tx

Units: TypeAlias = NDArray[np.int64]

ENDED: Final = {
    "token": "UPDATE token SET revoked_us = coalesce(revoked_us, CAST(:now_us AS bigint))"
    " WHERE member = :member",
    "session": "DELETE FROM session WHERE member = :member",
    "identity": "DELETE FROM identity WHERE member = :member",
    "sign_in_challenge": "DELETE FROM sign_in_challenge WHERE member = :member",
    "sign_in_proof": "DELETE FROM sign_in_proof WHERE member = :member",
    "target": "UPDATE target SET replaced_us = :now_us WHERE member = :member"
    " AND replaced_us IS NULL",
    "means": "DELETE FROM means WHERE member = :member",
    "notice": "DELETE FROM notice WHERE member = :member",
    "subscription": "UPDATE subscription SET ended_us = :now_us WHERE member = :member"
    " AND ended_us IS NULL",
    "consent": "DELETE FROM consent WHERE member = :member",
    "site_claim": "UPDATE site_claim SET ended_us = :now_us WHERE member = :member"
    " AND ended_us IS NULL",
    "chain_address": "DELETE FROM chain_address WHERE member = :member",
    "link_challenge": "DELETE FROM link_challenge WHERE member = :member",
    "request_key": "DELETE FROM request_key WHERE member = :member",
    "member": "UPDATE member SET closed_us = :now_us, shows_flattrs = false,"
    " dues_from_earnings = false WHERE id = :member",
}
"""By table, what ends with the account."""


async def lock(tx: Tx, member: MemberId) -> bool:
    """Queue for a member's row; whether the account is open."""
    row: Row[Any] | None = await tx.row(
        "SELECT closed_us FROM member WHERE id = :id" + tx.for_update, id=member
    )
    return row is not None and row.closed_us is None


async def end(tx: Tx, member: MemberId, now_us: int) -> None:
    """End all that ends with the account."""
    for sql in ENDED.values():
        given = {"now_us": now_us} if ":now_us" in sql else {}
        await tx.run(sql, member=member, **given)


async def release_things(
    tx: Tx, owner: MemberId, now_us: int, month_begins_us: int
) -> list[ThingId]:
    """Make a member's things nobody's; which they were.

    Who has claimed a thing in this very month saw no cutoff with it: what waited, waits on.
    """
    rows = await tx.rows(
        "UPDATE thing SET owner = NULL, claimed_us = NULL, released_us ="
        " CASE WHEN claimed_us >= :begins_us THEN released_us ELSE :now_us END"
        " WHERE owner = :owner RETURNING id",
        owner=owner, now_us=now_us, begins_us=month_begins_us,
    )  # fmt: skip
    return sorted(ThingId(row.id) for row in rows)


async def released_and_claimed(tx: Tx, from_us: int, to_us: int) -> tuple[Units, Units]:
    """(things claimed in this time that had an owner before, when that owner left)."""
    things, released_us = await tx.numbers(
        "SELECT id AS c0, released_us AS c1 FROM thing WHERE claimed_us >= :from_us"
        " AND claimed_us < :to_us AND released_us IS NOT NULL", 2,
        from_us=from_us, to_us=to_us,
    )  # fmt: skip
    return things, released_us


async def closed_members(tx: Tx) -> set[MemberId]:
    """Everybody who has closed the account."""
    rows = await tx.rows("SELECT id FROM member WHERE closed_us IS NOT NULL")
    return {MemberId(row.id) for row in rows}


async def open_deposits(tx: Tx, member: MemberId) -> list[str]:
    """A member's deposits whose invoices may be paid yet."""
    sql = "SELECT id FROM deposit WHERE member = :member AND state = 'open' ORDER BY created_us, id"
    return [row.id for row in await tx.rows(sql, member=member)]
