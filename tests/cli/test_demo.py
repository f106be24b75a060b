"""`flattr-node demo`, run as a user runs it: a process, its last line, its exit status."""

import asyncio
import json
import os
import re
import shlex
import signal
import sys
from asyncio.subprocess import PIPE
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from node.devnet.month_file import EXAMPLE

SIMULATED_LIMIT_S = 150
LND_LIMIT_S = 240


class Finished:
    """A demo that has ended."""

    def __init__(self, status: int, out: str, err: str) -> None:
        self.status, self.out, self.err = status, out, err

    @property
    def last_line(self) -> dict[str, Any]:
        last = json.loads(self.out.splitlines()[-1])
        assert isinstance(last, dict)
        return last

    @property
    def settled_after_s(self) -> float:
        """How long after the demo began the first deposit was settled."""
        found = re.search(r"\(([0-9.]+) s after the start\)", self.out)
        assert found is not None
        return float(found[1])


async def start_demo(
    *arguments: str | Path, variables: dict[str, str] | None = None
) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "node", "demo", *map(str, arguments)),
        stdout=PIPE,
        stderr=PIPE,
        env={**os.environ, **(variables or {})},
    )


async def said_until(stdout: asyncio.StreamReader, ending: str) -> list[str]:
    said: list[str] = []
    while not (said and said[-1].endswith(ending)):
        line = await stdout.readline()
        assert line, "it ended before it served"
        said.append(line.decode().rstrip())
    return said


def links_of(said: list[str]) -> dict[str, str]:
    """What the demo says to open in a browser."""
    found = [re.fullmatch(r"    ([a-z]+) +(http://\S+)   .*", line) for line in said]
    return {one[1]: one[2] for one in found if one}


async def curl(command: list[str]) -> Any:
    """Do what the printed curl command would."""
    headers = dict([command[2].split(": ")]) if command[1] == "-H" else {}
    async with aiohttp.ClientSession(headers=headers) as session, session.get(command[-1]) as said:
        assert said.status == 200
        return await said.json()


async def visit(url: str) -> tuple[str, int]:
    """Open a link as a browser would: (where that led, the status)."""
    jar = aiohttp.CookieJar(unsafe=True)
    async with (
        aiohttp.ClientSession(cookie_jar=jar) as session,
        session.get(url, headers={"Accept": "text/html"}) as said,
    ):
        await said.read()
        return said.url.path, said.status


async def run_demo(
    *arguments: str | Path,
    limit_s: float = SIMULATED_LIMIT_S,
    variables: dict[str, str] | None = None,
) -> Finished:
    process = await start_demo(*arguments, variables=variables)
    try:
        async with asyncio.timeout(limit_s):
            out, err = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode is not None
    return Finished(process.returncode, out.decode(), err.decode())


def changed(folder: Path, *changes: tuple[str, str]) -> Path:
    """A copy of the example with some lines changed."""
    text = EXAMPLE.read_text(encoding="utf-8")
    for before, after in changes:
        pattern = re.compile(" +".join(map(re.escape, before.split())))
        assert len(pattern.findall(text)) == 1, before
        text = pattern.sub(after, text)
    path = folder / "my_month.txt"
    path.write_text(text, encoding="utf-8")
    return path


def names_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def assert_balanced(line: dict[str, Any]) -> None:
    """What is true of any month, however it was changed."""
    assert line["commission_msat"] * 10 == line["distributed_msat"]
    assert line["pots_msat"] == line["distributed_msat"] + line["carried_msat"]
    assert line["received_by_creators_msat"] == line["paid_to_creators_msat"] > 0
    assert line["payouts"]["in_flight"] == 0
    assert line["audit"] == "pass"


