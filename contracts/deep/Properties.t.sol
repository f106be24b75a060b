// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Deep} from "./Deep.sol";

/// What holds for every argument: halmos proves each `test_…`, and forge tries each by chance.
contract Properties is Deep {
    /// I7: whoever withdraws whatever, it was free.
    function test_a_withdrawal_is_at_most_what_is_free(address sender, uint256 amount, address to) public {
        uint256 free = vault.free(sender);
        uint256 held = balance(sender);
        vm.prank(sender);
        try vault.withdraw(amount, to) {
            assert(amount <= free);
            assert(balance(sender) == held - amount);
            assert(sender != MEMBER || balance(MEMBER) >= POT);
        } catch {
            assert(balance(sender) == held);
        }
    }

    /// I5: whatever the word says, at most the pot goes, and only when the operator says so.
    function test_a_charge_is_at_most_the_pot(address sender, uint96 amount) public {
        vm.prank(sender);
        try vault.charge(1, one((uint256(uint160(MEMBER)) << 96) | amount)) {
            assert(sender == OPERATOR);
        } catch {}
        assert(balance(MEMBER) >= BALANCE - POT);
        assert(vault.months(1).gross == BALANCE - balance(MEMBER));
    }

    /// I5: a charge of whomever else takes nothing from the member.
    function test_a_charge_of_others_takes_nothing(uint256 word) public {
        vm.assume(word >> 96 != uint160(MEMBER));
        vm.prank(OPERATOR);
        try vault.charge(1, one(word)) {} catch {}
        assert(balance(MEMBER) == BALANCE);
        assert(vault.months(1).gross == 0);
    }

    /// I4: what is left of a month for the creators is all but a tenth, rounded down.
    function test_the_net_is_all_but_a_tenth(uint64 amount) public {
        vm.assume(amount != 0 && amount <= POT);
        vm.prank(OPERATOR);
        vault.charge(1, one((uint256(uint160(MEMBER)) << 96) | amount));
        vm.prank(OPERATOR);
        vault.seal(1, bytes32(uint256(1)), 1, bytes32(0));
        assert(vault.months(1).remaining == amount - uint256(amount) / 10);
    }

    /// I8: who is not the owner gets no role and sweeps nothing.
    function test_strangers_get_no_role(address sender, uint256 role, address who) public {
        vm.assume(sender != OWNER);
        vm.prank(sender);
        try vault.set_role(role, who) {
            assert(false);
        } catch {}
        vm.prank(sender);
        try vault.transfer_ownership(who) {
            assert(false);
        } catch {}
        vm.prank(sender);
        try vault.sweep(who, sender) {
            assert(false);
        } catch {}
    }
}
