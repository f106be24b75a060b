"""Whatever anybody does, the vault does what the model says, and everybody gets out in the end."""

from __future__ import annotations

from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.contracts.machine import VaultMachine

WALKS = 70
STEPS = 40


def test_whatever_anybody_does_the_vault_is_its_model() -> None:
    run_state_machine_as_test(
        VaultMachine,
        settings=settings(
            max_examples=WALKS,
            stateful_step_count=STEPS,
            deadline=None,
            database=None,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )
