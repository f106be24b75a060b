# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title  Accounts
@license MIT
@notice Members' money. Each account is one word, because a charge rewrites it for everybody every
        month:

            charge 64 | month 32 | pot 64 | balance 96        (from the highest bit)

        pot      the most that the operator may take in one month; up at once, down only after an
                 exit has matured
        month    the last month in which the account was charged, and `charge` what was taken then
        balance  above the pot it is free at any time; all of it is free 14 days after
                 `request_exit`
@dev    liabilities == balances + what of the newest month is unpaid + claimables. The asset held is
        at least that; what is above it is surplus, from plain transfers, and the operator may
        `attribute` it to a member.
"""
from vault import asset
from vault import roles

uses: roles
uses: asset

EXIT_DELAY: constant(uint256) = 14 * 86400
BITS_96: constant(uint256) = 2**96 - 1
BITS_64: constant(uint256) = 2**64 - 1
POT: constant(uint256) = BITS_64 << 96

words: HashMap[address, uint256]
exit_at: public(HashMap[address, uint256])
claimable: public(HashMap[address, uint256])
liabilities: public(uint256)
cap: public(uint256)
closed: public(uint256)                     # the month that was abandoned: money only goes back now

event Deposited:
    member: indexed(address)
    asset: indexed(address)
    amount: uint256
    payer: address

event PotSet:
    member: indexed(address)
    pot: uint256

event ExitRequested:
    member: indexed(address)
    at: uint256

event Withdrawn:
    member: indexed(address)
    to: address
    amount: uint256

event Claimed:
    to: indexed(address)
    amount: uint256

event CapSet:
    cap: uint256


@deploy
def __init__():
    self.cap = BITS_96


@external
def deposit(amount: uint256, member: address, pot: uint64):
    """
    @notice Pay into a member's account, which may be somebody else's. A pot above the present one
            is set with it.
    @param amount what to pull; the account gets what arrives
    @param pot    0, or the member's new pot: then only the member may pay
    """
    self._check_open()
    self._credit(msg.sender, asset._pull(msg.sender, amount), member, pot)


@external
def deposit_with_permit(
    amount: uint256,
    member: address,
    pot: uint64,
    deadline: uint256,
    v: uint8,
    r: bytes32,
    s: bytes32,
):
    """
    @notice The same with a permit (EIP-2612) of the caller, in one transaction.
    @dev    Only the caller's own permit: it does not say which member it is for, so nobody else may
            use it.
    """
    self._check_open()
    got: uint256 = asset._pull_permitted(msg.sender, amount, deadline, v, r, s)
    self._credit(msg.sender, got, member, pot)


@external
def deposit_with_authorization(
    payer: address,
    amount: uint256,
    valid_after: uint256,
    valid_before: uint256,
    salt: bytes32,
    member: address,
    pot: uint64,
    signature: Bytes[asset.MAX_SIGNATURE],
):
    """
    @notice The same by a signature (EIP-3009) that anybody may bring: the payer needs no gas.
    @dev    The signed nonce is keccak256(abi.encode(member, pot, salt)), so who brings it can
            change neither.
    """
    self._check_open()
    nonce: bytes32 = keccak256(abi_encode(member, pot, salt))
    got: uint256 = asset._pull_authorized(
        payer, amount, valid_after, valid_before, nonce, signature
    )
    self._credit(payer, got, member, pot)


@external
def set_pot(pot: uint64):
    """
    @notice Allow the operator this much a month. Less than before only after an exit has matured.
            Ends an exit.
    """
    word: uint256 = self.words[msg.sender]
    new: uint256 = convert(pot, uint256)
    assert new >= (word >> 96) & BITS_64 or self._is_exited(msg.sender), "exit first"
    self.words[msg.sender] = self._with_pot(msg.sender, word, new)


@external
def request_exit():
    """
    @notice 14 days from now all of the caller's account is free, and at most one more pot can be
            taken until then.
    """
    at: uint256 = block.timestamp + EXIT_DELAY
    self.exit_at[msg.sender] = at
    log ExitRequested(member=msg.sender, at=at)


@external
def withdraw(amount: uint256, to: address):
    """
    @notice Take out free money. No key and no pause can stop it.
    """
    assert to != empty(address) and to != self, "to"
    assert amount != 0, "nothing"
    word: uint256 = self.words[msg.sender]
    assert amount <= self._free(msg.sender, word), "locked"
    self.words[msg.sender] = word - amount
    self.liabilities -= amount
    asset._send(to, amount)
    log Withdrawn(member=msg.sender, to=to, amount=amount)


@external
def claim(who: address):
    """
    @notice Deliver what a token once refused to deliver to `who`. Anybody may call; the money goes
            to `who`.
    @dev    A payment that was addressed to nobody or to the vault itself becomes surplus.
    """
    amount: uint256 = self.claimable[who]
    assert amount != 0, "nothing"
    self.claimable[who] = 0
    self.liabilities -= amount
    if who != empty(address) and who != self:
        asset._send(who, amount)
    log Claimed(to=who, amount=amount)


@external
def attribute(member: address, amount: uint256):
    """
    @notice Give surplus (a plain transfer, as exchanges make them) to the member it came from.
            Operator only.
    @dev    Works paused and closed too: money that is here must find a way out.
    """
    roles._check_operator()
    assert asset._held() >= self.liabilities + amount, "surplus"
    self._credit(empty(address), amount, member, 0)


@external
def set_cap(cap: uint256):
    """
    @notice Refuse deposits that would bring the liabilities above this. Owner only; for a guarded
            launch.
    """
    roles._check_owner()
    assert cap <= BITS_96, "cap"
    self.cap = cap
    log CapSet(cap=cap)


@external
@view
def account(member: address) -> (uint256, uint256, uint256, uint256):
    """
    @return balance, pot, last month charged, what was taken then
    """
    word: uint256 = self.words[member]
    return word & BITS_96, (word >> 96) & BITS_64, (word >> 160) & (2**32 - 1), word >> 192


@external
@view
def free(member: address) -> uint256:
    """
    @return what the member could withdraw now
    """
    return self._free(member, self.words[member])


@internal
@view
def _check_open():
    roles._check_not_paused()
    assert self.closed == 0, "closed"


@internal
def _credit(payer: address, amount: uint256, member: address, pot: uint64):
    assert member != empty(address) and member != self, "member"
    assert amount != 0, "nothing"
    assert pot == 0 or payer == member, "pot"
    # no balance is above the liabilities, and these never above 96 bits: so no balance can grow
    # into the pot
    owed: uint256 = self.liabilities + amount
    assert owed <= (self.cap if self.closed == 0 else BITS_96), "cap"
    self.liabilities = owed
    word: uint256 = self.words[member] + amount
    new: uint256 = convert(pot, uint256)
    if new > (word >> 96) & BITS_64:
        word = self._with_pot(member, word, new)
    self.words[member] = word
    log Deposited(member=member, asset=asset.token.address, amount=amount, payer=payer)


@internal
def _with_pot(member: address, word: uint256, pot: uint256) -> uint256:
    self.exit_at[member] = 0
    log PotSet(member=member, pot=pot)
    return (word & ~POT) | (pot << 96)


@internal
@view
def _is_exited(member: address) -> bool:
    if self.closed != 0:
        return True
    at: uint256 = self.exit_at[member]
    return at != 0 and block.timestamp >= at


@internal
@view
def _free(member: address, word: uint256) -> uint256:
    balance: uint256 = word & BITS_96
    if self._is_exited(member):
        return balance
    return balance - min(balance, (word >> 96) & BITS_64)
