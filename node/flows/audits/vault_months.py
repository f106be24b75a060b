"""I8: each month on the vault, as the books have it, as it was published, and as the chain has it.

    close ── vault_month ── published file ── stored batches ── payouts
      └────────── the vault: gross, root, hash, batches, commission

Any two neighbours must say the same. The events are read from the receipts of the transactions that
made them, so that no range of blocks is searched.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from node.errors import BadInput
from node.flows.audits.lines import Line, coins, count, judge
from node.flows.audits.vault_batches import batches_broken, words_of
from node.flows.audits.vault_reading import receipts_of
from node.flows.vault.months import SEAL, purposes
from node.flows.vault.plan import FILE, batch_prefix
from node.flows.vault.stablecoin import RAIL, Stablecoin
from node.money import Asset
from node.settlement import vault_format
from node.settlement.attempt import AttemptState
from node.settlement.transaction import TransactionState
from node.settlement.vault_checks import examine
from node.settlement.vault_file import COMMISSION_DIVISOR, file_hash
from node.settlement.vault_format import VaultFile
from node.store import chain_audits, closes, transactions, vault_months
from node.store.chain_audits import ChainAttempt
from node.store.closes import Close, Stage
from node.store.engine import Store
from node.store.transactions import ChainTransaction
from node.store.vault_months import VaultMonth
from node.wallet.stablecoin import vault as vaults
from node.wallet.stablecoin.answers import Receipt
from node.wallet.stablecoin.events import (
    BatchPaid,
    CommissionDeferred,
    CommissionPaid,
    MonthSealed,
    VaultEvent,
)

LAW: Final = "the vault paid what was sealed"
_USD: Final = Asset.USD


@dataclass(frozen=True, slots=True)
class _Month:
    """One month from all sides. `file` None: not planned, or it can't be read."""

    month: VaultMonth
    close: Close | None
    state: vaults.VaultMonth
    content: bytes
    file: VaultFile | None
    batches: Sequence[ChainAttempt]
    seal: ChainTransaction | None
    """This node's call that seals it."""

    @property
    def sealed(self) -> bool:
        """By the chain."""
        return self.state.payable_at_s != 0

    @property
    def paid(self) -> bool:
        """By the chain: all batches, and so the commission."""
        return self.state.batches != 0 and self.state.done == self.state.batches

    @property
    def unbooked(self) -> int:
        """Batches that the books don't call paid."""
        return sum(one.state is not AttemptState.SETTLED for one in self.batches)


async def month_lines(store: Store, stablecoin: Stablecoin) -> list[Line]:
    """A line for each month that the vault was asked to charge, oldest first."""
    newest = await stablecoin.money.vault.month(finalized=True)
    async with store.read() as tx:
        months = await vault_months.all_of(tx)
    lines = [await _line(store, stablecoin, month) for month in months]
    return [*lines, *await _foreign(stablecoin, months, newest)]


async def _line(store: Store, stablecoin: Stablecoin, month: VaultMonth) -> Line:
    money, law = stablecoin.money, f"{month.month} {LAW}"
    if (month.chain_id, month.vault) != (money.chain_id, money.vault.address):
        elsewhere = f"it was another vault's, {month.vault} on chain {month.chain_id}"
        return judge("I8", law, "not compared", [], [elsewhere])
    found = await _read(store, stablecoin, month)
    broken = [*_sums_broken(found), *_file_broken(found)]
    if found.file is not None:
        broken += batches_broken(found.file, found.batches, month.gross or 0, paid=found.paid)
    broken += [*await _seal_broken(stablecoin, found), *await _events_broken(stablecoin, found)]
    return judge("I8", law, _figures(found), broken, _warnings(found))


async def _read(store: Store, stablecoin: Stablecoin, month: VaultMonth) -> _Month:
    """Books first: then the chain, which moves on meanwhile, can't be behind them."""
    async with store.read() as tx:
        month = await vault_months.get(tx, month.month) or month
        close = await closes.get(tx, month.month, _USD)
        content = b"".join(await closes.parts(tx, month.month, _USD, FILE))
        prefix = batch_prefix(month)
        batches = await chain_audits.attempts_of(tx, RAIL, prefix)
        begins = purposes(month.chain_id, month.vault, month.number)
        seal = await transactions.get(tx, begins + SEAL)
    state = await stablecoin.money.vault.month_state(month.number, finalized=True)
    try:
        file = vault_format.read(content) if content else None
    except BadInput:
        file = None
    return _Month(month, close, state, content, file, batches, seal)


def _sums_broken(found: _Month) -> list[str]:
    """Charged on the vault = charged by the books; distributed by the close, or given back."""
    month, state = found.month, found.state
    if month.gross is None:
        return ["it is sealed, and the books have not charged it"] if found.sealed else []
    broken = _close_broken(found.close, month.gross)
    if state.gross != month.gross:
        broken.append(f"the vault charged {state.gross}, and the books say {month.gross}")
    if month.data_hash is None and found.sealed:
        broken.append("the vault has a seal of it, and the books have planned nothing")
    if month.paid_us is not None and month.gross and not found.paid:
        broken.append("the books call it paid, and the vault does not")
    return broken


def _close_broken(close: Close | None, gross: int) -> list[str]:
    if close is None:
        return [f"{gross} was charged, and nothing is closed"]
    if close.stage.number < Stage.BOOKED.number:
        return []
    distributed, commission = close.figures.distributed, close.figures.commission
    broken = []
    if distributed > gross:
        broken.append(f"{gross} was charged, and the close distributed {distributed}")
    if commission * COMMISSION_DIVISOR != distributed:
        broken.append(f"{commission} is not a tenth of {distributed}")
    return broken