def assert_paid_by_the_vault(told: dict[str, Any], chain: str) -> None:
    """The example month in the stablecoin; what was received is what the token says."""
    assert list(told) == [
        "chain", "pots_units", "charged_units", "commission_units", "batches", "paid", "claimable",
        "received_by_creators_units", "received_by_operator_units", "gas_per_creator",
    ]  # fmt: skip
    assert told["chain"].startswith(chain)
    assert told["pots_units"] == told["charged_units"] == 29_840_000
    assert told["commission_units"] * 10 == told["charged_units"]
    assert told["received_by_operator_units"] == told["commission_units"]
    assert told["received_by_creators_units"] == 20_134_800
    assert (told["batches"], told["paid"], told["claimable"]) == (1, 4, 0)
    assert 20_000 < told["gas_per_creator"] < 100_000


async def test_the_example_month_is_paid_and_every_figure_of_its_last_line_agrees() -> None:
    ended = await run_demo("--once", "--json")
    assert ended.status == 0, ended.err
    line = ended.last_line
    assert list(line) == [
        "lightning", "month", "pots_msat", "distributed_msat", "commission_msat", "carried_msat",
        "payouts", "paid_to_creators_msat", "received_by_creators_msat",
        "received_by_operator_msat", "routing_fees_msat", "audit", "stablecoin",
    ]  # fmt: skip
    assert_balanced(line)
    assert line["lightning"] == "simulated"
    assert re.fullmatch(r"\d{4}-\d{2}", line["month"])
    assert (line["pots_msat"], line["distributed_msat"]) == (52_000_000, 47_000_000)
    assert line["received_by_operator_msat"] == line["commission_msat"] == 4_700_000
    assert line["payouts"] == {"paid": 5, "held": 1, "in_flight": 0}
    assert line["routing_fees_msat"] > 0
    print(f"the first payment was settled {ended.settled_after_s:.1f} s after the start")
    assert_paid_by_the_vault(line["stablecoin"], "eth-tester")


async def test_the_demo_says_that_it_is_simulated_and_why_a_creator_is_not_paid() -> None:
    ended = await run_demo("--once")
    assert ended.status == 0, ended.err
    assert "SIMULATED" in ended.out
    assert "zine: 2\u2009500 sat: held until the dues are paid" in ended.out
    assert "wiki is nobody's: 2 flattrs wait" in ended.out
    assert "erin subscribes to essay for 12 months." in ended.out
    assert "dave takes back poem." in ended.out
    assert not ended.out.rstrip().endswith("}")


async def test_without_once_the_closed_month_is_served_until_ctrl_c() -> None:
    process = await start_demo("--json")
    assert process.stdout is not None
    try:
        async with asyncio.timeout(SIMULATED_LIMIT_S):
            said = await said_until(process.stdout, "/balance")
            commands = [shlex.split(line) for line in said if line.strip().startswith("curl ")]
            months, most, receipt, balance = [await curl(command) for command in commands]
            shown = {name: await visit(url) for name, url in links_of(said).items()}
            process.send_signal(signal.SIGINT)
            rest, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == 0
    where, status = shown.pop("operator")
    assert (where.startswith("/link/"), status) == (True, 200)
    assert shown == {
        "reader": ("/month", 200), "creator": ("/creator/earnings", 200), "blog": ("/", 200),
        "wallet": ("/alice", 200), "welcome": ("/", 200),
    }  # fmt: skip
    assert [one["distributed_msat"] for one in months["items"]] == [47_000_000]
    assert (most["items"][0]["title"], most["items"][0]["flattrs"]) == ("essay", 5)
    assert (receipt["closed"], receipt["share_msat"]) == (True, 2_250_000)
    assert balance["pot_msat"] == 9_000_000  # of the month that has begun
    assert json.loads(rest.decode().splitlines()[-1])["audit"] == "pass"


