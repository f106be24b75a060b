"""`init`: a settings file that is read again as it was meant, and a first look at LND."""

import stat
import sys

import pytest
from rich.prompt import Confirm, Prompt

from node.cli import init as command
from node.config import FILE_NAME, load_settings
from node.errors import ConfigError
from node.wallet.lightning import simulated_gate
from node.wallet.lightning.rpc_errors import METHODS, bake_command
from node.wallet.stablecoin.networks import NETWORKS
from tests.cli.conftest import run

KEY = "02" + "ab" * 32


async def test_the_settings_are_written_and_read_again(tmp_path, place):
    folder = tmp_path / "new"
    url = place.settings.lnd.lndconnect
    flags = ("--lndconnect", url, "--operator-target", KEY, "--port", 9000, "--network", "simnet")
    ended = await run("init", *flags, "--folder", folder)
    assert ended.status == 0, ended
    assert "allows all that the node needs" in ended.out
    assert "flattr-node serve" in ended.out
    settings = load_settings(folder)
    assert (settings.lnd.lndconnect, settings.web.port) == (url, 9000)
    assert settings.operator.port == 9001
    assert settings.money.operator_target == KEY
    for name in (FILE_NAME, "seed"):
        assert stat.S_IMODE((folder / name).stat().st_mode) == 0o600


async def test_without_any_flag_it_takes_the_defaults_and_says_what_is_missing(tmp_path):
    ended = await run("init", "--folder", tmp_path)
    assert ended.status == 0
    assert "write how to reach LND" in ended.out
    assert load_settings(tmp_path).network == "simnet"


async def test_an_existing_file_is_never_overwritten(tmp_path):
    (tmp_path / FILE_NAME).write_text("network = 'signet'\n")
    assert "is there already" in (await run("init", "--folder", tmp_path)).one_sentence()
    assert (tmp_path / FILE_NAME).read_text() == "network = 'signet'\n"


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (("--operator-target", "me at home"), "Lightning address"),
        (("--database", "mysql://x"), "postgresql://"),
        (("--port", "70000"), "70000"),
        (("--lndconnect", "lndconnect://x"), "macaroon"),
        (("--network", "mainnet"), "real money"),
    ],
)
async def test_bad_answers_write_nothing(tmp_path, flags, words):
    assert words in (await run("init", *flags, "--folder", tmp_path)).one_sentence()
    assert not (tmp_path / FILE_NAME).exists()


async def test_a_weak_macaroon_gets_the_command_that_bakes_one(tmp_path, place, monkeypatch):
    monkeypatch.setattr(simulated_gate, "ADMIN_ONLY", frozenset({METHODS[-1]}))
    url = place.settings.lnd.lndconnect
    ended = await run("init", "--lndconnect", url, "--folder", tmp_path / "new")
    assert ended.status == 1
    assert "does not allow TrackPaymentV2" in ended.out
    assert bake_command() in ended.out


async def test_a_wrong_network_is_said(tmp_path, place):
    url = place.settings.lnd.lndconnect
    ended = await run(
        "init", "--lndconnect", url, "--network", "signet", "--folder", tmp_path / "x"
    )
    assert ended.status == 1
    assert "lnd is on simnet" in ended.out


async def test_at_most_six_questions_are_asked(tmp_path, monkeypatch):
    asked = []

    def answer(question, **options):
        asked.append(question)
        return options.get("default", "")

    def refuse(*_, **__):
        asked.append("sure?")
        return False

    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(Prompt, "ask", answer)
    monkeypatch.setattr(Confirm, "ask", refuse)
    assert await command.init(folder=tmp_path) == 0
    assert len(asked) == 5
    with pytest.raises(ConfigError, match="real money"):
        await command.init(folder=tmp_path / "main", network="mainnet")
    assert asked[-1] == "sure?"
    assert load_settings(tmp_path).network == "signet"


async def test_the_example_of_a_hint_in_another_currency_is_one(tmp_path):
    await run("init", "--folder", tmp_path)
    path = tmp_path / FILE_NAME
    path.write_text(path.read_text().replace("# fiat", "fiat"))
    money = load_settings(tmp_path).money
    assert (money.fiat, money.fiat_per_bitcoin) == ("EUR", 60_000)


async def test_the_example_of_the_second_rail_is_one(tmp_path):
    await run("init", "--folder", tmp_path)
    path = tmp_path / FILE_NAME
    lines = path.read_text().splitlines()
    first = lines.index("# [stablecoin]")
    last = next(n for n in range(first, len(lines)) if not lines[n])
    lines[first:last] = [line.removeprefix("# ") for line in lines[first:last]]
    path.write_text("\n".join(lines))
    chosen = load_settings(tmp_path).stablecoin
    assert chosen.network in NETWORKS
    fields = type(chosen).model_fields
    assert set(chosen.model_fields_set) == set(fields) - {"passphrase"}
    for name in set(chosen.model_fields_set) - {"network", "rpc_urls", "vault", "keystore"}:
        assert getattr(chosen, name) == fields[name].default or fields[name].is_required()
