"""A member's ledger: every posting that touches the member's money, oldest first.

It is read in pieces, each in a transaction of its own, so that a slow reader holds up nobody. The
ledger only grows, and all pieces end at the entry that was the newest when the reading began: what
they sum up to are the balances of that moment.

Other members are not named: their accounts are called `another`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Final

from node.clock import Clock, this_month
from node.flows.export.cells import exact, stamp, text_cell
from node.ids import MemberId
from node.ledger import accounts
from node.ledger.accounts import Kind
from node.money import Asset
from node.month import Month
from node.store import journal, postings
from node.store.engine import Store, Tx
from node.store.postings import OwnAccount, Posting, Side

POSTINGS_A_PIECE: Final = 2000
MONTHS_AHEAD: Final = 12
"""How far ahead a pot can be: money paid in for a month that is closed goes on to the next."""
HEADER: Final = "time,asset,entry,kind,month,from,to,units,amount,change,reference\r\n"


@dataclass(frozen=True, slots=True)
class Ledger:
    """What a member's ledger in one asset is read by. `upto`: its newest entry."""

    member: MemberId
    asset: Asset
    accounts: Mapping[int, OwnAccount]
    withdrawals: Mapping[str, int]
    upto: int

    def change(self, posting: Posting) -> int:
        """By how much the member's money grew, in base units; 0 within it, less than 0: it fell."""
        gained = posting.units if posting.credit.id in self.accounts else 0
        return gained - (posting.units if posting.debit.id in self.accounts else 0)

    def name(self, side: Side) -> str:
        """An account as the member should read it."""
        if side.id in self.accounts:
            return side.name.replace(f"{side.kind}:{self.member}", side.kind, 1)
        if side.member is not None or side.kind is Kind.PAYOUT:
            return f"{side.kind}:another"
        return side.name


async def open_ledger(store: Store, clock: Clock, member: MemberId, asset: Asset) -> Ledger:
    """Fix what is to be read: the member's accounts, their balances, and the newest entry."""
    async with store.read() as tx:
        return Ledger(
            member,
            asset,
            await own_accounts(tx, clock, member, asset),
            await postings.withdrawals(tx, member, asset),
            await postings.newest(tx, asset),
        )


async def own_accounts(
    tx: Tx, clock: Clock, member: MemberId, asset: Asset
) -> dict[int, OwnAccount]:
    """All accounts in which a member's money is, or ever was, those of the payouts too, by id."""
    first = await journal.first_month(tx, asset) or [this_month(clock)]
    months = range(first[0].ordinal, this_month(clock).ordinal + MONTHS_AHEAD)
    own = [kind(asset, member) for kind in (accounts.available, accounts.earned, accounts.held)]
    own += [accounts.pot(asset, member, Month.from_ordinal(month)) for month in months]
    return await postings.own_accounts(tx, member, asset, [one.name for one in own])


async def read_ledger(store: Store, ledger: Ledger) -> AsyncIterator[list[Posting]]:
    """All of it, in order, piece by piece."""
    after, own = (0, -1), list(ledger.accounts)
    while True:
        async with store.read() as tx:
            piece = await postings.page(tx, own, after, ledger.upto, POSTINGS_A_PIECE)
        if piece:
            yield piece
        if len(piece) < POSTINGS_A_PIECE:
            return
        after = (piece[-1].number, piece[-1].line)


async def ledger_csv(
    store: Store, clock: Clock, member: MemberId, assets: tuple[Asset, ...]
) -> AsyncIterator[str]:
    """The ledger in these assets, one after the other, as CSV: comma, decimal point, CRLF."""
    yield HEADER
    for asset in assets:
        ledger = await open_ledger(store, clock, member, asset)
        async for piece in read_ledger(store, ledger):
            yield "".join(_line(ledger, posting) for posting in piece)


def reference(posting: Posting) -> str:
    """What the entry refers to: a payment hash, a payout, a transaction; never a member."""
    return "" if posting.ref.startswith("member ") else posting.ref


def _line(ledger: Ledger, posting: Posting) -> str:
    asset = ledger.asset
    cells = (
        stamp(posting.at_us), str(asset), posting.entry, posting.kind, str(posting.month or ""),
        text_cell(ledger.name(posting.debit)), text_cell(ledger.name(posting.credit)),
        str(posting.units), exact(posting.units, asset), str(ledger.change(posting)),
        text_cell(reference(posting)),
    )  # fmt: skip
    return ",".join(cells) + "\r\n"
