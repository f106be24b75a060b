"""What a chaos run has done and found, and the table at its end."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Final

UNASKED: Final = "race: shown later, unasked"
ARRIVED: Final = "race: and the receiver has it"


@dataclass
class Tally:
    """Counts of a run. A breach is what must not happen; each says what to run again."""

    kills: Counter[str] = field(default_factory=Counter)
    """SIGKILLs by whom they hit."""
    others: Counter[str] = field(default_factory=Counter)
    """What else was done: stops, locks, jumps, restores, races of two nodes."""
    seen: Counter[str] = field(default_factory=Counter)
    """What was seen of lnd, such as the NOT_FOUND race."""
    states: Counter[str] = field(default_factory=Counter)
    """Payouts by rail and end state."""
    arrived: Counter[str] = field(default_factory=Counter)
    """Payments and base units that the receivers have, by rail."""
    booked: Counter[str] = field(default_factory=Counter)
    """The same as our books say it."""
    limbo: list[str] = field(default_factory=list)
    """Payouts that wait for a person, by name."""
    held: list[str] = field(default_factory=list)
    """Payouts whose HTLC lnd holds on a channel, and nobody has: until its time lock ends.

    So it is when the sender's lnd is killed while the next node's commits: that one's link fails,
    and it neither forwards nor fails what it had locked in (seen once of lnd 0.21.1)."""
    twice: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    breaches: list[str] = field(default_factory=list)
    """Everything else that must not be."""
    audits: int = 0

    @property
    def killed(self) -> int:
        """All SIGKILLs."""
        return self.kills.total()

    @property
    def races(self) -> int:
        """How often LND's first word after a kill was NOT_FOUND for what the receiver has got.

        Asked by the rig, after which it was shown without being sent again; or by the new node.
        """
        return self.seen[UNASKED] + self.seen[ARRIVED]

    @property
    def clean(self) -> bool:
        """Nothing was paid twice, nothing lost, and nothing else broken."""
        return not (self.twice or self.lost or self.breaches)

    def table(self) -> list[str]:
        """Lines for people."""
        lines = [f"kills                 {self.killed}: {_counted(self.kills)}"]
        lines.append(f"and                   {_counted(self.others) or 'nothing else'}")
        lines.append(f"NOT_FOUND race        hit {self.races} times")
        lines.append(f"seen of lnd           {_counted(self.seen) or 'nothing'}")
        lines.append(f"payouts, end state    {_counted(self.states)}")
        lines.append(f"receivers have        {_counted(self.arrived)}")
        lines.append(f"the books say PAID    {_counted(self.booked)}")
        lines.append(f"in LIMBO, not lost    {len(self.limbo)}: {', '.join(self.limbo) or 'none'}")
        lines.append(f"held on a channel     {len(self.held)}: {', '.join(self.held) or 'none'}")
        lines.append(f"paid twice            {len(self.twice)}: {'; '.join(self.twice)}")
        lines.append(f"lost                  {len(self.lost)}: {'; '.join(self.lost)}")
        lines.append(f"audits without breach {self.audits}")
        lines += [f"BREACH                {words}" for words in self.breaches]
        return lines


def _counted(counter: Counter[str]) -> str:
    return ", ".join(f"{name} {number}" for name, number in sorted(counter.items()) if number)
