# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title  Settlement
@license MIT
@notice What the operator may do with the pots, one month after the other:

          open ──charge──► charged ──seal──► sealed ──delay──► payable ──last batch──► paid
                              ▲                 │                                       │
                              └───────veto──────┘            the next one ◄──27 days────┘
          charged, sealed or payable for too long ──abandon (by anybody)──► closed ──► reclaim

        A charge takes at most each member's pot, once a month, into the month's gross. A tenth of
        the gross, rounded down, is the commission; the rest, the net, leaves only in batches under
        the root that was sealed. The last batch must complete the net exactly, and only then the
        commission is paid.
@dev    Windows, and what they are for:
          27 d   from opening to opening: a month's pots are taken at most this often
          12 d   from opening to the last charge: so two charges are at least 15 days apart, and an
                 exit of 14 days fits between
          60 d   from opening to the last seal, and from payable to `abandon`: so nothing waits
                 longer, whoever colludes
           7 d   after which anybody may send the operator's published batches
"""
from vault import accounts
from vault import asset
from vault import roles

uses: roles
uses: asset
uses: accounts

struct Month:
    root: bytes32
    gross: uint256          # charged
    remaining: uint256      # of the net: neither paid nor claimable yet
    opened_at: uint256
    payable_at: uint256     # 0: not sealed
    batches: uint256
    done: uint256

COMMISSION_DIVISOR: constant(uint256) = 10
MAX_BATCH: constant(uint256) = 500
MAX_PROOF: constant(uint256) = 16
BITS_96: constant(uint256) = 2**96 - 1
BITS_64: constant(uint256) = 2**64 - 1
BITS_32: constant(uint256) = 2**32 - 1

MONTH_GAP: constant(uint256) = 27 * 86400
CHARGE_WINDOW: constant(uint256) = 12 * 86400
CRANK_GRACE: constant(uint256) = 7 * 86400
ABANDON_DELAY: constant(uint256) = 60 * 86400

delay: public(immutable(uint256))

month: public(uint256)                      # the newest one; they count from 1
months: public(HashMap[uint256, Month])
refund_pool: public(uint256)                # what of the abandoned month goes back to its members
paid_batches: HashMap[uint256, HashMap[uint256, uint256]]  # month -> index // 256 -> a bit each

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

event BatchPaid:
    month: indexed(uint256)
    index: indexed(uint256)
    count: uint256
    paid: uint256
    deferred: uint256

event PaymentDeferred:
    month: indexed(uint256)
    to: indexed(address)
    amount: uint256

event CommissionPaid:
    month: indexed(uint256)
    to: indexed(address)
    amount: uint256

event CommissionDeferred:
    month: indexed(uint256)
    to: indexed(address)
    amount: uint256

event Abandoned:
    month: indexed(uint256)
    refund: uint256

event Reclaimed:
    month: indexed(uint256)
    member: indexed(address)
    amount: uint256


@deploy
def __init__(delay_: uint64):
    delay = convert(delay_, uint256)
    assert delay <= ABANDON_DELAY, "delay"


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
    self._check_unsealed(month, ABANDON_DELAY)
    gross: uint256 = self.months[month].gross
    assert root != empty(bytes32) and batches != 0 and gross != 0, "empty"
    assert batches <= 2**MAX_PROOF, "batches"
    commission: uint256 = gross // COMMISSION_DIVISOR
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


@external
def pay_batch(
    month: uint256,
    index: uint256,
    words: DynArray[uint256, MAX_BATCH],
    proof: DynArray[bytes32, MAX_PROOF],
):
    """
    @notice Pay one batch of the sealed month. The operator, or anybody 7 days after it could first
            have been paid.
    @param words recipient << 96 | amount
    @dev   Who can't be paid gets a claimable. If nobody can be paid, the token is asked whether it
           pays anybody at all.
    """
    accounts._check_open()
    before: Month = self.months[month]
    self._check_payable(before)
    assert index < before.batches, "index"
    self._check_unpaid(month, index)
    leaf: bytes32 = keccak256(
        abi_encode(self, chain.id, month, index, keccak256(abi_encode(words)))
    )
    assert self._root(keccak256(leaf), proof) == before.root, "proof"

    held: uint256 = asset._held()
    paid: uint256 = 0
    deferred: uint256 = 0
    for item: uint256 in words:
        to: address = convert(item >> 96, address)
        amount: uint256 = item & BITS_96
        if to != empty(address) and to != self and asset._try_send(to, amount):
            paid += amount
        else:
            deferred += amount
            accounts.claimable[to] += amount
            log PaymentDeferred(month=month, to=to, amount=amount)
    if paid == 0 and deferred != 0:
        # paused, or this vault blocked by the issuer: then nobody's refusal is booked, and the
        # batch waits
        assert asset._try_send(self, 0), "token down"
    self.months[month].remaining = before.remaining - paid - deferred
    self.months[month].done = before.done + 1
    log BatchPaid(month=month, index=index, count=len(words), paid=paid, deferred=deferred)

    if before.done + 1 == before.batches:
        # a root that does not add up can't be finished: such a month ends by `abandon`
        assert before.remaining == paid + deferred, "sum"
        paid += self._pay_commission(month, before.gross)
    accounts.liabilities -= paid
    # what left is what was counted, and what stays covers what is owed
    left: uint256 = asset._held()
    assert held - left == paid and left >= accounts.liabilities, "insolvent"


@external
def abandon():
    """
    @notice Close the vault when the newest month was charged and is not paid in time. From then on
            money only goes back.
    """
    assert accounts.closed == 0, "closed"
    month: uint256 = self.month
    last: Month = self.months[month]
    assert last.gross != 0, "empty"
    assert not self._is_paid(last), "paid"
    refund: uint256 = last.gross
    since: uint256 = last.opened_at
    if last.payable_at != 0:
        refund = last.remaining + last.gross // COMMISSION_DIVISOR
        since = last.payable_at
    assert block.timestamp > since + ABANDON_DELAY, "alive"
    accounts.closed = month
    self.refund_pool = refund
    log Abandoned(month=month, refund=refund)


@external
def reclaim(member: address):
    """
    @notice Give a member of the abandoned month the unpaid part of the charge back, into the
            account. Anybody may call.
    """
    month: uint256 = accounts.closed
    assert month != 0, "open"
    word: uint256 = accounts.words[member]
    charged: uint256 = word >> 192
    assert (word >> 160) & BITS_32 == month and charged != 0, "nothing"
    back: uint256 = charged * self.refund_pool // self.months[month].gross
    accounts.words[member] = (word & (2**192 - 1)) + back
    log Reclaimed(month=month, member=member, amount=back)


@external
@view
def is_batch_paid(month: uint256, index: uint256) -> bool:
    """
    @return whether this batch was paid
    """
    return (self.paid_batches[month][index >> 8] >> (index & 255)) & 1 == 1


@internal
@view
def _is_paid(month: Month) -> bool:
    return month.batches != 0 and month.done == month.batches


@internal
@view
def _check_unsealed(month: uint256, window: uint256):
    assert month == self.month and month != 0, "month"
    assert self.months[month].payable_at == 0, "sealed"
    assert block.timestamp <= self.months[month].opened_at + window, "late"


@internal
@view
def _check_payable(month: Month):
    assert month.payable_at != 0 and block.timestamp >= month.payable_at, "not payable"
    if block.timestamp < month.payable_at + CRANK_GRACE:
        roles._check_operator()


@internal
def _check_unpaid(month: uint256, index: uint256):
    bit: uint256 = 1 << (index & 255)
    paid: uint256 = self.paid_batches[month][index >> 8]
    assert paid & bit == 0, "replayed"
    self.paid_batches[month][index >> 8] = paid | bit


@internal
@pure
def _root(leaf: bytes32, proof: DynArray[bytes32, MAX_PROOF]) -> bytes32:
    # pairs are hashed in order of size, so a proof needs no sides
    node: bytes32 = leaf
    for other: bytes32 in proof:
        if convert(node, uint256) < convert(other, uint256):
            node = keccak256(concat(node, other))
        else:
            node = keccak256(concat(other, node))
    return node


@internal
def _pay_commission(month: uint256, gross: uint256) -> uint256:
    amount: uint256 = gross // COMMISSION_DIVISOR
    to: address = roles.treasury
    if asset._try_send(to, amount):
        log CommissionPaid(month=month, to=to, amount=amount)
        return amount
    accounts.claimable[to] += amount
    log CommissionDeferred(month=month, to=to, amount=amount)
    return 0
