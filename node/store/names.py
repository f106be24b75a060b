"""Names that say what a row is: accounts and payouts whose other columns say something else.

The hash chain covers accounts by their names, and a payout's id is a hash of whose it is. Sums are
asked for by the other columns, so those must be what the name says.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Final

from node.ids import MemberId, payout_ids, refund_id
from node.ledger.accounts import Kind
from node.money import Asset
from node.month import Month
from node.store.engine import Tx

SHOWN: Final = 5
_OF_MEMBERS: Final = frozenset({Kind.AVAILABLE, Kind.EARNED, Kind.HELD})


async def misnamed_accounts(tx: Tx) -> list[str]:
    """Accounts whose kind, member or month is not that of their name; the first few."""
    rows = await tx.plain_rows("SELECT name, kind, member, month FROM account")
    ordinals = {row[3] for row in rows} - {None}
    months = {None: "", **{one: str(Month.from_ordinal(one)) for one in ordinals}}
    return [
        f"{name} is said to be {kind} of member {member} in {months[month] or 'no month'}"
        for name, kind, member, month in rows
        if not _is_called(name, kind, member, months[month])
    ][:SHOWN]


def _is_called(name: str, kind: str, member: int | None, month: str) -> bool:
    if kind == Kind.POT:
        return name == f"pot:{member}:{month}"
    if kind == Kind.CLOSING:
        return name == f"closing:{month}"
    if kind in _OF_MEMBERS:
        return name == f"{kind}:{member}"
    return name == kind or name.startswith(f"{kind}:")


async def misnamed_payouts(tx: Tx) -> list[str]:
    """Payouts of a close whose id is not the hash of whose they are; the first few."""
    of_close = defaultdict[tuple[int, str], list[tuple[str, int]]](list)
    for name, month, member, asset in await tx.plain_rows(
        "SELECT id, month, member, asset FROM payout WHERE month IS NOT NULL"
    ):
        of_close[month, asset].append((name, member))
    found = []
    for (ordinal, asset), rows in of_close.items():
        month, of = Month.from_ordinal(ordinal), Asset(asset)
        ids = payout_ids(month, [member for _, member in rows], of)
        found += [
            f"payout {name} is said to be of member {member} and {month}"
            for wanted, (name, member) in zip(ids, rows, strict=True)
            if name != wanted and name != refund_id(month, MemberId(member), of)
        ]
    return found[:SHOWN]
