"""Read a month that is written as text, and run it through the real flows.

A scenario is a `.txt` file: a title, a sentence or two, an empty line, then steps. A step is a verb
and what it is about; `#` begins a remark. Verbs that do something are in `doing.py`, verbs that
look are in `seeing.py`. After each step the books are checked. An amount needs its unit, `sat` or
`msat`. Where a line names several, they are divided by commas.

    refused <slug>: <step>      the step is refused with this problem
    asked again: <step>         the step twice; the second time must change nothing
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import pytest

from node.errors import Rejected
from node.store import checks
from tests.scenarios import doing, seeing
from tests.world import World

Verb: TypeAlias = Callable[[World, str], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Step:
    """One line: where it stands, and what it says."""

    line: int
    text: str


@dataclass(frozen=True, slots=True)
class Scenario:
    """One file."""

    title: str
    words: str
    steps: tuple[Step, ...]


def read_scenario(path: Path) -> Scenario:
    """Read one file. Raises ValueError when it has no title, no words or no steps."""
    title, _, rest = path.read_text(encoding="utf-8").partition("\n\n")
    words, _, body = rest.partition("\n\n")
    steps = []
    for number, line in enumerate(body.splitlines(), (title + words).count("\n") + 5):
        if text := line.partition("#")[0].strip():
            steps.append(Step(number, text))
    said = " ".join(words.split())
    if not (title and said and steps):
        raise ValueError(f"{path.name} needs a title, a sentence and steps")
    return Scenario(title.strip(), said, tuple(steps))


async def run(world: World, scenario: Scenario) -> None:
    """Run every step, and check the books after each. A failure names its line."""
    for step in scenario.steps:
        try:
            await _one(world, step.text)
            await _demand_clean(world)
        except Exception as error:
            error.add_note(f"line {step.line}: {step.text}")
            raise


async def _one(world: World, text: str) -> None:
    if text.startswith("refused "):
        slug, _, rest = text.removeprefix("refused ").partition(":")
        with pytest.raises(Rejected) as refused:
            await _one(world, rest.strip())
        assert refused.value.slug == slug, f"{refused.value.slug}: {refused.value}"
        return
    if text.startswith("asked again:"):
        await _one(world, text.removeprefix("asked again:").strip())
        text = text.removeprefix("asked again:").strip()
    verb = max((verb for verb in VERBS if _begins(text, verb)), key=len, default="")
    if not verb:
        raise ValueError(f"no verb: {text}")
    await VERBS[verb](world, text[len(verb) :].strip())


def _begins(text: str, verb: str) -> bool:
    return text == verb or text.startswith((f"{verb} ", f"{verb}:"))


async def _demand_clean(world: World) -> None:
    async with world.store.read() as tx:
        assert await checks.breaches(tx) == []


VERBS: dict[str, Verb] = {**doing.VERBS, **seeing.VERBS}
