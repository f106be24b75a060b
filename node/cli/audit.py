"""`audit`: a line for each invariant, with figures; a breach stops dispatch."""

from __future__ import annotations

from contextlib import AsyncExitStack
from pathlib import Path
from typing import Annotated, Final

from cyclopts import Parameter
from rich.text import Text

from node.app import lnd_connection, open_stablecoin
from node.app import open_books as open_store_of
from node.cli.options import (
    FOLDER_DEFAULT,
    Folder,
    Json,
    progress_screen,
    read_settings,
    say_json,
    screen,
)
from node.clock import Clock, SystemClock
from node.config import Settings
from node.errors import RailUnavailable
from node.flows.audits.audit import audit as run_audit
from node.flows.audits.audit import stop_on_breach
from node.flows.audits.lines import Report, State
from node.store.engine import Store
from node.wallet.lightning.lnd import open_lnd

WARNINGS: Final = 2
BREACH: Final = 3
_STYLES: Final = {
    State.OK: "green",
    State.WARN: "yellow",
    State.BREACH: "bold red",
    State.UNCHECKED: "dim",
}


async def audit(
    *,
    folder: Folder = FOLDER_DEFAULT,
    as_json: Json = False,
    strict: Annotated[bool, Parameter(negative="", help="Warnings give exit status 2.")] = False,
    offline: Annotated[
        bool, Parameter(negative="", help="The books alone, without asking LND or a chain.")
    ] = False,
) -> int:
    """Recompute the books and compare them with LND, and with the vault.

    Exit status 0: pass. 2: warnings, with --strict. 3: a breach; nothing more is sent then until
    `flattr-node resume`.
    """
    report, stopped = await _audit(folder, offline)
    if as_json:
        lines = [
            {"id": line.id, "law": line.law, "state": line.state, "figures": line.figures}
            for line in report.lines
        ]
        say_json({"result": report.result, "head": report.head, "lines": lines})
    else:
        _show(report)
    if stopped:
        words = "dispatch is stopped: nothing is sent until flattr-node resume"
        progress_screen().print(words, style="bold red", soft_wrap=True)
        return BREACH
    return WARNINGS if strict and report.result != "pass" else 0


async def _audit(folder: Path, offline: bool) -> tuple[Report, bool]:
    settings, clock = read_settings(folder), SystemClock()
    async with open_store_of(settings, folder) as store:
        if offline:
            report = await run_audit(store, clock, None)
        else:
            report = await _compared(settings, folder, store, clock)
        return report, await stop_on_breach(store, clock, report)


async def _compared(settings: Settings, folder: Path, store: Store, clock: Clock) -> Report:
    """With LND, and with the vault if there is one. A chain that can't be reached is unchecked."""
    async with AsyncExitStack() as stack:
        lnd = await stack.enter_async_context(open_lnd(lnd_connection(settings.lnd)))
        stablecoin, no_chain = None, ""
        if settings.stablecoin is not None:
            opening = open_stablecoin(settings, folder, store, clock)
            try:
                stablecoin = await stack.enter_async_context(opening)
            except RailUnavailable as error:
                no_chain = str(error)
        return await run_audit(store, clock, lnd, stablecoin, no_chain=no_chain)


def _show(report: Report) -> None:
    out = screen()
    out.print(report.head, markup=False)
    for line in report.lines:
        text = Text(f"{line.id:<4} {line.law:<36} ")
        text.append(f"{line.state:<9}", style=_STYLES[line.state])
        text.append(f" {line.figures}")
        out.print(text)
    words = {"pass": "PASS", "warn": "PASS with warnings", "breach": "BREACH"}[report.result]
    missing = f" (not checked: {', '.join(report.unchecked)})" if report.unchecked else ""
    out.print(f"result: {words}{missing}")
