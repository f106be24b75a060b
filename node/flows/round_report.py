"""What a round of paying did, in figures and in words."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class RoundReport:
    """What a round did."""

    settled: int = 0
    refused: int = 0
    pending: int = 0
    sent: int = 0
    postponed: int = 0
    steps: int = 0
    """What else went on: a month of the vault was charged, or planned."""
    words: list[str] = field(default_factory=list)
    trouble: str = ""
    """What waiting alone will not mend, in words; empty when there is nothing."""

    @property
    def moved(self) -> bool:
        """Whether anything changed that the next round should look at at once."""
        return bool(self.settled or self.refused or self.sent or self.steps)

    def need(self, words: str) -> None:
        """Waiting alone will not mend this. The first words stay."""
        self.trouble = self.trouble or words

    def say(self, words: str) -> None:
        """Add words for the operator, once."""
        if words not in self.words:
            self.words.append(words)
