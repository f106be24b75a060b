// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

// What the vault's gas is measured against: the shapes of two public batch payers, written anew,
// and an upgradable proxy of the kind that Circle's dollar stands behind.

interface IToken {
    function transfer(address to, uint256 amount) external returns (bool);
    function transferFrom(address owner, address to, uint256 amount) external returns (bool);
}

/// The shape of GasliteDrop: the total is pulled once, then bare transfers in assembly. No answer
/// is looked at, nobody's refusal is survived, and nothing is remembered: the least that a batch of
/// transfers can cost.
contract GasliteShape {
    function drop(address token, address[] calldata to, uint256[] calldata amounts, uint256 total)
        external
    {
        assembly {
            let count := to.length
            if iszero(eq(count, amounts.length)) { revert(0, 0) }
            mstore(0x00, hex"23b872dd")
            mstore(0x04, caller())
            mstore(0x24, address())
            mstore(0x44, total)
            if iszero(call(gas(), token, 0, 0x00, 0x64, 0, 0)) { revert(0, 0) }
            mstore(0x00, hex"a9059cbb")
            let distance := sub(amounts.offset, to.offset)
            let end := add(to.offset, shl(5, count))
            for { let at := to.offset } lt(at, end) { at := add(at, 0x20) } {
                mstore(0x04, calldataload(at))
                mstore(0x24, calldataload(add(at, distance)))
                if iszero(call(gas(), token, 0, 0x00, 0x44, 0, 0)) { revert(0, 0) }
            }
        }
    }
}

/// The shape of Disperse: two plain loops.
contract DisperseShape {
    function disperse(IToken token, address[] calldata to, uint256[] calldata amounts) external {
        uint256 total = 0;
        for (uint256 i = 0; i < to.length; i++) total += amounts[i];
        require(token.transferFrom(msg.sender, address(this), total));
        for (uint256 i = 0; i < to.length; i++) require(token.transfer(to[i], amounts[i]));
    }
}

/// Delegates to what two slots say, as FiatToken's proxy: it reads who its admin is, and then its
/// implementation.
contract Proxy {
    bytes32 private constant ADMIN = bytes32(uint256(keccak256("eip1967.proxy.admin")) - 1);
    bytes32 private constant IMPLEMENTATION =
        bytes32(uint256(keccak256("eip1967.proxy.implementation")) - 1);

    constructor(address implementation, address admin) {
        (bytes32 first, bytes32 second) = (ADMIN, IMPLEMENTATION);
        assembly {
            sstore(first, admin)
            sstore(second, implementation)
        }
    }

    fallback() external payable {
        (bytes32 first, bytes32 second) = (ADMIN, IMPLEMENTATION);
        assembly {
            if eq(caller(), sload(first)) { revert(0, 0) }
            calldatacopy(0, 0, calldatasize())
            let ok := delegatecall(gas(), sload(second), 0, calldatasize(), 0, 0)
            returndatacopy(0, 0, returndatasize())
            if iszero(ok) { revert(0, returndatasize()) }
            return(0, returndatasize())
        }
    }
}
