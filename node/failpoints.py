"""Named points at which a test may kill the process: `FLATTR_FAILPOINTS="fold.after_commit=kill"`.

A failpoint stands on each side of a step whose half would hurt: before and after a commit, after a
side effect. In use it is one look into an empty dict. Actions: `kill` (as kill -9 would, no
clean-up), `raise`; `kill@3` acts on the third passing only.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterable, Mapping
from typing import Final

TRANSACTIONS: Final = (
    "backup.restore",
    "breaker.breach", "breaker.pause", "breaker.resume", "breaker.stop",
    "chain.account", "chain.ahead", "chain.ask", "chain.bump", "chain.deposit", "chain.displaced",
    "chain.elsewhere", "chain.lower", "chain.mined", "chain.reorged", "chain.retried",
    "chain.settle", "chain.sign", "chain.why",
    "click",
    "close.approve", "close.book", "close.check", "close.fold", "close.freeze", "close.open",
    "close.prove", "close.split",
    "contract.send",
    "deposit.credit", "deposit.expire", "deposit.open", "deposit.request",
    "fold",
    "lease.give_up", "lease.take",
    "leave",
    "limbo.approve", "limbo.note", "member.suspend",
    "means.set",
    "pay.ask_again", "pay.follow", "pay.note", "pay.postpone", "pay.refuse", "pay.retry",
    "pay.send", "pay.settle", "pay.store", "pay.unpayable",
    "pot.set",
    "reconcile.adopt", "reconcile.compare", "reconcile.stop", "reconcile.take_up",
    "site.ask", "site.check", "site.release",
    "subscription.begin", "subscription.end",
    "target.set",
    "thing.add", "thing.claim",
    "vault.ask", "vault.attribute", "vault.bury", "vault.collect", "vault.finish", "vault.limit",
    "vault.link", "vault.plan", "vault.postpone", "vault.reseal", "vault.settle", "vault.transfer",
    "vault.transferred",
    "withdraw.open",
)  # fmt: skip
"""Steps that keep something: `store.write(step)` passes a point before its commit, one after."""

EFFECTS: Final = ("chain.send", "contract.send", "deposit.open", "pay.send")
"""Steps that ask the network for something; a point is passed when it was asked."""

KNOWN: Final = frozenset(
    [f"{step}.{at}" for step in TRANSACTIONS for at in ("before_commit", "after_commit")]
    + [f"{step}.after_effect" for step in EFFECTS]
)
"""Every failpoint that the code passes; a test compares this set with the source."""


class FailpointHit(BaseException):
    """Raised by the action `raise`; a BaseException, so that no handler mistakes it for a fault."""


class _Armed:
    """Which failpoints act, and how many passings are left before they do."""

    def __init__(self) -> None:
        self.actions: dict[str, tuple[str, int]] = {}


_armed = _Armed()


def arm(actions: Mapping[str, str]) -> None:
    """Replace what is armed. `{"pay.store.after_commit": "kill@2"}`. Raises ValueError."""
    _armed.actions = dict(_parse(actions.items()))


def arm_from_environment() -> None:
    """Arm what FLATTR_FAILPOINTS names: `point=action;point=action`."""
    text = os.environ.get("FLATTR_FAILPOINTS", "")
    arm(dict(part.split("=", 1) for part in text.split(";") if part))


def failpoint(name: str) -> None:
    """Pass a named point; act if a test has armed it."""
    if not _armed.actions or name not in _armed.actions:
        return
    action, left = _armed.actions[name]
    _armed.actions[name] = (action, left - 1)
    if left != 1:
        return
    if action == "raise":
        raise FailpointHit(name)
    os.kill(os.getpid(), signal.SIGKILL)


def _parse(actions: Iterable[tuple[str, str]]) -> Iterable[tuple[str, tuple[str, int]]]:
    for name, text in actions:
        action, _, passing = text.partition("@")
        if name not in KNOWN or action not in {"kill", "raise"}:
            raise ValueError(f"no failpoint {name}={text}")
        yield name, (action, int(passing or 1))
