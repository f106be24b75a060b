"""What is struck when: drawn from the seed, kind by kind, and dealt out to episodes.

The kinds keep their shares, each asked for comes at least once, and the order is drawn. An episode
of the schedule can be played alone: it draws from its own number and the seed.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from random import Random
from typing import Final

SHARES: Final = {
    "node": 60, "lnd": 8, "router": 3, "receiver": 3, "stop": 3, "lock": 1, "clock": 2, "race": 5,
    "anvil": 20, "restore": 2,
}  # fmt: skip
"""Strikes of each kind, of a hundred and so. Those of the node and of anvil are several kills."""
KILLS_A_STRIKE: Final = 1.9
KINDS: Final = tuple(SHARES)
STRIKES_AN_EPISODE: Final = 12
COIN_STRIKES_AN_EPISODE: Final = 14
KILLS_WHILE_CREDITED: Final = 2
KILLS_WHILE_CLOSED: Final = 2
COIN: Final = "anvil"
RESTORE: Final = "restore"
RACE: Final = "race"


@dataclass(frozen=True, slots=True)
class Planned:
    """An episode: its number, the rail, and what strikes."""

    number: int
    coin: bool
    strikes: tuple[str, ...]

    @property
    def postgres(self) -> bool:
        """Two nodes on one database need one that two machines can reach."""
        return RACE in self.strikes

    @property
    def words(self) -> str:
        """For the progress."""
        counted = {kind: self.strikes.count(kind) for kind in KINDS if kind in self.strikes}
        rail = "stablecoin" if self.coin else "lightning"
        return f"{rail}: " + ", ".join(f"{kind} {number}" for kind, number in counted.items())


def schedule(seed: int, kills: int, kinds: Collection[str]) -> list[Planned]:
    """Episodes that make about so many kills."""
    random = Random(seed)
    whole = sum(SHARES[kind] for kind in kinds)
    strikes = kills / KILLS_A_STRIKE
    counts = {
        kind: max(1, round(strikes * SHARES[kind] / whole)) for kind in KINDS if kind in kinds
    }
    coin = counts.pop(COIN, 0)
    restores, races = counts.pop(RESTORE, 0), counts.pop(RACE, 0)
    deck = [kind for kind, number in counts.items() for _ in range(number)]
    random.shuffle(deck)
    dealt = [*_pieces([*deck], STRIKES_AN_EPISODE)] or [()] * bool(restores)
    for place in range(restores):
        at = place % len(dealt)
        dealt[at] = (*dealt[at], RESTORE) if RESTORE not in dealt[at] else dealt[at]
    planned = [(False, strikes) for strikes in dealt]
    planned += [(False, strikes) for strikes in _pieces([RACE] * races, STRIKES_AN_EPISODE)]
    planned += [(True, strikes) for strikes in _pieces([COIN] * coin, COIN_STRIKES_AN_EPISODE)]
    random.shuffle(planned)
    return [Planned(number, coin, strikes) for number, (coin, strikes) in enumerate(planned)]


def more(number: int, kinds: Collection[str]) -> Planned:
    """An episode more, for when those of the schedule have made fewer kills than were asked for."""
    in_turn = [kind for kind in ("node", COIN) if kind in kinds] or [*kinds]
    kind = in_turn[number % len(in_turn)]
    strikes = (kind,) if kind == RESTORE else (kind,) * STRIKES_AN_EPISODE
    return Planned(number, kind == COIN, strikes)


def _pieces(deck: list[str], size: int) -> list[tuple[str, ...]]:
    return [tuple(deck[first : first + size]) for first in range(0, len(deck), size)]
