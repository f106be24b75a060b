"""What a member can ask of the vault, as calls for the own wallet: the node has no key for them.

    approve ▶ deposit      money in; a higher pot is set on the way
    set_pot                up at once; down only after an exit
    request_exit           14 days later all is free
    withdraw, claim        money out

Each call comes with its words and, where the vault would refuse it now, the reason: a wallet that
sends it anyway loses only the gas.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from node.flows.vault.account import AccountView, account_of, claimables_of
from node.flows.vault.books import USD
from node.flows.vault.stablecoin import Stablecoin
from node.ids import MemberId
from node.money import format_units
from node.wallet.stablecoin.eip681 import WalletCall


@dataclass(frozen=True, slots=True)
class Wanted:
    """For how much a member wants calls, in base units; None: not said."""

    deposit_units: int | None = None
    pot_units: int | None = None
    withdraw_units: int | None = None


@dataclass(frozen=True, slots=True)
class OfferedCall:
    """One call. `call` is None until the member has said for how much, by `needs`.

    `refused`: why the vault would refuse it now; empty if it would not.
    """

    name: str
    words: str
    call: WalletCall | None
    needs: str = ""
    refused: str = ""


@dataclass(frozen=True, slots=True)
class VaultView:
    """A member's side of the vault. `account` is None until an address is linked."""

    account: AccountView | None
    claimable: dict[str, int]
    """Base units by address."""
    words: tuple[str, ...]
    calls: tuple[OfferedCall, ...]


async def vault_view(stablecoin: Stablecoin, member: MemberId, wanted: Wanted) -> VaultView:
    """The account, what it means, and what can be done. Raises RailUnavailable."""
    money = stablecoin.money
    account = await account_of(money, member)
    claimable = await claimables_of(money, member)
    claims = [
        OfferedCall("claim", f"{_usd(units)} wait for {address}: anybody may have them delivered",
                    _call(stablecoin, "claim(address)", address))
        for address, units in claimable.items()
    ]  # fmt: skip
    if account is None:
        words = ("no address is linked: link the one that you pay from",)
        return VaultView(None, claimable, words, tuple(claims))
    closed = await money.vault.closed() != 0
    stopped = ""
    if closed or await money.vault.paused_until() > account.at_s:
        stopped = "the vault is closed" if closed else "the vault is paused"
    calls = (
        *_deposit(stablecoin, account, wanted, stopped),
        _set_pot(stablecoin, account, wanted.pot_units, exited=closed or account.has_exited),
        *_exit(stablecoin, account),
        _withdraw(stablecoin, account, wanted.withdraw_units),
        *claims,
    )
    return VaultView(account, claimable, _words(account), calls)


def _deposit(
    stablecoin: Stablecoin, account: AccountView, wanted: Wanted, stopped: str
) -> tuple[OfferedCall, OfferedCall]:
    """Two calls: the token's leave, and the deposit, which may raise the pot."""
    allow = "let the vault take the deposit from your wallet: before the deposit"
    units, pot = wanted.deposit_units, wanted.pot_units or 0
    pot = pot if pot > account.pot_units else 0
    then = f", and make your pot {_usd(pot)}" if pot else ""
    if units is None:
        needs = "deposit_units"
        return (
            OfferedCall("approve", allow, None, needs),
            OfferedCall("deposit", f"pay into your account{then}", None, needs, stopped),
        )
    money, vault = stablecoin.money, stablecoin.money.vault.address
    approve = WalletCall(
        stablecoin.token, money.chain_id, "approve(address,uint256)", (vault, units)
    )
    deposit = _call(stablecoin, "deposit(uint256,address,uint64)", units, account.address, pot)
    if account.wallet_units < units:
        stopped = stopped or f"your wallet has {_usd(account.wallet_units)}"
    return (
        OfferedCall("approve", allow, approve),
        OfferedCall("deposit", f"pay {_usd(units)} into your account{then}", deposit,
                    refused=stopped),
    )  # fmt: skip


def _set_pot(
    stablecoin: Stablecoin, account: AccountView, units: int | None, *, exited: bool
) -> OfferedCall:
    words = f"allow another pot than {_usd(account.pot_units)} a month; it ends an exit"
    if units is None:
        return OfferedCall("set_pot", words, None, "pot_units")
    refused = ""
    if units < account.pot_units and not exited:
        refused = "a lower pot only after an exit: request_exit, and 14 days"
    words = f"allow {_usd(units)} a month instead of {_usd(account.pot_units)}; it ends an exit"
    return OfferedCall(
        "set_pot", words, _call(stablecoin, "set_pot(uint64)", units), refused=refused
    )


def _exit(stablecoin: Stablecoin, account: AccountView) -> tuple[OfferedCall, ...]:
    """Nothing while one runs, for asking again would start its 14 days anew."""
    if account.exit_at_s:
        return ()
    words = "14 days later all of your account is free; until then one more pot may be taken"
    return (OfferedCall("request_exit", words, _call(stablecoin, "request_exit()")),)


def _withdraw(stablecoin: Stablecoin, account: AccountView, units: int | None) -> OfferedCall:
    units = account.free_units if units is None else units
    if not units:
        return OfferedCall("withdraw", "take out what is free", None, refused="nothing is free")
    call = _call(stablecoin, "withdraw(uint256,address)", units, account.address)
    refused = f"only {_usd(account.free_units)} are free" if units > account.free_units else ""
    return OfferedCall("withdraw", f"take {_usd(units)} out to your address", call, refused=refused)


def _words(account: AccountView) -> tuple[str, ...]:
    locked = account.balance_units - account.free_units
    said = [
        f"{_usd(account.balance_units)} in the vault",
        f"your pot, the most that is taken in a month, is {_usd(account.pot_units)}",
        f"{_usd(account.free_units)} can be withdrawn now",
    ]
    if locked and account.exit_at_s:
        said.append(f"{_usd(locked)} are locked until {_time(account.exit_at_s)}")
    elif locked:
        said.append(f"{_usd(locked)} are locked: request_exit frees them 14 days later")
    if account.has_exited:
        said.append("your exit has matured: all is free, and the pot can be lowered")
    if account.pending:
        number = len(account.pending)
        events = "1 event is" if number == 1 else f"{number} events are"
        said.append(f"{events} not final yet, and so not in your balance here")
    return tuple(said)


def _call(stablecoin: Stablecoin, signature: str, *arguments: int | str) -> WalletCall:
    money = stablecoin.money
    return WalletCall(money.vault.address, money.chain_id, signature, arguments)


def _usd(units: int) -> str:
    return f"{format_units(units, USD)} {USD}"


def _time(at_s: int) -> str:
    return datetime.fromtimestamp(at_s, UTC).strftime("%Y-%m-%d %H:%M UTC")
