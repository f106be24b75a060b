"""`payouts`: list them in words, pay what is due, give one that has given up another chance."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Final

from cyclopts import Parameter
from rich.table import Table

from node.cli.options import (
    FOLDER_DEFAULT,
    Folder,
    Json,
    open_books,
    open_node,
    progress_screen,
    say_json,
    screen,
)
from node.clock import SystemClock
from node.flows.node import Node, give_up_leases
from node.flows.operator.access import COMMAND_LINE
from node.flows.operator.acts import retry_payout
from node.flows.reconcile import quarantine
from node.flows.rounds import round_on_all_rails
from node.ids import PayoutId
from node.money import Asset
from node.settlement.payout import PayoutState
from node.store import listings
from node.store.engine import Store
from node.store.listings import ListedPayout

ROWS_MAX: Final = 10_000
ROUNDS_MAX: Final = 300
WAIT_S: Final = 0.2
PROOF_SHOWN: Final = 12

STATE_WORDS: Final = {
    PayoutState.DUE: "due",
    PayoutState.IN_FLIGHT: "on its way",
    PayoutState.PAID: "paid",
    PayoutState.HELD: "held",
    PayoutState.RETURNED: "returned",
}


async def payouts(
    *,
    folder: Folder = FOLDER_DEFAULT,
    state: Annotated[PayoutState | None, Parameter(help="Only payouts of this state.")] = None,
    run: Annotated[bool, Parameter(negative="", help="Pay what is due, until quiet.")] = False,
    retry: Annotated[
        str | None, Parameter(help="The id of a held payout that should be tried again.")
    ] = None,
    as_json: Json = False,
) -> None:
    """List payouts: state, reason, tries, next try, fee and proof.

    --run pays as a serving node does; it ends when nothing moves any more, or after a minute of
    waiting for what is on its way.
    """
    if retry is not None:
        async with open_books(folder) as store:
            await retry_payout(store, SystemClock(), COMMAND_LINE, PayoutId(retry))
    if run:
        async with open_node(folder) as node:
            try:
                await quarantine(node)
                await _run(node)
            finally:
                await give_up_leases(node)
            await _list(node.store, state, as_json)
        return
    async with open_books(folder) as store:
        await _list(store, state, as_json)


async def _run(node: Node) -> None:
    settled, console = 0, progress_screen()
    with console.status("paying") as status:
        for _ in range(ROUNDS_MAX):
            report = await round_on_all_rails(node, status.update)
            settled += report.settled
            status.update(f"paid {settled}, on their way {report.pending}")
            for words in report.words:
                console.print(words, markup=False)
            if not report.moved and not report.pending:
                break
            if not report.moved:
                await node.clock.sleep(WAIT_S)
    console.print(f"paid {settled}", markup=False)


async def _list(store: Store, state: PayoutState | None, as_json: bool) -> None:
    async with store.read() as tx:
        rows = [
            row
            for asset in (Asset.SAT, Asset.USD)
            for row in await listings.payouts(tx, asset, state, ROWS_MAX)
        ]
    if as_json:
        say_json({"payouts": [_as_json(row) for row in rows]})
        return
    table = Table(box=None, pad_edge=False)
    for name in ("id", "month", "for", "amount", "state", "tries", "next try", "fee", "proof"):
        right = name in {"amount", "fee", "tries"}
        table.add_column(name, justify="right" if right else "left", no_wrap=name == "id")
    for row in rows:
        table.add_row(
            row.id, str(row.month or row.kind), row.name, str(row.amount), state_words(row),
            str(row.tries), _next_try(row), "" if row.fee is None else str(row.fee),
            (row.proof or "")[:PROOF_SHOWN],
        )  # fmt: skip
    screen().print(table if rows else "no payouts")


def state_words(row: ListedPayout) -> str:
    """Where a payout stands, and why."""
    words = STATE_WORDS[row.state]
    if row.limbo:
        words = "LIMBO: lnd neither finishes nor denies it; see docs/operate.md"
    elif row.reason:
        words = f"{words}: {row.reason}"
    return words


def _next_try(row: ListedPayout) -> str:
    if row.state is not PayoutState.DUE:
        return ""
    if not row.next_try_s:
        return "now"
    return datetime.fromtimestamp(row.next_try_s, UTC).strftime("%Y-%m-%d %H:%M UTC")


def _as_json(row: ListedPayout) -> dict[str, object]:
    unit = "msat" if row.amount.asset is Asset.SAT else "units"
    return {
        "id": row.id,
        "kind": row.kind,
        "for": row.name,
        "month": str(row.month) if row.month else None,
        "asset": row.amount.asset,
        f"amount_{unit}": row.amount.units,
        "state": row.state,
        "words": state_words(row),
        "tries": row.tries,
        "next_try_s": row.next_try_s,
        "target": row.target,
        f"fee_{unit}": row.fee.units if row.fee is not None else None,
        "proof": row.proof,
    }
