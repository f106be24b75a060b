"""The unit of systemd says what is there: its command, its folder, its user, its variables.

It is read as the text that it is, so that no systemd is needed.
"""

from __future__ import annotations

import re
import shlex
import tomllib
from configparser import ConfigParser
from typing import Final

from node.cli.main import AS_VALUE, app, prepare
from node.cli.serve import serve
from node.config import Settings
from node.store.click_writer import ANSWER_LIMIT_S
from node.store.engine import FINISH_LIMIT_S
from node.wallet.lightning.lnd import SEND_WAIT_S
from node.web.server import SHUTDOWN_S
from tests.test_tidy import ROOT

UNIT: Final = ROOT / "docker" / "flattr-node.service"
GUIDE: Final = (ROOT / "docs" / "operate.md").read_text(encoding="utf-8")
KNOWN: Final = {  # systemd.unit(5), systemd.service(5), systemd.exec(5), systemd.kill(5)
    "Unit": {"Description", "Wants", "After"},
    "Service": {
        "Type", "User", "Group", "ExecStart", "WorkingDirectory", "StateDirectory",
        "StateDirectoryMode", "UMask", "LoadCredential", "Environment", "Restart", "RestartSec",
        "KillMode", "TimeoutStopSec", "LimitNOFILE", "NoNewPrivileges", "CapabilityBoundingSet",
        "ProtectSystem", "ProtectHome", "ProtectProc", "ProtectClock", "ProtectHostname",
        "ProtectControlGroups", "ProtectKernelLogs", "ProtectKernelModules",
        "ProtectKernelTunables", "PrivateTmp", "PrivateDevices", "RemoveIPC", "LockPersonality",
        "RestrictNamespaces", "RestrictRealtime", "RestrictSUIDSGID", "RestrictAddressFamilies",
        "SystemCallArchitectures", "SystemCallFilter", "SystemCallErrorNumber",
    },
    "Install": {"WantedBy"},
}  # fmt: skip


def read_unit(text: str) -> ConfigParser:
    """The unit, with the case that its names have."""
    unit = ConfigParser(interpolation=None, delimiters=("=",), comment_prefixes=("#",))
    unit.optionxform = str  # type: ignore[assignment,method-assign]  # the library's own way
    unit.read_string(text)
    return unit


def text_of_unit() -> str:
    """As it is in the repository."""
    return UNIT.read_text(encoding="utf-8")


def service() -> dict[str, str]:
    """What is set in it for the service."""
    return dict(read_unit(text_of_unit())["Service"])


def offered() -> list[tuple[str, str]]:
    """What an operator may take out of a comment, as names and values."""
    return re.findall(r"^#([A-Z]\w+)=(.*)$", text_of_unit(), re.MULTILINE)


def test_each_name_is_one_of_systemds_in_its_section():
    unit = read_unit(text_of_unit())
    assert set(unit.sections()) == set(KNOWN)
    for section, names in KNOWN.items():
        assert set(unit[section]) <= names
    assert {name for name, _ in offered()} <= KNOWN["Service"]


def test_its_command_is_one_of_ours_and_the_folder_is_the_services():
    program, *arguments = shlex.split(service()["ExecStart"])
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    place, _, name = program.rpartition("/bin/")
    assert name in scripts
    assert f"{place}/bin/pip install" in GUIDE
    prepare(arguments)
    parse = {key: AS_VALUE[key] for key in ("exit_on_error", "print_error")}
    command, bound, _ = app.parse_args(arguments, **parse)
    assert command is serve
    assert str(bound.arguments["folder"]) == f"/var/lib/{service()['StateDirectory']}"
    assert service()["WorkingDirectory"] == str(bound.arguments["folder"])


def test_it_may_write_into_its_folder_alone_and_rise_to_nothing():
    said = service()
    assert said["ProtectSystem"] == "strict"
    assert "ReadWritePaths" not in said
    assert said["NoNewPrivileges"] == said["PrivateTmp"] == said["ProtectHome"] == "yes"
    assert said["CapabilityBoundingSet"] == ""
    assert (said["StateDirectoryMode"], said["UMask"]) == ("0700", "0077")
    assert said["User"] not in {"root", ""}


def test_it_is_killed_only_when_it_had_time_to_end():
    said = service()
    assert said["Restart"] == "on-failure"
    ending_s = SEND_WAIT_S + SHUTDOWN_S + ANSWER_LIMIT_S + FINISH_LIMIT_S
    assert ending_s < int(said["TimeoutStopSec"]) <= 2 * ending_s


def test_the_variables_that_it_offers_are_settings_and_each_has_its_file():
    secrets = {value.partition(":")[0] for name, value in offered() if name == "LoadCredential"}
    named = [value for name, value in offered() if name == "Environment"]
    assert len(named) == len(secrets) == 2
    for variable, _, path in (value.partition("=") for value in named):
        group, name = variable.removeprefix("FLATTR_").removesuffix("_FILE").lower().split("__")
        assert name in re.findall(r"\w+", str(Settings.model_json_schema())), group
        assert group in Settings.model_fields
        assert path.removeprefix("%d/") in secrets


def test_the_guide_installs_this_file_for_this_user():
    assert f"docker/{UNIT.name} /etc/systemd/system/" in GUIDE
    assert re.search(rf"useradd .*\b{service()['User']}$", GUIDE, re.MULTILINE)
    assert f"systemctl enable --now {UNIT.stem}" in GUIDE
