"""`close`: close a month by hand, or see what it would come to."""

from __future__ import annotations

import sys
from typing import Annotated

from cyclopts import Parameter
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.prompt import Confirm
from rich.table import Table

from node.cli.options import FOLDER_DEFAULT, Folder, open_node, progress_screen, screen
from node.clock import this_month
from node.config import LOCAL_NETWORKS
from node.errors import BadMonth, ConfigError
from node.flows import fund
from node.flows.calendar import demand_over
from node.flows.close import close_month
from node.flows.forecast import Forecast, forecast
from node.flows.node import Node
from node.flows.operator.access import COMMAND_LINE
from node.flows.operator.acts import approve
from node.flows.schedule import close_in_stablecoin, months_to_close
from node.flows.vault.charge import gas_of
from node.money import Amount, Asset
from node.month import Month
from node.settlement.payout import PayoutState
from node.store import closes, payouts, vault_months
from node.store.closes import Close


async def close(
    *,
    folder: Folder = FOLDER_DEFAULT,
    month: Annotated[str | None, Parameter(help="Like 2026-11. Default: the last one.")] = None,
    dry_run: Annotated[bool, Parameter(negative="", help="Show the result, store none.")] = False,
    yes: Annotated[bool, Parameter(negative="", help="Do not ask.")] = False,
    by_this_clock: Annotated[
        bool, Parameter(negative="", help="On a local network: don't ask lnd's newest block.")
    ] = False,
) -> None:
    """Close a month that is over, or show what it comes to (--dry-run).

    A serving node closes each month by itself. Deposits that were paid before the month's end are
    credited first. A close that was interrupted goes on where it stopped; a closed month never
    changes.
    """
    wanted = None if month is None else Month.parse(month)
    async with open_node(folder) as node:
        last = this_month(node.clock).plus(-1)
        wanted = wanted or last
        await fund.catch_up(node.funding)
        if dry_run:
            _show_forecast(await forecast(node.closing(lambda _: None), wanted))
            return
        if wanted > last:
            raise BadMonth(f"{wanted} is not over: it can be closed from its end (UTC) on")
        _confirm(wanted, yes)
        await _demand_over(node, wanted, by_this_clock)
        await _close(node, wanted)


async def _demand_over(node: Node, month: Month, by_this_clock: bool) -> None:
    if not by_this_clock:
        await demand_over(node.lnd, month)
    elif node.settings.network not in LOCAL_NETWORKS:
        raise ConfigError(f"--by-this-clock is for {' and '.join(sorted(LOCAL_NETWORKS))} only")


async def _close(node: Node, wanted: Month) -> None:
    over = await months_to_close(node.store, node.clock, node.rules.asset)
    for month in dict.fromkeys([*(m for m in over if m < wanted), wanted]):
        await approve(node, COMMAND_LINE, month)
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=progress_screen(), transient=True) as bar:
        task = bar.add_task("closing")
        closing = node.closing(lambda words: bar.update(task, description=words))
        for month in [m for m in over if m < wanted]:
            await close_month(closing, month)
            bar.console.print(f"{month} is closed", markup=False)
        result = await close_month(closing, wanted)
        await close_in_stablecoin(node, closing.progress)
    async with node.store.read() as tx:
        opened = await payouts.counts(tx, node.rules.asset)
    _show_close(result, opened)
    if node.stablecoin is not None:
        await _show_stablecoin(node, wanted)


async def _show_stablecoin(node: Node, month: Month) -> None:
    """The month in the stablecoin, or what it waits for."""
    async with node.store.read() as tx:
        found = await closes.get(tx, month, Asset.USD)
        opened = await payouts.counts(tx, Asset.USD)
        on_vault = await vault_months.get(tx, month)
        gas = None if on_vault is None else await gas_of(tx, on_vault)
    if found is not None and found.stage is closes.Stage.CHECKED:
        _show_close(found, opened, gas)
        return
    if found is None and month not in await months_to_close(node.store, node.clock, Asset.USD):
        return
    waits = "until its end is final on the chain" if found is None else "for the vault's charge"
    screen().print(
        f"In the stablecoin {month} waits {waits}: a serving node goes on by itself, and so does"
        " `flattr-node payouts --run`",
        markup=False,
    )


def _confirm(month: Month, yes: bool) -> None:
    if yes:
        return
    if not sys.stdin.isatty():
        raise ConfigError(f"closing {month} can't be undone: say --yes, or look with --dry-run")
    if not Confirm.ask(f"Close {month}? It can't be undone", default=False):
        raise ConfigError(f"{month} was not closed")


def _show_forecast(seen: Forecast) -> None:
    out = screen()
    out.print(f"{seen.month} if it were closed now:")
    table = _figures()
    table.add_row("pots", f"{seen.pots} of {seen.readers} readers with counted flattrs")
    table.add_row("distributed", f"{seen.distributed} over {seen.flattrs} flattrs")
    table.add_row("commission", str(seen.commission))
    table.add_row("carried", f"{seen.carried} stays the readers'")
    out.print(table)
    creators = Table(box=None, pad_edge=False)
    creators.add_column("creator")
    creators.add_column("earns", justify="right")
    creators.add_column("paid")
    for one in seen.creators:
        creators.add_row(one.name, str(one.net), f"held: {one.waits}" if one.waits else "yes")
    out.print(creators)


def _show_close(
    result: Close, opened: dict[PayoutState, tuple[int, int]], gas: Amount | None = None
) -> None:
    figures, table = result.figures, _figures()
    unit = result.asset.unit
    table.add_row("pots", f"{figures.pots:,} {unit}")
    table.add_row("distributed", f"{figures.distributed:,} {unit} over {figures.flattrs} flattrs")
    table.add_row("commission", f"{figures.commission:,} {unit}")
    table.add_row("carried", f"{figures.carried:,} {unit}")
    table.add_row("digest", str(result.digest))
    if gas is not None:
        table.add_row("gas so far", f"{gas}, the operator's expense")
    for state, (number, _) in sorted(opened.items()):
        table.add_row(f"payouts {state}", str(number))
    screen().print(table)


def _figures() -> Table:
    return Table(box=None, show_header=False, pad_edge=False)
