"""How the demo looks in a terminal: chapters, steps with the story's date, and three tables."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from rich.console import Console
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from node.clock import Clock, now_s
from node.devnet.story_figures import EarnerRow, GiverRow, Result
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

    def pots(self, rows: list[GiverRow]) -> None:
        """What became of each pot."""
        table = _table("Who gave", ("pot", "flattrs that count", "each is worth", "stays own"))
        for row in rows:
            table.add_row(
                row.name, _sat(row.pot_msat), str(row.flattrs), _sat(row.share_msat),
                _sat(row.carry_msat),
            )  # fmt: skip
        self._console.print(table)

    def earnings(self, rows: list[EarnerRow]) -> None:
        """What everyone got."""
        columns = ("flattrs", "earned (90 %)", "next dues", "held", "paid", "in the own wallet")
        table = _table("Who got", columns)
        for row in rows:
            table.add_row(
                row.name, str(row.flattrs), _sat(row.earned_msat), _sat(row.dues_msat),
                _sat(row.held_msat), _sat(row.paid_msat), _sat(row.received_msat),
            )  # fmt: skip
        self._console.print(table)
        for row in rows:
            if row.why:
                self.say(f"{row.name}: {_sat(row.held_msat)} sat: {row.why}")

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


def open_page(clock: Clock) -> Page:
    """The page on standard output; as wide as the terminal, or wide enough for the tables."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=_NOT_A_TERMINAL_COLUMNS)
    return Page(console, clock)


def _table(title: str, columns: tuple[str, ...]) -> Table:
    table = Table(title=f"{title}, in sat", title_justify="left")
    table.add_column("name", no_wrap=True)
    for column in columns:
        table.add_column(column, justify="right")
    return table


def _sat(msat: int) -> str:
    return format_units(msat, Asset.SAT)
