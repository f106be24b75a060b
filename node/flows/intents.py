"""The journal of intents: what is about to be sent, in a file of its own beside the database.

    attempt committed ▶ a line here, on disk ▶ sent

A database that is restored from a backup has forgotten what was paid since, and lnd can't say for
whom it paid: an invoice of a creator's server names nobody. This file can. So `reconcile` takes up
such a payment as the payout that it was, and nobody is paid again or asked.

The file is only appended to. Those who write at the same time share a flush. A line that was cut
off by a crash was never sent, and is passed over.
"""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from node.errors import RailUnavailable
from node.money import Amount
from node.settlement.attempt import Attempt
from node.settlement.payout import Payout

FILE_NAME: Final = "payments.journal"
_MODE: Final = 0o600


@dataclass(frozen=True, slots=True)
class Intent:
    """One payment that was about to be sent, and all that it takes to know it again."""

    payment_hash: str
    payout: str
    kind: str
    member: int
    month: int | None
    units: int
    fee_limit: int
    target: str | None
    message: str
    sender: str
    expires_s: int | None
    at_s: int


class Intents:
    """The journal of one folder."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._waiting: list[bytes] = []
        self._added = 0
        self._written = 0
        self._alone = asyncio.Lock()

    async def note(self, payout: Payout, attempt: Attempt, at_s: int) -> None:
        """On disk when it returns. Raises RailUnavailable when it can't be: nothing may be sent."""
        line = msgspec.json.encode(_intent(payout, attempt, at_s)) + b"\n"
        self._waiting.append(line)
        self._added += 1
        mine = self._added
        async with self._alone:
            if self._written >= mine:
                return
            lines, self._waiting = self._waiting, []
            try:
                await asyncio.to_thread(self._append, b"".join(lines))
            except OSError as error:
                # The others try again with theirs: each of them is told for itself.
                self._waiting = [one for one in lines if one is not line] + self._waiting
                raise RailUnavailable(f"{self._path} can't be written: {error}") from error
            self._written += len(lines)

    def read(self) -> dict[str, Intent]:
        """Every intent by its payment hash; the last one of each counts."""
        if not self._path.exists():
            return {}
        decoder, found = msgspec.json.Decoder(Intent), {}
        for line in self._path.read_bytes().splitlines():
            try:
                intent = decoder.decode(line)
            except msgspec.MsgspecError:
                continue
            found[intent.payment_hash] = intent
        return found

    def _append(self, octets: bytes) -> None:
        descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, _MODE)
        with os.fdopen(descriptor, "ab") as file:
            if file.tell() and not _ends_whole(self._path):
                file.write(b"\n")
            file.write(octets)
            file.flush()
            os.fsync(file.fileno())


def intent_of(
    payout: Payout,
    *,
    payment_hash: str,
    fee_limit: Amount,
    message: str,
    sender: str,
    expires_s: int | None,
    at_s: int,
) -> Intent:
    """The intent to pay this payout by the payment of this hash."""
    return Intent(
        payment_hash=payment_hash,
        payout=payout.id,
        kind=payout.kind,
        member=payout.member,
        month=payout.month.ordinal if payout.month else None,
        units=payout.amount.units,
        fee_limit=fee_limit.units,
        target=payout.target,
        message=message,
        sender=sender,
        expires_s=expires_s,
        at_s=at_s,
    )


def _ends_whole(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read(1) == b"\n"


def _intent(payout: Payout, attempt: Attempt, at_s: int) -> Intent:
    return intent_of(
        payout,
        payment_hash=attempt.reference,
        fee_limit=attempt.fee_limit,
        message=attempt.message,
        sender=attempt.sender,
        expires_s=attempt.expires_s,
        at_s=at_s,
    )
