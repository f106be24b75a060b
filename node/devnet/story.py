"""The example month, acted: what readers, creators and the operator do, in the order they do it.

    join ▶ fund ▶ targets ▶ things ▶ clicks ▶ (the month ends) ▶ close ▶ pay

Members act over the node's HTTP API, each with an own token, and pay from a wallet of their own;
the operator grants things to their owners and closes the month, as the commands `claim` and `close`
do. Each step tells what happened. The month's figures are in `story_figures.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import groupby
from typing import Final

from node.clock import this_month
from node.devnet.demo_network import DemoNetwork
from node.devnet.month_file import Act, MonthPlan, PlannedMember, PlannedThing
from node.devnet.story_clock import StoryClock
from node.devnet.visitor import Street, Visitor
from node.errors import RailError
from node.flows import claim, fund
from node.flows.close import close_month
from node.flows.fold import fold
from node.flows.node import Node
from node.flows.pay import pay_until_quiet
from node.ids import ThingId
from node.money import msat, sats
from node.store import things
from node.store.closes import Close

ROUNDS_MAX: Final = 300
_DAY_S: Final = 86_400
_CLICKS_FROM_DAY: Final = 4
_CLICKS_DAYS: Final = 22

Tell = Callable[[str], None]


@dataclass(slots=True)
class Story:
    """One telling. `visitor` and `thing` know the plan's names once the node does."""

    node: Node
    clock: StoryClock
    network: DemoNetwork
    street: Street
    plan: MonthPlan
    tell: Tell
    visitor: dict[str, Visitor] = field(default_factory=dict)
    thing: dict[str, ThingId] = field(default_factory=dict)

    async def join(self) -> None:
        """Everybody joins."""
        for planned in self.plan.members.values():
            self.visitor[planned.name] = await self.street.join(planned.name)
        readers = ", ".join(one.name for one in self.plan.readers)
        creators = ", ".join(one.name for one in self.plan.creators)
        self.tell(f"{readers} join to read; {creators} join with what they make.")

    async def fund(self, first: Callable[[], None]) -> None:
        """Each pot: an invoice, paid from the reader's own wallet, set aside for the month.

        `first` is called when the first of them is settled.
        """
        for number, planned in enumerate(one for one in self.plan.members.values() if one.pot_sat):
            await self._fill_pot(planned)
            if number == 0:
                first()
        self.clock.skip(_DAY_S)

    async def targets(self) -> None:
        """Creators say where they are paid; the node tries it before it believes it."""
        for planned in self.plan.creators:
            text = self._target(planned)
            if text is None:
                self.tell(f"{planned.name} does not say yet where to be paid.")
                continue
            tested = await self.visitor[planned.name].set_target(text)
            shown = text if len(text) < len(self.network.creators.pubkey) else f"{text[:12]}…"
            self.tell(f"{planned.name} is paid at {shown}: {tested}.")
        self.clock.skip(_DAY_S)

    async def things(self) -> None:
        """Things get their names, and those with an owner their owner."""
        for planned in self.plan.things.values():
            await self._add(planned)
        self.clock.skip(_CLICKS_FROM_DAY * _DAY_S)

    async def click(self) -> None:
        """The month's clicks, spread over its days."""
        step_s = _CLICKS_DAYS * _DAY_S // max(1, len(self.plan.acts))
        for (verb, member), acts in groupby(self.plan.acts, lambda act: (act.verb, act.member)):
            names = []
            for act in acts:
                self.clock.skip(step_s)
                await self._act(act)
                names.append(self._described(act))
            done = {"flattr": "flattrs", "undo": "takes back", "subscribe": "subscribes to"}[verb]
            self.tell(f"{member} {done} {', '.join(names)}.")
        await fold(self.node.store, self.clock)
        await self._tell_waiting()

    async def close(self) -> Close:
        """The month ends, and is closed."""
        self.clock.come_back()
        return await close_month(self.node.closing(self.tell), self.clock.month)

    async def pay(self) -> None:
        """Round after round, until nothing moves any more."""
        reports = await pay_until_quiet(self.node.payer, self.clock, ROUNDS_MAX)
        for number, report in enumerate(reports, 1):
            counted = {
                "sent": report.sent, "settled": report.settled, "refused": report.refused,
                "put off": report.postponed,
            }  # fmt: skip
            words = [f"{count} {what}" for what, count in counted.items() if count]
            if words or report.words:
                self.tell("; ".join([f"round {number}: {', '.join(words)}", *report.words]))

    async def _fill_pot(self, planned: PlannedMember) -> None:
        """Deposit and set aside. Raises RailError when the paid invoice is not credited."""
        node, visitor, amount = self.node, self.visitor[planned.name], sats(planned.pot_sat)
        deposit, payment_request = await visitor.deposit(planned.pot_sat)
        await self.network.readers.pay(payment_request)
        await fund.catch_up(node.funding)
        if (state := await visitor.deposit_state(deposit)) != "settled":
            raise RailError(f"{planned.name}'s invoice is paid, and the node says {state}")
        month, pot_msat = await visitor.fill_pot(planned.pot_sat)
        pot = msat(pot_msat)
        why = "" if planned.target is None else ", which pays the dues" * (pot >= node.rules.dues)
        self.tell(
            f"{planned.name} pays an invoice of {amount} from the own wallet: settled, "
            f"and the pot for {month} holds {pot}{why}."
        )

    async def _add(self, planned: PlannedThing) -> None:
        number = await self._somebody(planned).add_thing(planned.url, planned.name)
        self.thing[planned.name] = ThingId(number)
        if planned.owner is not None:
            owner = self.visitor[planned.owner].member
            await claim.grant(self.node.store, self.clock, owner, ThingId(number))
        self.tell(f"{planned.name:9} {planned.url} by {planned.owner or 'nobody yet: unclaimed'}")

    async def _act(self, act: Act) -> None:
        visitor, url = self.visitor[act.member], self.plan.things[act.thing].url
        if act.verb == "flattr":
            await visitor.flattr(url)
        elif act.verb == "undo":
            await visitor.undo(url)
        else:
            await visitor.subscribe(url, act.months)

    async def _tell_waiting(self) -> None:
        month = this_month(self.clock)
        for planned in self.plan.things.values():
            if planned.owner is None:
                async with self.node.store.read() as tx:
                    counts = await things.counts_of(tx, self.thing[planned.name])
                waiting = counts.get(month, 0)
                self.tell(
                    f"{planned.name} is nobody's: {waiting} flattrs wait there for its owner, "
                    "and hold no money."
                )

    def _somebody(self, planned: PlannedThing) -> Visitor:
        """Who names a thing: its owner, or the first who reads it."""
        return self.visitor[planned.owner or self.plan.readers[0].name]

    def _target(self, planned: PlannedMember) -> str | None:
        if planned.target == "keysend":
            return self.network.creators.pubkey
        return self.network.lnurl.address(planned.name) if planned.target == "address" else None

    @staticmethod
    def _described(act: Act) -> str:
        return f"{act.thing} for {act.months} months" if act.months else act.thing
