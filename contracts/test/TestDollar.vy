# pragma version 0.4.3
# pragma evm-version prague
# pragma optimize gas
"""
@title  TestDollar
@license MIT
@notice A dollar for test networks, which anybody can mint. It has the rules of Circle's FiatToken
        2.2 that a payout vault meets: 6 decimals, permit (EIP-2612), transfers by signature
        (EIP-3009, also by contract wallets), an issuer who can pause the token and block addresses,
        on both sides of a transfer.
@dev    As in FiatToken, the highest bit of a balance's word says that the address is blocked, and
        nothing is kept in the code but the issuer, so that it can stand behind a proxy.
"""
import signatures

BLOCKED: constant(uint256) = 1 << 255
NAME: constant(String[11]) = "Test Dollar"
DOMAIN: constant(bytes32) = keccak256(
    "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
)
PERMIT: constant(bytes32) = keccak256(
    "Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)"
)
# keccak256 of "ReceiveWithAuthorization(address from,address to,uint256 value,uint256 validAfter,
# uint256 validBefore,bytes32 nonce)" in one piece, as EIP-3009 says
RECEIVE: constant(bytes32) = 0xd099cc98ef71107a616c4f0f941f04c322d8e254fe26b3c6668db87aae413de8

name: public(constant(String[11])) = NAME
symbol: public(constant(String[5])) = "TUSDC"
version: public(constant(String[1])) = "2"
decimals: public(constant(uint8)) = 6
issuer: public(immutable(address))

paused: public(bool)
totalSupply: public(uint256)
words: HashMap[address, uint256]
allowance: public(HashMap[address, HashMap[address, uint256]])
nonces: public(HashMap[address, uint256])
authorizationState: public(HashMap[address, HashMap[bytes32, bool]])

event Transfer:
    sender: indexed(address)
    receiver: indexed(address)
    value: uint256

event Approval:
    owner: indexed(address)
    spender: indexed(address)
    value: uint256

event AuthorizationUsed:
    authorizer: indexed(address)
    nonce: indexed(bytes32)


@deploy
def __init__(issuer_: address):
    issuer = issuer_


@external
def mint(to: address, amount: uint256):
    """
    @notice Make dollars out of nothing. This is a test network.
    """
    self._check_usable(to)
    self.totalSupply += amount
    assert self.totalSupply < BLOCKED, "too many dollars"
    self.words[to] += amount
    log Transfer(sender=empty(address), receiver=to, value=amount)


@external
def set_paused(paused: bool):
    """
    @notice Stop all transfers, or let them go on. Issuer only.
    """
    assert msg.sender == issuer, "issuer"
    self.paused = paused


@external
def set_blocked(who: address, blocked: bool):
    """
    @notice Block an address, as sender and as receiver, or clear it. Issuer only.
    """
    assert msg.sender == issuer, "issuer"
    balance: uint256 = self.words[who] & ~BLOCKED
    self.words[who] = balance | BLOCKED if blocked else balance


@external
def transfer(to: address, amount: uint256) -> bool:
    """
    @notice Move the caller's dollars.
    """
    self._move(msg.sender, to, amount)
    return True


@external
def transferFrom(owner: address, to: address, amount: uint256) -> bool:
    """
    @notice Move dollars that their owner has approved to the caller.
    """
    assert self.allowance[owner][msg.sender] >= amount, "allowance"
    self.allowance[owner][msg.sender] -= amount
    self._check_usable(msg.sender)
    self._move(owner, to, amount)
    return True


@external
def approve(spender: address, amount: uint256) -> bool:
    """
    @notice Let a spender move the caller's dollars.
    """
    self._approve(msg.sender, spender, amount)
    return True


@external
def permit(
    owner: address,
    spender: address,
    amount: uint256,
    deadline: uint256,
    v: uint8,
    r: bytes32,
    s: bytes32,
):
    """
    @notice Approve by a signature (EIP-2612).
    """
    assert block.timestamp <= deadline, "expired"
    digest: bytes32 = self._digest(
        keccak256(abi_encode(PERMIT, owner, spender, amount, self.nonces[owner], deadline))
    )
    assert signatures._is_by(owner, digest, convert(v, uint256), r, s), "signature"
    self.nonces[owner] += 1
    self._approve(owner, spender, amount)


@external
def receiveWithAuthorization(
    payer: address,
    payee: address,
    amount: uint256,
    valid_after: uint256,
    valid_before: uint256,
    nonce: bytes32,
    signature: Bytes[1024],
):
    """
    @notice Move dollars to the caller by the payer's signature (EIP-3009).
    """
    assert msg.sender == payee, "payee"
    assert valid_after < block.timestamp and block.timestamp < valid_before, "expired"
    assert not self.authorizationState[payer][nonce], "used"
    digest: bytes32 = self._digest(
        keccak256(abi_encode(RECEIVE, payer, payee, amount, valid_after, valid_before, nonce))
    )
    assert signatures._is_signed(payer, digest, signature), "signature"
    self.authorizationState[payer][nonce] = True
    log AuthorizationUsed(authorizer=payer, nonce=nonce)
    self._move(payer, payee, amount)


@external
@view
def balanceOf(who: address) -> uint256:
    """
    @return the dollars of an address
    """
    return self.words[who] & ~BLOCKED


@external
@view
def is_blocked(who: address) -> bool:
    """
    @return whether the issuer has blocked an address
    """
    return self.words[who] & BLOCKED != 0


@external
@view
def DOMAIN_SEPARATOR() -> bytes32:
    """
    @return what binds a signature to this token on this chain (EIP-712)
    """
    return self._domain()


@internal
def _approve(owner: address, spender: address, amount: uint256):
    self._check_usable(owner)
    self._check_usable(spender)
    self.allowance[owner][spender] = amount
    log Approval(owner=owner, spender=spender, value=amount)


@internal
def _move(sender: address, receiver: address, amount: uint256):
    self._check_usable(sender)
    self._check_usable(receiver)
    assert sender != empty(address) and receiver != empty(address), "nobody"
    balance: uint256 = self.words[sender]
    assert amount <= balance, "balance"
    self.words[sender] = balance - amount
    self.words[receiver] += amount
    log Transfer(sender=sender, receiver=receiver, value=amount)


@internal
@view
def _check_usable(who: address):
    assert not self.paused, "paused"
    assert self.words[who] & BLOCKED == 0, "blocked"


@internal
@view
def _digest(content: bytes32) -> bytes32:
    return keccak256(concat(x"1901", self._domain(), content))


@internal
@view
def _domain() -> bytes32:
    return keccak256(abi_encode(DOMAIN, keccak256(NAME), keccak256("2"), chain.id, self))
