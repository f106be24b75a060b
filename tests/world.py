"""A small world to run the real flows in: people and things by name, a fake network around them.

Everything inside the node is real (database, clicks, closes, payer). Around it stand a clock that
is moved by hand, a fake rail, a wallet that makes invoices, and a web that answers every payout
target. Targets are `name@wallet.test`, and a new invoice for each payment; `node:name` is a node
key, paid by keysend.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any, Final, cast

from node.clock import ManualClock, now_s
from node.config import MoneySettings, Settings
from node.errors import RailUnavailable
from node.flows import claim, fund, join
from node.flows.close import Closing, close_month
from node.flows.flattr import Clicked, Clicks, open_clicks
from node.flows.fund import Funding
from node.flows.pay import Payer, pay_until_quiet
from node.flows.round_report import RoundReport
from node.flows.rules import Rules, lightning_rules
from node.flows.schedule import close_what_is_over
from node.flows.withdraw import withdraw
from node.ids import MemberId, PaymentHash
from node.ledger.accounts import Account
from node.money import Amount
from node.month import Month
from node.settlement.payout import Payout
from node.store import journal, payouts, things
from node.store.closes import Close
from node.store.deposits import Deposit
from node.store.engine import Store
from node.store.things import Thing
from node.wallet.fake import FakeRail
from node.wallet.fetch import Fetcher
from node.wallet.lightning.answers import InvoiceState, InvoiceView, SettledInvoice
from node.wallet.lightning.invoices import LightningInvoices

OPERATOR_TARGET: Final = "operator@wallet.test"
MONEY: Final = MoneySettings(operator_target=OPERATOR_TARGET)


class FakeInvoices:
    """Makes invoices as lnd would; a test says when one is paid."""

    def __init__(self) -> None:
        self.paid: dict[str, SettledInvoice] = {}
        self.away = False
        self.lose_answers = False
        """Invoices are made, and who asked for them does not hear of it."""
        self.still_open: set[str] = set()
        """Hashes of invoices that may yet be paid, whatever our calendar says."""
        self._index = 0

    def payment_hash_of(self, deposit_id: str) -> PaymentHash:
        return PaymentHash(hashlib.sha256(deposit_id.encode()).hexdigest())

    async def create(
        self, deposit_id: str, amount: Amount, memo: str, expiry_s: int
    ) -> tuple[PaymentHash, str]:
        del amount, memo, expiry_s
        if self.away:
            raise RailUnavailable("lnd is away")
        if self.lose_answers:
            self.still_open.add(self.payment_hash_of(deposit_id))
            raise RailUnavailable("lnd did not answer")
        return self.payment_hash_of(deposit_id), f"lnfake{deposit_id}"

    async def lookup(self, payment_hash: PaymentHash) -> InvoiceView | None:
        if self.away:
            raise RailUnavailable("lnd is away")
        paid = self.paid.get(payment_hash)
        if paid is None and payment_hash in self.still_open:
            return InvoiceView(payment_hash, "", InvoiceState.OPEN, 0, 0, 0, 0)
        if paid is None:
            return None
        return InvoiceView(
            payment_hash, "", InvoiceState.SETTLED, 0, paid.amt_paid_msat, paid.settle_index,
            paid.settle_date_s,
        )  # fmt: skip

    def pay(self, payment_hash: str, units: int, at_s: int) -> SettledInvoice:
        """The member pays: the network shows it from now on."""
        self._index += 1
        return self.paid.setdefault(
            payment_hash, SettledInvoice(payment_hash, units, self._index, at_s)
        )


class FakeWeb:
    """Answers every LNURL-pay request as a willing server would."""

    allow: frozenset[str] = frozenset()

    async def get_json(self, url: str, *, limit_bytes: int | None = None) -> dict[str, object]:
        del limit_bytes
        return {
            "tag": "payRequest",
            "minSendable": 1000,
            "maxSendable": 10**12,
            "callback": url,
            "metadata": '[["text/plain","a wallet"]]',
        }


@dataclass
class World:
    """One node and its surroundings. `restart` gives a second node on the same database."""

    store: Store
    clock: ManualClock
    clicks: Clicks
    rules: Rules
    rail: FakeRail
    invoices: FakeInvoices = field(default_factory=FakeInvoices)
    web: FakeWeb = field(default_factory=FakeWeb)
    holder: str = "node-1"
    header_s: int | None = None
    """The time in lnd's newest block; None: it is the clock's."""
    members: dict[str, MemberId] = field(default_factory=dict)
    things: dict[str, Thing] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)

    @property
    def funding(self) -> Funding:
        return Funding(self.store, self.clock, self.rules, cast(LightningInvoices, self.invoices))

    @property
    def payer(self) -> Payer:
        return Payer(self.store, self.clock, self.rules, self.rail, self.holder)

    @property
    def closing(self) -> Closing:
        return Closing(self.store, self.clock, self.rules, self.said.append)

    async def join(self, *names: str) -> None:
        for name in names:
            self.members[name], _ = await join.join(self.store, self.clock, name)

    async def target(self, name: str, text: str | None = None) -> None:
        await join.set_target(
            self.store, self.clock, self.rules, cast(Fetcher, self.web), self.members[name],
            text or target_of(name),
        )  # fmt: skip

    async def thing(self, name: str, owner: str | None = None) -> None:
        self.things[name] = await claim.add_thing(
            self.store, self.clock, f"https://example.org/{name}", name
        )
        if owner is not None:
            await self.claim(name, owner)

    async def claim(self, name: str, owner: str) -> None:
        self.things[name] = await claim.grant(
            self.store, self.clock, self.members[owner], self.things[name].id
        )

    async def ask(self, name: str, amount: Amount, *, to_pot: bool, key: str = "") -> Deposit:
        return await fund.ask_deposit(
            self.funding, self.members[name], amount, to_pot=to_pot, key=key
        )

    async def fund(self, name: str, amount: Amount, *, to_pot: bool, at_s: int | None) -> None:
        deposit = await self.ask(name, amount, to_pot=to_pot)
        when = self.clock.now_us() // 1_000_000 if at_s is None else at_s
        paid = self.invoices.pay(deposit.payment_hash, amount.units, when)
        assert await fund.credit(self.funding, paid)

    async def flattr(self, name: str, thing: str, key: str = "") -> Clicked:
        return await self.clicks.flattr(self.members[name], self.things[thing], None, key)

    async def undo(self, name: str, thing: str, key: str = "") -> Clicked:
        return await self.clicks.undo(self.members[name], self.things[thing], None, key)

    async def subscribe(self, name: str, thing: str, months: int) -> None:
        async with self.store.write() as tx:
            await things.subscribe(
                tx, self.members[name], self.things[thing].id,
                Month.at(self.clock.now_us() // 1_000_000), months, self.clock.now_us(),
            )  # fmt: skip

    async def unsubscribe(self, name: str, thing: str) -> None:
        async with self.store.write() as tx:
            await things.unsubscribe(
                tx, self.members[name], self.things[thing].id, self.clock.now_us()
            )

    async def close(self, month: Month) -> Close:
        """Wait for the month's end, and close it."""
        self.clock.set(month.ends_s)
        return await close_month(self.closing, month)

    async def close_what_is_over(self) -> list[Month]:
        """What the schedule does; there is no lnd to be audited."""
        node = cast(Any, self._as_node())
        return await close_what_is_over(node, self.said.append, audit_first=False)

    async def pay(self) -> RoundReport:
        return await self.payer.round()

    async def pay_until_quiet(self) -> None:
        await pay_until_quiet(self.payer, self.clock, 50)

    async def withdraw(self, name: str, amount: Amount, to: str, key: str = "") -> Payout:
        return await withdraw(
            self.store, self.clock, self.rules, self.members[name], to, amount, key, frozenset()
        )

    async def balance(self, account: Account) -> int:
        async with self.store.read() as tx:
            return (await journal.balance(tx, account)).units

    async def payouts_of(self, member: MemberId) -> list[Payout]:
        """A member's payouts, oldest first."""
        async with self.store.read() as tx:
            found = await payouts.of_member(tx, member, 1000)
        return [payout for payout, _ in reversed(found)]

    def change_rules(self, **changes: Any) -> None:
        self.rules = replace(self.rules, **changes)

    async def _read_node(self) -> SimpleNamespace:
        """lnd's calendar."""
        header_s = now_s(self.clock) if self.header_s is None else self.header_s
        return SimpleNamespace(best_header_s=header_s)

    def _as_node(self) -> SimpleNamespace:
        """As much of a `Node` as the schedule asks for."""
        return SimpleNamespace(
            settings=Settings(money=MONEY), lnd=SimpleNamespace(read_node=self._read_node),
            store=self.store, clock=self.clock, rules=self.rules, funding=self.funding,
            closing=lambda progress: Closing(self.store, self.clock, self.rules, progress),
        )  # fmt: skip


def target_of(name: str) -> str:
    """Where a person of this name is paid."""
    return f"{name}@wallet.test"


def node_key_of(name: str) -> str:
    """A node key, paid by keysend, made up from a name."""
    return "02" + hashlib.sha256(name.encode()).hexdigest()


@asynccontextmanager
async def open_world(
    store: Store, clock: ManualClock, money: MoneySettings = MONEY, rail: FakeRail | None = None
) -> AsyncIterator[World]:
    """A world on this database; its clicks are written when the block ends."""
    async with open_clicks(store, clock) as clicks:
        yield World(store, clock, clicks, lightning_rules(money), rail or FakeRail(clock))
