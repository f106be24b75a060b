"""`flattr-node demo`: an example month, told step by step, on networks of its own.

    networks ▶ node ▶ join, fund, click (last month) ▶ close ▶ pay ▶ figures ▶ serve

Without options everything is in this process: SQLite in a temporary folder, simulated lnds, which
the node reaches like any lnd, and a vault on eth-tester. With --lnd the same story runs on btcd and
four real lnds, with --evm the vault is on anvil. The members use the node's HTTP API. The month is
last month (`devnet/story_clock.py` says why). Nothing of an operator's own node is touched: the
folder is new, and the settings name every value that could point elsewhere.
"""

from __future__ import annotations

import asyncio
import json as json_text
import logging
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Final, TypeAlias

from cyclopts import Parameter

from node import log
from node.app import open_node
from node.cli.demo_page import SIMULATED, Page, open_page
from node.cli.demo_serve import BLOG_HOST, Ports, Serving, serve_on
from node.clock import SystemClock, now_s
from node.config import LndSettings, MoneySettings, OperatorSettings, Settings, WebSettings
from node.devnet.demo_chain import DemoChain, open_demo_chain
from node.devnet.demo_doors import Doors
from node.devnet.demo_network import DemoNetwork, open_real, open_simulated
from node.devnet.month_file import EXAMPLE, MonthPlan, read_month
from node.devnet.processes import HOST, free_ports
from node.devnet.story import Story
from node.devnet.story_clock import StoryClock
from node.devnet.story_figures import (
    Result,
    VaultResult,
    ask_receivers,
    earners,
    givers,
    result,
)
from node.devnet.story_vault import VaultStory
from node.devnet.visitor import open_street
from node.errors import ConfigError
from node.flows.audits.audit import audit, stop_on_breach
from node.flows.audits.lines import State
from node.money import Asset
from node.store.closes import Close
from node.web.server import open_server

PREFIX: Final = "flattr-demo-"
BREACH: Final = 3
BROKEN: Final = "breach"
BUSY: Final = 1_000_000
"""No limit to speak of: a changed month may have thousands of clicks, all from here."""

Once: TypeAlias = Annotated[
    bool, Parameter(negative="", help="Exit when the month is paid, instead of serving on.")
]
Json: TypeAlias = Annotated[
    bool, Parameter(name="--json", negative="", help="End with one line of JSON: the figures.")
]
Lnd: TypeAlias = Annotated[
    bool,
    Parameter(negative="", help="Use four real lnds and a chain of their own on this machine."),
]
Evm: TypeAlias = Annotated[
    bool, Parameter(negative="", help="Use anvil, a chain in a process of its own on this machine.")
]
Folder: TypeAlias = Annotated[
    Path | None, Parameter(help="Keep everything here, in a folder that is new or empty.")
]
MonthFile: TypeAlias = Annotated[
    Path, Parameter(help="Whose pots and clicks: a copy of the example month, changed.")
]


async def demo(
    *,
    once: Once = False,
    json: Json = False,
    lnd: Lnd = False,
    evm: Evm = False,
    folder: Folder = None,
    month_file: MonthFile = EXAMPLE,
) -> int:
    """Tell an example month, step by step, and pay it out.

    Exit status 0: the month is paid. 1: it could not be told, and why. 3: the audit found a breach.
    """
    log.set_up(level=logging.WARNING)
    started_s = asyncio.get_running_loop().time()
    plan = read_month(month_file)
    clock = StoryClock(SystemClock())
    page = open_page(clock)
    async with AsyncExitStack() as stack:
        place = _place(stack, folder)
        network = await stack.enter_async_context(_network(place, plan, page, lnd=lnd))
        chain = None
        if plan.has_stablecoin:
            chain = await stack.enter_async_context(_chain(place, clock, page, evm=evm))
        ports = Ports(*free_ports(3))
        settings = demo_settings(network, chain, ports)
        in_process = None if chain is None else chain.in_process
        node = await stack.enter_async_context(
            open_node(settings, place / "node", clock, stablecoin_chain=in_process)
        )
        doors = Doors()
        server = await stack.enter_async_context(open_server(node, [doors.route]))
        street = await stack.enter_async_context(open_street(server.url))
        story = Story(node, clock, network, street, plan, page.step)
        vault = None if chain is None else VaultStory(story, chain)
        told = await _tell(story, vault, page, started_s)
        if not once:
            await serve_on(story, page, Serving(server, ports.blog, place, doors))
    if json:
        sys.stdout.write(json_text.dumps(told.line(), separators=(",", ":")) + "\n")
        sys.stdout.flush()
    return BREACH if told.audit == BROKEN else 0


