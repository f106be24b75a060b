// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {VAULT} from "./Code.sol";

interface Vm {
    function prank(address sender) external;
    function warp(uint256 time) external;
    function assume(bool condition) external;
}

interface IVault {
    struct Month {
        bytes32 root;
        uint256 gross;
        uint256 remaining;
        uint256 opened_at;
        uint256 payable_at;
        uint256 batches;
        uint256 done;
    }

    function deposit(uint256 amount, address member, uint64 pot) external;
    function set_pot(uint64 pot) external;
    function request_exit() external;
    function withdraw(uint256 amount, address to) external;
    function open_month() external;
    function charge(uint256 month, uint256[] calldata words) external;
    function seal(uint256 month, bytes32 root, uint256 batches, bytes32 data_hash) external;
    function veto(uint256 month) external;
    function pay_batch(uint256 month, uint256 index, uint256[] calldata words, bytes32[] calldata proof) external;
    function attribute(address member, uint256 amount) external;
    function abandon() external;
    function reclaim(address member) external;
    function set_role(uint256 role, address who) external;
    function set_cap(uint256 cap) external;
    function sweep(address asset, address to) external;
    function transfer_ownership(address heir) external;
    function account(address member) external view returns (uint256, uint256, uint256, uint256);
    function free(address member) external view returns (uint256);
    function months(uint256 month) external view returns (Month memory);
    function month() external view returns (uint256);
    function liabilities() external view returns (uint256);
    function closed() external view returns (uint256);
    function owner() external view returns (address);
    function operator() external view returns (address);
    function guardian() external view returns (address);
    function treasury() external view returns (address);
    function pending_owner() external view returns (address);
}

/// The plainest token: what it says is what it does.
contract Token {
    mapping(address => uint256) public balanceOf;

    function mint(address to, uint256 amount) external {
        balanceOf[to] += amount;
    }

    function transfer(address to, uint256 amount) external returns (bool) {
        balanceOf[msg.sender] -= amount;
        balanceOf[to] += amount;
        return true;
    }

    function transferFrom(address from, address to, uint256 amount) external returns (bool) {
        balanceOf[from] -= amount;
        balanceOf[to] += amount;
        return true;
    }
}

/// What both tools begin with: the committed bytecode, one member with a balance and a pot, and a month that is open.
contract Deep {
    Vm internal constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));
    address internal constant OWNER = address(0xA000);
    address internal constant OPERATOR = address(0xA001);
    address internal constant GUARDIAN = address(0xA002);
    address internal constant TREASURY = address(0xA003);
    address internal constant MEMBER = address(0xB000);
    uint256 internal constant BALANCE = 1000e6;
    uint64 internal constant POT = 300e6;

    Token internal token;
    IVault internal vault;

    function setUp() public virtual {
        vm.warp(1_800_000_000);
        token = new Token();
        bytes memory code = abi.encodePacked(
            VAULT, abi.encode(address(token), OWNER, OPERATOR, GUARDIAN, TREASURY, uint64(2 days))
        );
        address made;
        assembly {
            made := create(0, add(code, 0x20), mload(code))
        }
        require(made != address(0), "not deployed");
        vault = IVault(made);
        token.mint(MEMBER, BALANCE);
        vm.prank(MEMBER);
        vault.deposit(BALANCE, MEMBER, POT);
        vm.prank(OPERATOR);
        vault.open_month();
    }

    function balance(address member) internal view returns (uint256 held) {
        (held,,,) = vault.account(member);
    }

    function one(uint256 word) internal pure returns (uint256[] memory words) {
        words = new uint256[](1);
        words[0] = word;
    }
}
