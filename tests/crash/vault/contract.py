"""The payout vault and its token in memory: what contracts/ says, without a machine that runs it.

    call ─▶ Contract.run(state, sender, to, calldata, time) ─▶ (state after, events), or Refused

`test_model.py` plays the same calls on this and on the real bytecode. Only `set_lying` is not the
test dollar's: a token whose `transfer` answers false.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from tests.crash.vault.abi import SELECTOR, arguments, event, number, selector
from tests.crash.vault.ledger_state import Keys, Refused, State, demand

Event = tuple[int, tuple[bytes, ...], bytes]
"""(the contract's address, topics, data)."""


class Call:
    """One call under way: its state is thrown away when it is refused."""

    def __init__(self, keys: Keys, state: State, sender: int, time_s: int) -> None:
        self.keys = keys
        self.state = state
        self.sender = sender
        self.now = time_s
        self.events: list[Event] = []
        self.answer = 1
        """What a function of the token gives back."""

    def log(self, contract: int, name: str, *values: int) -> None:
        self.events.append((contract, *event(name, *values)))


class Contract:
    """Runs calls. It keeps nothing itself."""

    def __init__(self, keys: Keys) -> None:
        from tests.crash.vault import distribution, members, months  # noqa: PLC0415 - they use Call

        self.keys = keys
        vault = {**members.CALLS, **months.CALLS, **distribution.CALLS}
        self._calls = {keys.vault: _table(vault), keys.token: _table(TOKEN_CALLS)}
        views = {**members.VIEWS, **months.VIEWS, **distribution.VIEWS}
        self._views = {keys.vault: _table(views), keys.token: _table(TOKEN_VIEWS)}

    def run(
        self, state: State, sender: int, to: int, content: bytes, time_s: int
    ) -> tuple[State, list[Event]]:
        """The state after, and what was logged. Raises Refused."""
        call = Call(self.keys, state.copy(), sender, time_s)
        known = self._calls.get(to)
        if known is None:
            return call.state, []  # an address without code takes everything
        function, given = _found(known, content)
        function(call, *given)
        return call.state, call.events

    def view(self, state: State, to: int, content: bytes, time_s: int) -> bytes:
        """What a view answers. Raises Refused."""
        if to not in self._views:
            return b""
        function, given = _found(self._views[to], content)
        answer = function(Call(self.keys, state, 0, time_s), *given)
        return b"".join(number(one) for one in (answer if isinstance(answer, tuple) else (answer,)))


def move(call: Call, sender: int, to: int, units: int) -> None:
    """The token's own move."""
    state = call.state
    for who in (sender, to):
        demand(not state.token_paused, "paused")
        demand(who not in state.blocked, "blocked")
    demand(sender != 0 and to != 0, "nobody")
    demand(units <= state.held(sender), "balance")
    state.dollars[sender] = state.held(sender) - units
    state.dollars[to] = state.held(to) + units
    call.log(call.keys.token, "Transfer", sender, to, units)


def try_send(call: Call, to: int, units: int) -> bool:
    """The vault's way to pay somebody whom the token may refuse."""
    if to in call.state.lying:
        return False
    try:
        move(call, call.keys.vault, to, units)
    except Refused:
        return False
    return True


def _table(functions: dict[str, Any]) -> dict[bytes, tuple[str, Callable[..., Any]]]:
    return {selector(signature): (signature, one) for signature, one in functions.items()}


def _found(
    known: dict[bytes, tuple[str, Callable[..., Any]]], content: bytes
) -> tuple[Callable[..., Any], list[Any]]:
    found = known.get(content[:SELECTOR])
    if found is None:
        raise Refused("")
    signature, function = found
    try:
        return function, arguments(signature, content[SELECTOR:])
    except ValueError:
        raise Refused("") from None


def _mint(call: Call, to: int, units: int) -> None:
    demand(not call.state.token_paused, "paused")
    demand(to not in call.state.blocked, "blocked")
    call.state.dollars[to] = call.state.held(to) + units
    call.log(call.keys.token, "Transfer", 0, to, units)


def _approve(call: Call, spender: int, units: int) -> None:
    for who in (call.sender, spender):
        demand(not call.state.token_paused, "paused")
        demand(who not in call.state.blocked, "blocked")
    call.state.allowance[call.sender, spender] = units
    call.log(call.keys.token, "Approval", call.sender, spender, units)


def _transfer(call: Call, to: int, units: int) -> None:
    if to in call.state.lying:
        call.answer = 0
        return
    move(call, call.sender, to, units)


def _set_paused(call: Call, paused: int) -> None:
    demand(call.sender == call.keys.owner, "issuer")
    call.state.token_paused = paused != 0


def _set_blocked(call: Call, who: int, blocked: int) -> None:
    demand(call.sender == call.keys.owner, "issuer")
    call.state.blocked = call.state.blocked | {who} if blocked else call.state.blocked - {who}


def _set_lying(call: Call, who: int, lying: int) -> None:
    call.state.lying = call.state.lying | {who} if lying else call.state.lying - {who}


def pull(call: Call, payer: int, units: int) -> None:
    """The vault takes what a payer has approved."""
    state, keys = call.state, call.keys
    left = state.allowance.get((payer, keys.vault), 0)
    demand(left >= units, "allowance")
    state.allowance[payer, keys.vault] = left - units
    demand(not state.token_paused, "paused")
    demand(keys.vault not in state.blocked, "blocked")
    move(call, payer, keys.vault, units)


TOKEN_CALLS: Final = {
    "mint(address,uint256)": _mint,
    "approve(address,uint256)": _approve,
    "transfer(address,uint256)": _transfer,
    "set_paused(bool)": _set_paused,
    "set_blocked(address,bool)": _set_blocked,
    "set_lying(address,bool)": _set_lying,
}
TOKEN_VIEWS: Final = {
    "balanceOf(address)": lambda call, who: call.state.held(who),
    "decimals()": lambda _: 6,
}
