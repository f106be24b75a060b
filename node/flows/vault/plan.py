"""Which payouts a month's batches pay, and what remains of it for the node's own address.

The vault pays a month out whole. So the payouts that are due go in, what goes back to its readers
first and then the oldest, as long as the month's net covers them; the rest is one more recipient of
the last batch: the address of the node's key, where it waits for its creators (decision 0010). The
commission is paid by the vault itself with the last batch, and is a payout of that batch.

The plan is made once, in one transaction: attempts with their words, payouts in flight, and the
published file whose hash is sealed. Everything after it reads it from there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from node.clock import now_s
from node.errors import CorruptBooks
from node.flows.vault.months import Share, pieces
from node.flows.vault.short import short_of
from node.flows.vault.stablecoin import RAIL, Stablecoin
from node.ids import OPERATOR, AttemptId, derive, payout_id
from node.money import Amount, Asset
from node.settlement import vault_file
from node.settlement.attempt import Attempt, sent
from node.settlement.month_split import READER_COLUMNS, THING_COLUMNS, unpack
from node.settlement.payout import Payout, PayoutKind, PayoutState
from node.store import attempts, closes, deposits, payouts, vault_months
from node.store.closes import Close
from node.store.engine import Tx
from node.store.leases import Lease
from node.store.vault_months import VaultMonth
from node.wallet.stablecoin.words import from_word, word

PAYOUTS_MAX: Final = 1_000_000
FILE: Final = "file"
"""The kind of the close's part that holds the published file."""
_USD: Final = Asset.USD
_WORD_DIGITS: Final = 64


@dataclass(frozen=True, slots=True)
class _Batch:
    shares: Sequence[Share]
    payouts: tuple[Payout, ...]


async def plan(tx: Tx, stablecoin: Stablecoin, month: VaultMonth, lease: Lease) -> None:
    """Fix what this month pays. Raises CorruptBooks when the books and the vault differ."""
    assert month.gross is not None, "it was collected"
    close = await closes.get(tx, month.month, _USD)
    assert close is not None, "a month of the vault is one that is being closed"
    tenth = month.gross // vault_file.COMMISSION_DIVISOR
    commission = await _commission(tx, month, tenth)
    due = await payouts.due(tx, _USD, now_s(stablecoin.money.clock), PAYOUTS_MAX)
    back = [one for one in due if one.kind is PayoutKind.WITHDRAWAL]
    earned = [one for one in due if one.kind is PayoutKind.CREATOR]
    chosen, rest = _fill([*back, *earned], month.gross - tenth)
    batches = _batches(chosen, (stablecoin.signer.address, rest), commission)
    number = await attempts.next_number(tx, RAIL)
    now_us = stablecoin.money.clock.now_us()
    for index, batch in enumerate(batches):
        attempt = _attempt(stablecoin, month, index, number + index, batch)
        await deposits.use_hash(tx, attempt.reference, f"attempt:{attempt.id}")
        await attempts.add(tx, sent(attempt, now_us // 1_000_000), lease.epoch, now_us)
    await payouts.store_all(tx, [one.id for batch in batches for one in batch.payouts])
    content = await _file(tx, stablecoin, month, close, batches, rest)
    await closes.put_part(tx, close, FILE, 0, 0, content)
    await vault_months.plan(tx, month.month, vault_file.file_hash(content).hex())


def batch_reference(month: VaultMonth, index: int) -> str:
    """What the vault knows a batch by, and pays once."""
    return f"{batch_prefix(month)}{index}"


def batch_prefix(month: VaultMonth) -> str:
    """How the references of a month's batches begin."""
    return f"vault:{month.chain_id}:{month.vault}:{month.number}:"


def words_of(attempt: Attempt) -> list[Share]:
    """The recipients of a stored batch, in order, with base units."""
    message = attempt.message
    numbers = (
        int(message[at : at + _WORD_DIGITS], 16) for at in range(0, len(message), _WORD_DIGITS)
    )
    return [from_word(number) for number in numbers]


async def _commission(tx: Tx, month: VaultMonth, units: int) -> Payout | None:
    """The operator's payout of this month, which the vault makes by itself; None for nothing."""
    found = await payouts.get(tx, payout_id(month.month, OPERATOR, _USD))
    if found is None and units == 0:
        return None
    if found is None or found.state is not PayoutState.DUE or found.amount.units != units:
        raise CorruptBooks(f"the vault pays {units} as commission of {month.month}, not {found}")
    return found


def _fill(due: Sequence[Payout], net: int) -> tuple[list[Payout], int]:
    """(the payouts that fit, oldest first; what remains)."""
    chosen = []
    for payout in due:
        if payout.target is not None and payout.amount.units <= net:
            chosen.append(payout)
            net -= payout.amount.units
    return chosen, net


def _batches(chosen: Sequence[Payout], rest: Share, commission: Payout | None) -> list[_Batch]:
    shares: list[Share] = [(payout.target or "", payout.amount.units) for payout in chosen]
    if rest[1]:
        shares.append(rest)
    found, at = [], 0
    for some in pieces(shares):
        found.append(_Batch(some, tuple(chosen[at : at + len(some)])))
        at += len(some)
    if commission is not None:
        last = found[-1]
        found[-1] = _Batch(last.shares, (*last.payouts, commission))
    return found


def _attempt(
    stablecoin: Stablecoin, month: VaultMonth, index: int, number: int, batch: _Batch
) -> Attempt:
    reference = batch_reference(month, index)
    return Attempt(
        id=AttemptId(derive("attempt", reference)),
        rail=RAIL,
        number=number,
        payouts=tuple(one.id for one in batch.payouts),
        reference=reference,
        message="".join(f"{word(*share):0{_WORD_DIGITS}x}" for share in batch.shares),
        amount=Amount(sum(one.amount.units for one in batch.payouts), _USD),
        fee_limit=Amount(0, _USD),
        expires_s=None,
        sender=stablecoin.signer.address,
    )


async def _file(
    tx: Tx, stablecoin: Stablecoin, month: VaultMonth, close: Close, batches: Sequence[_Batch],
    rest: int,
) -> bytes:  # fmt: skip
    assert month.gross is not None, "it was collected"
    head = vault_file.VaultFileHead(
        network=stablecoin.network, chain_id=month.chain_id, vault=month.vault,
        token=stablecoin.token, number=month.number, month=month.month, gross=month.gross,
        commission=month.gross // vault_file.COMMISSION_DIVISOR, waits_at=stablecoin.signer.address,
        waits_units=rest,
    )  # fmt: skip
    parts = {
        kind: unpack(b"".join(await closes.parts(tx, close.month, _USD, kind)), len(columns))
        for kind, columns in (("reader", READER_COLUMNS), ("thing", THING_COLUMNS))
    }
    shares = [list(batch.shares) for batch in batches]
    tree = stablecoin.months.tree(month.number, [share for some in shares for share in some])
    return vault_file.build(
        head, shares, tree, parts["reader"], parts["thing"],
        stablecoin.salt(month.month),
        await short_of(tx, close),
    )  # fmt: skip
