"""Faults in members' accounts, in how the asset moves, and in the keys (the other modules)."""

from __future__ import annotations

from tests.contracts import test_hostile as hostile
from tests.contracts import test_members as members
from tests.contracts import test_months as months
from tests.contracts import test_payouts as payouts
from tests.contracts.fault import Fault

IN_ACCOUNTS = (
    Fault(
        "odd answers are payments",
        "asset.vy",
        "return len(answer) == 0 or (len(answer) == 32 and convert(answer, uint256) == 1)",
        "return len(answer) == 0 or convert(answer, uint256) != 0",
        hostile.test_a_lie_about_an_odd_answer_is_not_booked,
    ),
    Fault(
        "false is a payment",
        "asset.vy",
        "return len(answer) == 0 or (len(answer) == 32 and convert(answer, uint256) == 1)",
        "return True",
        hostile.test_a_token_that_says_false_has_not_paid,
    ),
    Fault(
        "one refusal stops the batch",
        "asset.vy",
        "        max_outsize=32,\n        gas=SEND_GAS,\n        revert_on_failure=False,\n",
        "        max_outsize=32,\n        gas=SEND_GAS,\n        revert_on_failure=False,\n"
        "    )\n    assert ok\n    ok = (\n        True\n",
        hostile.test_one_blocked_creator_does_not_stop_the_batch,
    ),
    Fault(
        "a recipient gets all the gas",
        "asset.vy",
        "        gas=SEND_GAS,\n",
        "",
        hostile.test_a_recipient_burns_its_own_gas_only,
    ),
    Fault(
        "a lack of gas is a refusal",
        "asset.vy",
        'assert msg.gas >= SEND_GAS_MIN, "gas"',
        "pass",
        hostile.test_too_little_gas_is_refused_by_name,
    ),
    Fault(
        "no lock on members",
        "accounts.vy",
        "# pragma nonreentrancy on\n",
        "",
        hostile.test_nobody_gets_in_while_a_batch_is_paid,
    ),
    Fault(
        "a claim is paid twice",
        "accounts.vy",
        "    self.claimable[who] = 0\n",
        "",
        payouts.test_a_paused_vault_pays_no_batch_and_every_claim,
    ),
    Fault(
        "what left an account need not have moved",
        "asset.vy",
        'assert held - self._held() == amount, "moved"',
        "pass",
        members.test_what_did_not_leave_is_not_taken_from_an_account,
    ),
    Fault(
        "a withdrawal stays a liability",
        "accounts.vy",
        "    self.liabilities -= amount\n    asset._send(to, amount)",
        "    asset._send(to, amount)",
        members.test_money_above_the_pot_leaves_at_any_time,
    ),
    Fault(
        "a pot can be emptied at any time",
        "accounts.vy",
        "return balance - min(balance, (word >> 96) & BITS_64)",
        "return balance",
        members.test_money_above_the_pot_leaves_at_any_time,
    ),
    Fault(
        "an exit matures at once",
        "accounts.vy",
        "return at != 0 and block.timestamp >= at",
        "return at != 0",
        members.test_an_exit_frees_everything_after_fourteen_days,
    ),
    Fault(
        "a pot goes down at any time",
        "accounts.vy",
        'assert new >= (word >> 96) & BITS_64 or self._is_exited(msg.sender), "exit first"',
        "pass",
        members.test_a_pot_goes_down_only_after_an_exit,
    ),
    Fault(
        "somebody else sets a pot",
        "accounts.vy",
        'assert pot == 0 or payer == member, "pot"',
        "pass",
        members.test_anybody_may_pay_in_for_me_but_only_i_set_my_pot,
    ),
    Fault(
        "the operator gives away what others own",
        "accounts.vy",
        'assert asset._held() >= self.liabilities + amount, "surplus"',
        "pass",
        members.test_a_plain_transfer_is_given_to_the_member_who_made_it,
    ),
    Fault(
        "a deposit is credited with what was asked",
        "accounts.vy",
        "self._credit(msg.sender, asset._pull(msg.sender, amount), member, pot)",
        "got: uint256 = asset._pull(msg.sender, amount)\n"
        "    self._credit(msg.sender, amount, member, pot)",
        members.test_a_deposit_is_credited_with_what_arrived,
    ),
    Fault(
        "there is no cap",
        "accounts.vy",
        'assert owed <= (self.cap if self.closed == 0 else BITS_96), "cap"',
        "pass",
        members.test_a_cap_holds_deposits_back_and_nothing_else,
    ),
    Fault(
        "the asset is swept",
        "asset.vy",
        'assert foreign != token, "asset"',
        "pass",
        members.test_a_foreign_token_is_swept_and_the_asset_never,
    ),
    Fault(
        "the asset is swept by its second address",
        "asset.vy",
        'assert self._held() == held, "moved"',
        "pass",
        members.test_a_second_address_of_the_asset_is_not_swept,
    ),
    Fault(
        "a closed vault pays",
        "accounts.vy",
        'assert self.closed == 0, "closed"',
        "pass",
        payouts.test_a_closed_vault_takes_no_money_and_gives_all_away,
    ),
    Fault(
        "the guardian chains pauses",
        "roles.vy",
        'assert last == 0 or block.timestamp >= last + COOLDOWN, "cooldown"',
        "pass",
        months.test_the_guardian_cannot_chain_pauses,
    ),
    Fault(
        "a pause does not end",
        "roles.vy",
        "until = block.timestamp + PAUSE",
        "until = max_value(uint256) // 2",
        members.test_a_pause_ends_by_itself,
    ),
    Fault(
        "anybody takes the ownership",
        "roles.vy",
        'assert msg.sender == self.pending_owner, "pending"',
        "pass",
        months.test_the_ownership_passes_in_two_steps,
    ),
    Fault(
        "the operator names the keys",
        "roles.vy",
        'assert msg.sender == self.owner, "owner"',
        'assert msg.sender == self.owner or msg.sender == self.operator, "owner"',
        payouts.test_a_hostile_operator_takes_one_months_pots_and_no_more,
    ),
)
