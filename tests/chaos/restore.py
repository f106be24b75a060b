"""An older backup comes back while lnd went on: the node sends nothing until `reconcile`.

backup ▶ withdrawals that it has are paid ▶ restored   recognized: all paid, once
backup ▶ others are made, and paid        ▶ restored   unknown: it stays in quarantine
"""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.chaos.episode import Episode

NAME = "flattr.sqlite"


async def backed_up(episode: Episode) -> None:
    """What the backup has as due is paid; then the backup comes back."""
    await episode.rest()
    await episode.more()
    episode.kill()
    backup = _copy(episode.folder, episode.folder.with_suffix(".backup"))
    await episode.live()
    await episode.rest()
    await _restore(episode, backup)
    found = await episode.life.tell("reconcile")
    if found["unknown"] or found["stopped"]:
        episode.rig.tally.breaches.append(f"{episode.of}: reconcile leaves {found}")


async def restored(episode: Episode) -> None:
    """What was made after the backup is paid; then the backup comes back, and knows nothing."""
    episode.kill()
    backup = _copy(episode.folder, episode.folder.with_suffix(".backup"))
    await episode.live()
    await episode.more()
    await episode.rest()
    if await _restore(episode, backup) is None:
        words = f"{episode.of}: an old backup is not noticed at the start"
        episode.rig.tally.breaches.append(words)
    before = await episode.rig.receipts(episode.marks)
    found = await episode.life.tell("reconcile")
    if found["unknown"] and found["stopped"] is None:
        episode.rig.tally.breaches.append(f"{episode.of}: reconcile forgets what is unknown")
    await episode.life.tell("burst")
    if await episode.rig.receipts(episode.marks) != before:
        episode.rig.tally.breaches.append(f"{episode.of}: something was sent after reconcile")


async def _restore(episode: Episode, backup: Path) -> str | None:
    """Put it back, and start: no receiver gets anything. Why nothing is sent, if it is so."""
    tally = episode.rig.tally
    episode.kill()
    await episode.close_store()
    _copy(backup, episode.folder)
    await episode.open_store()
    tally.others["restored backups"] += 1
    before = await episode.rig.receipts(episode.marks)
    stopped = await episode.live()
    await episode.life.tell("burst")
    if await episode.rig.receipts(episode.marks) != before:
        tally.breaches.append(f"{episode.of}: an old backup has sent something")
    return stopped


def _copy(from_: Path, to: Path) -> Path:
    to.mkdir(exist_ok=True)
    for end in ("", "-wal", "-shm"):
        (to / f"{NAME}{end}").unlink(missing_ok=True)
        if (from_ / f"{NAME}{end}").exists():
            shutil.copy(from_ / f"{NAME}{end}", to)
    return to
