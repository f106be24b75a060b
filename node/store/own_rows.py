"""Everything that the database has of one member, table by table, as the member may have it.

Left out are the hashes of secrets, and what is gone within minutes. Clicks and the ledger have
statements of their own, because they are kept for all members together.
"""

from __future__ import annotations

from typing import Any, Final

from node.ids import MemberId, ThingId
from node.month import Month
from node.store.engine import Tx

SECTIONS: Final = {
    "tokens": "SELECT id, label, scopes, created_us, expires_us, revoked_us FROM token"
    " WHERE member = :member ORDER BY created_us, id",
    "sessions": "SELECT id, agent, created_us, seen_us, signed_in_us FROM session"
    " WHERE member = :member ORDER BY created_us, id",
    "identities": "SELECT id, kind, key, created_us, used_us FROM identity"
    " WHERE member = :member ORDER BY created_us, id",
    "payout_targets": "SELECT asset, text AS target, set_us, active_us, replaced_us FROM target"
    " WHERE member = :member ORDER BY set_us, id",
    "means": "SELECT asset, units FROM means WHERE member = :member ORDER BY asset",
    "notices": "SELECT kind, ref, words, created_us FROM notice"
    " WHERE member = :member ORDER BY created_us, kind, ref",
    "things": "SELECT id, url, title, claimed_us, created_us FROM thing"
    " WHERE owner = :member ORDER BY id",
    "sites": "SELECT site, asked_us, seen_us, method, held_us, ended_us FROM site_claim"
    " WHERE member = :member ORDER BY id",
    "consents": "SELECT origin, since_us FROM consent WHERE member = :member ORDER BY origin",
    "subscriptions": "SELECT thing.id AS thing, thing.url, first_month, months,"
    " subscription.created_us, ended_us FROM subscription JOIN thing"
    " ON thing.id = subscription.thing WHERE member = :member ORDER BY subscription.id",
    "deposits": "SELECT id, payment_hash, units, to_pot, payment_request, state, created_us,"
    " expires_s, paid_units, settled_s FROM deposit WHERE member = :member"
    " ORDER BY created_us, id",
    "payouts": "SELECT id, kind, asset, month, units, fee_limit, target, state, reason, tries,"
    " next_try_s, created_us, paid_us, fee, proof FROM payout WHERE member = :member"
    " AND kind <> 'commission' ORDER BY created_us, id",
    "attempts": "SELECT payout, attempt.id, rail, attempt.state, reference,"
    " attempt.created_us, sent_s, attempt.proof, attempt.fee, attempt.reason, leg.dead"
    " FROM payout JOIN leg ON leg.payout = payout.id JOIN attempt ON attempt.id = leg.attempt"
    " WHERE payout.member = :member AND payout.kind <> 'commission'"
    " ORDER BY attempt.created_us, attempt.id, payout",
    "held": "SELECT asset, month, units, units_left, since_s FROM tranche"
    " WHERE member = :member ORDER BY month, asset",
    "chain_addresses": "SELECT chain_id, address, linked_us, pot_units FROM chain_address"
    " WHERE member = :member ORDER BY chain_id",
    "chain_events": "SELECT chain_event.chain_id, tx_hash, log_index, block_number, time_s, kind,"
    " units, state FROM chain_address JOIN chain_event"
    " ON chain_event.chain_id = chain_address.chain_id"
    " AND chain_event.address = chain_address.address WHERE member = :member"
    " ORDER BY block_number, log_index",
    "answered_requests": "SELECT key, status, answer, created_us FROM request_key"
    " WHERE member = :member ORDER BY key",
    "click_keys": "SELECT request AS hash, at_us FROM click_key WHERE member = :member"
    " ORDER BY request",
    "waiting_clicks": "SELECT month, thing, op, at_us FROM flattr_inbox WHERE member = :member"
    " ORDER BY id",
}
"""A query for each section; months are ordinals until `page` has read them."""


async def page(
    tx: Tx, section: str, member: MemberId, limit: int, skip: int
) -> list[dict[str, Any]]:
    """Rows of a section as columns by name, in order: `limit` of them after the first `skip`."""
    rows = await tx.rows(
        f"{SECTIONS[section]} LIMIT :limit OFFSET :skip", member=member, limit=limit, skip=skip
    )
    return [_told(dict(zip(row._fields, row, strict=True))) for row in rows]


async def packed_months(
    tx: Tx, member: MemberId, first: Month, last: Month
) -> dict[Month, tuple[bytes, bytes]]:
    """What a member flattred and undid in each month of a span, packed, oldest first."""
    source = tx.dialect.json_rows(("bigint",))
    rows = await tx.rows_of(
        f"SELECT month, things, undone FROM flattr_month JOIN {source} ON month = c0"
        " WHERE member = :member ORDER BY month",
        [(ordinal,) for ordinal in range(first.ordinal, last.ordinal + 1)],
        member=member,
    )
    return {Month.from_ordinal(row.month): (bytes(row.things), bytes(row.undone)) for row in rows}


async def urls(tx: Tx, things: list[ThingId]) -> dict[ThingId, str]:
    """The URLs of these things."""
    rows = await tx.rows_of(
        f"SELECT id, url FROM thing JOIN {tx.dialect.json_rows(('bigint',))} ON id = c0",
        [(thing,) for thing in things],
    )
    return {ThingId(row.id): row.url for row in rows}


def _told(row: dict[str, Any]) -> dict[str, Any]:
    for name in ("month", "first_month"):
        if row.get(name) is not None:
            row[name] = str(Month.from_ordinal(row[name]))
    for name in ("to_pot", "dead"):
        if name in row:
            row[name] = bool(row[name])
    return row
