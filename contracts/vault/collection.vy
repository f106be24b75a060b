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
BITS_128: constant(uint256) = 2**128 - 1
BITS_96: constant(uint256) = 2**96 - 1
BITS_64: constant(uint256) = 2**64 - 1
BITS_32: constant(uint256) = 2**32 - 1

delay: public(immutable(uint256))

month: public(uint256)                      # the newest one; they count from 1
roots: HashMap[uint256, bytes32]
sums: HashMap[uint256, uint256]             # gross 128 | remaining 128
marks: HashMap[uint256, uint256]            # opened_at 64 | payable_at 64 | batches 64 | done 64

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
    last: Month = self._load(month)
    assert last.gross == 0 or self._is_paid(last), "unpaid"
    assert block.timestamp >= last.opened_at + MONTH_GAP, "early"
    self.month = month + 1
    new: Month = empty(Month)
    new.opened_at = block.timestamp
    self._store(month + 1, new)
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
    now: Month = self._unsealed(month, CHARGE_WINDOW)
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
    now.gross += total
    self._store(month, now)
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
    now: Month = self._unsealed(month, SEAL_WINDOW)
    assert root != empty(bytes32) and batches != 0 and now.gross != 0, "empty"
    assert batches <= 2**MAX_PROOF, "batches"
    commission: uint256 = self._commission(now.gross)
    now.root = root
    now.remaining = now.gross - commission
    now.payable_at = block.timestamp + delay
    now.batches = batches
    self._store(month, now)
    log MonthSealed(
        month=month,
        root=root,
        gross=now.gross,
        commission=commission,
        batches=batches,
        data_hash=data_hash,
        payable_at=now.payable_at,
    )


@external
def veto(month: uint256):
    """
    @notice Take back a seal before it is payable: the month is open for charges and another seal
            again.
    """
    roles._check_guardian()
    vetoed: Month = self._load(month)
    assert vetoed.payable_at != 0 and block.timestamp < vetoed.payable_at, "late"
    vetoed.root = empty(bytes32)
    vetoed.remaining = 0
    vetoed.payable_at = 0
    vetoed.batches = 0
    self._store(month, vetoed)
    log MonthVetoed(month=month)


@external
@view
def months(month: uint256) -> Month:
    """
    @return one month, as far as it has come
    """
    return self._load(month)


@internal
@view
def _unsealed(month: uint256, window: uint256) -> Month:
    assert month == self.month and month != 0, "month"
    newest: Month = self._load(month)
    assert newest.payable_at == 0, "sealed"
    assert block.timestamp <= newest.opened_at + window, "late"
    return newest


@internal
@view
def _load(month: uint256) -> Month:
    sums: uint256 = self.sums[month]
    marks: uint256 = self.marks[month]
    return Month(
        root=self.roots[month],
        gross=sums >> 128,
        remaining=sums & BITS_128,
        opened_at=marks >> 192,
        payable_at=(marks >> 128) & BITS_64,
        batches=(marks >> 64) & BITS_64,
        done=marks & BITS_64,
    )


@internal
def _store(month: uint256, new: Month):
    # a gross is a sum of what is in the vault, so of 96 bits; times and counts are far below 64
    self.roots[month] = new.root
    self._store_progress(month, new)


@internal
def _store_progress(month: uint256, new: Month):
    self.sums[month] = (new.gross << 128) | new.remaining
    self.marks[month] = (
        (new.opened_at << 192) | (new.payable_at << 128) | (new.batches << 64) | new.done
    )


@internal
@view
def _is_paid(month: Month) -> bool:
    return month.batches != 0 and month.done == month.batches


@internal
@pure
def _commission(gross: uint256) -> uint256:
    return gross // COMMISSION_DIVISOR
