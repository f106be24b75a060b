# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title  Asset
@license MIT
@notice The one token of a vault, and the only ways in which it moves.
@dev    Nothing that a token says is believed where its balance can be read instead:
          in    what arrived is the difference of two balances (a token may keep a fee)
          out   one payment: exactly the amount has left, or everything is undone
          batch `_try_send` tells a refusal from a payment; the caller compares balances around the
                whole batch
"""
from ethereum.ercs import IERC20

from vault import roles

uses: roles

interface SignedTransfers:
    # EIP-3009 as FiatToken 2.2 has it: the signature of an account, or whatever a contract wallet
    # accepts (EIP-1271)
    def receiveWithAuthorization(
        payer: address,
        payee: address,
        amount: uint256,
        valid_after: uint256,
        valid_before: uint256,
        nonce: bytes32,
        signature: Bytes[MAX_SIGNATURE],
    ): nonpayable

MAX_SIGNATURE: constant(uint256) = 1024
PERMIT: constant(String[74]) = "permit(address,address,uint256,uint256,uint8,bytes32,bytes32)"

# What one recipient may burn, and what must be there before it is asked: a call gets at most 63/64
# of what is left, and what is left after it must be enough to book the refusal.
SEND_GAS: constant(uint256) = 300_000
SEND_GAS_MIN: constant(uint256) = 340_000

token: public(immutable(IERC20))

event Swept:
    asset: indexed(address)
    to: indexed(address)
    amount: uint256


@deploy
def __init__(token_: IERC20):
    assert token_.address.is_contract, "asset"
    token = token_


@external
def sweep(foreign: IERC20, to: address):
    """
    @notice Give out what came here by mistake in another token. Owner only; never the vault's own
            asset.
    @dev    The balance is read again, because some tokens have a second address for the same
            balances.
    """
    roles._check_owner()
    assert foreign != token, "asset"
    held: uint256 = self._held()
    amount: uint256 = staticcall foreign.balanceOf(self)
    assert extcall foreign.transfer(to, amount, default_return_value=True), "refused"
    assert self._held() == held, "moved"
    log Swept(asset=foreign.address, to=to, amount=amount)


@internal
@view
def _held() -> uint256:
    return staticcall token.balanceOf(self)


@internal
def _pull(payer: address, amount: uint256) -> uint256:
    held: uint256 = self._held()
    assert extcall token.transferFrom(payer, self, amount, default_return_value=True), "refused"
    return self._held() - held


@internal
def _pull_permitted(
    payer: address, amount: uint256, deadline: uint256, v: uint8, r: bytes32, s: bytes32
) -> uint256:
    # whoever saw the permit may have used it already: then it fails here, and the allowance is
    # there all the same
    ok: bool = raw_call(
        token.address,
        abi_encode(payer, self, amount, deadline, v, r, s, method_id=method_id(PERMIT)),
        revert_on_failure=False,
    )
    return self._pull(payer, amount)


@internal
def _pull_authorized(
    payer: address,
    amount: uint256,
    valid_after: uint256,
    valid_before: uint256,
    nonce: bytes32,
    signature: Bytes[MAX_SIGNATURE],
) -> uint256:
    held: uint256 = self._held()
    extcall SignedTransfers(token.address).receiveWithAuthorization(
        payer, self, amount, valid_after, valid_before, nonce, signature
    )
    return self._held() - held


@internal
def _send(to: address, amount: uint256):
    held: uint256 = self._held()
    assert extcall token.transfer(to, amount, default_return_value=True), "refused"
    assert held - self._held() == amount, "moved"


@internal
def _try_send(to: address, amount: uint256) -> bool:
    # a caller's lack of gas must never be booked as the recipient's refusal
    assert msg.gas >= SEND_GAS_MIN, "gas"
    ok: bool = False
    answer: Bytes[32] = b""
    ok, answer = raw_call(
        token.address,
        abi_encode(to, amount, method_id=method_id("transfer(address,uint256)")),
        max_outsize=32,
        gas=SEND_GAS,
        revert_on_failure=False,
    )
    if not ok:
        return False
    # nothing (as the oldest tokens answer), or exactly true
    return len(answer) == 0 or (len(answer) == 32 and convert(answer, uint256) == 1)
