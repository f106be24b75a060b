"""The stablecoin's world: the real flows on a model chain, under faults, judged by its logs."""

from __future__ import annotations

from collections.abc import Mapping

from tests.crash.direct_sqlite import open_direct_sqlite
from tests.crash.process import open_processes
from tests.crash.report import Mutant, Report
from tests.crash.vault import people
from tests.crash.vault.judge import judge
from tests.crash.vault.mutants import MUTANTS
from tests.crash.vault.people import MONTH, People
from tests.crash.vault.story import Story
from tests.crash.vault.strikes import Plan
from tests.crash.vault.town import Town


class VaultWorld:
    """One seed is one story of a month or two on the vault."""

    name = "vault"
    mutants: Mapping[str, Mutant] = MUTANTS

    def prepare(self) -> None:
        """The database with its people, made once in a process."""
        people.prepared()

    async def run(self, seed: int) -> Report:
        """Play one seed; the model's own logs are the oracle."""
        report = Report(self.name, seed)
        with people.folder_of(f"vault-{seed}") as folder:
            town = Town(seed, MONTH, folder)
            strikes = Plan(town.random)
            story = Story(town, People(town, town.random), strikes)
            with open_processes(), open_direct_sqlite(strikes):
                await story.play()
                await judge(story, report)
        report.faults = story.faults + strikes.struck
        report.lines, report.trace = story.trace.lines, story.trace.digest()
        report.virtual_s = town.now_s - MONTH.starts_s
        return report


WORLD = VaultWorld()
