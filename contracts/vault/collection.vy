# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title  Collection
@license MIT
@notice What the operator may take, one month after the other, and where it fixes who gets it:

          open ──charge──► charged ──seal──► sealed ──delay──► payable ──► distribution
                              ▲                 │
                              └───────veto──────┘

        A charge takes at most each member's pot, once a month, into the month's gross. A tenth of
        the gross, rounded down, is the commission; the rest, the net, can leave only under the root
        that is sealed. A month is opened 27 days after the last, once that is paid in full.
@dev    A month can be charged for 12 days. So two charges are at least 15 days apart, and an exit
        of 14 days always fits between them. It can be sealed for 60 days, however often it is
        vetoed: so nothing waits for ever, whoever colludes.
"""
from vault import accounts
from vault import roles

uses: roles
uses: accounts

struct Month:
    root: bytes32
    gross: uint256          # charged
    remaining: uint256      # of the net: neither paid nor claimable yet
    opened_at: uint256
    payable_at: uint256     # 0: not sealed
    batches: uint256
    done: uint256

MAX_BATCH: constant(uint256) = 500
MAX_PROOF: constant(uint256) = 16
COMMISSION_DIVISOR: constant(uint256) = 10
MONTH_GAP: constant(uint256) = 27 * 86400
CHARGE_WINDOW: constant(uint256) = 12 * 86400
SEAL_WINDOW: constant(uint256) = 60 * 86400
MAX_DELAY: constant(uint256) = 60 * 86400
BITS_96: constant(uint256) = 2**96 - 1
BITS_64: constant(uint256) = 2**64 - 1
BITS_32: constant(uint256) = 2**32 - 1

delay: public(immutable(uint256))

month: public(uint256)                      # the newest one; they count from 1
months: public(HashMap[uint256, Month])

event MonthOpened:
    month: indexed(uint256)

event Charged:
    month: indexed(uint256)
    members: uint256
    total: uint256

event ChargeShort:
    month: indexed(uint256)
    member: indexed(address)
    wanted: uint256
    got: uint256

event MonthSealed:
    month: indexed(uint256)
    root: bytes32
    gross: uint256
    commission: uint256
    batches: uint256
    data_hash: bytes32
    payable_at: uint256

event MonthVetoed:
    month: indexed(uint256)


@deploy
def __init__(delay_: uint64):
    delay = convert(delay_, uint256)
    assert delay <= MAX_DELAY, "delay"


@external
def open_month():
    """
    @notice Begin the next month: 27 days after the last was opened, and when that one is paid in
            full or was never charged.
    """
    roles._check_operator()
    accounts._check_open()
    month: uint256 = self.month
    last: Month = self.months[month]
    assert last.gross == 0 or self._is_paid(last), "unpaid"
    assert block.timestamp >= last.opened_at + MONTH_GAP, "early"
    self.month = month + 1
    self.months[month + 1].opened_at = block.timestamp
    log MonthOpened(month=month + 1)


@external
def charge(month: uint256, words: DynArray[uint256, MAX_BATCH]):
    """
    @notice Take from each member at most the pot and the balance, once a month, into the month's
            gross.
    @param month the newest month, named so that a late transaction can't charge another one
    @param words member << 96 | amount
    """
    roles._check_operator()
    accounts._check_open()
    self._check_unsealed(month, CHARGE_WINDOW)
    total: uint256 = 0
    for item: uint256 in words:
        member: address = convert(item >> 96, address)
        amount: uint256 = item & BITS_96
        word: uint256 = accounts.words[member]
        assert (word >> 160) & BITS_32 != month, "twice"
        # who has withdrawn in the meantime must not stop the others: take what may be taken
        most: uint256 = min(word & BITS_96, (word >> 96) & BITS_64)
        if amount > most:
            log ChargeShort(month=month, member=member, wanted=amount, got=most)
            amount = most
        accounts.words[member] = ((word & (2**160 - 1)) - amount) | (month << 160) | (amount << 192)
        total += amount
    self.months[month].gross += total
    log Charged(month=month, members=len(words), total=total)


@external
def seal(month: uint256, root: bytes32, batches: uint256, data_hash: bytes32):
    """
    @notice Fix where the month's net goes. It can be paid after the delay, and be vetoed until
            then.
    @param root      of the tree over the batches' leaves
    @param batches   how many there are: their indexes are 0 to batches - 1
    @param data_hash sha256 of the published file of the month, from which anybody can compute the
             root
    """
    roles._check_operator()
    accounts._check_open()
    self._check_unsealed(month, SEAL_WINDOW)
    gross: uint256 = self.months[month].gross
    assert root != empty(bytes32) and batches != 0 and gross != 0, "empty"
    assert batches <= 2**MAX_PROOF, "batches"
    commission: uint256 = self._commission(gross)
    payable_at: uint256 = block.timestamp + delay
    self.months[month].root = root
    self.months[month].remaining = gross - commission
    self.months[month].payable_at = payable_at
    self.months[month].batches = batches
    log MonthSealed(
        month=month,
        root=root,
        gross=gross,
        commission=commission,
        batches=batches,
        data_hash=data_hash,
        payable_at=payable_at,
    )


@external
def veto(month: uint256):
    """
    @notice Take back a seal before it is payable: the month is open for charges and another seal
            again.
    """
    roles._check_guardian()
    payable_at: uint256 = self.months[month].payable_at
    assert payable_at != 0 and block.timestamp < payable_at, "late"
    self.months[month].root = empty(bytes32)
    self.months[month].remaining = 0
    self.months[month].payable_at = 0
    self.months[month].batches = 0
    log MonthVetoed(month=month)


@internal
@view
def _check_unsealed(month: uint256, window: uint256):
    assert month == self.month and month != 0, "month"
    assert self.months[month].payable_at == 0, "sealed"
    assert block.timestamp <= self.months[month].opened_at + window, "late"


@internal
@view
def _is_paid(month: Month) -> bool:
    return month.batches != 0 and month.done == month.batches


@internal
@pure
def _commission(gross: uint256) -> uint256:
    return gross // COMMISSION_DIVISOR
