"""All kinds of corruption that the audit must find and name, in one table.

    database   statements on a copy of the books, past every trigger and check
    lnd        the node that pays, altered: payments, invoices, channels
    contract   the vault, its token and the chain, altered: what they answer

Found and named: the whole audit is a breach, and the line of the law that was broken says so.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from node.clock import Clock
from node.flows.audits.audit import audit
from node.flows.audits.lines import Report, State
from node.flows.vault.stablecoin import Stablecoin
from node.store.engine import Store
from node.wallet.lightning.lnd import Lnd
from tests.flows.audits import contract_corruptions, corruptions, lnd_corruptions, vault_corruptions
from tests.flows.audits.played import corrupt, on, open_copy, open_played_scene, open_played_town
from tests.simulation.scene import PAYER, Scene

LIGHTNING = "lightning"
STABLECOIN = "stablecoin"


@dataclass(frozen=True)
class Kind:
    """One way to break something. `line`: the invariant whose line must say it."""

    name: str
    rail: str
    side: str
    line: str
    statements: tuple[str, ...] = ()


@dataclass
class Found:
    """What the audit said of one kind."""

    kind: Kind
    lines: frozenset[str]
    words: str
    """The figures of the line that must say it."""

    @property
    def named(self) -> bool:
        """Whether the right line says it."""
        return self.kind.line in self.lines


KINDS: tuple[Kind, ...] = (
    *(Kind(name, LIGHTNING, "database", line, tuple(sql))
      for name, (line, *sql) in corruptions.BY_SQL.items()),
    *(Kind(name, LIGHTNING, "lnd", line)
      for name, (line, _) in lnd_corruptions.BY_LND.items()),
    *(Kind(name, STABLECOIN, "database", line, tuple(sql))
      for name, (line, *sql) in vault_corruptions.BY_SQL.items()),
    *(Kind(name, STABLECOIN, "contract", line)
      for name, (line, *_) in contract_corruptions.BY_CONTRACT.items()),
)  # fmt: skip


@dataclass
class Broken:
    """A played month of one rail, with what can be broken about it."""

    store: Store
    clock: Clock
    lnd: Lnd | None
    coin: Stablecoin | None
    scene: Scene | None
    folder: Path
    copies: int = 0

    async def report(self) -> Report:
        """The audit of what was played, as it is."""
        return await audit(self.store, self.clock, self.lnd, self.coin)

    @asynccontextmanager
    async def corrupted(self, kind: Kind) -> AsyncIterator[tuple[Store, Report]]:
        """A copy that is corrupted so, and what the audit says of it."""
        self.copies += 1
        async with open_copy(self.store, self.folder / f"copy{self.copies}.sqlite") as copy:
            if kind.statements:
                await asyncio.to_thread(corrupt, copy, kind.statements)
            coin = on(copy, self.coin) if self.coin is not None else None
            with self._altered(kind):
                yield copy, await audit(copy, self.clock, self.lnd, coin)

    async def find(self, kind: Kind) -> Found:
        """What the audit finds of a kind."""
        async with self.corrupted(kind) as (_, report):
            return found(kind, report)

    @contextmanager
    def _altered(self, kind: Kind) -> Iterator[None]:
        with ExitStack() as stack:
            if kind.side == "lnd":
                assert self.scene is not None
                node = self.scene.network._world.nodes[PAYER]
                _, alter = lnd_corruptions.BY_LND[kind.name]
                stack.enter_context(lnd_corruptions.altered(node, alter))
            if kind.side == "contract":
                _, *what = contract_corruptions.BY_CONTRACT[kind.name]
                stack.enter_context(contract_corruptions.altered(*what))
            yield


def found(kind: Kind, report: Report) -> Found:
    """What a report says of a kind."""
    broken = [line for line in report.lines if line.state is State.BREACH]
    words = [line.figures for line in broken if line.id == kind.line]
    return Found(kind, frozenset(line.id for line in broken), "; ".join(words))


@asynccontextmanager
async def open_lightning(folder: Path) -> AsyncIterator[Broken]:
    """The month in sats, to be broken."""
    async with open_played_scene(folder) as scene:
        node = scene.node
        yield Broken(node.store, scene.clock, node.lnd, None, scene, folder)


@asynccontextmanager
async def open_stablecoin(folder: Path) -> AsyncIterator[Broken]:
    """The month in the stablecoin, to be broken."""
    async with open_played_town(folder) as town:
        yield Broken(town.world.store, town.world.clock, None, town.coin, None, folder)


async def find_all(kinds: Sequence[Kind] = KINDS) -> AsyncIterator[Found]:
    """What the audit says of each."""
    for rail, opening in ((LIGHTNING, open_lightning), (STABLECOIN, open_stablecoin)):
        with tempfile.TemporaryDirectory() as folder:
            async with opening(Path(folder)) as broken:
                assert (await broken.report()).result == "pass", "it is clean before"
                for kind in kinds:
                    if kind.rail == rail:
                        yield await broken.find(kind)
