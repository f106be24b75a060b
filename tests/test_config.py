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
