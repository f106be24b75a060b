"""What every command has in common: help, one sentence for what is wrong, exit status."""

import pytest

from node.cli.main import COMMANDS, HIDDEN
from node.config import FILE_NAME
from tests.cli.conftest import OLD, folder_of, run, run_process


async def test_help_says_what_each_command_does():
    shown = await run_process("--help")
    assert shown.status == 0
    for command in COMMANDS.keys() - HIDDEN:
        assert f" {command} " in shown.out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nonsense"], "nonsense"),
        (["close", "--month", "2026-13"], "write it like 2026-11"),
        (["close", "--mounth", "2026-12"], "--mounth"),
        (["payouts", "--state", "lost"], "lost"),
        (["audit"], "flattr-node init"),
        (["claim", "https://example.org/a"], "--member"),
        (["init", "--port", "eighty"], "eighty"),
        (["init", "--network", "moonnet"], "moonnet"),
    ],
)
async def test_bad_input_is_one_sentence(tmp_path, arguments, words):
    assert words in (await run(*arguments, "--folder", tmp_path / "none")).one_sentence()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("network = ", "flattr-node.toml"),
        ("network = 'moonnet'", "network"),
        ("[web]\nport = 99999", "web.port"),
        ("colour = 'red'", "colour"),
        ("network = 'mainnet'", "i_understand_real_money"),
        ("[lnd]\nlndconnect = 'http://me'", "lndconnect"),
        ("", "lnd.lndconnect"),
    ],
)
async def test_bad_settings_are_one_sentence(tmp_path, text, words):
    (tmp_path / FILE_NAME).write_text(text)
    assert words in (await run("drain", "--folder", tmp_path)).one_sentence()


async def test_what_is_wrong_is_one_sentence_in_a_process_too(tmp_path):
    assert "flattr-node init" in (await run_process("serve", "--folder", tmp_path)).one_sentence()
    assert "nonsense" in (await run_process("nonsense")).one_sentence()


async def test_an_unknown_failpoint_is_one_sentence(tmp_path, monkeypatch):
    monkeypatch.setenv("FLATTR_FAILPOINTS", "pay.nowhere=kill")
    ended = await run("payouts", "--folder", tmp_path)
    assert "pay.nowhere" in ended.one_sentence()


async def test_lnd_that_is_away_is_one_sentence(place):
    place.network.faults.unreachable = {"node"}
    for command in ("drain", "reconcile", "close"):
        assert "can't be reached" in (await run(command, *folder_of(place))).one_sentence()


async def test_corrupt_books_end_a_command_with_3(place):
    await place.play()
    async with place.node.store.write() as tx:
        await tx.run("UPDATE account SET balance = balance + 1 WHERE kind = 'payout'")
    place.clock.set(OLD.plus(1).ends_s)
    ended = await run_process("close", "--month", "2024-03", "--yes", *folder_of(place))
    assert ended.status == 3
    assert "the books are not clean" in ended.err
    assert "Traceback" not in ended.err
