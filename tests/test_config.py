"""Settings: read from the file, from the environment, and from files that are named there."""

from __future__ import annotations

from pathlib import Path

import pytest

from node.config import FILE_NAME, load_settings
from node.errors import ConfigError

SECTION = """
[stablecoin]
network = "anvil"
rpc_urls = ["http://127.0.0.1:8545"]
vault = "0x00000000000000000000000000000000000000aa"
first_block = 1
keystore = "operator.json"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A node's folder, whose settings say little."""
    (tmp_path / FILE_NAME).write_text("network = 'simnet'\n" + SECTION)
    return tmp_path


def secret(folder: Path, text: str) -> str:
    path = folder / "secret"
    path.write_text(text)
    return str(path)


def test_a_secret_lies_in_a_file_that_a_variable_names(folder, monkeypatch) -> None:
    monkeypatch.setenv("FLATTR_STABLECOIN__PASSPHRASE_FILE", secret(folder, "open sesame\n"))
    monkeypatch.setenv("FLATTR_LND__LNDCONNECT_FILE", secret(folder, "open sesame\n"))
    monkeypatch.setenv("FLATTR_DATABASE_FILE", secret(folder, "open sesame\n"))
    settings = load_settings(folder)
    assert settings.stablecoin is not None
    assert settings.stablecoin.passphrase == "open sesame"
    assert settings.stablecoin.network == "anvil"
    assert settings.lnd.lndconnect == settings.database == "open sesame"


def test_a_secret_that_is_given_twice_or_can_not_be_read_is_refused(folder, monkeypatch) -> None:
    monkeypatch.setenv("FLATTR_STABLECOIN__PASSPHRASE_FILE", str(folder / "none"))
    with pytest.raises(ConfigError, match="FLATTR_STABLECOIN__PASSPHRASE_FILE"):
        load_settings(folder)
    monkeypatch.setenv("FLATTR_STABLECOIN__PASSPHRASE_FILE", secret(folder, "one"))
    monkeypatch.setenv("FLATTR_STABLECOIN__PASSPHRASE", "two")
    with pytest.raises(ConfigError, match="both set"):
        load_settings(folder)


def test_a_file_of_an_unknown_setting_is_refused(folder, monkeypatch) -> None:
    monkeypatch.setenv("FLATTR_LND__COLOUR_FILE", secret(folder, "red"))
    with pytest.raises(ConfigError, match=r"lnd\.colour"):
        load_settings(folder)


def test_a_passphrase_alone_switches_nothing_on(folder, monkeypatch) -> None:
    (folder / FILE_NAME).write_text("")
    monkeypatch.setenv("FLATTR_STABLECOIN__PASSPHRASE", "open sesame")
    assert load_settings(folder).stablecoin is None
    monkeypatch.setenv("FLATTR_STABLECOIN__NETWORK", "anvil")
    with pytest.raises(ConfigError, match=r"stablecoin\.vault"):
        load_settings(folder)


def test_test_dollars_do_not_stand_beside_real_sats(folder) -> None:
    real = "network = 'mainnet'\ni_understand_real_money = true\n"
    (folder / FILE_NAME).write_text(real)
    assert load_settings(folder).network == "mainnet"
    (folder / FILE_NAME).write_text(real + SECTION)
    with pytest.raises(ConfigError, match="test networks only"):
        load_settings(folder)


@pytest.mark.parametrize(
    ("section", "words"),
    [
        ("host = '0.0.0.0'", "others_may_reach_it"),
        ("host = '192.168.1.2'", "others_may_reach_it"),
        ("host = '::'", "others_may_reach_it"),
        ("url = 'https://203.0.113.7'", "no number"),
        ("url = 'https://ops.example/console'", "no path"),
        ("url = 'ops.example'", "https://"),
        ("url = 'javascript:alert(1)'", "https://"),
        ("port = 70000", "operator.port"),
        ("open = true", "operator.open"),
    ],
)
def test_a_console_that_others_reach_by_accident_is_refused(tmp_path, section, words) -> None:
    (tmp_path / FILE_NAME).write_text(f"network = 'simnet'\n[operator]\n{section}\n")
    with pytest.raises(ConfigError, match=words):
        load_settings(tmp_path)


@pytest.mark.parametrize(
    "section",
    [
        "", "host = '::1'", "host = '0.0.0.0'\nothers_may_reach_it = true", "enabled = false",
        "url = 'https://ops.example'", "url = 'http://localhost:9000/'",
    ],
)  # fmt: skip
def test_a_console_that_the_operator_asked_for_is_not(tmp_path, section) -> None:
    (tmp_path / FILE_NAME).write_text(f"network = 'simnet'\n[operator]\n{section}\n")
    assert load_settings(tmp_path).operator.port == 8081
