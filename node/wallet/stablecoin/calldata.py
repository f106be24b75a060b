"""What the node and its members ask of the vault and of its token, as calldata.

The functions of contracts/README.md, in the order of a month. Units are the token's base units;
words are made by `words.word`; addresses are `0x…`.
"""

from __future__ import annotations

from collections.abc import Sequence

from node.wallet.stablecoin.words import Blob, encode_call


def open_month_calldata() -> bytes:
    """Begin the next month. The operator's."""
    return encode_call("open_month()")


def charge_calldata(month: int, words: Sequence[int]) -> bytes:
    """Take from up to 500 members. The operator's."""
    return encode_call("charge(uint256,uint256[])", month, words)


def seal_calldata(month: int, root: bytes, batches: int, data_hash: bytes) -> bytes:
    """Fix where the month's net goes. The operator's. Root and hash are 32 bytes."""
    return encode_call("seal(uint256,bytes32,uint256,bytes32)", month, root, batches, data_hash)


def veto_calldata(month: int) -> bytes:
    """Take back a seal. The guardian's, or the owner's."""
    return encode_call("veto(uint256)", month)


def pay_batch_calldata(
    month: int, index: int, words: Sequence[int], proof: Sequence[bytes]
) -> bytes:
    """Pay up to 500 recipients. The operator's; 7 days later anybody's."""
    signature = "pay_batch(uint256,uint256,uint256[],bytes32[])"
    return encode_call(signature, month, index, words, proof)


def deposit_calldata(units: int, member: str, pot_units: int = 0) -> bytes:
    """Pay in for a member, out of the sender's allowance. Only the member may set a pot with it."""
    return encode_call("deposit(uint256,address,uint64)", units, member, pot_units)


def deposit_with_permit_calldata(
    units: int, member: str, pot_units: int, deadline_s: int, v: int, r: bytes, s: bytes
) -> bytes:
    """The same with the sender's permit (EIP-2612)."""
    signature = "deposit_with_permit(uint256,address,uint64,uint256,uint8,bytes32,bytes32)"
    return encode_call(signature, units, member, pot_units, deadline_s, v, r, s)


def deposit_with_authorization_calldata(
    payer: str,
    units: int,
    valid_after_s: int,
    valid_before_s: int,
    salt: bytes,
    member: str,
    pot_units: int,
    signature: bytes,
) -> bytes:
    """The same by the payer's signature (EIP-3009), whoever sends it."""
    called = "deposit_with_authorization"
    types = "(address,uint256,uint256,uint256,bytes32,address,uint64,bytes)"
    return encode_call(
        called + types,
        payer,
        units,
        valid_after_s,
        valid_before_s,
        salt,
        member,
        pot_units,
        Blob(signature),
    )


def set_pot_calldata(pot_units: int) -> bytes:
    """Allow so much a month. The member's; less than before only after an exit."""
    return encode_call("set_pot(uint64)", pot_units)


def request_exit_calldata() -> bytes:
    """In 14 days, all of the sender's account is free."""
    return encode_call("request_exit()")


def withdraw_calldata(units: int, to: str) -> bytes:
    """Take out what is free. The member's."""
    return encode_call("withdraw(uint256,address)", units, to)


def claim_calldata(who: str) -> bytes:
    """Deliver what was once refused. Anybody's."""
    return encode_call("claim(address)", who)


def attribute_calldata(member: str, units: int) -> bytes:
    """Give a plain transfer to the account that it came from. The operator's."""
    return encode_call("attribute(address,uint256)", member, units)


def abandon_calldata() -> bytes:
    """Close the vault when a month is not paid in time. Anybody's."""
    return encode_call("abandon()")


def reclaim_calldata(member: str) -> bytes:
    """Give a member's charge of the abandoned month back. Anybody's."""
    return encode_call("reclaim(address)", member)


def approve_calldata(spender: str, units: int) -> bytes:
    """Of the token: let the spender move so much of the sender's."""
    return encode_call("approve(address,uint256)", spender, units)


def transfer_calldata(to: str, units: int) -> bytes:
    """Of the token: a plain transfer."""
    return encode_call("transfer(address,uint256)", to, units)