def demo_settings(network: DemoNetwork, chain: DemoChain | None, ports: Ports) -> Settings:
    """The settings of the demo's node: complete, so that no FLATTR_… variable reaches it."""
    return Settings(
        network="simnet",
        i_understand_real_money=False,
        database="",
        fetch_allow=network.fetch_allow | {f"{BLOG_HOST}:{ports.blog}"},
        lnd=LndSettings(lndconnect=network.lndconnect),
        money=MoneySettings(operator_target=network.operator_target),
        stablecoin=None if chain is None else chain.settings(),
        web=WebSettings(
            port=ports.node, public_url=f"http://{HOST}:{ports.node}", requests_per_minute=BUSY,
            joins_per_hour=BUSY,
        ),
        operator=OperatorSettings(port=ports.operator),
    )  # fmt: skip


async def _tell(story: Story, vault: VaultStory | None, page: Page, started_s: float) -> Result:
    await _begin(story, vault, page, started_s)
    page.chapter("The month's clicks")
    await story.click()
    page.chapter(f"{story.clock.month} is over and is closed")
    close = await story.close()
    page.chapter("Payouts, over Lightning")
    await story.pay()
    in_vault = None
    if vault is not None:
        page.chapter("The stablecoin: closed, charged and paid by the vault")
        await vault.come_back()
        in_vault = await vault.close_and_pay()
    audited = await _audit(story, page)
    arrived = await ask_receivers(story)
    told = await result(story, close, arrived, audited)
    page.chapter("What everyone got")
    page.pots(await givers(story, close), Asset.SAT)
    page.earnings(await earners(story, close, arrived), Asset.SAT)
    page.result(told)
    if vault is not None and in_vault is not None:
        told = replace(told, stablecoin=await _show_vault(story, vault, page, in_vault))
    labels = f"Lightning: {story.network.label}"
    if vault is not None:
        labels += f"; chain: {vault.label}"
    page.say(f"({_since(started_s)} after the start; {labels})")
    return told


async def _begin(story: Story, vault: VaultStory | None, page: Page, started_s: float) -> None:
    """All that comes before the first click."""
    page.chapter("Everybody joins")
    await story.join()
    page.chapter("Pots are filled, over Lightning")
    await story.fund(lambda: page.say(f"({_since(started_s)} after the start)"))
    if vault is not None:
        page.chapter("Pots in the stablecoin are filled, in the vault")
        await vault.fund()
    page.chapter("Creators say where they are paid")
    await story.targets()
    if vault is not None:
        await vault.targets()
    page.chapter("What can be flattred")
    await story.things()


async def _show_vault(story: Story, vault: VaultStory, page: Page, close: Close) -> VaultResult:
    sums = await vault.result(close)
    page.pots(await givers(story, close), Asset.USD)
    page.earnings(await vault.earners(close), Asset.USD)
    page.vault(sums)
    return sums


async def _audit(story: Story, page: Page) -> str:
    """The whole audit, lnd asked as well; what is not fine is said. "pass", "warn" or "breach"."""
    node = story.node
    report = await audit(node.store, story.clock, node.lnd, node.stablecoin)
    await stop_on_breach(node.store, story.clock, report)
    for line in report.lines:
        if line.state is not State.OK:
            page.say(f"{line.id} {line.law}: {line.state}: {line.figures}")
    if report.result == "pass" and report.unchecked:
        return f"pass, without {', '.join(report.unchecked)}"
    return report.result


@asynccontextmanager
async def _chain(
    place: Path, clock: StoryClock, page: Page, *, evm: bool
) -> AsyncIterator[DemoChain]:
    page.chapter("A chain on this machine, and a vault on it")
    async with open_demo_chain(place / "chain", now_s(clock), page.say, evm=evm) as chain:
        page.say(
            f"{chain.label}: " + ("SIMULATED, a chain inside of this process" if chain.simulated
            else "a real EVM, and worthless coins")
        )  # fmt: skip
        page.say(f"the vault is {chain.vault.address}, its token a test dollar")
        yield chain


@asynccontextmanager
async def _network(
    place: Path, plan: MonthPlan, page: Page, *, lnd: bool
) -> AsyncIterator[DemoNetwork]:
    creators = [one.name for one in plan.creators if one.target == "address"]
    page.simulated = not lnd
    page.chapter("A Lightning network on this machine")
    folder = place / "lightning"
    opened = open_real(folder, creators, page.say) if lnd else open_simulated(folder, creators)
    async with opened as network:
        page.say(
            SIMULATED if network.simulated
            else f"{network.label} on simnet, four nodes: real software, worthless coins"
        )  # fmt: skip
        yield network


def _place(stack: AsyncExitStack, folder: Path | None) -> Path:
    """Where the demo's files go. Raises ConfigError for a folder that holds something."""
    if folder is None:
        temporary = tempfile.TemporaryDirectory(prefix=PREFIX, ignore_cleanup_errors=True)
        return Path(stack.enter_context(temporary))
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise ConfigError(
            f"{folder} is not empty: name a new folder, for the demo makes a new node"
        )
    return folder


def _since(started_s: float) -> str:
    return f"{asyncio.get_running_loop().time() - started_s:.1f} s"
