"""How the published month of the vault is written: one JSON text, of which there is one spelling.

    keys in order of the alphabet, no spaces, ASCII names; addresses and hashes in lower case
    a number is whole, and a JSON number up to 2**53 - 1; a greater one is a string of its digits
    a table is {"columns": […], "rows": [[…], …]}, its rows in order

So that every reader of JSON reads the same numbers, and the same month is the same bytes. What is
read is somebody else's: every field has a type, a range and a length, and nothing else may be
there.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal, TypeAlias

import msgspec
from msgspec import Meta, Struct

from node.errors import BadInput

BYTES_MAX: Final = 256 * 2**20
"""The longest file that is read: about three million readers."""
WORDS_MAX: Final = 500
PROOF_MAX: Final = 16
"""What the contract takes in one batch."""
NUMBER_MAX: Final = 2**53 - 1
"""The greatest number that every reader of JSON reads exactly."""
DIGITS_MAX: Final = 28
"""Every number of so many digits is below 2**96, and fits into a word beside an address."""

READERS: Final = ("reader", "pot", "flattrs", "share", "charged", "carry")
CREATORS: Final = ("creator", "flattrs", "net")
WHY: Final = (
    "earned, and not payable when the month was sealed: no dues, no address, an address of less"
    " than 72 hours, less than the least payout, or more than was charged"
)
"""Why money waits at the node's address."""

Number: TypeAlias = Annotated[int, Meta(ge=0, le=NUMBER_MAX)]
Units: TypeAlias = Number | Annotated[str, Meta(pattern=rf"^[1-9][0-9]{{15,{DIGITS_MAX - 1}}}\Z")]
Address: TypeAlias = Annotated[str, Meta(pattern=r"^0x[0-9a-f]{40}\Z")]
Hash: TypeAlias = Annotated[str, Meta(pattern=r"^0x[0-9a-f]{64}\Z")]
SaltedId: TypeAlias = Annotated[str, Meta(pattern=r"^[0-9a-f]{32}\Z")]
Word: TypeAlias = tuple[Address, Units]
ReaderRow: TypeAlias = tuple[SaltedId, Units, Number, Units, Units, Units]
CreatorRow: TypeAlias = tuple[SaltedId, Number, Units]


class Batch(Struct, frozen=True, forbid_unknown_fields=True):
    """One batch: who gets what, and the partners of its leaf."""

    index: Number
    proof: Annotated[list[Hash], Meta(max_length=PROOF_MAX)]
    words: Annotated[list[Word], Meta(min_length=1, max_length=WORDS_MAX)]


class Waits(Struct, frozen=True, forbid_unknown_fields=True):
    """The last word of the last batch, if there are units in it: what can't be paid yet."""

    at: Address
    units: Units
    why: Annotated[str, Meta(max_length=500)]


class Readers(Struct, frozen=True, forbid_unknown_fields=True):
    """How each pot was split, in order of the salted ids."""

    columns: list[str]
    rows: list[ReaderRow]


class Creators(Struct, frozen=True, forbid_unknown_fields=True):
    """What each thing brought its creator, in order."""

    columns: list[str]
    rows: list[CreatorRow]


class VaultFile(Struct, frozen=True, forbid_unknown_fields=True):
    """The whole month. `distributed` is what things got, `refunded` what else was charged."""

    format: Literal["flattr-node vault month"]
    version: Literal[1]
    network: Annotated[str, Meta(pattern=r"^[ -~]{1,100}\Z")]
    chain_id: Number
    vault: Address
    token: Address
    number: Number
    month: Annotated[str, Meta(pattern=r"^[0-9]{4}-(0[1-9]|1[0-2])\Z")]
    commission_bps: Literal[1000]
    distributed: Units
    refunded: Units
    gross: Units
    commission: Units
    net: Units
    root: Hash
    batches: Annotated[list[Batch], Meta(min_length=1)]
    waits: Waits
    readers: Readers
    creators: Creators


def write(file: VaultFile) -> bytes:
    """The one spelling of this month."""
    return msgspec.json.encode(file, order="sorted")


def read(content: bytes) -> VaultFile:
    """What a file says. Raises BadInput when it is no such file, and nothing else."""
    if len(content) > BYTES_MAX:
        raise BadInput(f"the file is longer than {BYTES_MAX} bytes")
    try:
        return _DECODER.decode(content)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise BadInput(f"this is no month file of a vault: {error}") from error


def spell(units: int) -> int | str:
    """A number as it is written."""
    return units if units <= NUMBER_MAX else str(units)


def spell_hash(content: bytes) -> str:
    """32 bytes, or an address, as it is written."""
    return "0x" + content.hex()


_DECODER: Final = msgspec.json.Decoder(VaultFile)
