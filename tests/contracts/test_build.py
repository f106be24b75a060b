"""What is committed is what the sources compile to, so a deployed vault can be verified."""

from __future__ import annotations

import json

from contracts.build import FOLDER, SOURCES, VAULT, stale

EIP_170_BYTES = 24_576


def test_the_committed_code_is_what_the_sources_compile_to() -> None:
    assert stale() == [], "run: python -m contracts.build"


def test_a_contract_fits_on_a_chain() -> None:
    for name in SOURCES:
        content = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
        assert len(content["runtime"]) // 2 <= EIP_170_BYTES


def test_every_source_of_the_vault_is_named() -> None:
    """So that no module goes into the code without going into the hashes."""
    folder = FOLDER / "vault"
    assert {f"vault/{path.name}" for path in folder.glob("*.vy")} == set(SOURCES[VAULT][1:])
