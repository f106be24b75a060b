"""`init`: a few questions, a settings file with comments, and a first look at LND."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Annotated, Final, get_args

from cyclopts import Parameter
from rich.prompt import Confirm, Prompt

from node.app import lnd_connection, read_seed
from node.cli.options import FOLDER_DEFAULT, Folder, progress_screen, screen
from node.clock import SystemClock
from node.config import FILE_NAME, Network, Settings, check_network
from node.errors import BadTarget, ConfigError
from node.flows.diagnose import Finding, lnd_findings
from node.wallet.lightning.lnd import open_lnd
from node.wallet.lightning.rpc_errors import bake_command
from node.wallet.lightning.targets import Bolt11, parse_target

PORT_DEFAULT: Final = 8080
_PORT_MAX: Final = 65_535

_FILE: Final = """\
# flattr-node: the settings of this node. Every value can also come from the environment:
# FLATTR_WEB__PORT=9000 wins over web.port here.

# The Bitcoin network that your LND is on. Test networks first: mainnet is real money.
network = {network}
{real_money}
# Empty: a SQLite file in this folder. Or postgresql://user:password@host/name
database = {database}

[lnd]
# How to reach LND, as lndconnect://host:port?cert=…&macaroon=… The macaroon should be able to do
# what the node needs and nothing else. Bake one with:
#   {bake}
{lndconnect}
# Or instead by files:
# address = "127.0.0.1:10009"
# cert_path = "/path/to/tls.cert"
# macaroon_path = "/path/to/flattr-node.macaroon"

[money]
# Where your commission is paid: a Lightning address, an LNURL or a node key. Without one it stays
# on the node's own account.
{operator_target}
# Of each share, in hundredths of a percent: 1000 is 10 %, and the most.
commission_bps = 1000
# What a creator's own pot must hold to be paid that month, in sats.
dues_sat = 2000
# True: a month that is over waits for your word on the console instead of being closed by itself.
close_needs_approval = false
# What a bitcoin is worth, as you say, for a hint beside amounts in sats. Nobody is paid by it, and
# nothing renews it.
# fiat = "EUR"
# fiat_per_bitcoin = 60000

# The second rail, a stablecoin in a payout vault. `flattr-node contract deploy` deploys the vault
# and writes this section; docs/operate.md says how. Amounts in millionths of a dollar.
# [stablecoin]
# network = "base-sepolia"
# rpc_urls = ["https://one.example", "https://another.example"]
# vault = "0x…"
# first_block = 1
# keystore = "operator.json"
# gas_ceiling_gwei = 100
# dues_units = 2000000
# payout_min_units = 1000000

[web]
# Where the node listens. Put a proxy with TLS before it, and name its address as public_url.
host = "127.0.0.1"
port = {port}
public_url = "http://127.0.0.1:{port}"

