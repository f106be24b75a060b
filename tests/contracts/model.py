"""The vault as it ought to be: an exact ledger in Python, which says what comes of every call.

Each method has the name and the arguments of the vault's, after the caller. It either changes the
ledger or raises `Refused` with the reason that the vault must give. It is written from the rules
in contracts/README.md, not from the contract.
"""

from __future__ import annotations

import copy
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from tests.contracts.chain import NOBODY
from tests.contracts.records import (
    ABANDON_DELAY,
    CAP_MAX,
    CHARGE_WINDOW,
    COOLDOWN,
    CRANK_GRACE,
    EXIT_DELAY,
    MONTH_GAP,
    PAUSE,
    SEAL_WINDOW,
    Account,
    Month,
    Refused,
    check,
)
from tests.contracts.token_model import TokenModel
from tests.contracts.tree import unpack


@dataclass(slots=True)
class VaultModel:
    """The whole state of the vault, and of the token as far as the vault sees it."""

    address: str
    owner: str
    operator: str
    guardian: str
    treasury: str
    delay: int
    token: TokenModel
    now: int = 0
    pending_owner: str = NOBODY
    paused_until: int = 0
    closed: int = 0
    refund_pool: int = 0
    cap: int = CAP_MAX
    liabilities: int = 0
    month: int = 0
    accounts: defaultdict[str, Account] = field(default_factory=lambda: defaultdict(Account))
    months: defaultdict[int, Month] = field(default_factory=lambda: defaultdict(Month))
    exit_at: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))
    claimable: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))

    def outcome(self, name: str, sender: str, *arguments: Any) -> str | None:
        """The reason for which a call is refused, or None; a refused call changes nothing."""
        before = {slot: copy.deepcopy(getattr(self, slot)) for slot in self.__slots__}
        try:
            getattr(self, name)(sender, *arguments)
        except Refused as refused:
            for slot, value in before.items():
                setattr(self, slot, value)
            return refused.reason
        return None

    def surplus(self) -> int:
        """What the vault holds and owes nobody."""
        return self.token.holdings[self.address] - self.liabilities

    def free(self, member: str) -> int:
        """What a member can withdraw."""
        account = self.accounts[member]
        return account.balance if self._is_exited(member) else max(0, account.balance - account.pot)

    # members

    def deposit(self, sender: str, amount: int, member: str, pot: int) -> None:
        """Pull the amount, and credit what arrives."""
        self._check_open()
        held = self.token.holdings[self.address]
        answer = self.token.transfer(sender, self.address, amount, bounded=False)
        check(answer.accepted, answer.error or "")
        self._credit(sender, self.token.holdings[self.address] - held, member, pot)

    def set_pot(self, sender: str, pot: int) -> None:
        """Up at any time, down after an exit."""
        check(pot >= self.accounts[sender].pot or self._is_exited(sender), "exit first")
        self.accounts[sender].pot = pot
        self.exit_at[sender] = 0

    def request_exit(self, sender: str) -> None:
        """Start the notice."""
        self.exit_at[sender] = self.now + EXIT_DELAY

    def withdraw(self, sender: str, amount: int, to: str) -> None:
        """Free money, at any time."""
        check(to not in {NOBODY, self.address}, "to")
        check(amount != 0, "nothing")
        check(amount <= self.free(sender), "locked")
        self.accounts[sender].balance -= amount
        self._send(to, amount)

    def claim(self, _sender: str, who: str) -> None:
        """Deliver what was deferred."""
        amount = self.claimable[who]
        check(amount != 0, "nothing")
        self.claimable[who] = 0
        if who in {NOBODY, self.address}:
            self.liabilities -= amount
        else:
            self._send(who, amount)

    def attribute(self, sender: str, member: str, amount: int) -> None:
        """Surplus into an account."""
        check(sender == self.operator, "operator")
        check(self.surplus() >= amount, "surplus")
        self._credit(NOBODY, amount, member, 0)

    # roles

    def set_cap(self, sender: str, cap: int) -> None:
        """Limit the liabilities that deposits may make."""
        check(sender == self.owner, "owner")
        check(cap <= CAP_MAX, "cap")
        self.cap = cap

    def set_role(self, sender: str, role: int, who: str) -> None:
        """Name another operator, guardian or treasury."""
        check(sender == self.owner, "owner")
        check(role in {0, 1, 2}, "role")
        check(role != 2 or who not in {NOBODY, self.address}, "treasury")
        setattr(self, ("operator", "guardian", "treasury")[role], who)

    def set_paused(self, sender: str, paused: bool) -> None:
        """Begin a pause, or end it."""
        if sender != self.owner:
            check(paused and sender == self.guardian, "guardian")
            check(not self.paused_until or self.now >= self.paused_until + COOLDOWN, "cooldown")
        self.paused_until = self.now + PAUSE if paused else 0

    def transfer_ownership(self, sender: str, new_owner: str) -> None:
        """Offer the ownership."""
        check(sender == self.owner, "owner")
        self.pending_owner = new_owner

    def accept_ownership(self, sender: str) -> None:
        """Take it."""
        check(sender == self.pending_owner, "pending")
        self.owner, self.pending_owner = sender, NOBODY

    # months

    def open_month(self, sender: str) -> None:
        """The next month."""
        check(sender == self.operator, "operator")
        self._check_open()
        last = self.months[self.month]
        check(last.gross == 0 or last.is_paid, "unpaid")
        check(self.now >= last.opened_at + MONTH_GAP, "early")
        self.month += 1
        self.months[self.month].opened_at = self.now

    def charge(self, sender: str, month: int, words: list[int]) -> None:
        """From each what it allows and has, once."""
        check(sender == self.operator, "operator")
        self._check_open()
        self._check_unsealed(month, CHARGE_WINDOW)
        for member, amount in map(unpack, words):
            account = self.accounts[member]
            check(account.month != month, "twice")
            account.charge = min(amount, account.pot, account.balance)
            account.month = month
            account.balance -= account.charge
            self.months[month].gross += account.charge

    def seal(
        self, sender: str, month: int, leaves: dict[int, tuple[int, ...]], batches: int
    ) -> None:
        """Fix the batches; the tree is given as its leaves."""
        check(sender == self.operator, "operator")
        self._check_open()
        self._check_unsealed(month, SEAL_WINDOW)
        sealed = self.months[month]
        check(bool(leaves) and batches != 0 and sealed.gross != 0, "empty")
        sealed.leaves, sealed.batches = leaves, batches
        sealed.payable_at = self.now + self.delay
        sealed.remaining = sealed.gross - sealed.gross // 10

    def veto(self, sender: str, month: int) -> None:
        """Take a seal back in time."""
        check(sender in {self.guardian, self.owner}, "guardian")
        sealed = self.months[month]
        check(sealed.payable_at != 0 and self.now < sealed.payable_at, "late")
        sealed.leaves, sealed.batches = {}, 0
        sealed.payable_at = sealed.remaining = 0

    def pay_batch(self, sender: str, month: int, index: int, words: tuple[int, ...]) -> None:
        """One batch: to each, or aside for those who can't be paid."""
        self._check_open()
        sealed = self.months[month]
        check(sealed.payable_at != 0 and self.now >= sealed.payable_at, "not payable")
        cranked = self.now >= sealed.payable_at + CRANK_GRACE
        check(cranked or sender == self.operator, "operator")
        check(index < sealed.batches, "index")
        check(index not in sealed.paid, "replayed")
        check(sealed.leaves.get(index) == words, "proof")
        held = self.token.holdings[self.address]
        paid = self._pay(map(unpack, words))
        total = sum(amount for _, amount in map(unpack, words))
        check(paid != 0 or total == 0 or not self.token.down, "token down")
        check(total <= sealed.remaining, "sum")
        sealed.remaining -= total
        sealed.paid.add(index)
        if sealed.is_paid:
            check(sealed.remaining == 0, "sum")
            paid += self._pay([(self.treasury, sealed.gross // 10)])
        left = self.token.holdings[self.address]
        self.liabilities -= paid
        check(held - left == paid and left >= self.liabilities, "insolvent")

    def abandon(self, _sender: str) -> None:
        """Close a vault whose month is not paid in time."""
        check(self.closed == 0, "closed")
        last = self.months[self.month]
        check(last.gross != 0, "empty")
        check(not last.is_paid, "paid")
        check(self.now > (last.payable_at or last.opened_at) + ABANDON_DELAY, "alive")
        self.closed = self.month
        unpaid = last.remaining + last.gross // 10
        self.refund_pool = unpaid if last.payable_at else last.gross

    def reclaim(self, _sender: str, member: str) -> None:
        """The unpaid part of a charge, back."""
        check(self.closed != 0, "open")
        account = self.accounts[member]
        check(account.month == self.closed and account.charge != 0, "nothing")
        account.balance += account.charge * self.refund_pool // self.months[self.closed].gross
        account.charge = 0

    def _pay(self, dues: Any) -> int:
        paid = 0
        for to, amount in dues:
            if to not in {NOBODY, self.address} and self._is_paid(to, amount):
                paid += amount
            else:
                self.claimable[to] += amount
        return paid

    def _is_paid(self, to: str, amount: int) -> bool:
        return self.token.transfer(self.address, to, amount, bounded=True).accepted

    def _send(self, to: str, amount: int) -> None:
        answer = self.token.transfer(self.address, to, amount, bounded=False)
        check(answer.accepted, answer.error or "")
        check(answer.moved == amount, "moved")
        self.liabilities -= amount

    def _credit(self, payer: str, amount: int, member: str, pot: int) -> None:
        check(member not in {NOBODY, self.address}, "member")
        check(amount != 0, "nothing")
        check(pot == 0 or payer == member, "pot")
        self.liabilities += amount
        check(self.liabilities <= (CAP_MAX if self.closed else self.cap), "cap")
        self.accounts[member].balance += amount
        if pot > self.accounts[member].pot:
            self.accounts[member].pot = pot
            self.exit_at[member] = 0

    def _check_open(self) -> None:
        check(self.now >= self.paused_until, "paused")
        check(self.closed == 0, "closed")

    def _check_unsealed(self, month: int, window: int) -> None:
        check(month == self.month and month != 0, "month")
        check(self.months[month].payable_at == 0, "sealed")
        check(self.now <= self.months[month].opened_at + window, "late")

    def _is_exited(self, member: str) -> bool:
        return self.closed != 0 or 0 < self.exit_at[member] <= self.now
