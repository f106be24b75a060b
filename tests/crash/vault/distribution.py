"""The model of contracts/vault/distribution.vy: batches are paid once, or the month goes back."""

from __future__ import annotations

from typing import Final

from eth_hash.auto import keccak

from tests.crash.vault.abi import number
from tests.crash.vault.contract import Call, try_send
from tests.crash.vault.ledger_state import BITS_96, DAY_S, Month, Refused, demand
from tests.crash.vault.members import check_open
from tests.crash.vault.months import WORDS_MAX, commission, month_of

CRANK_GRACE: Final = 7 * DAY_S
ABANDON_DELAY: Final = 60 * DAY_S
PROOF_MAX: Final = 16


def _pay_batch(call: Call, month: int, index: int, words: list[int], proof: list[int]) -> None:
    if len(words) > WORDS_MAX or len(proof) > PROOF_MAX:
        raise Refused("")
    check_open(call)
    state, now = call.state, month_of(call, month)
    demand(now.payable_at != 0 and call.now >= now.payable_at, "not payable")
    if call.now < now.payable_at + CRANK_GRACE:
        demand(call.sender == call.keys.operator, "operator")
    demand(index < now.batches, "index")
    demand((month, index) not in state.paid, "replayed")
    state.paid = state.paid | {(month, index)}
    demand(_root(_leaf(call, month, index, words), proof) == now.root, "proof")
    paid, deferred = _pay_all(call, month, words)
    if paid == 0 and deferred != 0:
        demand(try_send(call, call.keys.vault, 0), "token down")
    demand(paid + deferred <= now.remaining, "sum")
    now = now._replace(remaining=now.remaining - paid - deferred, done=now.done + 1)
    state.months[month] = now
    call.log(call.keys.vault, "BatchPaid", month, index, len(words), paid, deferred)
    if now.is_paid:
        demand(now.remaining == 0, "sum")
        paid += _pay_commission(call, month, now)
    state.liabilities -= paid
    demand(state.held(call.keys.vault) >= state.liabilities, "insolvent")


def _pay_all(call: Call, month: int, words: list[int]) -> tuple[int, int]:
    """(paid, deferred)."""
    paid = deferred = 0
    for word in words:
        to, units = word >> 96, word & BITS_96
        if to not in (0, call.keys.vault) and try_send(call, to, units):
            paid += units
            continue
        deferred += units
        call.state.claimable[to] = call.state.claimable.get(to, 0) + units
        call.log(call.keys.vault, "PaymentDeferred", month, to, units)
    return paid, deferred


def _pay_commission(call: Call, month: int, paid: Month) -> int:
    units, to = commission(paid.gross), call.keys.treasury
    if try_send(call, to, units):
        call.log(call.keys.vault, "CommissionPaid", month, to, units)
        return units
    call.state.claimable[to] = call.state.claimable.get(to, 0) + units
    call.log(call.keys.vault, "CommissionDeferred", month, to, units)
    return 0


def _leaf(call: Call, month: int, index: int, words: list[int]) -> bytes:
    content = b"".join(map(number, (32, len(words), *words)))
    head = b"".join(map(number, (call.keys.vault, call.keys.chain_id, month, index)))
    return keccak(keccak(head + keccak(content)))


def _root(node: bytes, proof: list[int]) -> int:
    for other in map(number, proof):
        node = keccak(min(node, other) + max(node, other))
    return int.from_bytes(node, "big")


def _abandon(call: Call) -> None:
    state = call.state
    demand(state.closed == 0, "closed")
    last = month_of(call, state.month)
    demand(last.gross != 0, "empty")
    demand(not last.is_paid, "paid")
    refund, since = last.gross, last.opened_at
    if last.payable_at:
        refund, since = last.remaining + commission(last.gross), last.payable_at
    demand(call.now > since + ABANDON_DELAY, "alive")
    state.closed = state.month
    state.refund_pool = refund
    call.log(call.keys.vault, "Abandoned", state.month, refund)


def _reclaim(call: Call, member: int) -> None:
    state = call.state
    demand(state.closed != 0, "open")
    account = state.account(member)
    demand(account.month == state.closed and account.charge != 0, "nothing")
    back = account.charge * state.refund_pool // month_of(call, state.closed).gross
    state.accounts[member] = account._replace(balance=account.balance + back, charge=0)
    call.log(call.keys.vault, "Reclaimed", state.closed, member, back)


CALLS: Final = {
    "pay_batch(uint256,uint256,uint256[],bytes32[])": _pay_batch,
    "abandon()": _abandon,
    "reclaim(address)": _reclaim,
}
VIEWS: Final = {
    "is_batch_paid(uint256,uint256)": lambda call, month, index: int(
        (month, index) in call.state.paid
    ),
    "refund_pool()": lambda call: call.state.refund_pool,
}
