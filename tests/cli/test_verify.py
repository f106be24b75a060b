"""A stranger checks a month with one command; docs/verify.md says where the figures are from."""

from __future__ import annotations

import json

import pytest
from eth_hash.auto import keccak

from node.settlement.vault_file import file_hash
from tests.cli.conftest import run, run_process
from tests.settlement.vault_months import READERS, THINGS, seal
from tests.test_tidy import ROOT


@pytest.fixture(scope="module")
def sealed():
    return seal(READERS, THINGS)


@pytest.fixture
def file(tmp_path, sealed):
    path = tmp_path / "2026-11.json"
    path.write_bytes(sealed.content)
    return path


async def test_a_month_that_is_right_ends_with_0_and_a_line_for_each_check(file, sealed):
    data_hash = "0x" + file_hash(sealed.content).hex()
    ended = await run("verify", file, "--hash", data_hash, "--root", "0x" + sealed.root.hex())
    assert (ended.status, ended.err) == (0, "")
    lines = ended.out.splitlines()
    assert len(lines) == 8
    assert all(" ok " in line for line in lines)
    assert data_hash in lines[0]
    assert "3 pots, 13.99998 USD distributed" in ended.out
    assert "4 payments in 2 batches" in ended.out
    assert "not compared" not in ended.out


async def test_without_the_vaults_figures_it_says_that_nothing_was_compared(file):
    ended = await run("verify", file)
    assert ended.status == 0
    assert ended.out.count("not compared with the vault") == 2


async def test_a_lie_ends_with_3_and_names_it(file, sealed):
    said = json.loads(sealed.content)
    said["commission"] += 1
    file.write_text(json.dumps(said, sort_keys=True, separators=(",", ":")))
    ended = await run("verify", file, "--json")
    assert ended.status == 3
    wrong = {one["law"]: one["wrong"] for one in ended.json if not one["ok"]}
    assert list(wrong) == ["the commission is a tenth"]
    assert "is not a tenth" in (await run("verify", file)).out


@pytest.mark.parametrize("option", ["--hash", "--root"])
async def test_another_months_figures_are_noticed(file, option):
    ended = await run("verify", file, option, "ab" * 32)
    assert ended.status == 3
    assert f"the vault says 0x{'ab' * 32}" in ended.out


async def test_a_hostile_file_is_no_traceback(file):
    file.write_bytes(b"[" * 1_000_000)
    ended = await run_process("verify", file)
    assert (ended.status, ended.err) == (3, "")
    assert "no month file of a vault" in ended.out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nowhere.json"], "can't be read"),
        (["here.json", "--hash", "0x12"], "--hash takes 0x and 64"),
        (["here.json", "--root", "zz" * 32], "--root takes 0x and 64"),
    ],
)
async def test_what_is_asked_badly_is_one_sentence(arguments, words):
    assert words in (await run("verify", *arguments)).one_sentence()


def test_the_page_names_the_event_and_the_call_as_the_contract_has_them():
    abi = json.loads((ROOT / "contracts" / "PayoutVault.json").read_text())["abi"]
    spoken = {
        one["name"]: f"{one['name']}({','.join(field['type'] for field in one['inputs'])})"
        for one in abi
        if one.get("name") in {"MonthSealed", "months"}
    }
    page = (ROOT / "docs" / "verify.md").read_text()
    assert "0x" + keccak(spoken["MonthSealed"].encode()).hex() in page
    assert f"0x{keccak(spoken['months'].encode())[:4].hex()}" + f"{3:064x}" in page
