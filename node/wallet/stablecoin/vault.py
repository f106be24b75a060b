"""One payout vault on a chain: its state, its events, and whether it is the vault that it must be.

Calls are made in calldata.py and sent by whoever holds the key; this reads. Months are the vault's
own, from 1. Units are the token's base units, of which a dollar has a million.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from node.errors import ConfigError, RailUnavailable, Reverted
from node.wallet.stablecoin.answers import Log
from node.wallet.stablecoin.artifact import read_code, vault_artifact
from node.wallet.stablecoin.chain import Chain
from node.wallet.stablecoin.event_logs import read_event
from node.wallet.stablecoin.events import VaultEvent
from node.wallet.stablecoin.words import (
    ADDRESS_BITS,
    WORD_BYTES,
    ZERO_ADDRESS,
    Argument,
    decode,
    encode_call,
    to_address,
)

DECIMALS: Final = 6


@dataclass(frozen=True, slots=True)
class VaultMonth:
    """One month, as far as it has come. `payable_at_s` is 0 until it is sealed."""

    root: bytes
    gross: int
    remaining: int
    opened_at_s: int
    payable_at_s: int
    batches: int
    done: int


@dataclass(frozen=True, slots=True)
class VaultAccount:
    """One member's account. `last_charge_units` was taken in `last_month`."""

    balance_units: int
    pot_units: int
    last_month: int
    last_charge_units: int


@dataclass(frozen=True, slots=True)
class VaultRoles:
    """Who may do what, and what can't change: the token and the delay of a seal."""

    owner: str
    operator: str
    guardian: str
    treasury: str
    delay_s: int
    token: str


class Vault:
    """A vault at an address. All coroutines raise RailUnavailable."""

    def __init__(self, chain: Chain, address: str) -> None:
        self.chain = chain
        self.address = address
        self._token: str | None = None

    async def month(self, *, finalized: bool = False) -> int:
        """The newest month; 0 before the first."""
        return await self._number("month()", finalized=finalized)

    async def month_state(self, number: int, *, finalized: bool = False) -> VaultMonth:
        """One month; all zeros when there is none of this number."""
        words = await self._words("months(uint256)", number, count=7, finalized=finalized)
        return VaultMonth(words[0].to_bytes(WORD_BYTES, "big"), *words[1:])

    async def account(self, address: str, *, finalized: bool = False) -> VaultAccount:
        """One member's account; all zeros when there is none."""
        words = await self._words("account(address)", address, count=4, finalized=finalized)
        return VaultAccount(*words)

    async def free(self, address: str, *, finalized: bool = False) -> int:
        """What a member can withdraw."""
        return await self._number("free(address)", address, finalized=finalized)

    async def exit_at(self, address: str, *, finalized: bool = False) -> int:
        """From when on all of an account is free; 0 when no exit was requested."""
        return await self._number("exit_at(address)", address, finalized=finalized)

    async def claimable(self, address: str, *, finalized: bool = False) -> int:
        """What waits for an address because the token once refused it."""
        return await self._number("claimable(address)", address, finalized=finalized)

    async def is_batch_paid(self, month: int, index: int, *, finalized: bool = False) -> bool:
        """Whether this batch was paid."""
        signature = "is_batch_paid(uint256,uint256)"
        return await self._number(signature, month, index, finalized=finalized) != 0

    async def liabilities(self, *, finalized: bool = False) -> int:
        """What the vault owes to all together."""
        return await self._number("liabilities()", finalized=finalized)

    async def closed(self, *, finalized: bool = False) -> int:
        """The month that was abandoned; 0 while the vault is open."""
        return await self._number("closed()", finalized=finalized)

    async def paused_until(self, *, finalized: bool = False) -> int:
        """Until when it is paused; in the past, or 0, when it is not."""
        return await self._number("paused_until()", finalized=finalized)

    async def roles(self) -> VaultRoles:
        """Who may do what now."""
        return VaultRoles(
            owner=await self._address("owner()"),
            operator=await self._address("operator()"),
            guardian=await self._address("guardian()"),
            treasury=await self._address("treasury()"),
            delay_s=await self._number("delay()"),
            token=await self.token(),
        )

    async def token(self) -> str:
        """The address of the token, which never changes."""
        if self._token is None:
            self._token = await self._address("token()")
        return self._token

    async def token_balance(self, address: str, *, finalized: bool = False) -> int:
        """How much of the token an address holds."""
        calldata = encode_call("balanceOf(address)", address)
        answer = await self.chain.call(await self.token(), calldata, finalized=finalized)
        return _words(answer, 1)[0]

    def events(self, logs: Iterable[Log]) -> list[tuple[Log, VaultEvent]]:
        """The vault's own events among the logs; what other contracts say is dropped."""
        own = (log for log in logs if log.address == self.address)
        return [(log, event) for log in own if (event := read_event(log)) is not None]

    async def check(
        self, chain_id: int, *, operator: str | None = None, delay_min_s: int = 0
    ) -> VaultRoles:
        """Whether this is the vault of this release, on this chain, with keys that make sense.

        `operator` is the address of the node's key. Raises ConfigError, saying what to do.
        """
        found = await self.chain.chain_id()
        if found != chain_id:
            raise ConfigError(f"the RPCs serve chain {found}, not {chain_id}: name those of yours")
        immutables = read_code(await self.chain.code(self.address), vault_artifact().runtime)
        if immutables is None:
            raise ConfigError(
                f"at {self.address} is no payout vault of this release:"
                " check the address and the network, or deploy one"
            )
        roles = await self.roles()
        if (roles.token, roles.delay_s) != (immutables.token, immutables.delay_s):
            raise RailUnavailable("the vault's answers are not those of its code")
        await check_token(self.chain, roles.token)
        _check_keys(roles, operator, delay_min_s)
        return roles

    async def _number(self, signature: str, *arguments: Argument, finalized: bool = False) -> int:
        return (await self._words(signature, *arguments, count=1, finalized=finalized))[0]

    async def _address(self, signature: str) -> str:
        number = await self._number(signature)
        if number >> ADDRESS_BITS:
            raise RailUnavailable(f"the answer to {signature} is no address")
        return to_address(number)

    async def _words(
        self, signature: str, *arguments: Argument, count: int, finalized: bool = False
    ) -> list[int]:
        calldata = encode_call(signature, *arguments)
        return _words(await self.chain.call(self.address, calldata, finalized=finalized), count)


