"""Named points at which a test may kill the process: `FLATTR_FAILPOINTS="pay.stored=kill"`.

A failpoint stands on each side of a step whose half would hurt: before and after a commit, after a
side effect. In use it is one look into an empty dict. Actions: `kill` (as kill -9 would, no
clean-up), `raise`; `kill@3` acts on the third passing only.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterable, Mapping
from typing import Final

KNOWN: Final[frozenset[str]] = frozenset(
    f"{step}.{point}"
    for step, points in {
        "click": ("before_commit", "after_commit"),
        "fold": ("before_commit", "after_commit"),
        "deposit.open": ("before_commit", "after_commit", "after_effect"),
        "deposit.credit": ("before_commit", "after_commit"),
        "chain.deposit": ("before_commit", "after_commit"),
        "close.freeze": ("before_commit", "after_commit"),
        "close.split": ("before_commit", "after_commit"),
        "close.book": ("before_commit", "after_commit"),
        "close.prove": ("before_commit", "after_commit"),
        "close.open": ("before_commit", "after_commit"),
        "close.check": ("before_commit", "after_commit"),
        "pay.store": ("before_commit", "after_commit"),
        "pay.send": ("before_commit", "after_commit", "after_effect"),
        "pay.settle": ("before_commit", "after_commit"),
        "pay.refuse": ("before_commit", "after_commit"),
        "withdraw.open": ("before_commit", "after_commit"),
        "vault.collect": ("before_commit", "after_commit"),
        "vault.limit": ("before_commit", "after_commit"),
        "vault.plan": ("before_commit", "after_commit"),
        "vault.settle": ("before_commit", "after_commit"),
        "vault.transfer": ("before_commit", "after_commit"),
        "chain.sign": ("before_commit", "after_commit"),
        "chain.bump": ("before_commit", "after_commit"),
        "chain.send": ("after_effect",),
        "chain.mined": ("after_commit",),
        "chain.settle": ("before_commit", "after_commit"),
        "contract.send": ("after_commit", "after_effect"),
    }.items()
    for point in points
)
"""Every failpoint that the code passes; a test compares this set with the calls in the source."""


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
