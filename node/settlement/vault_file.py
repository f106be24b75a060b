"""The published month of the vault: the file whose hash is sealed with the root.

    a closed month ──build──▶ bytes ──file_hash──▶ sealed ──▶ published ──examine──▶ what is wrong

It says how each pot was split and what each thing brought, under salted ids, and who is paid which
amount in which batch. So anybody can recompute the split, the commission, the batches and the root.
A member knows the own id and finds the own rows; who flattred what is not in it, and since the rows
are in order of the salted ids, neither is who joined when.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

import numpy as np
from numpy.typing import NDArray

from node.errors import BadInput, CorruptBooks
from node.month import Month
from node.settlement import vault_format as written
from node.settlement.split import COMMISSION_BPS_MAX
from node.settlement.tree import Tree
from node.settlement.vault_checks import examine
from node.settlement.vault_format import Batch, Creators, Readers, VaultFile, Waits, spell

COMMISSION_DIVISOR: Final = 10
"""The contract's: a tenth of what was charged, rounded down."""
_ID_BYTES: Final = 16
_MEMBER_BYTES: Final = 8


@dataclass(frozen=True, slots=True)
class VaultFileHead:
    """What the file is about. Amounts in base units; `number` is the vault's own of the month.

    `waits_units` are the last word of the last batch, to `waits_at`: 0 if nothing waits.
    """

    network: str
    chain_id: int
    vault: str
    token: str
    number: int
    month: Month
    gross: int
    commission: int
    waits_at: str
    waits_units: int


def month_salt(secret: bytes, vault: str, month: Month) -> bytes:
    """The salt of one month's ids: 32 bytes, never published; the same whenever it is asked for."""
    named = f"flattr-node vault month\x1f{vault.lower()}\x1f{month}"
    return hmac.digest(secret, named.encode(), "sha256")


def salted_id(salt: bytes, member: int) -> str:
    """The name of a member in this month's file: 32 hex digits."""
    return sha256(salt + member.to_bytes(_MEMBER_BYTES, "big")).digest()[:_ID_BYTES].hex()


def build(
    head: VaultFileHead, batches: Sequence[Sequence[tuple[str, int]]], tree: Tree,
    readers: NDArray[np.int64], things: NDArray[np.int64], salt: bytes,
    charged: Mapping[int, int] | None = None,
) -> bytes:  # fmt: skip
    """The bytes of the month's file.

    `batches`: (address, base units) of each word; `tree` is over their leaves. `readers` are rows
    of READER_COLUMNS, `things` of THING_COLUMNS. `charged`: what the vault charged a member, of
    those of whom it got less than they had given, so that it is their pot; what of it no share took
    is paid back. Raises CorruptBooks when the sums do not fit, so that no file is made that
    `examine` would refuse for them.
    """
    distributed = int((readers[:, 3] * readers[:, 2]).sum())
    rows = _reader_rows(readers, salt, charged or {})
    net = head.gross - head.commission
    _demand(head.commission == head.gross // COMMISSION_DIVISOR, "the commission is no tenth")
    _demand(sum(units for some in batches for _, units in some) == net, "the words are not the net")
    _demand(sum(int(row[4]) for row in rows) == head.gross, "the charges are not the gross")
    return _readable(
        VaultFile(
            format="flattr-node vault month", version=1, network=head.network,
            chain_id=head.chain_id, vault=head.vault.lower(), token=head.token.lower(),
            number=head.number, month=str(head.month), commission_bps=COMMISSION_BPS_MAX,
            distributed=spell(distributed), refunded=spell(head.gross - distributed),
            gross=spell(head.gross), commission=spell(head.commission), net=spell(net),
            root=written.spell_hash(tree.root), batches=_batches(batches, tree),
            waits=Waits(head.waits_at.lower(), spell(head.waits_units), written.WHY),
            readers=Readers(list(written.READERS), rows),
            creators=Creators(list(written.CREATORS), _creator_rows(things, salt)),
        )
    )  # fmt: skip


def file_hash(content: bytes) -> bytes:
    """What is sealed as the month's data hash: sha256 of the file."""
    return sha256(content).digest()


def verify(content: bytes, data_hash: bytes, root: bytes) -> list[str]:
    """What is wrong with a file, in words; nothing when it is the one that was sealed, and right.

    `data_hash` and `root` are the vault's.
    """
    return [words for check in examine(content, data_hash, root) for words in check.wrong]


def _batches(batches: Sequence[Sequence[tuple[str, int]]], tree: Tree) -> list[Batch]:
    return [
        Batch(
            index,
            [written.spell_hash(one) for one in tree.proof(index)],
            [(address.lower(), spell(units)) for address, units in some],
        )
        for index, some in enumerate(batches)
    ]


def _reader_rows(
    readers: NDArray[np.int64], salt: bytes, charged: Mapping[int, int]
) -> list[written.ReaderRow]:
    rows: list[written.ReaderRow] = []
    for member, pot, flattrs, share, _, carry in readers.tolist():
        got = charged.get(member, share * flattrs)
        name = salted_id(salt, member)
        rows.append((name, spell(pot), flattrs, spell(share), spell(got), spell(carry)))
    return sorted(rows)


def _creator_rows(things: NDArray[np.int64], salt: bytes) -> list[written.CreatorRow]:
    rows = sorted(
        (salted_id(salt, creator), flattrs, net) for _, creator, flattrs, net in things.tolist()
    )
    return [(name, flattrs, spell(net)) for name, flattrs, net in rows]


def _readable(file: VaultFile) -> bytes:
    content = written.write(file)
    try:
        written.read(content)
    except BadInput as error:
        raise CorruptBooks(f"the month's file can't be made: {error}") from error
    return content


def _demand(holds: bool, words: str) -> None:
    if not holds:
        raise CorruptBooks(f"the month's file can't be made: {words}")
