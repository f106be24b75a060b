// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Deep} from "./Deep.sol";

/// Long walks by forge: far more calls than the exact model can be asked about, and so only what can be summed.
contract Walks is Deep {
    uint256 internal charged;
    uint256 internal paidOut;
    uint256 internal moved;
    address[3] internal members = [MEMBER, address(0xB001), address(0xB002)];
    address internal constant CREATOR = address(0xC000);

    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(this);
    }

    function deposit(uint8 pick, uint64 amount, uint64 pot) public {
        address member = members[pick % 3];
        token.mint(member, amount);
        vm.prank(member);
        try vault.deposit(amount, member, pot % (amount + 1)) {} catch {}
    }

    function leave(uint8 pick, uint64 amount) public {
        address member = members[pick % 3];
        uint256 free = vault.free(member);
        vm.prank(member);
        try vault.withdraw(amount % (free + 2), member) {} catch {}
        vm.prank(member);
        vault.request_exit();
    }

    function pass(uint32 time) public {
        vm.warp(block.timestamp + (time % 15 days));
    }

    /// The operator does what comes next; honestly, or with a unit too much.
    function goOn(uint64 amount, bool greedy) public {
        uint256 month = vault.month();
        vm.prank(OPERATOR);
        try vault.open_month() {} catch {}
        for (uint256 i = 0; i < 3; i++) {
            vm.prank(OPERATOR);
            try vault.charge(month, one((uint256(uint160(members[i])) << 96) | amount)) {} catch {}
        }
        uint256 gross = vault.months(month).gross;
        uint256[] memory words = one((uint256(uint160(CREATOR)) << 96) | (gross - gross / 10 + (greedy ? 1 : 0)));
        bytes32 content = keccak256(abi.encode(words));
        bytes32 leaf = keccak256(abi.encode(address(vault), block.chainid, month, 0, content));
        vm.prank(OPERATOR);
        try vault.seal(month, keccak256(abi.encode(leaf)), 1, bytes32(0)) {} catch {}
        uint256 before = token.balanceOf(CREATOR);
        vm.prank(OPERATOR);
        try vault.pay_batch(month, 0, words, new bytes32[](0)) {
            charged += gross;
            paidOut += token.balanceOf(CREATOR) - before;
            assert(!greedy);
        } catch {}
    }

    function giveUp(uint8 pick) public {
        try vault.abandon() {} catch {}
        try vault.reclaim(members[pick % 3]) {} catch {}
    }

    function give(uint8 pick, uint32 amount) public {
        token.mint(address(vault), amount);
        vm.prank(OPERATOR);
        try vault.attribute(members[pick % 3], amount) {} catch {}
    }

    /// I1, I2: what is owed is there, and it is the accounts and the month.
    function invariant_what_is_owed_is_there() public view {
        uint256 owed = vault.liabilities();
        assert(token.balanceOf(address(vault)) >= owed);
        uint256 held = 0;
        for (uint256 i = 0; i < 3; i++) held += balance(members[i]);
        assert(held <= owed);
        if (vault.closed() == 0) assert(owed - held == _unpaid());
    }

    /// I4: of all that was charged and paid, a tenth of each month went to the treasury, and the rest to the creator.
    function invariant_the_commission_is_a_tenth() public view {
        assert(paidOut + token.balanceOf(TREASURY) == charged);
        assert(token.balanceOf(TREASURY) <= charged / 10);
    }

    /// I8: the keys got nothing.
    function invariant_the_keys_got_nothing() public view {
        assert(token.balanceOf(OWNER) + token.balanceOf(OPERATOR) + token.balanceOf(GUARDIAN) == 0);
    }

    function _unpaid() internal view returns (uint256) {
        uint256 month = vault.month();
        if (vault.months(month).payable_at == 0) return vault.months(month).gross;
        if (vault.months(month).done != 0) return 0;
        return vault.months(month).remaining + vault.months(month).gross / 10;
    }
}
