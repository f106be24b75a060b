"""A scene whose node is lost, and lives again from a backup: in a new folder, with the same lnd."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from node.app import SEED_NAME, open_node, read_seed
from node.flows.backups.restore import restore_backup
from node.flows.backups.take import take_backup
from node.flows.intents import FILE_NAME
from tests.simulation.scene import Scene


def _move_in(old: Path, folder: Path, names: tuple[str, ...]) -> None:
    folder.mkdir()
    for name in names:
        if (old / name).exists():
            shutil.copy(old / name, folder / name)


async def save(scene: Scene, path: Path) -> Path:
    """A backup of the scene's node, which goes on."""
    seed = read_seed(scene.folder / "node")
    await take_backup(scene.node.store, scene.clock, scene.settings, seed, path)
    return path


@asynccontextmanager
async def restored(
    scene: Scene, backup: Path, folder: Path, *, url: str = "", journal: bool = True
) -> AsyncIterator[Scene]:
    """The scene with a node from the backup, in `folder`: settings, seed and, maybe, journal."""
    _move_in(scene.folder / "node", folder, (SEED_NAME, FILE_NAME) if journal else (SEED_NAME,))
    url = url or f"sqlite:///{folder / 'flattr.sqlite'}"
    settings = scene.settings.model_copy(update={"database": url})
    done = await restore_backup(url, scene.clock, settings, read_seed(folder), backup)
    assert done.broken == ()
    async with open_node(settings, folder, scene.clock) as node:
        yield Scene(scene.network, scene.clock, node, scene.creators, settings, scene.folder)
