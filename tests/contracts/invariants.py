"""What must be true of a vault, whatever happened: the ten invariants, read from the chain itself.

The model could be wrong in the same way as the contract. So these compare the chain not with the
model's ledger, but with what the accepted calls promised (`Ghost`), or with itself.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.contracts.chain import NOBODY, Receipt
from tests.contracts.tree import unpack
from tests.contracts.world import CREATORS, GUARDIAN, HEIR, MEMBERS, OPERATOR, OWNER, TREASURY

if TYPE_CHECKING:
    from tests.contracts.walk import Walk


@dataclass(slots=True)
class Ghost:
    """What the accepted calls add up to."""

    owed: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))
    commissions: dict[int, int] = field(default_factory=dict)
    charged: set[tuple[int, str]] = field(default_factory=set)
    spent: set[tuple[int, int]] = field(default_factory=set)

    def note(self, name: str, arguments: tuple[Any, ...], receipt: Receipt) -> None:
        """Remember an accepted call."""
        if name == "pay_batch":
            month, index, words = arguments
            assert (month, index) not in self.spent, "I6: a batch is paid once"
            self.spent.add((month, index))
            for to, amount in map(unpack, words):
                self.owed[to] += amount
        for log in receipt.named("CommissionPaid") + receipt.named("CommissionDeferred"):
            assert log["month"] not in self.commissions, "I4: a commission is paid once"
            self.commissions[log["month"]] = log["amount"]
            self.owed[log["to"]] += log["amount"]
        if name == "withdraw":
            amount, to = arguments
            self.owed[to] += amount
        if name == "charge":
            for member, _ in map(unpack, arguments[1]):
                assert (arguments[0], member) not in self.charged, "I5: once a month"
                self.charged.add((arguments[0], member))


def check_always(machine: Walk) -> None:
    """I1 after every step, cheaply: what is owed is there."""
    vault, model = machine.world.vault, machine.model
    liabilities = vault.read("liabilities")
    held = machine.world.balance(vault.address)
    assert held >= liabilities, "I1: what is owed is there"
    assert liabilities == model.liabilities, "I2: liabilities are the model's"
    assert held == model.token.holdings[model.address], "I1: nothing else moved"
    assert not machine.world.token.read("succeeded"), "nobody gets in while a batch is paid"


def check_at_the_end(machine: Walk) -> None:
    """All of them, from the chain."""
    _check_sums(machine)
    _check_accounts(machine)
    _check_creators(machine)
    _check_commissions(machine)
    for key in (OWNER, OPERATOR, GUARDIAN, HEIR):
        due = machine.ghost.owed[key]
        assert machine.world.balance(key) <= due, (
            "I8: a key gets nothing that no batch or commission said"
        )


def _check_sums(machine: Walk) -> None:
    vault, model = machine.world.vault, machine.model
    balances = sum(vault.read("account", member)[0] for member in MEMBERS)
    waiting = sum(vault.read("claimable", who) for who in _creditors())
    unpaid = sum(_unpaid(machine, month) for month in range(1, vault.read("month") + 1))
    owed = balances + waiting + unpaid
    liabilities = vault.read("liabilities")
    assert 0 <= liabilities - owed <= len(MEMBERS) * bool(model.closed), "I2: liabilities add up"


def _unpaid(machine: Walk, number: int) -> int:
    """What of a month is neither paid nor claimable nor back: read from the vault."""
    vault = machine.world.vault
    _, gross, remaining, _, payable_at, batches, done = vault.read("months", number)
    if vault.read("closed") == number:
        pool = vault.read("refund_pool")
        accounts = [vault.read("account", member) for member in MEMBERS]
        return sum(charge * pool // gross for _, _, month, charge in accounts if month == number)
    if not payable_at:
        return int(gross)
    commission = 0 if done == batches else gross // 10
    return int(remaining + commission)


def _check_accounts(machine: Walk) -> None:
    vault, model = machine.world.vault, machine.model
    for member in MEMBERS:
        account = model.accounts[member]
        known = (account.balance, account.pot, account.month, account.charge)
        assert vault.read("account", member) == known, "I5: a member's account is the model's"
        assert vault.read("free", member) == model.free(member), "I7: free money is the model's"


def _check_creators(machine: Walk) -> None:
    vault, token = machine.world.vault, machine.model.token
    for creator in CREATORS:
        received = machine.world.balance(creator)
        waiting = vault.read("claimable", creator)
        assert received == token.holdings[creator], "I3: what arrived is the model's"
        assert waiting == machine.model.claimable[creator], "I3: what waits is the model's"
        arrived = received + waiting + token.fees[creator]
        assert arrived == machine.ghost.owed[creator], "I3: exactly what is owed, and no more"


def _check_commissions(machine: Walk) -> None:
    vault = machine.world.vault
    for month in range(1, vault.read("month") + 1):
        _, gross, _, _, _, batches, done = vault.read("months", month)
        complete = batches != 0 and done == batches
        expected = gross // 10 if complete else None
        assert machine.ghost.commissions.get(month) == expected, "I4: exactly a tenth, last"


def _creditors() -> tuple[str, ...]:
    return (*CREATORS, MEMBERS[0], TREASURY, OWNER, OPERATOR, GUARDIAN, HEIR, NOBODY)
