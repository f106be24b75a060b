"""What can go wrong in the simulated network, each as a switch.

The facts behind the switches were measured on lnd 0.21.1 or read in its source. A `Switch` names
the payments that it strikes: by hash, the next few, or by a chance drawn from one seeded generator,
so that a run repeats. It is asked once a payment (or call), and remembers whom it struck.

    switch        struck at                what the payer sees
    ------------  -----------------------  ------------------------------------------------------
    not_found     SendPaymentV2, accepted  the stream breaks; Track says NOT_FOUND for `reads` reads
                                           and `seconds`; the payment runs and succeeds
    phantom       SendPaymentV2, accepted  IN_FLIGHT for ever; no HTLC on a channel, no money moved,
                                           invoice OPEN; a second send: ALREADY_EXISTS
    flapping      SendPaymentV2, accepted  Track says FAILED for `reads` reads and `seconds`, then
                                           IN_FLIGHT once, then the truth, which is SUCCEEDED
    late          the settlement           SUCCEEDED with failure_reason TIMEOUT
    expired       SendPaymentV2            accepted (if it is new), yet answered "invoice expired"
    lost_before   SendPaymentV2            UNAVAILABLE, and nothing was accepted
    lost_after    SendPaymentV2, accepted  UNAVAILABLE, and the payment runs
    no_route      finding a route          FAILED, NO_ROUTE
    hold          arrival at the receiver  IN_FLIGHT with its HTLC, invoice ACCEPTED, until
                                           `SimulatedNetwork.release` or `.cancel`

Node states are sets of node names: `locked` and `starting` (every call is UNKNOWN with lnd's text),
`unreachable` (UNAVAILABLE), `unsynced` (GetInfo says so).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from random import Random
from typing import Any

from node.errors import ConfigError


@dataclass(slots=True)
class Switch:
    """Which payments a fault strikes, and for how long it shows."""

    next_count: int = 0
    """Strikes this many of the payments that come next."""
    after_count: int = 0
    """Lets this many pass before."""
    chance: float = 0.0
    """Strikes any other payment with this probability."""
    hashes: set[str] = field(default_factory=set)
    """Payment hashes (hex) that it strikes whenever they come."""
    reads: int = 1
    """How many calls of TrackPaymentV2 show it (`not_found`, `flapping`)."""
    seconds: float = 0.0
    """How long they show it at least, by the network's clock."""
    struck: list[str] = field(default_factory=list)
    """The payment hashes (hex) that it has struck, in order."""

    def strikes(self, payment_hash: bytes, random: Random) -> bool:
        """Say whether this one is struck, and remember it."""
        struck = payment_hash.hex() in self.hashes or self._counted()
        struck = struck or (self.chance > 0 and random.random() < self.chance)
        if struck:
            self.struck.append(payment_hash.hex())
        return struck

    def _counted(self) -> bool:
        if self.next_count == 0:
            return False
        if self.after_count > 0:
            self.after_count -= 1
            return False
        self.next_count -= 1
        return True


@dataclass(slots=True)
class Faults:
    """All switches of one network. They may be changed at any time; a new one changes nothing."""

    seed: int = 0
    latency_s: float = 0.0
    """How long a payment needs on the event loop: half to find a route, half to arrive."""
    payers: set[str] = field(default_factory=set)
    """The nodes whose payments can be struck; empty means all."""
    not_found: Switch = field(default_factory=Switch)
    phantom: Switch = field(default_factory=Switch)
    flapping: Switch = field(default_factory=Switch)
    late: Switch = field(default_factory=Switch)
    expired: Switch = field(default_factory=Switch)
    lost_before: Switch = field(default_factory=Switch)
    lost_after: Switch = field(default_factory=Switch)
    no_route: Switch = field(default_factory=Switch)
    hold: Switch = field(default_factory=Switch)
    locked: set[str] = field(default_factory=set)
    starting: set[str] = field(default_factory=set)
    unreachable: set[str] = field(default_factory=set)
    unsynced: set[str] = field(default_factory=set)
    random: Random = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self.random = Random(self.seed)  # noqa: S311  a repeatable run, not a secret

    def strike(self, switch: Switch, payer: str, payment_hash: bytes) -> bool:
        """Say whether `switch` strikes this payment of the node `payer`."""
        if self.payers and payer not in self.payers:
            return False
        return switch.strikes(payment_hash, self.random)

    def change(self, settings: Mapping[str, Any]) -> None:
        """Set switches from JSON: `{"phantom": {"next_count": 1}, "locked": ["node"]}`.

        A switch keeps the fields that are not named; a list becomes a set. Raises ConfigError on a
        name that is none.
        """
        for name, value in settings.items():
            before = _known(self, name)
            if isinstance(before, Switch):
                if not isinstance(value, Mapping):
                    raise ConfigError(f'{name} is a switch: write {{"next_count": 1}}')
                for part, number in value.items():
                    _set(before, part, number)
            else:
                _set(self, name, value)
        if "seed" in settings:
            self.random = Random(self.seed)  # noqa: S311  a repeatable run, not a secret


def _known(target: Switch | Faults, name: str) -> Any:
    if name not in {each.name for each in fields(target) if each.init}:
        raise ConfigError(f"the simulated network has no switch {name!r}")
    return getattr(target, name)


def _set(target: Switch | Faults, name: str, value: Any) -> None:
    before = _known(target, name)
    setattr(target, name, set(value) if isinstance(before, set) else value)
