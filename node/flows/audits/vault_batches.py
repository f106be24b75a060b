"""The batches of a month: what was published, what is stored, and the payouts that they pay.

Each published word is one payout, to its target and of its units, and each payout one word. The
last word of the last batch may be what waits at the node's own address; the commission is a payout
of the last batch without a word, since the vault pays it by itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

from node.flows.audits.lines import coins
from node.money import Asset
from node.settlement.attempt import AttemptState
from node.settlement.payout import PayoutKind, PayoutState
from node.settlement.vault_file import COMMISSION_DIVISOR
from node.settlement.vault_format import VaultFile
from node.store.chain_audits import ChainAttempt
from node.wallet.stablecoin.words import from_word

_USD: Final = Asset.USD
_WORD_DIGITS: Final = 64


def batches_broken(
    file: VaultFile, batches: Sequence[ChainAttempt], gross: int, *, paid: bool
) -> list[str]:
    """What differs, in words. `batches` in order; `paid`: by the vault, all of them."""
    broken = []
    if len(batches) != len(file.batches):
        broken.append(f"{len(file.batches)} batches are published, {len(batches)} stored")
    for index, (batch, stored) in enumerate(zip(file.batches, batches, strict=False)):
        words = [(address, int(units)) for address, units in batch.words]
        if words_of(stored) != words:
            broken.append(f"batch {index} is stored with other words than are published")
        last = index == len(file.batches) - 1
        waits = int(file.waits.units) if last else 0
        broken += _payouts_broken(stored, index, Counter(words[:-1] if waits else words))
        broken += _states_broken(stored, index, paid=paid)
    return broken + _commission_broken(batches, gross)


def words_of(stored: ChainAttempt) -> list[tuple[str, int]]:
    """A stored batch's recipients, as the published file writes them."""
    message = stored.message
    numbers = [
        int(message[at : at + _WORD_DIGITS], 16) for at in range(0, len(message), _WORD_DIGITS)
    ]
    return [(address.lower(), units) for address, units in map(from_word, numbers)]


def _payouts_broken(stored: ChainAttempt, index: int, words: Counter[tuple[str, int]]) -> list[str]:
    paid = Counter(
        ((one.target or "").lower(), one.units)
        for one in stored.payouts
        if one.kind is not PayoutKind.COMMISSION
    )
    return [
        f"batch {index} pays {coins(units, _USD)} to {address}, which no payout says"
        for address, units in (words - paid)
    ] + [
        f"batch {index} does not pay the {coins(units, _USD)} to {address or 'nobody'} of a payout"
        for address, units in (paid - words)
    ]


def _states_broken(stored: ChainAttempt, index: int, *, paid: bool) -> list[str]:
    settled = stored.state is AttemptState.SETTLED
    broken = [
        f"payout {one.payout} of batch {index} is {one.state}"
        for one in stored.payouts
        if (one.state is PayoutState.PAID) != settled
    ]
    if settled and not paid:
        broken.append(f"batch {index} is booked as paid before the vault has paid all")
    return broken


def _commission_broken(batches: Sequence[ChainAttempt], gross: int) -> list[str]:
    """One payout of the last batch, and of no other, is the operator's tenth."""
    tenths = [
        (index, one.units)
        for index, stored in enumerate(batches)
        for one in stored.payouts
        if one.kind is PayoutKind.COMMISSION
    ]
    tenth = gross // COMMISSION_DIVISOR
    if tenths == ([(len(batches) - 1, tenth)] if tenth else []):
        return []
    return [f"the commission's payouts are {tenths}, not one of {tenth}"]
