# pragma version 0.4.3
"""
@title  Signatures
@license MIT
@notice Whether a signature is an account's, or one that a contract wallet accepts (EIP-1271), as
        FiatToken 2.2 asks it.
"""

interface Wallet:
    def isValidSignature(digest: bytes32, signature: Bytes[1024]) -> bytes4: view

ACCEPTED: constant(bytes4) = 0x1626ba7e
# half of the curve's order: above it a second signature of the same thing exists (EIP-2)
S_MAX: constant(uint256) = (
    57896044618658097711785492504343953926418782139537452191302581570759080747168
)


@internal
@view
def _is_signed(signer: address, digest: bytes32, signature: Bytes[1024]) -> bool:
    if signer.is_contract:
        return staticcall Wallet(signer).isValidSignature(digest, signature) == ACCEPTED
    if len(signature) != 65:
        return False
    v: uint256 = convert(slice(signature, 64, 1), uint256)
    return self._is_by(signer, digest, v, extract32(signature, 0), extract32(signature, 32))


@internal
@pure
def _is_by(signer: address, digest: bytes32, v: uint256, r: bytes32, s: bytes32) -> bool:
    if (v != 27 and v != 28) or convert(s, uint256) > S_MAX:
        return False
    return signer != empty(address) and ecrecover(digest, v, r, s) == signer
