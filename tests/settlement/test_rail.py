"""What a rail may answer, and what follows when it says nothing more."""

from __future__ import annotations

from typing import get_args

from node.money import sats
from node.settlement.rail import Capacity, Outcome, Pending, Rail, Refused, Settled


def test_there_are_three_answers_and_no_fourth():
    assert set(get_args(Outcome)) == {Settled, Refused, Pending}


def test_an_answer_that_says_no_more_sends_nothing_and_gives_nothing_up():
    pending = Pending("not known")
    assert (pending.seen, pending.send_again, pending.limbo) == (False, False, False)
    assert Refused("no route").retry


def test_an_answer_does_not_change():
    assert Settled(sats(1), sats(0), "proof") == Settled(sats(1), sats(0), "proof")
    assert Capacity(True, sats(5), "ready") != Capacity(False, sats(5), "ready")
    assert [name for name in vars(Rail) if not name.startswith("_")] == [
        "capacity", "prepare", "send", "check",
    ]  # fmt: skip
