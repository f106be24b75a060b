"""What anybody can recompute of a vault's published month, and what is wrong with a file.

    the bytes      their hash is the sealed one; they are the one spelling of what they say
    each pot       share * flattrs + carry = pot, by the rule of the split; what was charged
    the sums       charged = gross; a tenth of it = commission; words = net; things = nine tenths
    the batches    words ▶ leaves ▶ proofs ▶ the sealed root

The file may come from anybody: it is read with limits (`vault_format.read`), and every number is
Python's, which does not overflow.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from node.errors import BadInput
from node.money import Asset, format_units
from node.settlement.split import split_pot
from node.settlement.tree import Tree, leaf
from node.settlement.vault_format import (
    CREATORS,
    READERS,
    Units,
    VaultFile,
    read,
    spell_hash,
    write,
)

SHOWN_MAX: Final = 3
"""Wrong rows of one kind that are named; of the others, how many they are."""
_TENTH: Final = 10
_ADDRESS_BITS: Final = 96


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was recomputed: what, the figures behind it, and what is wrong with it."""

    law: str
    figures: str
    wrong: tuple[str, ...] = ()


def examine(content: bytes, data_hash: bytes | None, root: bytes | None) -> list[Check]:
    """Everything, line by line. A file that can't be read has one line that says why."""
    hashed = _hash(content, data_hash)
    try:
        file = read(content)
    except BadInput as error:
        return [hashed, Check("the file is a month of a vault", "", (str(error),))]
    return [
        hashed,
        _form(content, file),
        _readers(file),
        _charges(file),
        _commission(file),
        _creators(file),
        _payments(file),
        _root(file, root),
    ]


def _hash(content: bytes, data_hash: bytes | None) -> Check:
    found = sha256(content).digest()
    figures = f"sha256 {spell_hash(found)} of {len(content)} bytes"
    law = "the file is the one that was sealed"
    if data_hash is None:
        return Check(law, f"{figures}; not compared with the vault")
    wrong = [] if found == data_hash else [f"the vault says {spell_hash(data_hash)}"]
    return Check(law, figures, tuple(wrong))


def _form(content: bytes, file: VaultFile) -> Check:
    """Another spelling could be read in two ways, as with a name that stands there twice."""
    wrong = [] if write(file) == content else ["the file is not written in the one spelling"]
    if (tuple(file.readers.columns), tuple(file.creators.columns)) != (READERS, CREATORS):
        wrong.append("a table has other columns")
    figures = (
        f"{file.month} of {file.vault} on {file.network} (chain {file.chain_id}), the vault's"
        f" month {file.number}"
    )
    return Check("the file has one reading", figures, tuple(wrong))


def _readers(file: VaultFile) -> Check:
    rows, wrong, before, distributed = file.readers.rows, [], "", 0
    for name, pot, flattrs, share, _, carry in rows:
        split = split_pot(int(pot), flattrs, file.commission_bps)
        if (int(share), int(carry)) != (split.share, split.carry):
            wrong.append(
                f"reader {name}: a pot of {pot} is {split.share} for each of {flattrs} flattrs and"
                f" {split.carry} left, not {share} and {carry}"
            )
        if name <= before:
            wrong.append(f"reader {name} stands there twice, or out of order")
        before = name
        distributed += int(share) * flattrs
    if distributed != int(file.distributed):
        wrong.append(f"the shares come to {distributed}, not {file.distributed}")
    figures = f"{len(rows)} pots, {_dollars(distributed)} distributed"
    return Check("each pot is split equally", figures, _some(wrong))


def _charges(file: VaultFile) -> Check:
    """Who had less than the shares gave all of the pot: what no share took of it goes back."""
    wrong, charged, back = [], 0, []
    for name, pot, flattrs, share, got, _ in file.readers.rows:
        more = int(got) - int(share) * flattrs
        if more and not (flattrs and int(got) == int(pot)):
            wrong.append(f"reader {name} was charged {more} besides the shares")
        charged += int(got)
        back += [more] if more else []
    if charged != int(file.gross):
        wrong.append(f"the charges come to {charged}, not to the gross of {file.gross}")
    if int(file.distributed) + int(file.refunded) != charged:
        wrong.append(f"{file.distributed} and the {file.refunded} refunded are not {charged}")
    figures = f"{_dollars(charged)} charged"
    if back:
        figures += f"; of it {_dollars(sum(back))} that no share took, of {len(back)} readers"
    return Check("the charges are the shares", figures, _some(wrong))


