"""The example month in the stablecoin: what its members do on the chain, and how it is paid out.

    pay into the vault ▶ link the address ▶ say where to be paid ▶ (the month ends) ▶ close ▶ pay

Members use the node's HTTP API and their own keys; the operator closes and pays, as a serving node
does by itself. On a chain of one's own nobody else makes blocks, so the story makes them.
"""

from __future__ import annotations

from typing import Final

from node.clock import now_s
from node.devnet.demo_chain import DemoChain, address_of, sign_text
from node.devnet.story import Story
from node.devnet.story_figures import EarnerRow, VaultResult, earner
from node.errors import RailError
from node.flows.close import close_month
from node.flows.vault import chain_money
from node.flows.vault.pay import CLAIMABLE
from node.flows.vault.plan import batch_prefix, words_of
from node.flows.vault.stablecoin import RAIL, Stablecoin
from node.money import Amount, Asset
from node.settlement.payout import PayoutKind, PayoutState
from node.store import attempts, payouts, vault_months
from node.store.closes import Close, Stage

ROUNDS_MAX: Final = 500
UNITS_A_CENT: Final = 10_000
PAYOUTS_MAX: Final = 10_000
_USD: Final = Asset.USD


class VaultStory:
    """The part of one telling that happens on the chain."""

    def __init__(self, story: Story, chain: DemoChain) -> None:
        self._story = story
        self._chain = chain
        self._tell = story.tell

    @property
    def label(self) -> str:
        """What the chain is."""
        return self._chain.label

    @property
    def coin(self) -> Stablecoin:
        """The node's second rail."""
        coin = self._story.node.stablecoin
        assert coin is not None, "the demo has switched it on"
        return coin

    async def fund(self) -> None:
        """Pots in the vault: paid in from the own wallet, and linked to the member."""
        for planned in self._story.plan.members.values():
            if not planned.pot_cents:
                continue
            visitor = self._story.visitor[planned.name]
            amount = Amount(planned.pot_cents * UNITS_A_CENT, _USD)
            address = await self._chain.pay_in(planned.name, amount.units)
            text = await visitor.ask_link(address)
            await visitor.link(text, sign_text(planned.name, text))
            await chain_money.read(self.coin.money)
            self._tell(
                f"{planned.name} pays {amount} into the vault from {_short(address)}, all of it for"
                " this month's pot, and links the address by its signature."
            )

    async def targets(self) -> None:
        """Creators with an address say so."""
        for planned in self._story.plan.creators:
            if planned.evm:
                address = address_of(planned.name)
                await self._story.visitor[planned.name].set_target(address, asset="usd")
                self._tell(f"{planned.name} is paid in the stablecoin at {_short(address)}.")

    async def come_back(self) -> None:
        """The chain's time comes back to the present, as the story's clock does."""
        await self._chain.local.jump_to(now_s(self._story.clock))

    async def close_and_pay(self) -> Close:
        """Close, charge, seal, pay: round after round, with a block between two.

        Raises RailError when that comes to no end.
        """
        payer = self._story.node.vault_payer
        assert payer is not None, "the demo has switched it on"
        said: set[str] = set()
        closing = self._story.node.closings(lambda words: self._say_once(said, words))[-1]
        for _ in range(ROUNDS_MAX):
            close = await close_month(closing, self._story.clock.month)
            report = await payer.round()
            for words in report.words:
                self._say_once(said, words)
            async with self._story.node.store.read() as tx:
                open_months = await vault_months.unfinished(
                    tx, self.coin.money.chain_id, self.coin.money.vault.address
                )
            quiet = not (report.moved or report.pending)
            if close.stage is Stage.CHECKED and not open_months and quiet:
                return close
            await self._chain.local.mine()
        raise RailError(f"the vault's month is not paid after {ROUNDS_MAX} rounds")

    async def result(self, close: Close) -> VaultResult:
        """The month as numbers; what was received is asked of the token."""
        async with self._story.node.store.read() as tx:
            month = await vault_months.get(tx, close.month)
            found = await payouts.in_state(tx, _USD, PayoutState.PAID, PAYOUTS_MAX)
            batches = []
            if month is not None:
                batches = await attempts.with_prefix(tx, RAIL, batch_prefix(month))
            proofs = [await attempts.proof_of(tx, one.id) for one in batches]
        recipients = sum(len(words_of(batch)) for batch in batches)
        gas = await self._chain.gas_of([one for one in proofs if one is not None])
        creators = [one for one in self._story.plan.creators if one.evm]
        arrived = [await self._chain.received(address_of(one.name)) for one in creators]
        claimable = sum(one.reason == CLAIMABLE for one in found)
        return VaultResult(
            chain=self._chain.label,
            pots_units=close.figures.pots,
            charged_units=month.gross or 0 if month else 0,
            commission_units=sum(
                one.amount.units for one in found if one.kind is PayoutKind.COMMISSION
            ),
            batches=len(batches),
            paid=len(found) - claimable,
            claimable=claimable,
            received_by_creators_units=sum(arrived),
            received_by_operator_units=await self._chain.received(self.coin.treasury),
            gas_per_creator=gas // max(1, recipients),
        )

    async def earners(self, close: Close) -> list[EarnerRow]:
        """A row for each creator in the stablecoin, in the order of the file."""
        rows = []
        for planned in self._story.plan.creators:
            received = await self._chain.received(address_of(planned.name)) if planned.evm else 0
            member = self._story.visitor[planned.name].member
            async with self._story.node.store.read() as tx:
                rows.append(await earner(tx, planned.name, member, close, received))
        return rows

    def _say_once(self, said: set[str], words: str) -> None:
        if words not in said:
            said.add(words)
            self._tell(words)


def _short(address: str) -> str:
    return f"{address[:6]}…{address[-4:]}"
