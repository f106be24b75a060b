"""What a node's process hears of LND, written down for the rig; and its death so long after a send.

    NOT_FOUND        the first word on a payment that an earlier life has sent
    ALREADY_EXISTS   LND's answer when it was asked to pay that again: it had it all the time

Each note is one line, appended at once: the process may die at any moment.
"""

from __future__ import annotations

import json
import os
import signal
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from node.flows.node import Node
from node.wallet.lightning.bolt11 import parse_invoice

NAME: Final = "looks.jsonl"
_MISSING: Final = "NOT_FOUND"
_THERE: Final = "ALREADY_EXISTS"


@dataclass
class Ears:
    """Between the rail and its lnd."""

    folder: Path
    sends: int = 0
    dies_at: int = 0
    dies_after_s: float = 0
    known: set[str] = field(default_factory=set)
    """Payments that this life has sent itself, or has asked about."""
    missing: set[str] = field(default_factory=set)

    def die(self, sends: int, after_s: float) -> None:
        """Be killed so long after so many sends from now."""
        self.dies_at, self.dies_after_s = self.sends + sends, after_s

    def asked(self, payment_hash: str, found: bool) -> None:
        """LND has been asked about a payment."""
        if payment_hash in self.known:
            return
        self.known.add(payment_hash)
        if not found:
            self.missing.add(payment_hash)
            self._note(payment_hash, _MISSING)

    def sending(self, payment_hash: str) -> None:
        """A payment is about to be sent."""
        self.known.add(payment_hash)
        self.sends += 1
        if self.sends == self.dies_at:
            order = (os.getpid(), signal.SIGKILL)
            death = threading.Timer(self.dies_after_s, os.kill, order)
            death.daemon = True
            death.start()

    def answered(self, request: Any, words: str) -> None:
        """LND has answered a send."""
        if self.missing and "exists" in words.lower():
            self._note(_hash_of(request), _THERE)

    def _note(self, payment_hash: str, what: str) -> None:
        with (self.folder / NAME).open("a") as file:
            file.write(json.dumps([payment_hash, what]) + "\n")


def listen(node: Node, folder: Path) -> Ears:
    """Stand between this node's rail and its lnd."""
    ears, lnd, rail = Ears(folder), node.lnd, node.rail
    track, sends, pays = lnd.track, rail.send, lnd._send

    async def tracked(payment_hash: str) -> Any:
        view = await track(payment_hash)
        ears.asked(payment_hash, view is not None)
        return view

    async def sent(attempt: Any) -> None:
        ears.sending(attempt.reference)
        await sends(attempt)

    async def paid(request: Any) -> Any:
        answer = await pays(request)
        ears.answered(request, answer.words)
        return answer

    for where, name, heard in (lnd, "track", tracked), (rail, "send", sent), (lnd, "_send", paid):
        setattr(where, name, heard)
    return ears


def notes(folder: Path) -> tuple[set[str], set[str]]:
    """(payments that LND did not show to a new life, those of them it had when asked to pay)."""
    path = folder / NAME
    lines = path.read_text().splitlines() if path.exists() else []
    found: dict[str, set[str]] = {_MISSING: set(), _THERE: set()}
    for line in lines:
        payment_hash, what = json.loads(line)
        found[what].add(payment_hash)
    return found[_MISSING], found[_THERE]


def _hash_of(request: Any) -> str:
    """The payment hash of a SendPaymentRequest, or its invoice's."""
    if request.payment_hash:
        return bytes(request.payment_hash).hex()
    return parse_invoice(request.payment_request).payment_hash
