"""`limbo`: payments that lnd neither finishes nor denies, what is known of each, and their end."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from node.cli.options import FOLDER_DEFAULT, Folder, Json, open_node, say_json, screen
from node.errors import BadInput
from node.flows.limbo import LimboCase, approve, cases, settle_by_preimage
from node.ids import PayoutId
from node.store.limbo_approvals import NEEDED


async def limbo(
    *,
    folder: Folder = FOLDER_DEFAULT,
    dead: Annotated[
        str | None, Parameter(help="The id of a payout whose payment you say is dead.")
    ] = None,
    paid: Annotated[
        str | None, Parameter(help="The id of a payout whose receiver has shown the preimage.")
    ] = None,
    preimage: Annotated[str, Parameter(help="With --paid: the preimage, in hex.")] = "",
    name: Annotated[str, Parameter(help="With --dead or --paid: who you are.")] = "",
    as_json: Json = False,
) -> int:
    """List payments in LIMBO with the evidence; call one dead, or paid.

    A payment is dead when the evidence is complete and two people have said so; then its payout is
    tried anew. Exit status 1: the evidence is not complete, or another person must say so.
    """
    if dead is not None and paid is not None:
        raise BadInput("it is dead or paid, not both")
    async with open_node(folder) as node:
        if paid is not None:
            await settle_by_preimage(node, PayoutId(paid), name or "command line", preimage)
            screen().print(f"payout {paid} is paid: its preimage proves it", markup=False)
            return 0
        if dead is not None:
            case, over = await approve(node, PayoutId(dead), name)
            words = "dead: the payout is tried anew" if over else "kept: another person must say so"
            screen().print(f"payout {dead}: {words}; proof of {case.attempt.reference}")
            return 0 if over else 1
        found = await cases(node)
    if as_json:
        say_json({"limbo": [_as_json(one) for one in found]})
    else:
        _show(found)
    return int(any(not one.complete for one in found))


def _show(found: list[LimboCase]) -> None:
    out = screen()
    if not found:
        out.print("no payment is in LIMBO")
    for case in found:
        out.print(f"payout {case.payout}: {case.attempt.amount}, {case.attempt.reference}")
        for fact in case.facts:
            out.print(f"  {'yes' if fact.holds else 'NO '} {fact.name} ({fact.seen})", markup=False)
        given = ", ".join(one.actor for one in case.approvals) or "nobody"
        out.print(f"  said to be dead by {given}; {NEEDED} people must say so", markup=False)
        if case.complete:
            out.print(f"  flattr-node limbo --dead {case.payout} --name NAME", markup=False)


def _as_json(case: LimboCase) -> dict[str, object]:
    return {
        "payout": case.payout,
        "payment_hash": case.attempt.reference,
        "amount_msat": case.attempt.amount.units,
        "complete": case.complete,
        "facts": [
            {"name": fact.name, "holds": fact.holds, "seen": fact.seen} for fact in case.facts
        ],
        "said_by": [one.actor for one in case.approvals],
    }
