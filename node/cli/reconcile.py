"""`reconcile`: settle what is open, find what LND paid that nothing here explains."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from cyclopts import Parameter

from node.cli.options import (
    FOLDER_DEFAULT,
    Folder,
    Json,
    open_node,
    progress_screen,
    say_json,
    screen,
)
from node.flows.reconcile import Reconciled, Unknown
from node.flows.reconcile import reconcile as run_reconcile
from node.money import Amount


async def reconcile(
    *,
    folder: Folder = FOLDER_DEFAULT,
    adopt: Annotated[
        bool, Parameter(negative="", help="Name unknown payments foreign: you made them.")
    ] = False,
    suspects_too: Annotated[
        bool,
        Parameter(negative="", help="With --adopt: also those that equal a waiting payout."),
    ] = False,
    as_json: Json = False,
) -> int:
    """Bring the books and LND together again, as after a restored backup.

    Asks LND about every payment and deposit that is not settled, and about all payments that LND
    made. While one is unknown nothing is sent, and the exit status is 1.
    """
    async with open_node(folder) as node:
        with progress_screen().status("asking LND about every payment and deposit"):
            done = await run_reconcile(node, adopt=adopt, suspects_too=suspects_too)
    if as_json:
        say_json(_as_json(done))
    else:
        _show(done)
    return int(bool(done.unknown))


def _show(done: Reconciled) -> None:
    out = screen()
    out.print(f"deposits credited {done.deposits}")
    out.print(
        f"payments settled {done.round.settled}, refused {done.round.refused},"
        f" still open {done.round.pending}"
    )
    if done.adopted:
        out.print(f"named foreign {done.adopted}")
    if done.recognized:
        out.print(f"recognized as waiting payouts {done.recognized}: the next round settles them")
    for one in done.unknown:
        out.print(f"unknown: {_words(one)}", markup=False)
    if done.unknown:
        out.print("nothing is sent until you name them foreign: flattr-node reconcile --adopt")
    if done.stopped:
        out.print(f"sending is stopped: {done.stopped}", markup=False)


def _words(one: Unknown) -> str:
    payment = one.payment
    at = datetime.fromtimestamp(payment.created_s, UTC).strftime("%Y-%m-%d %H:%M UTC")
    words = f"{payment.payment_hash} {Amount(payment.value_msat)} {at} {payment.status.name}"
    if not one.suspects:
        return words
    names = ", ".join(payout.id for payout in one.suspects)
    return (
        f"{words}; it equals the waiting payout {names}: if it paid that one, adopting it pays"
        " twice (--suspects-too)"
    )


def _as_json(done: Reconciled) -> dict[str, object]:
    return {
        "deposits_credited": done.deposits,
        "settled": done.round.settled,
        "refused": done.round.refused,
        "pending": done.round.pending,
        "adopted": done.adopted,
        "recognized": done.recognized,
        "unknown": [
            {
                "payment_hash": one.payment.payment_hash,
                "value_msat": one.payment.value_msat,
                "status": one.payment.status.name,
                "suspects": [payout.id for payout in one.suspects],
            }
            for one in done.unknown
        ],
        "stopped": done.stopped,
    }
