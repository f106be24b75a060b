"""Identifiers: what names a row without asking anybody.

An id of money is a hash of what it names, so that a repeated stage, a retry or a racing node
writes the same row. Members and things have small integers (a month of clicks is packed into
arrays of them); everything that a stranger may quote is opaque text.

The hash is BLAKE2b-128 over the parts, each with its length before it: no two lists of parts
collide by concatenation.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Final, NewType

from node.money import Asset
from node.month import Month

MemberId = NewType("MemberId", int)
ThingId = NewType("ThingId", int)
EntryId = NewType("EntryId", str)
PayoutId = NewType("PayoutId", str)
AttemptId = NewType("AttemptId", str)
PaymentHash = NewType("PaymentHash", str)
"""64 lower-case hex digits: sha256 of the preimage."""

OPERATOR: Final = MemberId(0)
"""The operator's place where a payout names its receiver. No member has it."""
ID_MAX: Final = 2**32 - 1
"""Members and things are packed as 32 bits."""


def derive(kind: str, *parts: object) -> str:
    """32 hex digits that name `parts` among all ids of this kind."""
    digest = hashlib.blake2b(digest_size=16, person=kind.encode()[:16])
    for part in parts:
        digest.update(_part(part))
    return digest.hexdigest()


def entry_id(kind: str, *parts: object) -> EntryId:
    """The ledger entry that records this event."""
    return EntryId(derive("entry", kind, *parts))


def payout_id(month: Month, member: MemberId, asset: Asset) -> PayoutId:
    """What one receiver is due from one close. One for ever (design.md §6)."""
    return PayoutId(derive("payout", month, member, asset))


def payout_ids(month: Month, members: Iterable[int], asset: Asset) -> list[PayoutId]:
    """`payout_id` of many receivers of one close: what they share is hashed once."""
    begun = hashlib.blake2b(digest_size=16, person=b"payout")
    begun.update(_part(month))
    end = _part(asset)
    ids = []
    for member in members:
        digest = begun.copy()
        digest.update(_part(member) + end)
        ids.append(PayoutId(digest.hexdigest()))
    return ids


def withdrawal_id(member: MemberId, key: str) -> PayoutId:
    """A withdrawal, named by the member's Idempotency-Key."""
    return PayoutId(derive("withdrawal", member, key))


def refund_id(month: Month, member: MemberId, asset: Asset) -> PayoutId:
    """What goes back to a reader of whom a close was charged more than the shares."""
    return PayoutId(derive("refund", month, member, asset))


def attempt_id(payout: PayoutId, payment_hash: PaymentHash) -> AttemptId:
    """One try to pay: the payout and the hash that it would be paid under."""
    return AttemptId(derive("attempt", payout, payment_hash))


def _part(part: object) -> bytes:
    encoded = str(part).encode()
    return len(encoded).to_bytes(4, "big") + encoded
