"""`members`, `claim`, `suspend`, `unsuspend`: what only the operator may do to members."""

from __future__ import annotations

from typing import Annotated, Final

from cyclopts import Parameter
from rich.table import Table

from node.cli.options import FOLDER_DEFAULT, Folder, Json, open_books, say_json, screen
from node.clock import SystemClock
from node.errors import Conflict, NotFound
from node.flows.claim import add_thing, grant
from node.flows.operator.access import COMMAND_LINE
from node.flows.operator.acts import log, set_suspended
from node.money import Asset
from node.store import listings
from node.store import members as rows
from node.store.engine import Store
from node.store.members import Member
from node.store.operator_log import Act

ROWS_MAX: Final = 10_000


async def members(*, folder: Folder = FOLDER_DEFAULT, as_json: Json = False) -> None:
    """List members."""
    async with open_books(folder) as store, store.read() as tx:
        found = await listings.members(tx, Asset.SAT, ROWS_MAX)
    if as_json:
        say_json(
            {
                "members": [
                    {
                        "id": one.id, "name": one.name, "suspended": one.suspended,
                        "target": one.target, "things": one.things,
                        "available_msat": one.available.units,
                    }
                    for one in found
                ]
            }
        )  # fmt: skip
        return
    table = Table(box=None, pad_edge=False)
    for name in ("id", "name", "things", "available", "paid to", ""):
        table.add_column(name)
    for one in found:
        flag = "suspended" if one.suspended else ""
        table.add_row(
            str(one.id), one.name, str(one.things), str(one.available), one.target or "nobody", flag
        )
    screen().print(table if found else "no members")


async def claim(
    url: str,
    *,
    member: Annotated[str, Parameter(help="The name of the member who owns it.")],
    folder: Folder = FOLDER_DEFAULT,
) -> None:
    """Give a thing to its owner, on your word.

    For owners who can't put the proof on their page. Pending flattrs of the last three months
    count for the month of the claim.
    """
    async with open_books(folder) as store:
        clock, owner = SystemClock(), await _named(store, member)
        thing = await add_thing(store, clock, url, "")
        given = await grant(store, clock, owner.id, thing.id)
        await log(store, clock, Act(COMMAND_LINE, "gave", f"thing {given.url}", f"to {owner.name}"))
    screen().print(f"{given.url} is {owner.name}'s now", markup=False)


async def suspend(name: str, *, folder: Folder = FOLDER_DEFAULT) -> None:
    """Suspend a member: nothing is paid to it, and its things earn nothing."""
    await _set(folder, name, suspended=True)


async def unsuspend(name: str, *, folder: Folder = FOLDER_DEFAULT) -> None:
    """Lift a suspension."""
    await _set(folder, name, suspended=False)


async def _set(folder: Folder, name: str, *, suspended: bool) -> None:
    async with open_books(folder) as store:
        member = await _named(store, name)
        await set_suspended(store, SystemClock(), COMMAND_LINE, member.id, suspended=suspended)
    screen().print(f"{name} is {'suspended' if suspended else 'not suspended'} now", markup=False)


async def _named(store: Store, name: str) -> Member:
    async with store.read() as tx:
        member = await rows.by_name(tx, name)
    if member is None:
        raise NotFound(f"there is no member {name}: flattr-node members lists them")
    if member.closed_us is not None:
        raise Conflict(f"{name} has closed the account")
    return member
