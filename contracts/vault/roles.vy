# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title  Roles
@license MIT
@notice Four keys, and a pause that ends by itself.
@dev    The owner names the others and can do nothing with the asset. Ownership passes in two steps,
        so that it can't be given to an address that nobody can sign for. A pause stops deposits,
        charges and payments; it never stops a withdrawal or a claim. The guardian can't chain
        pauses: after one has ended it must wait as long again.
"""

OPERATOR: constant(uint256) = 0
GUARDIAN: constant(uint256) = 1
TREASURY: constant(uint256) = 2

PAUSE: constant(uint256) = 14 * 86400
COOLDOWN: constant(uint256) = 14 * 86400

owner: public(address)
pending_owner: public(address)
operator: public(address)
guardian: public(address)
treasury: public(address)
paused_until: public(uint256)

event RoleSet:
    role: indexed(uint256)
    who: indexed(address)

event PausedSet:
    by: indexed(address)
    until: uint256

event OwnershipTransferStarted:
    previous_owner: indexed(address)
    new_owner: indexed(address)

event OwnershipTransferred:
    previous_owner: indexed(address)
    new_owner: indexed(address)


@deploy
def __init__(owner: address, operator: address, guardian: address, treasury: address):
    assert owner != empty(address), "owner"
    assert operator != empty(address), "operator"
    self._check_treasury(treasury)
    self.owner = owner
    self.operator = operator
    self.guardian = guardian
    self.treasury = treasury
    log OwnershipTransferred(previous_owner=empty(address), new_owner=owner)
    log RoleSet(role=OPERATOR, who=operator)
    log RoleSet(role=GUARDIAN, who=guardian)
    log RoleSet(role=TREASURY, who=treasury)


@external
def set_role(role: uint256, who: address):
    """
    @notice Name the operator (0), the guardian (1) or the treasury (2). Owner only.
    @dev    Operator and guardian may be nobody: that is how a lost or stolen key is put out of use
            at once.
    """
    self._check_owner()
    if role == OPERATOR:
        self.operator = who
    elif role == GUARDIAN:
        self.guardian = who
    else:
        assert role == TREASURY, "role"
        self._check_treasury(who)
        self.treasury = who
    log RoleSet(role=role, who=who)


@external
def set_paused(paused: bool):
    """
    @notice Pause for 14 days, or end a pause. The guardian can only begin one, and then has a cool-
            down.
    """
    if msg.sender != self.owner:
        assert paused and msg.sender == self.guardian, "guardian"
        last: uint256 = self.paused_until
        assert last == 0 or block.timestamp >= last + COOLDOWN, "cooldown"
    until: uint256 = 0
    if paused:
        until = block.timestamp + PAUSE
    self.paused_until = until
    log PausedSet(by=msg.sender, until=until)


@external
def transfer_ownership(new_owner: address):
    """
    @notice Offer the ownership; nothing changes until it is accepted. The zero address takes an
            offer back.
    """
    self._check_owner()
    self.pending_owner = new_owner
    log OwnershipTransferStarted(previous_owner=msg.sender, new_owner=new_owner)


@external
def accept_ownership():
    """
    @notice Take the ownership that was offered.
    """
    assert msg.sender == self.pending_owner, "pending"
    log OwnershipTransferred(previous_owner=self.owner, new_owner=msg.sender)
    self.owner = msg.sender
    self.pending_owner = empty(address)


@internal
@view
def _check_owner():
    assert msg.sender == self.owner, "owner"


@internal
@view
def _check_operator():
    assert msg.sender == self.operator, "operator"


@internal
@view
def _check_guardian():
    assert msg.sender == self.guardian or msg.sender == self.owner, "guardian"


@internal
@view
def _check_not_paused():
    assert block.timestamp >= self.paused_until, "paused"


@internal
@view
def _check_treasury(who: address):
    # a commission paid to the vault itself would move nothing, and so stop the last batch of every
    # month
    assert who != empty(address) and who != self, "treasury"
