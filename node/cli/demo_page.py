"""How the demo looks in a terminal: chapters, steps with the story's date, and three tables."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from rich.console import Console
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from node.clock import Clock, now_s
from node.devnet.story_figures import EarnerRow, GiverRow, Result, VaultResult
from node.money import Asset, format_units

SIMULATED: Final = "SIMULATED Lightning: no real node and no real money"
_NOT_A_TERMINAL_COLUMNS: Final = 110


class Page:
    """The terminal. `simulated` is said in every heading."""

    def __init__(self, console: Console, clock: Clock) -> None:
        self._console = console
        self._clock = clock
        self.simulated = False

    def chapter(self, title: str) -> None:
        """A heading."""
        self._console.print()
        note = "  ·  SIMULATED" if self.simulated else ""
        self._console.print(Rule(Text(title + note, style="bold"), align="left"))

    def step(self, words: str) -> None:
        """One step, after the date that it is in the story."""
        at = datetime.fromtimestamp(now_s(self._clock), UTC)
        date = Text(f"{at:%d %b %H:%M}  ", style="dim")
        self._console.print(date + Text(words), soft_wrap=True)

    def say(self, words: str) -> None:
        """A line without a date."""
        self._console.print(Text(words), soft_wrap=True)

    def command(self, words: str) -> None:
        """Something to copy, on one line however wide the terminal is."""
        self._console.print(Text(f"    {words}", style="cyan"), soft_wrap=True)

    def link(self, name: str, url: str, words: str) -> None:
        """Something to open in a browser."""
        self._console.print(Text(f"    {name:9} {url}", style="cyan"), soft_wrap=True, end="")
        self._console.print(Text(f"   {words}", style="dim"), soft_wrap=True)

    def pots(self, rows: list[GiverRow], asset: Asset) -> None:
        """What became of each pot."""
        columns = ("pot", "flattrs that count", "each is worth", "stays own")
        table = _table("Who gave", asset, columns)
        for row in rows:
            units = (format_units(one, asset) for one in (row.pot, row.share, row.carry))
            pot, share, carry = units
            table.add_row(row.name, pot, str(row.flattrs), share, carry)
        self._console.print(table)

    def earnings(self, rows: list[EarnerRow], asset: Asset) -> None:
        """What everyone got."""
        columns = ("flattrs", "earned (90 %)", "next dues", "held", "paid", "in the own wallet")
        table = _table("Who got", asset, columns)
        for row in rows:
            units = (row.earned, row.dues, row.held, row.paid, row.received)
            shown = [format_units(one, asset) for one in units]
            table.add_row(row.name, str(row.flattrs), *shown)
        self._console.print(table)
        for row in rows:
            if row.why:
                self.say(f"{row.name}: {format_units(row.held, asset)} {asset}: {row.why}")

    def result(self, result: Result) -> None:
        """The month in one table."""
        table = Table(title=f"The month {result.month}, in sat", title_justify="left")
        table.add_column("what", no_wrap=True)
        table.add_column("sat", justify="right", no_wrap=True)
        for words, msat in (
            ("in all pots", result.pots_msat),
            ("distributed", result.distributed_msat),
            ("carried: it stays the readers'", result.carried_msat),
            ("the operator's tenth", result.commission_msat),
            ("  received by the operator's wallet, as it says itself",
             result.received_by_operator_msat),
            ("paid to creators", result.paid_to_creators_msat),
            ("  received by the creators' wallets, as they say themselves",
             result.received_by_creators_msat),
            ("routing fees: the operator's expense", result.routing_fees_msat),
        ):  # fmt: skip
            table.add_row(words, _sat(msat))
        table.add_row("payouts paid, held, in flight",
                      f"{result.paid}, {result.held}, {result.in_flight}")  # fmt: skip
        table.add_row("audit of the books and of Lightning", result.audit)
        self._console.print(table)

    def vault(self, result: VaultResult) -> None:
        """The month in the stablecoin in one table."""
        table = Table(title=f"The stablecoin on {result.chain}, in usd", title_justify="left")
        table.add_column("what", no_wrap=True)
        table.add_column("usd", justify="right", no_wrap=True)
        for words, units in (
            ("in all pots", result.pots_units),
            ("charged by the vault, as it says itself", result.charged_units),
            ("the operator's tenth", result.commission_units),
            ("  received by the treasury, as the token says", result.received_by_operator_units),
            ("received by the creators, as the token says", result.received_by_creators_units),
        ):
            table.add_row(words, format_units(units, Asset.USD))
        table.add_row("batches", str(result.batches))
        table.add_row("payouts paid, claimable", f"{result.paid}, {result.claimable}")
        table.add_row("gas for each recipient: the operator's expense",
                      f"{result.gas_per_creator:,}")  # fmt: skip
        self._console.print(table)


def open_page(clock: Clock) -> Page:
    """The page on standard output; as wide as the terminal, or wide enough for the tables."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=_NOT_A_TERMINAL_COLUMNS)
    return Page(console, clock)


def _table(title: str, asset: Asset, columns: tuple[str, ...]) -> Table:
    table = Table(title=f"{title}, in {asset}", title_justify="left")
    table.add_column("name", no_wrap=True)
    for column in columns:
        table.add_column(column, justify="right")
    return table


def _sat(msat: int) -> str:
    return format_units(msat, Asset.SAT)
