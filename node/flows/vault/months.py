"""One month on the vault: each step a call that happens once (`flows/vault/transact.py`).

    open ▶ charge … ▶ what was charged? ▶ seal ▶ the delay passes ▶ pay batch … ▶ who got it?

Nothing is concluded from a call's own success: what was charged, and who was paid or has a
claimable, is read from the vault's events in final blocks, and must add up to what the vault says
of the month. So it does not matter whose hand made a call.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from node.errors import CorruptBooks
from node.flows.vault.call import Call, Done, Failed, Waiting
from node.flows.vault.transact import NOT_BEGUN, Transactor
from node.settlement.tree import Tree, leaf
from node.settlement.vault_file import COMMISSION_DIVISOR
from node.store.leases import Lease
from node.wallet.stablecoin.answers import Log
from node.wallet.stablecoin.calldata import (
    charge_calldata,
    open_month_calldata,
    pay_batch_calldata,
    seal_calldata,
)
from node.wallet.stablecoin.chain import Chain
from node.wallet.stablecoin.events import (
    BatchPaid,
    ChargeShort,
    CommissionDeferred,
    CommissionPaid,
    PaymentDeferred,
    VaultEvent,
)
from node.wallet.stablecoin.vault import Vault
from node.wallet.stablecoin.words import word

WORDS_MAX: Final = 300
"""Members of a charge, or recipients of a batch; the vault takes 500, and gas has a limit."""
CHARGE_WINDOW_S: Final = 12 * 86_400
"""How long after its opening a month can be charged: the vault's."""
VETOED: Final = "vetoed by the guardian: ask why, then `flattr-node contract reseal`"
OPEN: Final = "open"
SEAL: Final = "seal"

Share: TypeAlias = tuple[str, int]
"""(address, base units)."""


@dataclass(frozen=True, slots=True)
class Collected:
    """What the vault has charged, finally. `short`: what was got of those who had less."""

    gross: int
    short: dict[str, int]

    @property
    def net(self) -> int:
        """The creators' part; the commission is computed by the vault."""
        return self.gross - self.gross // COMMISSION_DIVISOR


@dataclass(frozen=True, slots=True)
class Distributed:
    """Who has what, finally: `deferred` can be claimed by its recipients, all else has arrived."""

    deferred: dict[str, int]
    commission_paid: int
    batches: tuple[str, ...]
    """The transaction that paid each batch, by whose hand ever."""
    sums: tuple[int, ...]
    """What left with each batch, paid or deferred, in base units."""