[operator]
# Your own pages and the metrics, on a listener that only this machine reaches. docs/operate.md says
# how you get there from elsewhere.
port = {operator_port}
"""


async def init(
    *,
    folder: Folder = FOLDER_DEFAULT,
    network: Annotated[Network | None, Parameter(help="The network that LND is on.")] = None,
    lndconnect: Annotated[str | None, Parameter(help="lndconnect://… of your LND.")] = None,
    operator_target: Annotated[str | None, Parameter(help="Where you are paid.")] = None,
    database: Annotated[str | None, Parameter(help="postgresql://…; empty: SQLite.")] = None,
    port: Annotated[int | None, Parameter(help="Where the node listens on 127.0.0.1.")] = None,
    i_understand_real_money: Annotated[
        bool, Parameter(negative="", help="Needed for mainnet.")
    ] = False,
) -> int:
    """Write the settings of a new node, and try its LND.

    Asks for what no flag gives, on a terminal; elsewhere the defaults are taken: simnet, SQLite,
    port 8080. An existing file is never overwritten.
    """
    path = folder / FILE_NAME
    if path.exists():
        raise ConfigError(f"{path} is there already: edit it, or name another --folder")
    ask = sys.stdin.isatty()
    network = network or _ask_network(ask)
    lndconnect = _ask(ask, lndconnect, "lndconnect URL of your LND (empty: later)")
    operator_target = _ask(ask, operator_target, "Where your commission is paid (empty: later)")
    database = _ask(ask, database, "Database URL (empty: SQLite)")
    port = int(_ask_port(ask)) if port is None else port
    if network == "mainnet" and ask and not i_understand_real_money:
        i_understand_real_money = Confirm.ask("mainnet is real money. Go on?", default=False)
    settings = _settings(network, lndconnect, operator_target, database, port,
                         i_understand_real_money)  # fmt: skip
    _write(path, settings)
    read_seed(folder)
    out = screen()
    out.print(f"wrote {path} and the node's secret seed: keep a copy of both", markup=False)
    status = await _try_lnd(settings) if lndconnect else 0
    step = "flattr-node serve" if lndconnect else f"write how to reach LND into {path}, then serve"
    out.print(f"next: {step} --folder {folder}" if lndconnect else f"next: {step}", markup=False)
    return status


def _settings(
    network: Network, lndconnect: str, operator_target: str, database: str, port: int, real: bool
) -> Settings:
    """The settings as they will be read again. Raises ConfigError, BadTarget."""
    if operator_target and isinstance(parse_target(operator_target, allow=frozenset()), Bolt11):
        raise BadTarget("an invoice is paid once: give a Lightning address, LNURL or node key")
    if database and not database.startswith(("postgresql://", "postgres://", "sqlite://")):
        raise ConfigError("the database is postgresql://user:password@host/name, or empty: SQLite")
    if not 1 <= port <= 65_535:  # noqa: PLR2004  ports
        raise ConfigError(f"{port} is no port: take one of 1 to 65535")
    made = Settings.model_validate(
        {
            "network": network,
            "i_understand_real_money": real,
            "database": database,
            "lnd": {"lndconnect": lndconnect or None},
            "money": {"operator_target": operator_target or None},
            "web": {"port": port},
        }
    )
    check_network(made)
    if lndconnect:
        lnd_connection(made.lnd)
    return made


def _write(path: Path, settings: Settings) -> None:
    target, url = settings.money.operator_target, settings.lnd.lndconnect
    real = settings.i_understand_real_money
    text = _FILE.format(
        network=json.dumps(settings.network),
        real_money="i_understand_real_money = true\n" if real else "",
        database=json.dumps(settings.database),
        bake=bake_command(),
        lndconnect=f"lndconnect = {json.dumps(url)}" if url else '# lndconnect = "lndconnect://…"',
        operator_target=f"operator_target = {json.dumps(target)}"
        if target
        else '# operator_target = "you@example.com"',
        port=settings.web.port,
        operator_port=_beside(settings.web.port),
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)


def _beside(port: int) -> int:
    """A port for the operator's own listener."""
    return port + 1 if 0 < port < _PORT_MAX else port - 1 if port else 0


async def _try_lnd(settings: Settings) -> int:
    """Show what LND says; 1 if something is wrong."""
    wrong = 0
    async with open_lnd(lnd_connection(settings.lnd)) as lnd:
        async for finding in lnd_findings(lnd, settings, SystemClock()):
            show(finding)
            wrong += not finding.good
    return int(wrong > 0)


def show(finding: Finding) -> None:
    """One line, green or red, and what to do."""
    mark = "[green]ok  [/]" if finding.good else "[red]BAD [/]"
    out = screen()
    out.print(mark, end="")
    out.print(f" {finding.part:<11} {finding.words}", markup=False)
    if finding.fix:
        out.print(f"      {'':<11} → {finding.fix}", markup=False)


def _ask(ask: bool, given: str | None, question: str) -> str:
    if given is not None:
        return given
    return Prompt.ask(question, default="", show_default=False) if ask else ""


def _ask_network(ask: bool) -> Network:
    choices = list(get_args(Network))
    if not ask:
        return "simnet"
    answer = Prompt.ask("Network", choices=choices, default="signet", console=progress_screen())
    return next(one for one in get_args(Network) if one == answer)


def _ask_port(ask: bool) -> str:
    answer = Prompt.ask("Port", default=str(PORT_DEFAULT)) if ask else str(PORT_DEFAULT)
    if not answer.isascii() or not answer.isdecimal():
        raise ConfigError(f"{answer!r} is no port: take one of 1 to 65535")
    return answer
