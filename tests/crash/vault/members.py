"""The model of contracts/vault/accounts.vy and of the pause: what members do in the vault."""

from __future__ import annotations

from typing import Final

from tests.crash.vault.contract import Call, move, pull
from tests.crash.vault.ledger_state import BITS_96, DAY_S, demand

EXIT_DELAY: Final = 14 * DAY_S
PAUSE: Final = 14 * DAY_S


def check_open(call: Call) -> None:
    demand(call.now >= call.state.paused_until, "paused")
    demand(call.state.closed == 0, "closed")


def credit(call: Call, payer: int, units: int, member: int, pot: int) -> None:
    state = call.state
    demand(member not in (0, call.keys.vault), "member")
    demand(units != 0, "nothing")
    demand(pot == 0 or payer == member, "pot")
    owed = state.liabilities + units
    demand(owed <= BITS_96, "cap")
    state.liabilities = owed
    account = state.account(member)
    account = account._replace(balance=account.balance + units)
    if pot > account.pot:
        _set_pot_of(call, member)
        call.log(call.keys.vault, "PotSet", member, pot)
        account = account._replace(pot=pot)
    state.accounts[member] = account
    call.log(call.keys.vault, "Deposited", member, call.keys.token, units, payer)


def free(call: Call, member: int) -> int:
    account = call.state.account(member)
    if _is_exited(call, member):
        return account.balance
    return account.balance - min(account.balance, account.pot)


def _is_exited(call: Call, member: int) -> bool:
    at = call.state.exit_at.get(member, 0)
    return call.state.closed != 0 or (at != 0 and call.now >= at)


def _set_pot_of(call: Call, member: int) -> None:
    call.state.exit_at[member] = 0


def _deposit(call: Call, units: int, member: int, pot: int) -> None:
    check_open(call)
    pull(call, call.sender, units)
    credit(call, call.sender, units, member, pot)


def _set_pot(call: Call, pot: int) -> None:
    account = call.state.account(call.sender)
    demand(pot >= account.pot or _is_exited(call, call.sender), "exit first")
    _set_pot_of(call, call.sender)
    call.log(call.keys.vault, "PotSet", call.sender, pot)
    call.state.accounts[call.sender] = account._replace(pot=pot)


def _request_exit(call: Call) -> None:
    at = call.now + EXIT_DELAY
    call.state.exit_at[call.sender] = at
    call.log(call.keys.vault, "ExitRequested", call.sender, at)


def _withdraw(call: Call, units: int, to: int) -> None:
    demand(to not in (0, call.keys.vault), "to")
    demand(units != 0, "nothing")
    demand(units <= free(call, call.sender), "locked")
    account = call.state.account(call.sender)
    call.state.accounts[call.sender] = account._replace(balance=account.balance - units)
    call.state.liabilities -= units
    _send(call, to, units)
    call.log(call.keys.vault, "Withdrawn", call.sender, to, units)


def _claim(call: Call, who: int) -> None:
    units = call.state.claimable.get(who, 0)
    demand(units != 0, "nothing")
    call.state.claimable[who] = 0
    call.state.liabilities -= units
    if who not in (0, call.keys.vault):
        _send(call, who, units)
    call.log(call.keys.vault, "Claimed", who, units)


def _attribute(call: Call, member: int, units: int) -> None:
    demand(call.sender == call.keys.operator, "operator")
    held = call.state.held(call.keys.vault)
    demand(held >= call.state.liabilities + units, "surplus")
    credit(call, 0, units, member, 0)


def _send(call: Call, to: int, units: int) -> None:
    demand(to not in call.state.lying, "refused")
    move(call, call.keys.vault, to, units)


def _set_paused(call: Call, paused: int) -> None:
    state = call.state
    if call.sender != call.keys.owner:
        demand(paused != 0 and call.sender == call.keys.guardian, "guardian")
        last = state.paused_until
        demand(last == 0 or call.now >= last + PAUSE, "cooldown")
    state.paused_until = call.now + PAUSE if paused else 0
    call.log(call.keys.vault, "PausedSet", call.sender, state.paused_until)


CALLS: Final = {
    "deposit(uint256,address,uint64)": _deposit,
    "set_pot(uint64)": _set_pot,
    "request_exit()": _request_exit,
    "withdraw(uint256,address)": _withdraw,
    "claim(address)": _claim,
    "attribute(address,uint256)": _attribute,
    "set_paused(bool)": _set_paused,
}
VIEWS: Final = {
    "account(address)": lambda call, who: tuple(call.state.account(who)),
    "free(address)": free,
    "exit_at(address)": lambda call, who: call.state.exit_at.get(who, 0),
    "claimable(address)": lambda call, who: call.state.claimable.get(who, 0),
    "liabilities()": lambda call: call.state.liabilities,
    "closed()": lambda call: call.state.closed,
    "paused_until()": lambda call: call.state.paused_until,
    "owner()": lambda call: call.keys.owner,
    "operator()": lambda call: call.keys.operator,
    "guardian()": lambda call: call.keys.guardian,
    "treasury()": lambda call: call.keys.treasury,
    "token()": lambda call: call.keys.token,
    "delay()": lambda call: call.keys.delay_s,
}
