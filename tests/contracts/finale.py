"""The end of a walk: all keys are gone, the token behaves, and everybody gets what is theirs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.contracts import invariants
from tests.contracts.chain import NOBODY
from tests.contracts.records import ABANDON_DELAY, COOLDOWN, CRANK_GRACE, EXIT_DELAY, PAUSE
from tests.contracts.token_model import Mode
from tests.contracts.world import CREATORS, KEYS, MEMBERS, STRANGER

if TYPE_CHECKING:
    from tests.contracts.walk import Walk


def everybody_leaves(machine: Walk) -> None:
    """No owner, operator or guardian does anything any more; strangers and members do."""
    machine.model.now = machine.world.chain.now
    invariants.check_at_the_end(machine)
    let_the_token_behave(machine)
    chain = machine.world.chain
    chain.wait(PAUSE + COOLDOWN + CRANK_GRACE)
    _crank(machine)
    machine.model.now = chain.now
    if not machine.model.closed and _is_unpaid(machine):
        chain.wait(2 * ABANDON_DELAY)
        machine.call("abandon", sender=STRANGER)
    for member in MEMBERS:
        account = machine.model.accounts[member]
        if machine.model.closed and account.month == machine.model.closed and account.charge:
            machine.call("reclaim", member, sender=STRANGER)
        machine.call("request_exit", sender=member)
    chain.wait(EXIT_DELAY)
    for member in MEMBERS:
        balance = machine.model.accounts[member].balance
        if balance:
            machine.call("withdraw", balance, member, sender=member)
    for who in (*CREATORS, *MEMBERS, *KEYS, NOBODY):
        if machine.model.claimable[who]:
            machine.call("claim", who, sender=STRANGER)
    dust = machine.world.vault.read("liabilities")
    limit = len(MEMBERS) - 1 if machine.model.closed else 0
    assert dust <= limit, "I9: all that stays is less than a unit a member, of an abandoned month"
    invariants.check_always(machine)


def _crank(machine: Walk) -> None:
    """Anybody sends the batches that the operator published and did not send."""
    number = machine.model.month
    month = machine.model.months[number]
    if not month.payable_at or machine.model.closed:
        return
    for batch in machine.published[number]:
        if batch.index not in month.paid:
            known = (number, batch.index, batch.words)
            machine.call("pay_batch", *batch.arguments, sender=STRANGER, model=known)


def _is_unpaid(machine: Walk) -> bool:
    month = machine.model.months[machine.model.month]
    return month.gross != 0 and not month.is_paid


def let_the_token_behave(machine: Walk) -> None:
    """No mode is left, and the token is up."""
    token = machine.world.token
    token.accept("set_down", False, sender=STRANGER)
    for who in machine.model.token.modes:
        token.accept("set_mode", who, Mode.HONEST, sender=STRANGER)
    machine.model.token.modes.clear()
    machine.model.token.down = False