def _file_broken(found: _Month) -> list[str]:
    """The published file: its hash, all that it says, and that it is of this month."""
    month, file = found.month, found.file
    if month.data_hash is None:
        return []
    if not found.content:
        return ["its published file is gone"]
    broken = []
    if file_hash(found.content).hex() != month.data_hash:
        broken.append("the published file is not the one that was planned")
    root = found.state.root if found.sealed else None
    broken += [words for one in examine(found.content, None, root) for words in one.wrong]
    if file is not None and (file.vault, file.chain_id, file.number, file.month) != (
        month.vault.lower(), month.chain_id, month.number, str(month.month),
    ):  # fmt: skip
        broken.append("the published file is of another month")
    if file is not None and int(file.gross) != month.gross:
        broken.append(f"the published file says {file.gross} was charged, not {month.gross}")
    distributed = 0 if found.close is None else found.close.figures.distributed
    if file is not None and int(file.distributed) != distributed:
        broken.append(f"the published file distributes {file.distributed}, not {distributed}")
    return broken


async def _seal_broken(stablecoin: Stablecoin, found: _Month) -> list[str]:
    """The hash that was sealed is that of the file."""
    seal = found.seal
    if not found.sealed or found.month.data_hash is None or seal is None or seal.tx_hash is None:
        return []
    receipts = await receipts_of(stablecoin.money, [seal.tx_hash])
    said = _said(stablecoin, receipts.get(seal.tx_hash), found.month.number)
    hashes = [one.data_hash.hex() for one in said if isinstance(one, MonthSealed)]
    if hashes == [found.month.data_hash]:
        return []
    return [f"the vault has sealed {hashes}, and the books {found.month.data_hash}"]


async def _events_broken(stablecoin: Stablecoin, found: _Month) -> list[str]:
    """What the vault logged as it paid: each batch, and the commission."""
    if not found.paid or found.unbooked:
        return []
    broken, commission = [], 0
    receipts = await receipts_of(stablecoin.money, [one.proof for one in found.batches])
    for index, stored in enumerate(found.batches):
        said = _said(stablecoin, receipts.get(stored.proof), found.month.number)
        words = words_of(stored)
        paid = [one for one in said if isinstance(one, BatchPaid) and one.index == index]
        sums = [(one.count, one.paid_units + one.deferred_units) for one in paid]
        if sums != [(len(words), sum(units for _, units in words))]:
            broken.append(f"the vault's word on batch {index} is {sums}, in {stored.proof}")
        tenth = (CommissionPaid, CommissionDeferred)
        commission += sum(one.units for one in said if isinstance(one, tenth))
    if commission != (found.month.gross or 0) // COMMISSION_DIVISOR:
        broken.append(f"the vault paid a commission of {commission}")
    return broken


def _warnings(found: _Month) -> list[str]:
    warnings = []
    done = found.seal is not None and found.seal.state is TransactionState.DONE
    elsewhere = found.seal is None or (done and found.seal.tx_hash is None)
    if found.sealed and elsewhere:
        warnings.append("it was sealed by another hand, and the sealed hash is not compared")
    if done and not found.sealed:
        warnings.append("its seal is not there any more: it was vetoed")
    if found.paid and found.unbooked:
        warnings.append(f"the vault has paid {found.unbooked} batches that are not booked yet")
    return warnings


def _said(stablecoin: Stablecoin, receipt: Receipt | None, number: int) -> list[VaultEvent]:
    """What the vault logged about a month of its own in one transaction."""
    events = stablecoin.money.vault.events(receipt.logs) if receipt is not None else []
    return [event for _, event in events if getattr(event, "month", None) == number]


async def _foreign(stablecoin: Stablecoin, months: Sequence[VaultMonth], newest: int) -> list[Line]:
    """A month that was charged since this node uses the vault, and that it does not know."""
    money = stablecoin.money
    ours = {
        one.number
        for one in months
        if (one.chain_id, one.vault) == (money.chain_id, money.vault.address)
    }
    first = min(ours, default=newest)
    lines = []
    for number in sorted(set(range(first, newest + 1)) - ours - {0}):
        state = await money.vault.month_state(number, finalized=True)
        if state.gross:
            charged = f"the vault charged {coins(state.gross, _USD)} by another hand"
            lines.append(judge("I8", f"the vault's month {number}", "not of this node", [charged]))
    return lines


def _figures(found: _Month) -> str:
    month, state = found.month, found.state
    if month.gross is None:
        return f"the vault's month {month.number}, {coins(state.gross, _USD)} charged so far"
    distributed = 0 if found.close is None else found.close.figures.distributed
    words = [
        f"the vault's month {month.number}: {coins(month.gross, _USD)} charged",
        f"{coins(distributed, _USD)} distributed",
        f"commission {coins(month.gross // COMMISSION_DIVISOR, _USD)}",
    ]
    if found.file is None:
        how_far = "not planned yet" if month.gross else "nothing to pay"
        return ", ".join([*words, how_far])
    number = sum(len(batch.words) for batch in found.file.batches)
    words.append(f"{count(number)} payments in {len(found.file.batches)} batches")
    if int(found.file.waits.units):
        words.append(f"of it {coins(int(found.file.waits.units), _USD)} wait at the node")
    how_far = "paid" if found.paid else "sealed" if found.sealed else "not sealed yet"
    return ", ".join([*words, how_far, f"hash {(month.data_hash or '')[:8]}…"])
