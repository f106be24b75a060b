# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title  Distribution
@license MIT
@notice Where a sealed month's money goes: in batches to the creators, and last the commission.

          payable ──batch by batch──► paid
             └───or never───► abandoned (by anybody) ──► reclaim: back into the members' accounts

        Each batch is paid once. It names its recipients and amounts, and is a leaf of the tree
        whose root was sealed. The last one must complete the month's net exactly.
@dev    Nobody's presence is needed: 7 days after a batch could first have been paid anybody may
        send it, as the operator published it; and when a month is not paid 60 days after it could
        first have been, or not sealed 60 days after it was opened, anybody may close the vault.
"""
from vault import accounts
from vault import asset
from vault import collection
from vault import roles

uses: roles
uses: asset
uses: accounts
uses: collection

CRANK_GRACE: constant(uint256) = 7 * 86400
ABANDON_DELAY: constant(uint256) = 60 * 86400
BITS_96: constant(uint256) = 2**96 - 1
BITS_32: constant(uint256) = 2**32 - 1

refund_pool: public(uint256)                # what of the abandoned month goes back to its members
paid_batches: HashMap[uint256, HashMap[uint256, uint256]]  # month -> index // 256 -> a bit each

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


@external
def pay_batch(
    month: uint256,
    index: uint256,
    words: DynArray[uint256, collection.MAX_BATCH],
    proof: DynArray[bytes32, collection.MAX_PROOF],
):
    """
    @notice Pay one batch of the sealed month. The operator, or anybody 7 days after it could first
            have been paid.
    @param words recipient << 96 | amount
    @dev   Who can't be paid gets a claimable. If nobody can be paid, the token is asked whether it
           pays anybody at all.
    """
    accounts._check_open()
    now: collection.Month = collection._load(month)
    self._check_payable(now)
    assert index < now.batches, "index"
    self._check_unpaid(month, index)
    leaf: bytes32 = keccak256(
        abi_encode(self, chain.id, month, index, keccak256(abi_encode(words)))
    )
    assert self._root(keccak256(leaf), proof) == now.root, "proof"

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
    # a root that does not add up can't be finished: such a month ends by `abandon`
    assert paid + deferred <= now.remaining, "sum"
    now.remaining -= paid + deferred
    now.done += 1
    collection._store_progress(month, now)
    log BatchPaid(month=month, index=index, count=len(words), paid=paid, deferred=deferred)

    if collection._is_paid(now):
        assert now.remaining == 0, "sum"
        paid += self._pay_commission(month, now.gross)
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
    month: uint256 = collection.month
    last: collection.Month = collection._load(month)
    assert last.gross != 0, "empty"
    assert not collection._is_paid(last), "paid"
    refund: uint256 = last.gross
    since: uint256 = last.opened_at
    if last.payable_at != 0:
        refund = last.remaining + collection._commission(last.gross)
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
    back: uint256 = charged * self.refund_pool // collection._load(month).gross
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
def _check_payable(month: collection.Month):
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
def _root(leaf: bytes32, proof: DynArray[bytes32, collection.MAX_PROOF]) -> bytes32:
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
    amount: uint256 = collection._commission(gross)
    to: address = roles.treasury
    if asset._try_send(to, amount):
        log CommissionPaid(month=month, to=to, amount=amount)
        return amount
    accounts.claimable[to] += amount
    log CommissionDeferred(month=month, to=to, amount=amount)
    return 0
