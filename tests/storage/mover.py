"""A member who moves money by HTTP, one request after the other, each until it is acknowledged.

The money is paid in first, by a wallet of the simulated network: the node audits its books against
its lnd, and stops paying when they hold what nobody has paid. Then the pot is made to hold another
amount again and again, each time under a key of its own. What it must hold at the end is known
without asking the node.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

import aiohttp

from node.clock import Clock
from node.devnet.processes import until
from node.flows import join
from node.ids import MemberId
from node.ledger import accounts
from node.money import Asset
from node.month import Month
from node.store import journal
from node.store.engine import Store
from node.wallet.lightning.simulated import SimulatedNetwork

PAYS: Final = "wallet"
WALLETS_MSAT: Final = {"node": 0, PAYS: 10**12}
"""The simulated network that a mover needs."""
HAS_SAT: Final = 1_000_000
REQUEST_LIMIT_S: Final = 30
CREDIT_LIMIT_S: Final = 60
PAUSE_S: Final = 0.05


@dataclass
class Mover:
    """`pot_sat`: what the last acknowledged request asked for."""

    member: MemberId
    token: str
    name: str
    pot_sat: int = 0
    number: int = 0
    over: bool = False
    seen: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    urls: list[str] = field(default_factory=list)
    """Where nodes serve; the last one is asked."""

    async def pay_in(self, network: SimulatedNetwork) -> None:
        """HAS_SAT, and wait until the node has credited them."""
        asked = {"amount_sat": HAS_SAT, "to": "available"}
        deposit = await self._done("POST", "deposits", asked)
        await network.pay(PAYS, deposit["payment_request"])

        async def is_credited() -> bool:
            return bool(
                (await self._done("GET", f"deposits/{deposit['id']}"))["state"] == "settled"
            )

        await until(is_credited, "a deposit is credited", CREDIT_LIMIT_S)

    async def _done(self, method: str, path: str, asked: Any = None) -> Any:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(REQUEST_LIMIT_S)) as http,
            http.request(
                method, f"{self.urls[-1]}/api/v1/{path}", json=asked,
                headers={"Authorization": f"Bearer {self.token}"},
            ) as answer,
        ):  # fmt: skip
            body = await answer.json()
            assert answer.ok, f"{method} {path} was answered {answer.status}: {body}"
            return body

    async def work(self) -> None:
        """Move money until it is over."""
        while not self.over:
            self.number += 1
            wanted = self.number * 7919 % HAS_SAT
            while not await self._asked(wanted):
                await asyncio.sleep(PAUSE_S)
            self.pot_sat = wanted

    async def _asked(self, wanted: int) -> bool:
        headers = {
            "Authorization": f"Bearer {self.token}",
            "Idempotency-Key": f"{self.name}-{self.number}",
        }
        with suppress(aiohttp.ClientError, OSError, TimeoutError):
            async with (
                aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(REQUEST_LIMIT_S)) as http,
                http.put(
                    f"{self.urls[-1]}/api/v1/pot", json={"amount_sat": wanted}, headers=headers
                ) as answer,
            ):
                self.seen[str(answer.status)] += 1
                body = await answer.json()
                if answer.status == 200:
                    return True
                again = "Retry-After" in answer.headers
                if answer.status != 503 or not again:
                    self.wrong.append(f"{self.name} was answered {answer.status}: {body}")
                return False
        self.seen["unanswered"] += 1
        return False

    async def judge(self, store: Store, month: Month) -> list[str]:
        """What is wrong with the money, after the last acknowledged request."""
        pot = accounts.pot(Asset.SAT, self.member, month)
        async with store.read() as tx:
            in_pot = await journal.balance(tx, pot)
            free = await journal.balance(tx, accounts.available(Asset.SAT, self.member))
        found = (in_pot.units, free.units)
        wanted = (self.pot_sat * 1000, (HAS_SAT - self.pot_sat) * 1000)
        if found == wanted:
            return self.wrong
        return [*self.wrong, f"{self.name} has {found} msat in pot and free, not {wanted}"]


async def make_mover(store: Store, clock: Clock, name: str) -> Mover:
    """A member who has paid nothing in yet."""
    member, new = await join.join(store, clock, name)
    return Mover(member, new.secret, name)
