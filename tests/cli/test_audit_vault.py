"""`audit` on a node with a vault: its lines are there, and a chain that is away is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from node.devnet.evm import open_anvil
from tests.cli.conftest import folder_of, run
from tests.cli.test_contract import deploy_funded

VAULT_IDS = ["I4", "V1", "V2", "V3", "I13"]
UNCHECKED = ["I4", "V1", "V2", "V3", "I8"]


@pytest.mark.anvil
async def test_an_audit_asks_the_vault_and_says_when_it_can_not(place, tmp_path: Path, monkeypatch):
    await place.play()
    (tmp_path / "passphrase").write_text("open sesame\n")
    monkeypatch.setenv("FLATTR_STABLECOIN__PASSPHRASE_FILE", str(tmp_path / "passphrase"))
    before = (await run("audit", "--json", *folder_of(place))).json
    assert not set(UNCHECKED) & {line["id"] for line in before["lines"]}
    async with open_anvil(tmp_path / "anvil") as anvil:
        assert (await deploy_funded(anvil, place.folder / "node")).status == 0
        await anvil.finalize()
        asked = await run("audit", "--json", *folder_of(place))
    assert (asked.status, asked.json["result"]) == (0, "pass"), asked
    lines = asked.json["lines"][-5:]
    assert [(line["id"], line["state"]) for line in lines] == [(one, "ok") for one in VAULT_IDS]
    away = await run("audit", "--json", *folder_of(place))
    assert (away.status, away.json["result"]) == (0, "pass"), away
    lines = away.json["lines"][-6:]
    assert [line["id"] for line in lines if line["state"] == "unchecked"] == UNCHECKED
    assert (lines[-1]["id"], lines[-1]["state"]) == ("I13", "ok")
    assert f"not checked: {', '.join(UNCHECKED)}" in (await run("audit", *folder_of(place))).out
