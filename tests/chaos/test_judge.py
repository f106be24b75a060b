"""The judge of a chaos run: what it must call twice, lost or broken, and what may wait."""

import pytest

from tests.chaos.judge import Row, judge
from tests.chaos.rig import Receipt
from tests.chaos.tally import Tally

HASH, OTHER = "aa" * 32, "bb" * 32


def row(
    state: str = "paid", attempt: str = "settled", reference: str = HASH, units: int = 3000
) -> Row:
    return Row("payout", state, "earned", units, None, reference, attempt)


def judged(*rows: Row, arrived: dict[str, int] | None = None, held: frozenset[str]) -> Tally:
    tally = Tally()
    receipts = {one: Receipt("creators", msat, False) for one, msat in (arrived or {}).items()}
    judge(rows, receipts, held, tally, "here")
    return tally


def found(tally: Tally) -> tuple[int, ...]:
    kinds = (tally.twice, tally.lost, tally.breaches, tally.limbo, tally.held)
    return tuple(len(kind) for kind in kinds)


@pytest.mark.parametrize(
    ("rows", "arrived", "held", "expected"),
    [
        ((row(),), {HASH: 3000}, (), (0, 0, 0, 0, 0)),
        ((row(), row(reference=OTHER)), {HASH: 3000, OTHER: 3000}, (), (1, 0, 0, 0, 0)),
        ((row(),), {}, (), (0, 1, 0, 0, 0)),
        ((row(),), {}, (HASH,), (0, 1, 0, 0, 0)),
        ((row(),), {HASH: 2999}, (), (0, 0, 1, 0, 0)),
        ((row(),), {HASH: 3000, OTHER: 1}, (), (0, 0, 1, 0, 0)),
        ((row("in_flight", "sent"),), {HASH: 3000}, (), (0, 0, 1, 0, 0)),
        ((row("in_flight", "sent"),), {HASH: 3000}, (HASH,), (0, 0, 1, 0, 0)),
        ((row("in_flight", "sent"),), {}, (), (0, 0, 1, 0, 0)),
        ((row("in_flight", "sent"),), {}, (OTHER,), (0, 0, 1, 0, 0)),
        ((row("in_flight", "sent"),), {}, (HASH,), (0, 0, 0, 0, 1)),
        ((row("due", "dead"),), {}, (HASH,), (0, 0, 1, 0, 0)),
        ((row("in_flight", "limbo"),), {}, (), (0, 0, 0, 1, 0)),
        ((row("held", "dead"),), {}, (), (0, 0, 0, 0, 0)),
    ],
    ids=[
        "paid", "paid twice", "lost", "lost although a channel holds it", "another amount",
        "unknown", "arrived, not booked", "arrived, not booked, still on a channel",
        "under way at the end", "another one is held", "held on a channel",
        "due, though a dead one is held", "limbo", "waits by a name",
    ],
)  # fmt: skip
def test_a_judgement(
    rows: tuple[Row, ...],
    arrived: dict[str, int],
    held: tuple[str, ...],
    expected: tuple[int, ...],
) -> None:
    assert found(judged(*rows, arrived=arrived, held=frozenset(held))) == expected
