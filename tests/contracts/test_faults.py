"""Each planted fault is caught by the test that is there to catch it."""

from __future__ import annotations

import pytest

from tests.contracts.faults import catch
from tests.contracts.planted import FAULTS, Fault


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_planted_fault_is_caught(fault: Fault) -> None:
    caught = catch(fault)
    assert caught is not None, f"{fault.test.__name__} does not notice it"


def test_there_are_enough_faults_and_each_has_a_name_of_its_own() -> None:
    assert len({fault.name for fault in FAULTS}) == len(FAULTS) >= 25
