"""`drain` before LND is stopped, `resume` after."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from node.cli.options import (
    FOLDER_DEFAULT,
    Folder,
    open_books,
    open_node,
    progress_screen,
    screen,
)
from node.clock import SystemClock
from node.flows.drain import Drained
from node.flows.drain import drain as run_drain
from node.flows.operator import acts
from node.flows.operator.access import COMMAND_LINE


async def drain(
    *,
    folder: Folder = FOLDER_DEFAULT,
    timeout: Annotated[  # noqa: ASYNC109  the operator's word for it
        float, Parameter(help="Wait at most so many seconds.")
    ] = 600.0,
) -> int:
    """Stop sending, and wait until nothing is in flight.

    Do it before LND is stopped or upgraded: a payment that LND is killed in may stay open for
    ever. The node may go on serving. Afterwards: flattr-node resume.
    """
    async with open_node(folder) as node:
        with progress_screen().status("nothing more is sent") as status:

            def show(left: Drained) -> None:
                words = f": {left.words[-1]}" if left.words else ""
                status.update(f"in flight {left.in_flight}{words}")

            left = await run_drain(node, timeout, show)
    out = screen()
    if left.not_begun:
        out.print(f"{left.not_begun} not begun: sent after flattr-node resume")
    if left.limbo:
        out.print(f"{left.limbo} in LIMBO: they wait for a person, see flattr-node payouts")
    if left.done:
        out.print("drained: nothing is in flight, LND may be stopped. Then: flattr-node resume")
        return 0
    out.print(f"{left.in_flight} still in flight: do not stop LND; sending stays stopped")
    return 1


async def resume(*, folder: Folder = FOLDER_DEFAULT) -> None:
    """Send again after a drain or a breach, on both rails.

    After a breach, run audit first: what it found is still there unless somebody mended it.
    """
    async with open_books(folder) as store:
        was = await acts.resume(store, SystemClock(), COMMAND_LINE)
    words = f"sending again; it was: {was}" if was else "sending was not stopped"
    screen().print(words, markup=False)
