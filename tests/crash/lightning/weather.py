"""What goes wrong in one seed, drawn from its number: which kinds of faults, how often, and when.

kinds     some of the tables below are drawn for a seed, each with a chance of its own
calm      before the play and after its end nothing goes wrong any more
counts    a fault is counted when it strikes, not when it is drawn
"""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import Final

import grpc

from node.failpoints import KNOWN
from node.wallet.lightning.simulated_faults import Faults, Switch
from tests.crash.direct_sqlite import Strike
from tests.crash.lightning.door import Road
from tests.crash.lightning.network import NODE, OTHER
from tests.crash.process import Process

SWITCHES: Final = (
    "not_found", "phantom", "flapping", "late", "expired", "lost_before", "lost_after",
    "no_route", "hold",
)  # fmt: skip
"""Faults of payments, as `simulated_faults.py` has them."""
ROADS: Final = {
    "rpc_before": Road.BEFORE,
    "rpc_after": Road.AFTER,
    "rpc_silent": Road.SILENT,
    "rpc_late": Road.LATE,
    "rpc_odd": Road.ODD,
}
COMMITS: Final = {
    "db_abort": Strike.ABORT,
    "db_unknown": Strike.UNKNOWN,
    "db_stall": Strike.STALL,
    "kill_before_commit": Strike.KILL,
    "kill_after_commit": Strike.KILL_AFTER,
}
STATEMENTS: Final = {"db_statement": Strike.ABORT, "kill_at_statement": Strike.KILL}
WEB: Final = (
    "lnurl_amount", "lnurl_reused", "lnurl_error", "lnurl_slow", "lnurl_short", "lnurl_rubbish",
)  # fmt: skip
EVENTS: Final = (
    "lnd_restart", "lnd_locked", "lnd_starting", "lnd_unsynced", "lnd_other", "clock_jump",
)  # fmt: skip
OTHERS: Final = ("failpoint", "second_node", "cancel", "lying_lnd")
KINDS: Final = (*SWITCHES, *ROADS, *COMMITS, *STATEMENTS, *WEB, *EVENTS, *OTHERS)
KINDS_A_SEED: Final = (4, 9)
FAULTS_LEAST: Final = 3
TOGETHER: Final[tuple[tuple[str, ...], ...]] = (
    ("second_node", "db_stall", "no_route"),
    ("second_node", "failpoint", "rpc_late"),
    ("flapping", "not_found", "rpc_after"),
    ("hold", "lnd_restart", "late"),
    ("lying_lnd", "no_route", "rpc_silent"),
)
"""Kinds that are worst together: a quarter of the seeds has one of these rows, whatever else."""
KILLS_MAX: Final = 5
HOSTS: Final = ("a", "b")
"""How the two nodes are called; so do the names of their processes begin."""
PAUSES_S: Final = (90.0, 500.0, 900.0, 1500.0)
"""The longer ones suffice for the other node to bury a payment and to make another."""
SHOWN_S: Final = (0.7, 5.0, 45.0, 90.0)
"""For how long lnd does not show a payment, or shows it as failed, that is neither."""
FAILPOINTS: Final = tuple(
    sorted(name for name in KNOWN if name.split(".")[0] not in {"chain", "vault", "contract"})
)
_ODD: Final = (
    grpc.StatusCode.UNKNOWN, grpc.StatusCode.INTERNAL, grpc.StatusCode.RESOURCE_EXHAUSTED,
    grpc.StatusCode.ABORTED, grpc.StatusCode.CANCELLED,
)  # fmt: skip


