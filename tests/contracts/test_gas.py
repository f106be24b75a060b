"""What a payment costs is known, does not creep, and is near the least that a batch can cost."""

from __future__ import annotations

import json

import pytest

from tests.contracts.gas import SNAPSHOT, Costs, measure, per_recipient

RATIO_MAX = 1.04


@pytest.fixture(scope="module")
def costs() -> Costs:
    """Measured now."""
    return measure()


def test_the_gas_is_what_the_snapshot_says(costs: Costs) -> None:
    written = json.loads(SNAPSHOT.read_text(encoding="utf-8"))
    assert costs == written, "run: python -m tests.contracts.gas"


def test_a_cold_recipient_costs_at_most_a_25th_more_than_a_bare_loop(costs: Costs) -> None:
    vault = per_recipient(costs, "PayoutVault", "cold")
    bare = per_recipient(costs, "GasliteShape", "cold")
    assert vault <= RATIO_MAX * bare
    assert costs["PayoutVault"]["cold"]["500"] <= RATIO_MAX * costs["GasliteShape"]["cold"]["500"]


def test_a_batch_of_five_hundred_fits_into_a_transaction(costs: Costs) -> None:
    """EIP-7825 allows 2**24 gas, and what a node estimates is up to a 63rd more than is used."""
    assert costs["PayoutVault"]["cold"]["500"] * 64 / 63 <= 2**24


def test_a_batch_is_less_than_half_of_plain_transfers(costs: Costs) -> None:
    plain = costs["plain transfers"]["cold"]["100"]
    assert costs["PayoutVault"]["cold"]["100"] * 2 < plain
