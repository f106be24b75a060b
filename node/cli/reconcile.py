"""`reconcile`: settle what is open, find what LND paid that nothing here explains."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Final

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
from node.errors import BadInput
from node.flows.reconcile import Reconciled, Unknown
from node.flows.reconcile import reconcile as run_reconcile
from node.ids import PayoutId
from node.money import Amount

NONCES_SHOWN: Final = 5


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
    paid: Annotated[
        tuple[str, ...],
        Parameter(help="HASH=PAYOUT: you know that this payment of LND paid this payout."),
    ] = (),
    as_json: Json = False,
) -> int:
    """Bring the books and LND together again, as after a restored backup.

    Asks LND about every payment and deposit that is not settled, and about all payments that LND
    made. While one is unknown nothing is sent, and the exit status is 1.
    """
    async with open_node(folder) as node:
        with progress_screen().status("asking LND about every payment and deposit"):
            named = dict(map(_payment_and_payout, paid))
            done = await run_reconcile(node, adopt=adopt, suspects_too=suspects_too, paid=named)
    if as_json:
        say_json(_as_json(done))
    else:
        _show(done)
    return int(bool(done.unknown or done.nonces))


def _payment_and_payout(text: str) -> tuple[str, PayoutId]:
    payment_hash, found, payout = text.partition("=")
    if not found or not payout:
        raise BadInput(f"write --paid HASH=PAYOUT, not {text}")
    return payment_hash.lower(), PayoutId(payout)


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
    if done.taken_up:
        out.print(f"payments that are their payouts' again {done.taken_up}")
    if done.nonces:
        shown = ", ".join(map(str, done.nonces[:NONCES_SHOWN]))
        out.print(
            f"transactions of the node's key that are unknown: nonces {shown}. Look at them, then"
            " flattr-node contract account-key, and reconcile again"
        )
    for one in done.unknown:
        out.print(f"unknown: {_words(one)}", markup=False)
    if done.unknown:
        out.print(
            "nothing is sent until you say what they were: --paid HASH=PAYOUT, or --adopt: foreign"
        )
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
        "taken_up": done.taken_up,
        "unknown_nonces": list(done.nonces),
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
