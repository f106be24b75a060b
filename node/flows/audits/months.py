"""I9: a closed month, computed again from what went into it, and compared with what came out.

    what left the pots by the ledger ─┐
    flattrs as they were folded ──────┼─▶ shares, carry, things ──▶ the stored parts
    what was excluded, what waited ───┘                         ├─▶ the figures, the digest
                                                                └─▶ what the ledger gave creators

Readers come part by part, so that memory stays bounded.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from node.flows.audits.lines import Line, coins, judge
from node.flows.close import result_digest
from node.ids import OPERATOR
from node.money import Asset
from node.settlement.month_split import (
    PAIR_COLUMNS,
    READER_COLUMNS,
    THING_COLUMNS,
    by_creator,
    unpack,
)
from node.settlement.split import BPS, Units, split_pots, sum_by
from node.store import audits, closes, flattrs
from node.store.closes import Close, Stage
from node.store.engine import Tx

LAW: Final = "the split is exact and recomputed"
_MEMBER, _POT, _COUNT, _SHARE, _COMMISSION, _CARRY = range(6)


async def month_line(tx: Tx, close: Close) -> Line:
    """The line of one closed month. A close that has not been split yet is a warning."""
    law = f"{close.month}{'' if close.asset is Asset.SAT else f' {close.asset}'} {LAW}"
    if close.stage.number < Stage.PROVED.number:
        waits = [f"the close stands at {close.stage}: flattr-node close --month {close.month}"]
        return judge("I9", law, "nothing to recompute yet", [], waits)
    parts = [
        unpack(rows, len(READER_COLUMNS))
        for rows in await closes.parts(tx, close.month, close.asset, "reader")
    ]
    readers = np.concatenate([np.zeros((0, len(READER_COLUMNS)), np.int64), *parts])
    broken = [
        *_figures_broken(close, readers),
        *await _pots_broken(tx, close, readers),
        *await _shares_broken(tx, close, parts),
        *await _creators_broken(tx, close),
    ]
    if await result_digest(tx, close) != close.digest:
        broken.append("the digest is not that of the stored parts")
    figures = close.figures
    digest = close.digest or "none"
    exactly = f"{close.commission_bps / 100:g}".removesuffix(".0")
    words = (
        f"D={coins(figures.distributed, close.asset)}"
        f" fee={coins(figures.commission, close.asset)} (exactly {exactly} %),"
        f" carry {coins(figures.carried, close.asset)},"
        f" digest {digest[:4]}…{digest[-2:]} recomputed"
    )
    return judge("I9", law, words, broken)


def _figures_broken(close: Close, readers: Units) -> list[str]:
    """The figures of the close against the sums of its readers, and each reader's split."""
    figures, broken = close.figures, []
    split = split_pots(readers[:, _POT], readers[:, _COUNT], close.commission_bps)
    again = np.stack([split.share, split.commission, split.carry], axis=1)
    if not np.array_equal(again, readers[:, _SHARE:]):
        wrong = readers[(again != readers[:, _SHARE:]).any(axis=1), _MEMBER]
        broken.append(f"the pot of member {wrong[0]} is not split by the rule")
    sums = (
        int(readers[:, _POT].sum()),
        int((readers[:, _SHARE] * readers[:, _COUNT]).sum()),
        int((readers[:, _COMMISSION] * readers[:, _COUNT]).sum()),
        int(readers[:, _CARRY].sum()),
        int(readers[:, _COUNT].sum()),
    )
    stored = (
        figures.pots, figures.distributed, figures.commission, figures.carried, figures.flattrs,
    )  # fmt: skip
    if sums != stored:
        broken.append(f"the readers sum to {sums}, and the close says {stored}")
    if figures.commission * BPS != figures.distributed * close.commission_bps:
        wrong_tenth = coins(figures.commission, close.asset)
        broken.append(f"{wrong_tenth} is not the commission on what was distributed")
    return broken