def _commission(file: VaultFile) -> Check:
    gross, commission, net = int(file.gross), int(file.commission), int(file.net)
    wrong = []
    if commission != gross // _TENTH:
        wrong.append(f"{commission} is not a tenth of {gross}, rounded down")
    if net != gross - commission:
        wrong.append(f"the net of {net} is not {gross} less {commission}")
    return Check("the commission is a tenth", f"{_dollars(commission)}", tuple(wrong))


def _creators(file: VaultFile) -> Check:
    rows, wrong = file.creators.rows, []
    counted = sum(flattrs for _, flattrs, _ in rows)
    earned = sum(int(net) for _, _, net in rows)
    flattrs = sum(row[2] for row in file.readers.rows)
    if counted != flattrs:
        wrong.append(f"the readers flattred {flattrs} times, and the things were {counted} times")
    due = int(file.distributed) - int(file.distributed) // _TENTH
    if earned != due:
        wrong.append(f"the things earned {earned}, not nine tenths of what was distributed, {due}")
    listed = [(name, flattrs, int(net)) for name, flattrs, net in rows]
    if listed != sorted(listed):
        wrong.append("the things are out of order")
    number = len({name for name, _, _ in rows})
    figures = f"{len(rows)} things of {number} creators, {counted} flattrs, {_dollars(earned)}"
    return Check("the things earn nine tenths", figures, _some(wrong))


def _payments(file: VaultFile) -> Check:
    words = [(address, int(units)) for batch in file.batches for address, units in batch.words]
    paid, waits = sum(units for _, units in words), int(file.waits.units)
    wrong = [f"{address} gets nothing" for address, units in words if units == 0]
    if paid != int(file.net):
        wrong.append(f"the payments come to {paid}, not to the net of {file.net}")
    if waits and words[-1] != (file.waits.at, waits):
        wrong.append(f"the last payment is not the {waits} that wait at {file.waits.at}")
    figures = f"{len(words)} payments in {len(file.batches)} batches, {_dollars(paid)}"
    if waits:
        figures += f", of it {_dollars(waits)} wait at {file.waits.at}"
    return Check("the payments are the net", figures, _some(wrong))


def _root(file: VaultFile, root: bytes | None) -> Check:
    tree = Tree(list(_leaves(file)))
    found, wrong = spell_hash(tree.root), []
    if root is not None and root != tree.root:
        wrong.append(f"the batches have the root {found}, and the vault says {spell_hash(root)}")
    if file.root != found:
        wrong.append(f"the batches have the root {found}, and the file says {file.root}")
    for index, batch in enumerate(file.batches):
        if batch.index != index:
            wrong.append(f"batch {batch.index} stands in the place of batch {index}")
        if batch.proof != [spell_hash(one) for one in tree.proof(index)]:
            wrong.append(f"the proof of batch {index} does not lead to the root")
    figures = f"{found}, with {len(file.batches)} proofs"
    if root is None:
        figures += "; not compared with the vault"
    return Check("the batches are under the root", figures, _some(wrong))


def _leaves(file: VaultFile) -> Iterator[bytes]:
    for index, batch in enumerate(file.batches):
        words = [int(to, 16) << _ADDRESS_BITS | int(units) for to, units in batch.words]
        yield leaf(file.vault, file.chain_id, file.number, index, words)


def _dollars(units: Units) -> str:
    return f"{format_units(int(units), Asset.USD)} USD"


def _some(wrong: Sequence[str]) -> tuple[str, ...]:
    shown, more = wrong[:SHOWN_MAX], len(wrong) - SHOWN_MAX
    return (*shown, f"and {more} more of this kind") if more > 0 else tuple(shown)