async def test_a_changed_month_file_changes_the_month(tmp_path: Path) -> None:
    month = changed(
        tmp_path,
        ("alice pot 9000 sat", "alice pot 7001 sat"),  # can't be split by four without a rest
        ("zine pays nothing target address", "zine pays 2000 sat dues target address"),
        ("maps pays 2000 sat dues target address", "maps pays 2000 sat dues target none"),
    )
    ended = await run_demo("--once", "--json", "--month-file", month)
    assert ended.status == 0, ended.err
    line = ended.last_line
    assert_balanced(line)
    assert line["pots_msat"] == 52_001_000
    assert line["carried_msat"] > 5_000_000
    assert line["payouts"] == {"paid": 5, "held": 1, "in_flight": 0}
    assert "no payout target is set" in ended.out
    whole_sats, rest = divmod(line["commission_msat"], 1000)
    assert rest
    assert line["received_by_operator_msat"] == whole_sats * 1000


async def test_an_operators_settings_do_not_reach_the_demo(tmp_path: Path) -> None:
    database = tmp_path / "mine.sqlite"
    operators = {
        "FLATTR_DATABASE": f"sqlite:///{database}",
        "FLATTR_NETWORK": "mainnet",
        "FLATTR_MONEY__DUES_SAT": "9999",
        "FLATTR_LND__MACAROON_PATH": str(tmp_path / "nowhere"),
    }
    ended = await run_demo("--once", "--json", variables=operators)
    assert ended.status == 0, ended.err
    assert ended.last_line["payouts"]["paid"] == 5
    assert not database.exists()


async def test_the_demo_keeps_its_node_in_a_folder_that_is_named(tmp_path: Path) -> None:
    ended = await run_demo("--once", "--folder", tmp_path / "demo")
    assert ended.status == 0, ended.err
    assert (tmp_path / "demo" / "node" / "flattr.sqlite").stat().st_size > 0


async def test_a_folder_that_holds_something_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("mine")
    ended = await run_demo("--once", "--folder", tmp_path)
    assert ended.status == 1
    assert "is not empty: name a new folder" in ended.err
    assert names_in(tmp_path) == {"precious"}


async def test_a_bad_month_file_is_one_sentence_with_its_line(tmp_path: Path) -> None:
    month = changed(tmp_path, ("frank pot 3000 sat", "frank pot lots"))
    number = 1 + month.read_text().splitlines().index("reader    frank pot lots")
    ended = await run_demo("--once", "--month-file", month)
    assert ended.status == 1
    assert ended.out == ""
    assert f"my_month.txt, line {number}: " in ended.err
    assert "write reader alice pot 9000 sat" in ended.err
    assert len(ended.err.strip().splitlines()) == 1


async def test_a_month_without_the_stablecoin_needs_no_chain(tmp_path: Path) -> None:
    text = EXAMPLE.read_text(encoding="utf-8")
    path = tmp_path / "sats.txt"
    path.write_text(re.sub(r" and ([0-9.]+ usd|evm)", "", text), encoding="utf-8")
    ended = await run_demo("--once", "--json", "--month-file", path)
    assert ended.status == 0, ended.err
    assert "stablecoin" not in ended.last_line
    assert "vault" not in ended.out


@pytest.mark.lnd
@pytest.mark.anvil
@pytest.mark.xdist_group("lnd")
async def test_the_same_month_on_real_lnds_and_a_real_evm() -> None:
    ended = await run_demo("--lnd", "--evm", "--once", "--json", limit_s=LND_LIMIT_S)
    assert ended.status == 0, ended.err
    line = ended.last_line
    assert_balanced(line)
    assert re.fullmatch(r"lnd 0\.\d+\.\d+-beta", line["lightning"])
    assert (line["pots_msat"], line["distributed_msat"]) == (52_000_000, 47_000_000)
    assert line["received_by_operator_msat"] == line["commission_msat"]
    assert line["payouts"] == {"paid": 5, "held": 1, "in_flight": 0}
    assert line["routing_fees_msat"] == 5 * 100 + 36_500  # the router: 100 msat and 0.1 % each
    assert "SIMULATED" not in ended.out
    assert_paid_by_the_vault(line["stablecoin"], "anvil ")