async def _pots_broken(tx: Tx, close: Close, readers: Units) -> list[str]:
    """The pots that were split against what the ledger took out of them."""
    left = await audits.left_pots(tx, close)
    split = readers[readers[:, _POT] > 0][:, [_MEMBER, _POT]]
    if np.array_equal(left, split):
        return []
    return [f"the ledger emptied {len(left)} pots, not the {len(split)} that were split, or others"]


async def _shares_broken(tx: Tx, close: Close, parts: list[Units]) -> list[str]:
    """The flattrs that count, counted again: for each reader, and for each thing."""
    things = await _things(tx, close)
    excluded = await _pairs(tx, close, "excluded")
    pending = await _pairs(tx, close, "pending")
    top = int(things[-1, 0]) if len(things) else 0
    net, number = np.zeros(top + 1, np.int64), np.zeros(top + 1, np.int64)
    broken = []
    for readers in parts:
        pairs = await _counted(tx, close, readers, things, excluded, pending)
        place = np.searchsorted(readers[:, _MEMBER], pairs[:, 0])
        counted = np.bincount(place, minlength=len(readers))
        if not np.array_equal(counted, readers[:, _COUNT]):
            wrong = readers[counted != readers[:, _COUNT], _MEMBER]
            broken.append(f"member {wrong[0]} flattred another number of things")
        share = (readers[:, _SHARE] - readers[:, _COMMISSION])[place]
        net += sum_by(pairs[:, 1], share, top + 1)
        number += np.bincount(pairs[:, 1], minlength=top + 1)
    again = np.stack([number[things[:, 0]], net[things[:, 0]]], axis=1)
    if not np.array_equal(again, things[:, 2:]):
        wrong = things[(again != things[:, 2:]).any(axis=1), 0]
        broken.append(f"thing {wrong[0]} did not earn what its flattrs are worth")
    return broken


async def _creators_broken(tx: Tx, close: Close) -> list[str]:
    """What things earned against what the ledger gave their creators and the operator."""
    creators, net = by_creator(await _things(tx, close))
    due = {int(c): int(n) for c, n in zip(creators, net, strict=True) if n}
    if close.figures.commission:
        due[OPERATOR] = close.figures.commission
    given = {int(member): int(units) for member, units in await audits.reached_creators(tx, close)}
    wrong = sorted(who for who in due.keys() | given.keys() if due.get(who) != given.get(who))
    if not wrong:
        return []
    who = f"member {wrong[0]}" if wrong[0] != OPERATOR else "the operator"
    words = " instead of ".join(coins(side.get(wrong[0], 0), close.asset) for side in (given, due))
    return [f"the ledger gave {who} {words}"]


async def _counted(
    tx: Tx, close: Close, readers: Units, things: Units, excluded: Units, pending: Units
) -> Units:
    """(reader, thing) of the flattrs that count, of the readers of one part."""
    first, last = int(readers[0, _MEMBER]), int(readers[-1, _MEMBER])
    members, lengths, marked = await flattrs.months_between(tx, close.month, first, last)
    folded = np.stack([np.repeat(members, lengths), marked], axis=1)
    waited = pending[(pending[:, 0] >= first) & (pending[:, 0] <= last)]
    both = np.concatenate([folded, waited])
    counts = (
        np.isin(both[:, 0], readers[:, _MEMBER])
        & np.isin(both[:, 1], things[:, 0])
        & ~np.isin(_key(both), _key(excluded))
    )
    return both[counts]


async def _things(tx: Tx, close: Close) -> Units:
    blobs = await closes.parts(tx, close.month, close.asset, "thing")
    return unpack(b"".join(blobs), len(THING_COLUMNS))


async def _pairs(tx: Tx, close: Close, kind: str) -> Units:
    blobs = await closes.parts(tx, close.month, close.asset, kind)
    return unpack(b"".join(blobs), len(PAIR_COLUMNS))


def _key(pairs: Units) -> Units:
    return (pairs[:, 0] << 32) | pairs[:, 1]
