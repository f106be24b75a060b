"""A month of the node, step by step, each taken again until the database has let it be done.

    deposits ▶ pot ▶ clicks ▶ fold ▶ close ▶ payouts (one is refused first) ▶ withdrawal ▶ payouts

It is played on the simulated Lightning network, and judged by what the receivers' own wallets got.
Every step has a key, so that one whose commit was in doubt can be asked for again.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass, field
from functools import partial
from time import monotonic
from typing import Final, TypeVar

from node.clock import this_month
from node.errors import Busy, DatabaseAway, LeaseLost, RailUnavailable
from node.flows import claim, fund
from node.flows.close import close_month
from node.flows.fold import fold
from node.flows.lease import LEASE_S
from node.flows.withdraw import withdraw
from node.money import sats
from node.month import Month
from node.settlement.payout import PayoutState
from node.store import checks
from tests.simulation.scene import READER, STEPS_S, Scene

STEP_LIMIT_S: Final = 120
PAUSE_S: Final = 0.02
POT_SAT, FREE_SAT, TAKEN_SAT = 9000, 5000, 1000
T = TypeVar("T")


@dataclass
class Play:
    """One month. `away`: how often a step met a database that was away, by the step's name."""

    scene: Scene
    away: Counter[str] = field(default_factory=Counter)
    around: Callable[[], AbstractAsyncContextManager[None]] = nullcontext
    """What happens to the database while a step is taken."""

    async def month(self) -> None:
        """All of it; then nothing may be due any more."""
        month = this_month(self.scene.clock)
        await self._money_in()
        await self._clicks(month)
        await self.until_done("fold", lambda: fold(self.scene.node.store, self.scene.clock))
        self.scene.clock.set(month.ends_s + 60)
        closing = self.scene.node.closing(lambda _: None)
        await self.until_done("close", lambda: close_month(closing, month))
        once = {"next_count": 1}
        self.scene.network.faults.change({"no_route": once, "lost_before": once})
        await self._pay()
        await self._money_out()
        await self._pay()

    async def until_done(self, name: str, step: Callable[[], Awaitable[T]]) -> T:
        """Take a step again and again; a commit in doubt is a step that is asked for again."""
        ends = monotonic() + STEP_LIMIT_S
        while monotonic() < ends:
            try:
                async with self.around():
                    return await step()
            except (DatabaseAway, Busy):
                self.away[name] += 1
                await asyncio.sleep(PAUSE_S)
        raise AssertionError(f"{name}: the database stays away")

    async def _money_in(self) -> None:
        scene, node = self.scene, self.scene.node
        reader = scene.creators[READER]
        for sat, to_pot, key in ((POT_SAT, True, "pot"), (FREE_SAT, False, "free")):
            ask = partial(fund.ask_deposit, node.funding, reader, sats(sat), to_pot=to_pot, key=key)
            asked = await self.until_done("ask for a deposit", ask)
            await scene.network.pay(READER, asked.payment_request or "")
            await self.until_done("credit", partial(fund.catch_up, node.funding))
        for sat, key in ((POT_SAT + 1000, "more"), (POT_SAT, "less")):
            set_pot = partial(fund.set_pot, node.funding, reader, sats(sat), key)
            await self.until_done("set the pot", set_pot)

    async def _clicks(self, month: Month) -> None:
        scene, node = self.scene, self.scene.node
        store, clock, reader = node.store, scene.clock, scene.creators[READER]
        for name, member in scene.creators.items():
            if name == READER:
                continue
            url = f"https://example.org/{name}"
            add = partial(claim.add_thing, store, clock, url, name)
            thing = await self.until_done("add a thing", add)
            grant = partial(claim.grant, store, clock, member, thing.id)
            thing = await self.until_done("grant", grant)
            click = partial(node.clicks.flattr, reader, thing, month, f"click {name}")
            await self.until_done("click", click)

    async def _money_out(self) -> None:
        scene, node = self.scene, self.scene.node
        invoice = scene.network.invoice(READER, TAKEN_SAT * 1000, expiry_s=86_400)
        await self.until_done(
            "withdraw",
            lambda: withdraw(
                node.store, scene.clock, node.rules, scene.creators[READER], invoice, None, "out",
                frozenset(),
            ),
        )  # fmt: skip

    async def _pay(self) -> None:
        """Rounds until everything is paid, with a lease that a broken round may have left."""
        for step_s in (*STEPS_S, *STEPS_S):
            try:
                async with self.around():
                    await self.scene.node.payer.round()
            except DatabaseAway:
                self.away["pay"] += 1
                await asyncio.sleep(PAUSE_S)
                continue
            except LeaseLost:
                self.scene.clock.advance(LEASE_S + 1)
            except RailUnavailable:
                pass
            payouts = await self.until_done("look", self.scene.payouts)
            if payouts and all(payout.state is PayoutState.PAID for payout in payouts):
                return
            self.scene.clock.advance(step_s)
        waiting = [payout for payout in payouts if payout.state is not PayoutState.PAID]
        raise AssertionError(f"these are never paid: {waiting}")

    async def judge(self) -> list[str]:
        """What is wrong; the receivers' wallets are the truth."""
        scene, wrong = self.scene, []
        creators = [name for name in scene.creators if name != READER]
        share = POT_SAT // len(creators) * 1000 * 9 // 10
        for name in creators:
            got = [msat for _, msat in scene.network.settled(name)]
            if got != [share]:
                wrong.append(f"{name} got {got} msat, not {share} once")
        operator = [msat for _, msat in scene.network.settled("operator")]
        if operator != [POT_SAT * 100]:
            wrong.append(f"the operator got {operator} msat")
        back = [msat for _, msat in scene.network.settled(READER)]
        if back != [TAKEN_SAT * 1000]:
            wrong.append(f"the reader got {back} msat back")
        async with scene.node.store.read() as tx:
            wrong += [str(breach) for breach in await checks.breaches(tx, deep=True)]
            left = await tx.value("SELECT sum(balance) FROM account WHERE name LIKE 'available:%'")
            fee = await tx.value("SELECT fee FROM payout WHERE kind = :kind", kind="withdrawal")
        if fee is None or left != (FREE_SAT - TAKEN_SAT) * 1000 - fee:
            wrong.append(f"{left} msat are left to the reader")
        return wrong
