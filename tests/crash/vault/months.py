"""The model of contracts/vault/collection.vy: months are opened, charged, sealed and vetoed."""

from __future__ import annotations

from typing import Final

from tests.crash.vault.contract import Call
from tests.crash.vault.ledger_state import BITS_96, DAY_S, Account, Month, Refused, demand
from tests.crash.vault.members import check_open

MONTH_GAP: Final = 27 * DAY_S
CHARGE_WINDOW: Final = 12 * DAY_S
SEAL_WINDOW: Final = 60 * DAY_S
BATCHES_MAX: Final = 2**16
WORDS_MAX: Final = 500


def month_of(call: Call, number: int) -> Month:
    return call.state.months.get(number, Month())


def commission(gross: int) -> int:
    return gross // 10


def _check_operator(call: Call) -> None:
    demand(call.sender == call.keys.operator, "operator")


def _open_month(call: Call) -> None:
    _check_operator(call)
    check_open(call)
    last = month_of(call, call.state.month)
    demand(last.gross == 0 or last.is_paid, "unpaid")
    demand(call.now >= last.opened_at + MONTH_GAP, "early")
    call.state.month += 1
    call.state.months[call.state.month] = Month(opened_at=call.now)
    call.log(call.keys.vault, "MonthOpened", call.state.month)


def _charge(call: Call, number: int, words: list[int]) -> None:
    if len(words) > WORDS_MAX:
        raise Refused("")
    _check_operator(call)
    check_open(call)
    now = _unsealed(call, number, CHARGE_WINDOW)
    total = sum(_charge_one(call, number, word >> 96, word & BITS_96) for word in words)
    call.state.months[number] = now._replace(gross=now.gross + total)
    call.log(call.keys.vault, "Charged", number, len(words), total)


def _charge_one(call: Call, number: int, member: int, wanted: int) -> int:
    account = call.state.account(member)
    demand(account.month != number, "twice")
    most = min(account.balance, account.pot)
    if wanted > most:
        call.log(call.keys.vault, "ChargeShort", number, member, wanted, most)
    taken = min(wanted, most)
    left = account.balance - taken
    call.state.accounts[member] = Account(left, account.pot, number, taken)
    return taken


def _seal(call: Call, number: int, root: int, batches: int, content_hash: int) -> None:
    _check_operator(call)
    check_open(call)
    now = _unsealed(call, number, SEAL_WINDOW)
    demand(root != 0 and batches != 0 and now.gross != 0, "empty")
    demand(batches <= BATCHES_MAX, "batches")
    tenth = commission(now.gross)
    payable_at = call.now + call.keys.delay_s
    call.state.months[number] = now._replace(
        root=root, remaining=now.gross - tenth, payable_at=payable_at, batches=batches
    )
    call.log(
        call.keys.vault, "MonthSealed", number, root, now.gross, tenth, batches, content_hash,
        payable_at,
    )  # fmt: skip


def _veto(call: Call, number: int) -> None:
    demand(call.sender in (call.keys.guardian, call.keys.owner), "guardian")
    vetoed = month_of(call, number)
    demand(vetoed.payable_at != 0 and call.now < vetoed.payable_at, "late")
    call.state.months[number] = vetoed._replace(root=0, remaining=0, payable_at=0, batches=0)
    call.log(call.keys.vault, "MonthVetoed", number)


def _unsealed(call: Call, number: int, window: int) -> Month:
    demand(number == call.state.month and number != 0, "month")
    newest = month_of(call, number)
    demand(newest.payable_at == 0, "sealed")
    demand(call.now <= newest.opened_at + window, "late")
    return newest


CALLS: Final = {
    "open_month()": _open_month,
    "charge(uint256,uint256[])": _charge,
    "seal(uint256,bytes32,uint256,bytes32)": _seal,
    "veto(uint256)": _veto,
}
VIEWS: Final = {
    "month()": lambda call: call.state.month,
    "months(uint256)": lambda call, number: tuple(month_of(call, number)),
}
