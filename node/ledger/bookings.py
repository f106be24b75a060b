"""One function per event: what it does to the accounts, as an Entry.

The close of a month is booked in bulk by `store.closes`, from the same accounts: two transfers per
pot and one per creator, so many that they are made as a set. It is the only event not here.
Two events that are the same event make the same id, so booking one twice is booking it once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from node.ids import AttemptId, EntryId, MemberId, PaymentHash, PayoutId, entry_id
from node.ledger import accounts
from node.ledger.accounts import Account, Kind
from node.ledger.bulk import BulkEntry, MemberAccounts, Units, pots, where_any
from node.ledger.entry import Entry, Transfer
from node.money import Amount, Asset
from node.month import Month


@dataclass(frozen=True, slots=True)
class Refund:
    """What a reader was charged and no share took: what goes back, and the vault's part of it."""

    member: MemberId
    payout: PayoutId
    back_units: int
    tenth_units: int


def deposit(member: MemberId, paid: Amount, payment_hash: PaymentHash, to: Month | None) -> Entry:
    """An invoice was paid: into the member's available money, and on into the pot of month `to`."""
    free = accounts.available(paid.asset, member)
    moves = [Transfer(accounts.wallet(paid.asset), free, paid.units)]
    if to is not None:
        moves.append(Transfer(free, accounts.pot(paid.asset, member, to), paid.units))
    eid = entry_id("deposit", payment_hash)
    return Entry(eid, "deposit", paid.asset, payment_hash, tuple(moves), to)


def fill_pot(member: MemberId, month: Month, amount: Amount, why: str, key: str) -> Entry:
    """Available money goes into a pot. `why`: `pot` (asked for) or `means` (standing)."""
    free = accounts.available(amount.asset, member)
    move = Transfer(free, accounts.pot(amount.asset, member, month), amount.units)
    eid = entry_id(why, member, month, amount.asset, key)
    return Entry(eid, why, amount.asset, f"member {member}", (move,), month)


def empty_pot(member: MemberId, month: Month, amount: Amount, key: str) -> Entry:
    """A pot's money goes back to available, while its month is open."""
    free = accounts.available(amount.asset, member)
    move = Transfer(accounts.pot(amount.asset, member, month), free, amount.units)
    eid = entry_id("unpot", member, month, amount.asset, key)
    return Entry(eid, "unpot", amount.asset, f"member {member}", (move,), month)


def release(member: MemberId, month: Month, amount: Amount) -> Entry:
    """The dues of `month` are paid: what was held is earned."""
    move = Transfer(
        accounts.held(amount.asset, member), accounts.earned(amount.asset, member), amount.units
    )
    eid = entry_id("release", member, month, amount.asset)
    return Entry(eid, "release", amount.asset, f"member {member}", (move,), month)


def dues_from_earnings(
    member: MemberId, month: Month, to: Month, *, asset: Asset, from_earned: int, from_held: int
) -> Entry:
    """At the close of `month`, a creator's earnings fill the pot of month `to` up to the dues."""
    target = accounts.pot(asset, member, to)
    sources = (
        (accounts.earned(asset, member), from_earned),
        (accounts.held(asset, member), from_held),
    )
    moves = tuple(Transfer(source, target, units) for source, units in sources if units)
    eid = entry_id("dues", member, month, asset)
    return Entry(eid, "dues", asset, f"member {member}", moves, month)


def return_held(
    member: MemberId,
    earned_in: Month,
    month: Month,
    asset: Asset,
    to: Sequence[tuple[MemberId, int]],
) -> Entry:
    """Held too long: back into its readers' pots of `month`, pro rata. `to`: (reader, units)."""
    source = accounts.held(asset, member)
    moves = tuple(
        Transfer(source, accounts.pot(asset, reader, month), units) for reader, units in to if units
    )
    eid = entry_id("return", member, earned_in, asset)
    return Entry(eid, "return", asset, f"member {member} of {earned_in}", moves, month)


def open_payout(payout: PayoutId, source: Account, units: int, month: Month | None) -> Entry:
    """Money is set aside for one payout: its amount, and a withdrawal's fee limit."""
    asset = source.asset
    move = Transfer(source, accounts.payout(asset, payout), units)
    return Entry(entry_id("open", payout), "open", asset, payout, (move,), month)


def settle_payout(payout: PayoutId, amount: Amount, fee: Amount, month: Month | None) -> Entry:
    """The receiver has it. The fee is the operator's (design.md §3.8)."""
    asset = amount.asset
    moves = [Transfer(accounts.payout(asset, payout), accounts.wallet(asset), amount.units)]
    if fee:
        moves.append(_fee(fee))
    return Entry(entry_id("settle", payout), "settle", asset, payout, tuple(moves), month)


