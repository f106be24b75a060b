"""What can be wrong with the vault, its token or the chain: each answer of theirs, altered.

What a thief of a key can really do is done on a real chain in `test_audit_vault.py`; here the
contract's storage, or who reads it out, says something else than what happened.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from unittest.mock import patch

from node.wallet.stablecoin.chain import Chain
from node.wallet.stablecoin.vault import Vault

Alter = Callable[..., Any]
"""(the answer, what was asked) ▶ another answer."""


@contextmanager
def altered(of: type[Vault] | type[Chain], method: str, alter: Alter) -> Iterator[None]:
    """Until the block ends, what this method answers is altered."""
    asked = getattr(of, method)

    async def lie(self: Any, *args: Any, **named: Any) -> Any:
        return alter(await asked(self, *args, **named), self, *args)

    with patch.object(of, method, lie):
        yield


def _less_in_vault(units: int, vault: Vault, address: str) -> int:
    return units - 1 if address == vault.address else units


def _less_at_node(units: int, vault: Vault, address: str) -> int:
    return max(0, units - 1) if address != vault.address else units


def _month(**changes: Callable[[Any], Any]) -> Alter:
    def alter(month: Any, *_asked: Any) -> Any:
        return replace(month, **{k: f(getattr(month, k)) for k, f in changes.items()})

    return alter


def _account(**changes: int) -> Alter:
    def alter(account: Any, *_asked: Any) -> Any:
        more = {name: getattr(account, name) + units for name, units in changes.items()}
        return replace(account, **more)

    return alter


def _no_receipt(_receipt: Any, *_asked: Any) -> None:
    return None


def _reverted(receipt: Any, *_asked: Any) -> Any:
    return replace(receipt, ok=False)


def _without_logs(receipt: Any, *_asked: Any) -> Any:
    return replace(receipt, logs=())


def _other_sums(receipt: Any, *_asked: Any) -> Any:
    logs = tuple(replace(log, data=log.data[:-1] + bytes([log.data[-1] ^ 1])) for log in
                 receipt.logs if log.data)  # fmt: skip
    return replace(receipt, logs=logs)


def _twice(receipt: Any, *_asked: Any) -> Any:
    return replace(receipt, logs=receipt.logs * 2)


BY_CONTRACT: dict[str, tuple[str, type[Vault] | type[Chain], str, Alter]] = {
    "the vault holds less than it owes": ("I4", Vault, "token_balance", _less_in_vault),
    "the vault owes more than it holds": ("I4", Vault, "liabilities", lambda units, *_: units + 1),
    "a member has less in the vault": ("V1", Vault, "account", _account(balance_units=-1)),
    "a member has more in the vault": ("V1", Vault, "account", _account(balance_units=1)),
    "a pot in the vault is another": ("V1", Vault, "account", _account(pot_units=1)),
    "the vault has charged another sum": ("I8", Vault, "month_state",
                                         _month(gross=lambda u: u + 10)),
    "the vault has another root": ("I8", Vault, "month_state", _month(root=lambda _: bytes(32))),
    "the vault has not paid all batches": ("I8", Vault, "month_state",
                                           _month(batches=lambda n: n + 1)),
    "the vault has not paid any batch": ("I8", Vault, "month_state", _month(done=lambda _: 0)),
    "no transaction is on the chain": ("V3", Chain, "receipt", _no_receipt),
    "every transaction was refused": ("V3", Chain, "receipt", _reverted),
    "the transactions have said nothing": ("I8", Chain, "receipt", _without_logs),
    "the transactions have paid other sums": ("V3", Chain, "receipt", _other_sums),
    "a transfer was made twice in one": ("V3", Chain, "receipt", _twice),
}  # fmt: skip
"""By name: the line that must find it, whose method is altered, and how."""
