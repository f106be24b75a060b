"""Each planted fault is caught by the test that is there to catch it."""

from __future__ import annotations

import pytest

from tests.contracts.fault import Fault
from tests.contracts.faults import FAULTS, catch, plant_fault
from tests.contracts.world import build_world


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_planted_fault_is_caught(fault: Fault) -> None:
    caught = catch(fault)
    assert caught is not None, f"{fault.test.__name__} does not notice it"


def test_the_vault_without_a_fault_passes_all_of_these_tests() -> None:
    made = build_world(plant_fault(None))
    for test in {fault.test for fault in FAULTS}:
        with made.chain.undone():
            test(made)


def test_there_are_enough_faults_and_each_has_a_name_of_its_own() -> None:
    assert len({fault.name for fault in FAULTS}) == len(FAULTS) >= 25
