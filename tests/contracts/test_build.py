"""What is committed is what the sources compile to, so a deployed vault can be verified."""

from __future__ import annotations

import json
import re

from contracts.build import FOLDER, SOURCES, VAULT, stale
from tests.contracts.gas import per_recipient
from tests.contracts.world import DELAY, World

EIP_170_BYTES = 24_576
REASON = re.compile(r'assert [^\n]*, "([a-z ]+)"')


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


def test_a_deployed_vault_is_the_committed_code_its_token_and_its_delay(world: World) -> None:
    content = json.loads((FOLDER / f"{VAULT}.json").read_text(encoding="utf-8"))
    deployed = world.chain.env.get_code(world.vault.address)
    token = bytes.fromhex(world.token.address[2:]).rjust(32, b"\0")
    assert deployed == bytes.fromhex(content["runtime"][2:]) + token + DELAY.to_bytes(32, "big")


def test_the_readme_names_every_reason() -> None:
    text = (FOLDER / "README.md").read_text(encoding="utf-8")
    sources = [(FOLDER / path).read_text(encoding="utf-8") for path in SOURCES[VAULT]]
    reasons = {reason for source in sources for reason in REASON.findall(source)}
    assert {reason for reason in reasons if f"`{reason}`" not in text} == set()


def test_the_readme_says_what_the_gas_snapshot_says() -> None:
    text = (FOLDER / "README.md").read_text(encoding="utf-8")
    costs = json.loads((FOLDER / "gas.json").read_text(encoding="utf-8"))
    ways = ("plain transfers", "DisperseShape", "GasliteShape", "PayoutVault")
    figures = [gas for way in ways for gas in costs[way]["cold"].values()]
    figures += [round(per_recipient(costs, way, kind)) for way in ways for kind in ("cold", "warm")]
    assert [gas for gas in figures if f"{gas:,}" not in text] == []
