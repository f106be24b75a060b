// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// A contract that owns money, and accepts what its owner has signed (EIP-1271).
contract Wallet {
    address public immutable owner;

    constructor(address owner_) {
        owner = owner_;
    }

    function isValidSignature(bytes32 digest, bytes calldata signature) external view returns (bytes4) {
        (bytes32 r, bytes32 s) = abi.decode(signature[:64], (bytes32, bytes32));
        bool ours = ecrecover(digest, uint8(signature[64]), r, s) == owner;
        return ours ? this.isValidSignature.selector : bytes4(0);
    }
}
