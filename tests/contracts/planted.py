"""The faults that are planted (`faults.py`), each with the test that must notice it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tests.contracts import test_hostile as hostile
from tests.contracts import test_members as members
from tests.contracts import test_months as months
from tests.contracts import test_payouts as payouts
from tests.contracts.world import World


@dataclass(frozen=True, slots=True)
class Fault:
    """In `contracts/vault/<file>`, `after` stands where `before` stood."""

    name: str
    file: str
    before: str
    after: str
    test: Callable[[World], None]


FAULTS = (
    Fault(
        "a batch is paid again",
        "distribution.vy",
        'assert paid & bit == 0, "replayed"',
        "pass",
        payouts.test_a_batch_is_paid_once,
    ),
    Fault(
        "the commission is an eleventh",
        "collection.vy",
        "COMMISSION_DIVISOR: constant(uint256) = 10",
        "COMMISSION_DIVISOR: constant(uint256) = 11",
        payouts.test_the_commission_is_a_tenth_rounded_down_and_paid_last,
    ),
    Fault(
        "the commission is paid with each batch",
        "distribution.vy",
        "if collection._is_paid(now):",
        "if now.done >= 1:",
        payouts.test_the_commission_is_a_tenth_rounded_down_and_paid_last,
    ),
    Fault(
        "a member is charged twice",
        "collection.vy",
        'assert (word >> 160) & BITS_32 != month, "twice"',
        "pass",
        months.test_a_member_is_charged_once_a_month,
    ),
    Fault(
        "a charge goes over the pot",
        "collection.vy",
        "most: uint256 = min(word & BITS_96, (word >> 96) & BITS_64)",
        "most: uint256 = min(word & BITS_96, BITS_64)",
        months.test_a_charge_takes_at_most_the_pot,
    ),
    Fault(
        "one short account stops a charge",
        "collection.vy",
        "            amount = most\n",
        '            assert False, "short"\n',
        months.test_a_charge_takes_at_most_the_balance,
    ),
    Fault(
        "a clipped charge is counted in full",
        "collection.vy",
        "        total += amount\n",
        "        total += item & BITS_96\n",
        months.test_a_charge_takes_at_most_the_balance,
    ),
    Fault(
        "anybody charges",
        "collection.vy",
        "    roles._check_operator()\n    accounts._check_open()\n"
        "    now: Month = self._unsealed(month, CHARGE_WINDOW)",
        "    accounts._check_open()\n    now: Month = self._unsealed(month, CHARGE_WINDOW)",
        months.test_only_the_operator_opens_charges_and_seals,
    ),
    Fault(
        "an old month is charged",
        "collection.vy",
        'assert month == self.month and month != 0, "month"',
        'assert month != 0 and self.marks[month] != 0, "month"',
        months.test_no_month_but_the_newest_is_charged,
    ),
    Fault(
        "a month is charged at any time",
        "collection.vy",
        "CHARGE_WINDOW: constant(uint256) = 12 * 86400",
        "CHARGE_WINDOW: constant(uint256) = 27 * 86400",
        months.test_a_month_is_charged_for_twelve_days,
    ),
    Fault(
        "a sealed month is charged",
        "collection.vy",
        'assert newest.payable_at == 0, "sealed"',
        "pass",
        months.test_a_sealed_month_takes_nothing_more,
    ),
    Fault(
        "a second month too early",
        "collection.vy",
        'assert block.timestamp >= last.opened_at + MONTH_GAP, "early"',
        "pass",
        months.test_months_are_27_days_apart,
    ),
    Fault(
        "a second month before the first is paid",
        "collection.vy",
        'assert last.gross == 0 or self._is_paid(last), "unpaid"',
        "pass",
        months.test_the_next_month_waits_until_this_one_is_paid,
    ),
    Fault(
        "a month is paid after its first batch",
        "collection.vy",
        "return month.batches != 0 and month.done == month.batches",
        "return month.batches != 0 and month.done != 0",
        months.test_the_next_month_waits_until_this_one_is_paid,
    ),
    Fault(
        "seals and vetoes for ever",
        "collection.vy",
        "self._unsealed(month, SEAL_WINDOW)",
        "self._unsealed(month, 2**128)",
        months.test_seals_and_vetoes_cannot_go_on_for_ever,
    ),
    Fault(
        "a veto after the delay",
        "collection.vy",
        'assert vetoed.payable_at != 0 and block.timestamp < vetoed.payable_at, "late"',
        'assert vetoed.payable_at != 0, "late"',
        months.test_a_veto_takes_a_seal_back_until_it_is_payable,
    ),
    Fault(
        "anybody vetoes",
        "collection.vy",
        "    roles._check_guardian()\n",
        "",
        months.test_a_veto_takes_a_seal_back_until_it_is_payable,
    ),
    Fault(
        "no delay",
        "distribution.vy",
        'assert month.payable_at != 0 and block.timestamp >= month.payable_at, "not payable"',
        'assert month.payable_at != 0, "not payable"',
        payouts.test_nothing_is_paid_before_the_delay,
    ),
    Fault(
        "anybody pays at once",
        "distribution.vy",
        "if block.timestamp < month.payable_at + CRANK_GRACE:",
        "if False:",
        payouts.test_after_seven_days_anybody_sends_what_was_published,
    ),
    Fault(
        "nobody but the operator ever pays",
        "distribution.vy",
        "if block.timestamp < month.payable_at + CRANK_GRACE:",
        "if True:",
        payouts.test_after_seven_days_anybody_sends_what_was_published,
    ),
    Fault(
        "forged words",
        "distribution.vy",
        'assert self._root(keccak256(leaf), proof) == now.root, "proof"',
        "pass",
        payouts.test_only_what_was_sealed_is_paid,
    ),
    Fault(
        "a leaf that does not say its index",
        "distribution.vy",
        "abi_encode(self, chain.id, month, index, keccak256(abi_encode(words)))",
        "abi_encode(self, chain.id, month, empty(uint256), keccak256(abi_encode(words)))",
        payouts.test_a_month_is_paid_to_the_unit,
    ),
    Fault(
        "a batch beyond the sealed number",
        "distribution.vy",
        'assert index < now.batches, "index"',
        "pass",
        payouts.test_a_batch_beyond_the_sealed_number_is_refused,
    ),
    Fault(
        "a short root is finished",
        "distribution.vy",
        'assert now.remaining == 0, "sum"',
        "pass",
        payouts.test_a_root_that_is_short_is_never_finished,
    ),
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
        "a token that is down defers everybody",
        "distribution.vy",
        'assert asset._try_send(self, 0), "token down"',
        "pass",
        hostile.test_a_token_that_is_down_defers_nobody,
    ),
    Fault(
        "balances are not compared after a batch",
        "distribution.vy",
        'assert held - left == paid and left >= accounts.liabilities, "insolvent"',
        'assert left <= held, "insolvent"',
        hostile.test_a_token_that_lies_is_found_out,
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
        "a live month is abandoned",
        "distribution.vy",
        'assert block.timestamp > since + ABANDON_DELAY, "alive"',
        "pass",
        payouts.test_a_month_that_is_not_paid_goes_back,
    ),
    Fault(
        "a paid month is abandoned",
        "distribution.vy",
        'assert not collection._is_paid(last), "paid"',
        "pass",
        payouts.test_a_paid_month_is_never_abandoned,
    ),
    Fault(
        "a charge goes back twice",
        "distribution.vy",
        "accounts.words[member] = (word & (2**192 - 1)) + back",
        "accounts.words[member] = word + back",
        payouts.test_a_month_that_is_not_paid_goes_back,
    ),
    Fault(
        "what was paid goes back as well",
        "distribution.vy",
        "refund = last.remaining + collection._commission(last.gross)",
        "refund = last.gross",
        payouts.test_a_month_that_is_not_paid_goes_back,
    ),
    Fault(
        "the commission does not go back",
        "distribution.vy",
        "refund = last.remaining + collection._commission(last.gross)",
        "refund = last.remaining",
        payouts.test_a_month_that_is_not_paid_goes_back,
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