class Weather:
    """Implements `Strikes` (of the database) and `Roads` (of calls to lnd)."""

    def __init__(self, seed: int) -> None:
        self.random = Random(f"weather {seed}")
        least, most = KINDS_A_SEED
        drawn = self.random.sample(KINDS, self.random.randint(least, most))
        self.chances = {kind: self.random.choice((0.05, 0.15, 0.4)) for kind in drawn}
        if self.random.random() < 0.25:
            self.chances |= dict.fromkeys(self.random.choice(TOGETHER), 0.4)
        self.struck: Counter[str] = Counter()
        self.calm = True
        self.kills_left = KILLS_MAX
        self.slow = Random(f"slow {seed}").choice(HOSTS)
        """Of two nodes the one that may stand still; the other goes on meanwhile."""
        self.owed = 0
        """Kills that are still to come, so that no seed has too few faults."""
        self.payments = Faults(payers={NODE, OTHER}, seed=seed)
        self.payments.latency_s = self.random.choice((0.0, 0.05, 1.0, 15.0))
        self._switches = {kind: getattr(self.payments, kind) for kind in SWITCHES}

    def begin(self) -> None:
        """From now on things go wrong."""
        self.calm = False
        for kind, switch in self._switches.items():
            switch.chance = self.chances.get(kind, 0.0)
            switch.reads = 0
            switch.seconds = self.random.choice(SHOWN_S)

    def end(self) -> None:
        """Nothing goes wrong any more; what has gone wrong stays."""
        self.calm = True
        for switch in self._switches.values():
            switch.chance = 0.0

    def count(self) -> Counter[str]:
        """Faults that have struck, by kind."""
        counted = Counter(self.struck)
        switches: dict[str, Switch] = self._switches
        counted.update({kind: len(one.struck) for kind, one in switches.items() if one.struck})
        return counted

    def strikes(self, kind: str, of: float = 1.0) -> bool:
        """Whether a fault of this kind strikes now; `of` scales its chance."""
        if self.calm or kind not in self.chances:
            return False
        if self.random.random() >= self.chances[kind] * of:
            return False
        if kind.startswith(("kill", "failpoint")):
            if self.kills_left == 0:
                return False
            self.kills_left -= 1
        self.struck[kind] += 1
        return True

    # Of the database.

    def at_statement(self, process: Process) -> Strike:
        """See `Strikes`."""
        del process
        if self.owed:
            self.owed -= 1
            self.struck["kill_at_statement"] += 1
            return Strike.KILL
        for kind, strike in STATEMENTS.items():
            if self.strikes(kind, 0.01):
                return strike
        return Strike.NONE

    def at_commit(self, process: Process) -> Strike:
        """See `Strikes`."""
        for kind, strike in COMMITS.items():
            if strike is Strike.STALL and self._goes_on(process):
                continue
            if self.strikes(kind, 0.12):
                return strike
        return Strike.NONE

    def stall_s(self) -> float:
        """See `Strikes`."""
        return self.random.choice((5.0, 90.0, 200.0, 400.0))

    def pause_s(self, process: Process) -> float:
        """For how long a machine stands still, of two, when it is about to send; mostly not at all.

        Its commit is done. What it does when it wakes up is what the lease's time is for.
        """
        if "second_node" not in self.chances or self._goes_on(process):
            return 0.0
        return self.random.choice(PAUSES_S) if self.strikes("db_stall") else 0.0

    def _goes_on(self, process: Process) -> bool:
        """Whether this is, of two nodes, the one that never stands still."""
        return "second_node" in self.chances and not process.name.startswith(self.slow)

    def turns(self) -> bool:
        """See `Strikes`."""
        return not self.calm and self.random.random() < 0.25

    # Of calls to lnd.

    def at_call(self, process: Process, uri: str) -> Road:
        """See `Roads`."""
        del process
        for kind, road in ROADS.items():
            if road is Road.LATE and not uri.endswith("SendPaymentV2"):
                continue
            if self.strikes(kind, 0.6):
                return road
        return Road.CLEAR

    def latency_s(self) -> float:
        """See `Roads`."""
        return 0.001 if self.calm else self.random.choice((0.001, 0.001, 0.03, 0.4))

    def late_s(self) -> float:
        """See `Roads`."""
        return self.random.uniform(0.05, 8.0)

    def odd(self) -> grpc.StatusCode:
        """See `Roads`."""
        return self.random.choice(_ODD)

    # Of people's servers.

    def at_lnurl(self) -> str:
        """What a creator's server does to this request; empty: what it should."""
        return next((kind for kind in WEB if self.strikes(kind)), "")

    # Of processes.

    def failpoint(self) -> dict[str, str]:
        """What to arm now; empty: nothing."""
        if self.calm or "failpoint" not in self.chances or self.kills_left == 0:
            return {}
        if self.random.random() >= 0.7:
            return {}
        name = self.random.choice(FAILPOINTS)
        return {name: f"raise@{self.random.randint(1, 2)}"}

    def hit(self, name: str) -> None:
        """A failpoint was hit."""
        self.kills_left -= 1
        self.struck[f"failpoint {name.partition('.')[0]}"] += 1