class VaultMonths:
    """Moves months of one vault. `number` is the vault's own count of months, from 1."""

    def __init__(
        self, chain: Chain, chain_id: int, vault: Vault, transactor: Transactor, *,
        first_block: int = 0,
    ) -> None:  # fmt: skip
        self._first_block = first_block
        self._chain = chain
        self._chain_id = chain_id
        self._vault = vault
        self._transactor = transactor

    async def collect(
        self, number: int, charges: Sequence[Share], lease: Lease
    ) -> Collected | Waiting | Failed:
        """Open the month and charge these members, each once, at most this.

        Who is not charged within the vault's window gives nothing this month: the node was away.
        Raises RailUnavailable, LeaseLost.
        """
        opened = self._call(number, OPEN, open_month_calldata(), self._opened(number))
        calls = [opened]
        for place, some in enumerate(pieces(charges)):
            calldata = charge_calldata(number, [word(*share) for share in some])
            calls.append(
                self._call(number, f"charge:{place}", calldata, self._charged(number, some))
            )
        over = await self._is_charging_over(number)
        stopped = await self._run(calls, lease, begin=not over)
        if stopped is not None and not (over and stopped is NOT_BEGUN):
            return stopped
        gross = (await self._vault.month_state(number, finalized=True)).gross
        short = await self._short(number, dict(charges))
        if over:
            for some in pieces(charges):
                if not await self._charged(number, some)():
                    short |= dict.fromkeys([address for address, _ in some], 0)
        if gross != sum(short.get(address, units) for address, units in charges):
            raise CorruptBooks(f"the vault has charged {gross} in its month {number}")
        return Collected(gross, short)

    async def distribute(
        self, number: int, collected: Collected, payments: Sequence[Share], data_hash: bytes,
        lease: Lease,
    ) -> Distributed | Waiting | Failed:  # fmt: skip
        """Seal these payments and pay them, batch by batch; the last one pays the commission.

        Raises CorruptBooks when they are not the whole net, or the vault says that it has paid
        another sum; RailUnavailable, LeaseLost.
        """
        if sum(units for _, units in payments) != collected.net:
            raise CorruptBooks(f"the payments are not the net of {collected.net}")
        batches = [[word(*share) for share in some] for some in pieces(payments)]
        tree = self.tree(number, payments)
        seal = seal_calldata(number, tree.root, len(batches), data_hash)
        sealed = self._call(number, SEAL, seal, self._sealed(number, tree.root))
        if (stopped := await self._run([sealed], lease)) is not None:
            return stopped
        payable_s = (await self._vault.month_state(number, finalized=True)).payable_at_s
        if not payable_s:
            return Waiting(VETOED, trouble=True)
        if (await self._chain.latest()).time_s < payable_s:
            return Waiting(f"sealed; payable from {payable_s} on")
        pays = [
            self._call(
                number,
                f"pay:{index}",
                pay_batch_calldata(number, index, words, tree.proof(index)),
                self._paid(number, index),
            )
            for index, words in enumerate(batches)
        ]
        if (stopped := await self._run(pays, lease)) is not None:
            return stopped
        found = await self._distributed(number)
        wanted = [sum(units for _, units in some) for some in pieces(payments)]
        commission = collected.gross - collected.net
        if (found.sums, found.commission_paid) != (tuple(wanted), commission):
            raise CorruptBooks(f"the vault says that its month {number} paid {found}")
        return found

    def tree(self, number: int, payments: Sequence[Share]) -> Tree:
        """The tree over the batches of these payments."""
        return Tree([
            leaf(self._vault.address, self._chain_id, number, index, [word(*one) for one in some])
            for index, some in enumerate(pieces(payments))
        ])  # fmt: skip

    async def _run(
        self, calls: Sequence[Call], lease: Lease, *, begin: bool = True
    ) -> Waiting | Failed | None:
        """A step for each call in order; what the first says that is not done, else None.

        One unmined transaction at a time: behind one that is not mined none is begun, but those
        that were signed are watched. Without `begin`, NOT_BEGUN only if nothing is under way.
        """
        stopped: list[Waiting | Failed] = []
        for call in calls:
            progress = await self._transactor.advance(call, lease, begin=begin)
            if isinstance(progress, Done):
                continue
            stopped.append(progress)
            begin = begin and isinstance(progress, Waiting) and progress.mined
        under_way = [one for one in stopped if one is not NOT_BEGUN]
        return next(iter([*under_way, *stopped]), None)

    async def _is_charging_over(self, number: int) -> bool:
        """Whether a charge that is not in a final block can't get into one any more."""
        opened_s = (await self._vault.month_state(number, finalized=True)).opened_at_s
        final = await self._chain.finalized()
        return opened_s != 0 and final.time_s > opened_s + CHARGE_WINDOW_S

    async def _short(self, number: int, asked: Mapping[str, int]) -> dict[str, int]:
        """What was got of those of whom less was there than was asked."""
        logged = [event for _, event in await self._logs(number)]
        found = [event for event in logged if isinstance(event, ChargeShort)]
        return {event.member: event.got_units for event in found if event.member in asked}

    async def _distributed(self, number: int) -> Distributed:
        deferred: dict[str, int] = {}
        commission = 0
        batches: dict[int, tuple[str, int]] = {}
        for log, event in await self._logs(number):
            match event:
                case BatchPaid(index=index, paid_units=paid, deferred_units=left):
                    batches[index] = (log.tx_hash, paid + left)
                case PaymentDeferred(to=to, units=units):
                    deferred[to] = deferred.get(to, 0) + units
                case CommissionPaid(units=units):
                    commission += units
                case CommissionDeferred(to=to, units=units):
                    commission += units
                    deferred[to] = deferred.get(to, 0) + units
                case _:
                    pass
        in_order = [batches[at] for at in sorted(batches)]
        hashes = tuple(tx_hash for tx_hash, _ in in_order)
        return Distributed(deferred, commission, hashes, tuple(units for _, units in in_order))

    async def _logs(self, number: int) -> list[tuple[Log, VaultEvent]]:
        """What the vault has logged about its month, in final blocks."""
        final = await self._chain.finalized()
        opened = purposes(self._chain_id, self._vault.address, number) + OPEN
        since = await self._transactor.block_of(opened) or self._first_block
        logs = await self._chain.logs(self._vault.address, since, final.number)
        found = self._vault.events(logs)
        return [(log, event) for log, event in found if getattr(event, "month", None) == number]

    def _call(
        self, number: int, name: str, calldata: bytes, happened: Callable[[], Awaitable[bool]]
    ) -> Call:
        purpose = purposes(self._chain_id, self._vault.address, number) + name
        return Call(purpose, self._vault.address, calldata, happened)

    def _opened(self, number: int) -> Callable[[], Awaitable[bool]]:
        async def happened() -> bool:
            return await self._vault.month(finalized=True) >= number

        return happened

    def _charged(self, number: int, some: Sequence[Share]) -> Callable[[], Awaitable[bool]]:
        async def happened() -> bool:
            account = await self._vault.account(some[0][0], finalized=True)
            return account.last_month >= number

        return happened

    def _sealed(self, number: int, root: bytes) -> Callable[[], Awaitable[bool]]:
        async def happened() -> bool:
            return (await self._vault.month_state(number, finalized=True)).root == root

        return happened

    def _paid(self, number: int, index: int) -> Callable[[], Awaitable[bool]]:
        async def happened() -> bool:
            return await self._vault.is_batch_paid(number, index, finalized=True)

        return happened


def purposes(chain_id: int, vault: str, number: int) -> str:
    """How the purposes of a month's calls begin."""
    return f"{chain_id}:{vault}:{number}:"


def pieces(shares: Sequence[Share]) -> Iterator[Sequence[Share]]:
    """As they go into one call each."""
    for first in range(0, len(shares), WORDS_MAX):
        yield shares[first : first + WORDS_MAX]
