"""Faults planted into the vault, one at a time, and the test that must catch each.

    python -m tests.contracts.faults              each fault: what catches it, and how fast
    python -m tests.contracts.faults --walk       the same by the walks of the state machine alone

A fault is a piece of source put in place of another, which must be there exactly once: so a fault
that the sources have outgrown is noticed. A test that no fault makes fail says nothing.

Faulty vaults are compiled without the optimizer, which is what takes most of the time. That the
faults' tests pass on a vault without a fault that was compiled so is a test as well.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from contracts.build import FOLDER, SOURCES, VAULT, compile_contract
from tests.contracts.chain import Artifact, vyper_artifact
from tests.contracts.fault import Fault
from tests.contracts.machine import VaultMachine
from tests.contracts.planted_in_accounts import IN_ACCOUNTS
from tests.contracts.planted_in_months import IN_MONTHS
from tests.contracts.world import build_world

FAULTS = (*IN_MONTHS, *IN_ACCOUNTS)
WALKS = 150
STEPS = 40


@dataclass(frozen=True, slots=True)
class Catch:
    """How a fault was caught: by what, how long it took, and what it said."""

    by: str
    seconds: float
    words: str


def plant_fault(fault: Fault | None) -> Artifact:
    """The vault with this fault in it, or with none, without the optimizer."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for source in SOURCES[VAULT]:
            (folder / source).parent.mkdir(exist_ok=True)
            shutil.copy(FOLDER / source, folder / source)
        _replace(folder / SOURCES[VAULT][0], "# pragma optimize gas", "# pragma optimize none")
        if fault is not None:
            _replace(folder / "vault" / fault.file, fault.before, fault.after)
        compiled = compile_contract(VAULT, ("bytecode",), folder)
    code = bytes.fromhex(compiled["bytecode"][2:])
    return Artifact(vyper_artifact(VAULT).abi, code)


def catch(fault: Fault) -> Catch | None:
    """Run the fault's own test on the faulty vault; None if it passes, which it must not."""
    made = build_world(plant_fault(fault))
    with made.chain.undone():
        return _caught(fault.test.__name__, lambda: fault.test(made))


def catch_by_walking(fault: Fault) -> Catch | None:
    """Walk the faulty vault."""

    class Faulty(VaultMachine):
        artifact = plant_fault(fault)

    walks = settings(
        max_examples=WALKS,
        stateful_step_count=STEPS,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
        report_multiple_bugs=False,
    )
    return _caught("the walks", lambda: run_state_machine_as_test(Faulty, settings=walks))


def main() -> int:
    """Print the table; fail if a fault got away."""
    parser = argparse.ArgumentParser(description="Plant faults into the vault, and catch them.")
    parser.add_argument("--walk", action="store_true", help="by the state machine alone")
    parser.add_argument("names", nargs="*", help="only these faults")
    chosen = parser.parse_args()
    seek: Callable[[Fault], Catch | None] = catch_by_walking if chosen.walk else catch
    escaped = 0
    for fault in FAULTS:
        if chosen.names and fault.name not in chosen.names:
            continue
        caught = seek(fault)
        escaped += caught is None
        line = f"{caught.by}, {caught.seconds:.1f} s" if caught else "NOT CAUGHT"
        sys.stdout.write(f"{fault.name:44} {line}\n")
        sys.stdout.flush()
    sys.stdout.write(f"{escaped} faults got away\n")
    return 1 if escaped else 0


def _replace(path: Path, before: str, after: str) -> None:
    text = path.read_text(encoding="utf-8")
    found = text.count(before)
    assert found == 1, f"{path.name} has {before!r} {found} times"
    path.write_text(text.replace(before, after), encoding="utf-8")


def _caught(by: str, test: Callable[[], None]) -> Catch | None:
    started = time.monotonic()
    try:
        test()
    except AssertionError as error:
        return Catch(by, time.monotonic() - started, str(error))
    return None


if __name__ == "__main__":
    sys.exit(main())