async def check_token(chain: Chain, token: str) -> None:
    """Whether the node can count in this token. Raises ConfigError, RailUnavailable."""
    try:
        answer = await chain.call(token, encode_call("decimals()"))
    except Reverted:
        answer = b""
    decimals = decode(answer)[0] if len(answer) == WORD_BYTES else None
    if decimals != DECIMALS:
        raise ConfigError(
            f"the vault's token {token} has {'no' if decimals is None else decimals} decimals,"
            f" and the node counts in {DECIMALS}: deploy a vault for a token that has them"
        )


def _words(answer: bytes, count: int) -> list[int]:
    if len(answer) != count * WORD_BYTES:
        raise RailUnavailable("a contract's answer is not what it must be: is it there already?")
    return decode(answer)


def _check_keys(roles: VaultRoles, operator: str | None, delay_min_s: int) -> None:
    if operator is not None and roles.operator != operator:
        raise ConfigError(
            f"the vault's operator is {roles.operator}, and the node's key is {operator}:"
            " use the operator's keystore, or let the owner call set_role(0, …)"
        )
    if roles.guardian != ZERO_ADDRESS and roles.guardian in (roles.operator, roles.owner):
        raise ConfigError(
            "the vault's guardian is also its operator or owner, and could not veto them:"
            " let the owner call set_role(1, …) with another key"
        )
    if roles.treasury == roles.operator:
        raise ConfigError(
            "the vault's treasury is its operator, at whose address the creators' money waits:"
            " let the owner call set_role(2, …) with an address that is only yours"
        )
    if roles.delay_s < delay_min_s:
        raise ConfigError(
            f"the vault pays {roles.delay_s} s after a seal, and this network wants"
            f" {delay_min_s} s in which it can be vetoed: deploy another one"
        )
