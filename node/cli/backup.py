"""`backup`: one file of everything in the database. `restore`: the way back."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from node.app import SEED_NAME, open_books, read_seed
from node.cli.options import FOLDER_DEFAULT, Folder, Json, read_settings, say_json, screen
from node.clock import SystemClock
from node.config import database_url
from node.errors import BadBackup
from node.flows.backups.restore import restore_backup, words_of
from node.flows.backups.take import take_backup

BROKEN = 3


async def backup(
    file: Annotated[Path, Parameter(help="The file to write; it must not be there yet.")],
    *,
    folder: Folder = FOLDER_DEFAULT,
    as_json: Json = False,
) -> None:
    """Write one file of everything in the database, as it is now, while the node serves.

    It fits into SQLite and into Postgres. Keep the settings, the seed and the stablecoin's key
    apart: they are not in it, and a restore needs them.
    """
    settings = read_settings(folder)
    async with open_books(settings, folder) as store:
        header = await take_backup(store, SystemClock(), settings, read_seed(folder), file)
    size = file.stat().st_size
    if as_json:
        say_json({"file": str(file), "bytes": size, "taken_us": header.taken_us,
                  "heads": {name: seq for name, (seq, _) in header.heads.items()}})  # fmt: skip
        return
    ends = ", ".join(f"{name} {seq}" for name, (seq, _) in header.heads.items())
    screen().print(f"{file}: {size} bytes, entries: {ends}", markup=False)
    screen().print(f"it holds {header.holds}", markup=False)


async def restore(
    file: Annotated[Path, Parameter(help="A file that `backup` has written.")],
    *,
    folder: Folder = FOLDER_DEFAULT,
    as_json: Json = False,
) -> int:
    """Fill an empty database from a backup. Nothing is sent afterwards until `reconcile` has run.

    The folder has the settings and the seed of the node that the backup is of. Exit status 3: the
    books in it are not clean.
    """
    settings = read_settings(folder)
    if not (folder / SEED_NAME).exists():
        raise BadBackup(f"there is no {SEED_NAME} in {folder}: put the node's own there first")
    url, seed = database_url(settings, folder), read_seed(folder)
    done = await restore_backup(url, SystemClock(), settings, seed, file)
    if as_json:
        say_json({"rows": done.rows, "taken_us": done.header.taken_us, "broken": done.broken})
    else:
        out = screen()
        out.print(f"restored {done.rows} rows of {words_of(done.header)}", markup=False)
        for words in done.broken:
            out.print(f"not clean: {words}", markup=False)
        out.print("next: flattr-node reconcile; until then nothing is sent", markup=False)
    return BROKEN if done.broken else 0