def settle_withdrawal(
    payout: PayoutId, member: MemberId, amount: Amount, fee: Amount, reserved: Amount
) -> Entry:
    """The member has it. The fee is the member's; what was reserved for more goes back."""
    asset = amount.asset
    source = accounts.payout(asset, payout)
    gone = amount + Amount(min(fee.units, reserved.units - amount.units), asset)
    moves = [Transfer(source, accounts.wallet(asset), gone.units)]
    if rest := reserved - gone:
        moves.append(Transfer(source, accounts.available(asset, member), rest.units))
    if over := Amount(fee.units - (gone - amount).units, asset):
        moves.append(_fee(over))
    return Entry(entry_id("settle", payout), "settle", asset, payout, tuple(moves))


def return_withdrawal(payout: PayoutId, member: MemberId, reserved: Amount) -> Entry:
    """A withdrawal that can't be paid goes back."""
    asset = reserved.asset
    move = Transfer(
        accounts.payout(asset, payout), accounts.available(asset, member), reserved.units
    )
    return Entry(entry_id("returned", payout), "returned", asset, payout, (move,))


def unexplained(attempt: AttemptId, paid: Amount, fee: Amount) -> Entry:
    """A payment that was called dead went through although its payout was paid another way."""
    asset = paid.asset
    gone = Transfer(accounts.suspense(asset), accounts.capital(asset), paid.units + fee.units)
    return Entry(entry_id("unexplained", attempt), "unexplained", asset, attempt, (gone,))


def paid_once(attempt: AttemptId, paid: Amount, fee: Amount) -> Entry:
    """The other way was refused: that payment was the payout's only one. Undoes `unexplained`."""
    asset = paid.asset
    back = Transfer(accounts.capital(asset), accounts.suspense(asset), paid.units + fee.units)
    return Entry(entry_id("paid_once", attempt), "paid_once", asset, attempt, (back,))


def gas(tx_hash: str, cost_wei: int) -> Entry:
    """What a transaction of the node's key cost: the operator's expense (design.md §3.8)."""
    asset = Asset.ETH
    cost = Transfer(accounts.expense(asset, "gas"), accounts.capital(asset), cost_wei)
    return Entry(entry_id("gas", tx_hash), "gas", asset, tx_hash, (cost,))


def vault_deposit(event: EntryId, kind: str, member: MemberId, amount: Amount, ref: str) -> Entry:
    """The vault says that the member's account has grown: paid in, or reclaimed."""
    asset = amount.asset
    move = Transfer(accounts.wallet(asset), accounts.available(asset, member), amount.units)
    return Entry(event, kind, asset, ref, (move,))


def vault_withdrawal(
    event: EntryId, amount: Amount, sources: Sequence[tuple[Account, int]], ref: str
) -> Entry:
    """The vault says that the member took money out. `sources`: what it is taken from.

    The vault asks nobody: what a close has distributed and nobody has charged yet can be taken out.
    Then the sources do not reach, and the rest is unexplained until the charge comes out short.
    """
    asset = amount.asset
    moves = [Transfer(source, accounts.wallet(asset), units) for source, units in sources if units]
    if short := amount.units - sum(units for _, units in sources):
        moves.append(Transfer(accounts.suspense(asset), accounts.capital(asset), short))
    return Entry(event, "withdrawn", asset, ref, tuple(moves))


def explained(
    asset: Asset, ref: str, month: Month, sources: Sequence[tuple[Account, int]]
) -> Entry:
    """What a withdrawal took beyond the books is in them: `month` was charged short by it.

    `ref` is the withdrawal's, `sources` what it is taken from now.
    """
    moves = [Transfer(source, accounts.wallet(asset), units) for source, units in sources if units]
    found = sum(units for _, units in sources)
    moves.append(Transfer(accounts.capital(asset), accounts.suspense(asset), found))
    return Entry(entry_id("explained", ref, month), "explained", asset, ref, tuple(moves), month)


def refund(asset: Asset, month: Month, refunds: Sequence[Refund]) -> Entry:
    """What the vault has charged and no share took: a payout each, less the vault's tenth."""
    moves = []
    for one in refunds:
        free = accounts.available(asset, one.member)
        if one.back_units:
            moves.append(Transfer(free, accounts.payout(asset, one.payout), one.back_units))
        if one.tenth_units:
            moves.append(Transfer(free, accounts.commission(asset), one.tenth_units))
    eid = entry_id("refund", month, asset)
    return Entry(eid, "refund", asset, str(month), tuple(moves), month)


def vault_pots(
    asset: Asset, month: Month, members: Units, grown: Units, shrunk: Units, key: object
) -> BulkEntry:
    """The pots of a month become what the vault says. `key`: each time is another event."""
    free, of_month = MemberAccounts(Kind.AVAILABLE, members), pots(members, month)
    blocks = (where_any(free, of_month, grown), where_any(of_month, free, shrunk))
    some = tuple(block for block in blocks if len(block.units))
    return BulkEntry(entry_id("pots", month, asset, key), "pots", asset, month, some)


def _fee(fee: Amount) -> Transfer:
    return Transfer(accounts.expense(fee.asset, "routing"), accounts.capital(fee.asset), fee.units)
