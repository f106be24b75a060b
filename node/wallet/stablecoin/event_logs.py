"""Reading the vault's events from logs.

Who reads logs must first drop those of other contracts, which can say anything: `Vault.events`
does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Final

from eth_hash.auto import keccak

from node.errors import RailUnavailable
from node.wallet.stablecoin.answers import Log
from node.wallet.stablecoin.events import (
    Abandoned,
    BatchPaid,
    CapSet,
    Charged,
    ChargeShort,
    Claimed,
    CommissionDeferred,
    CommissionPaid,
    Deposited,
    ExitRequested,
    MonthOpened,
    MonthSealed,
    MonthVetoed,
    OwnershipTransferred,
    OwnershipTransferStarted,
    PausedSet,
    PaymentDeferred,
    PotSet,
    Reclaimed,
    RoleSet,
    Swept,
    VaultEvent,
    Withdrawn,
)
from node.wallet.stablecoin.words import WORD_BYTES, decode, to_address

_SHAPES: Final[Mapping[type[VaultEvent], str]] = {
    Deposited: "address member!, address !, uint256 units, address payer",
    PotSet: "address member!, uint256 units",
    ExitRequested: "address member!, uint256 at_s",
    Withdrawn: "address member!, address to, uint256 units",
    MonthOpened: "uint256 month!",
    Charged: "uint256 month!, uint256 members, uint256 units",
    ChargeShort: "uint256 month!, address member!, uint256 wanted_units, uint256 got_units",
    MonthSealed: "uint256 month!, bytes32 root, uint256 gross_units, uint256 commission_units,"
    " uint256 batches, bytes32 data_hash, uint256 payable_at_s",
    MonthVetoed: "uint256 month!",
    BatchPaid: "uint256 month!, uint256 index!, uint256 count, uint256 paid_units,"
    " uint256 deferred_units",
    PaymentDeferred: "uint256 month!, address to!, uint256 units",
    CommissionPaid: "uint256 month!, address to!, uint256 units",
    CommissionDeferred: "uint256 month!, address to!, uint256 units",
    Claimed: "address to!, uint256 units",
    Abandoned: "uint256 month!, uint256 refund_units",
    Reclaimed: "uint256 month!, address member!, uint256 units",
    Swept: "address asset!, address to!, uint256 units",
    PausedSet: "address by!, uint256 until_s",
    RoleSet: "uint256 role!, address who!",
    CapSet: "uint256 units",
    OwnershipTransferStarted: "address previous_owner!, address new_owner!",
    OwnershipTransferred: "address previous_owner!, address new_owner!",
}
"""Each event's arguments in their order; `!` is an indexed one; one without a name is dropped."""

_READERS: Final[Mapping[str, Callable[[int], object]]] = {
    "address": to_address,
    "uint256": int,
    "bytes32": lambda number: number.to_bytes(WORD_BYTES, "big"),
}


def read_event(log: Log) -> VaultEvent | None:
    """The event of one of the vault's logs; None when it is none of the vault's events.

    Raises RailUnavailable for a log that the vault can't have written.
    """
    kind = _kinds().get(log.topics[0]) if log.topics else None
    if kind is None:
        return None
    try:
        return kind(**_values(_SHAPES[kind], log))
    except (IndexError, ValueError) as error:
        raise RailUnavailable(f"an RPC shows a {kind.__name__} that no vault writes") from error


def _values(shape: str, log: Log) -> dict[str, Any]:
    """The arguments by their names: indexed ones lie in the topics, the others in the rest."""
    topics = [int.from_bytes(topic, "big") for topic in log.topics[1:]]
    words = decode(log.data)
    values = {}
    for argument in shape.split(", "):
        kind, name = argument.split(" ")
        source = topics if name.endswith("!") else words
        values[name.removesuffix("!")] = _READERS[kind](source.pop(0))
    if topics or words:
        raise ValueError("more than the event has")
    values.pop("", None)
    return values


@cache
def _kinds() -> dict[bytes, type[VaultEvent]]:
    """The first topic of each event."""
    found = {}
    for kind, shape in _SHAPES.items():
        types = ",".join(argument.split(" ")[0] for argument in shape.split(", "))
        found[keccak(f"{kind.__name__}({types})".encode())] = kind
    return found
