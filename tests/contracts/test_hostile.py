"""A token or a recipient that misbehaves costs nobody else anything, and is never paid twice."""

from __future__ import annotations

import pytest

from tests.contracts.token_model import Mode
from tests.contracts.tree import Tree
from tests.contracts.world import CREATORS, MEMBERS, STRANGER, TREASURY, World

ALICE, BOB, *_ = MEMBERS
FIVE = CREATORS[:5]
THIRD = FIVE[2]
OTHERS = [creator for creator in FIVE if creator != THIRD]


def five_creators(world: World, mode: Mode) -> Tree:
    """A month of five creators with 180 each, the middle one hostile; payable."""
    world.fund({ALICE: 1000})
    tree = world.sealed(world.charged({ALICE: 1000}), [(creator, 180) for creator in FIVE])
    world.token.accept("set_mode", THIRD, mode, sender=STRANGER)
    return tree


def solvent(world: World) -> bool:
    """Whether what is owed is there, and nothing else."""
    return bool(world.vault.read("liabilities") == world.balance(world.vault.address))


@pytest.mark.parametrize(
    "mode", [Mode.REVERTS, Mode.SAYS_FALSE, Mode.BURNS_GAS, Mode.BOMBS, Mode.BOMBS_AND_REVERTS]
)
def test_who_cannot_be_paid_can_claim_and_the_others_are_paid(world: World, mode: Mode) -> None:
    deferred_and_the_rest_paid(world, mode)


def deferred_and_the_rest_paid(world: World, mode: Mode) -> None:
    """The third creator gets a claimable, and everybody else the money."""
    tree = five_creators(world, mode)
    receipt = world.pay(tree.batches[0])
    assert receipt.reason is None
    assert receipt.named("PaymentDeferred") == [{"month": 1, "to": THIRD, "amount": 180}]
    assert [world.balance(creator) for creator in OTHERS] == [180] * 4
    assert (world.balance(THIRD), world.vault.read("claimable", THIRD)) == (0, 180)
    assert world.balance(TREASURY) == 100
    assert solvent(world)
    world.token.accept("set_mode", THIRD, Mode.HONEST, sender=STRANGER)
    world.vault.accept("claim", THIRD, sender=STRANGER)
    assert (world.balance(THIRD), world.vault.read("liabilities")) == (180, 0)


def test_a_token_that_says_false_has_not_paid(world: World) -> None:
    deferred_and_the_rest_paid(world, Mode.SAYS_FALSE)


def test_one_blocked_creator_does_not_stop_the_batch(world: World) -> None:
    deferred_and_the_rest_paid(world, Mode.REVERTS)


def test_a_recipient_burns_its_own_gas_only(world: World) -> None:
    tree = five_creators(world, Mode.BURNS_GAS)
    receipt = world.pay(tree.batches[0])
    assert receipt.reason is None
    assert receipt.gas < 700_000


def test_a_token_that_answers_nothing_is_believed(world: World) -> None:
    tree = five_creators(world, Mode.SAYS_NOTHING)
    assert world.pay(tree.batches[0]).reason is None
    assert (world.balance(THIRD), world.vault.read("claimable", THIRD)) == (180, 0)


@pytest.mark.parametrize("mode", [Mode.LIES, Mode.SAYS_TWO, Mode.SAYS_ONE_BYTE, Mode.TAKES_MORE])
def test_a_batch_that_does_not_add_up_is_refused(world: World, mode: Mode) -> None:
    refused_whole(world, mode)


def refused_whole(world: World, mode: Mode) -> None:
    """Nothing is paid, nothing is booked, and it can be paid later."""
    tree = five_creators(world, mode)
    assert world.pay(tree.batches[0]).reason == "insolvent"
    assert [world.balance(creator) for creator in FIVE] == [0] * 5
    assert world.vault.read("liabilities") == world.balance(world.vault.address) == 1000
    world.token.accept("set_mode", THIRD, Mode.HONEST, sender=STRANGER)
    assert world.pay(tree.batches[0]).reason is None


def test_a_token_that_lies_is_found_out(world: World) -> None:
    refused_whole(world, Mode.LIES)


def test_an_odd_answer_is_not_a_payment(world: World) -> None:
    refused_whole(world, Mode.SAYS_TWO)


def test_a_lie_about_an_odd_answer_is_not_booked(world: World) -> None:
    """Who was given 2 for an answer has moved the money, so it is in neither place twice."""
    tree = five_creators(world, Mode.SAYS_TWO)
    assert world.pay(tree.batches[0]).reason == "insolvent"
    world.token.accept("set_mode", THIRD, Mode.SAYS_ONE_BYTE, sender=STRANGER)
    assert world.pay(tree.batches[0]).reason == "insolvent"


def test_a_fee_is_the_recipients_and_the_books_are_exact(world: World) -> None:
    tree = five_creators(world, Mode.KEEPS_A_FEE)
    assert world.pay(tree.batches[0]).reason is None
    assert world.balance(THIRD) == 179
    assert solvent(world)


def test_nobody_gets_in_while_a_batch_is_paid(world: World) -> None:
    world.fund({ALICE: 2000})
    month = world.charged({ALICE: 1000})
    tree = world.sealed(month, [(FIVE[0], 100)], [(THIRD, 100), (FIVE[1], 700)])
    world.token.accept("set_mode", FIVE[0], Mode.REVERTS, sender=STRANGER)
    assert world.pay(tree.batches[0]).reason is None
    world.token.accept("set_mode", FIVE[0], Mode.HONEST, sender=STRANGER)
    attacks = [
        world.vault.data("claim", FIVE[0]),
        world.vault.data("request_exit"),
        world.vault.data("abandon"),
        world.vault.data("account", ALICE),
        world.vault.data("owner"),
        world.vault.data("month"),
        world.vault.data("is_batch_paid", 1, 1),
    ]
    world.token.accept("set_mode", THIRD, Mode.REENTERS, sender=STRANGER)
    for attack in attacks:
        with world.chain.undone():
            world.token.accept("set_attack", world.vault.address, attack, sender=STRANGER)
            assert world.pay(tree.batches[1]).reason is None
            assert not world.token.read("succeeded"), attack[:4].hex()


def test_nobody_gets_in_while_a_claim_is_delivered(world: World) -> None:
    tree = five_creators(world, Mode.REVERTS)
    assert world.pay(tree.batches[0]).reason is None
    world.token.accept("set_mode", THIRD, Mode.REENTERS, sender=STRANGER)
    for attack in (world.vault.data("claim", THIRD), world.vault.data("liabilities")):
        with world.chain.undone():
            world.token.accept("set_attack", world.vault.address, attack, sender=STRANGER)
            world.vault.accept("claim", THIRD, sender=STRANGER)
            assert not world.token.read("succeeded")
            assert world.balance(THIRD) == 180


def test_a_token_that_is_down_defers_nobody(world: World) -> None:
    tree = five_creators(world, Mode.HONEST)
    world.token.accept("set_down", True, sender=STRANGER)
    assert world.pay(tree.batches[0]).reason == "token down"
    assert world.vault.read("claimable", THIRD) == 0
    world.token.accept("set_down", False, sender=STRANGER)
    assert world.pay(tree.batches[0]).reason is None


def test_a_lack_of_gas_is_nobodys_refusal(world: World) -> None:
    """Whatever gas the caller gives: all five are paid, or nothing has happened."""
    tree = five_creators(world, Mode.HONEST)
    arguments = tree.batches[0].arguments
    world.chain.wait(30 * 86400)
    for gas in range(60_000, 700_000, 20_000):
        with world.chain.undone():
            receipt = world.vault.send("pay_batch", *arguments, sender=STRANGER, gas=gas)
            paid = [world.balance(creator) for creator in FIVE]
            assert paid == ([0] * 5 if receipt.reason is not None else [180] * 5), gas


def test_too_little_gas_is_refused_by_name(world: World) -> None:
    tree = five_creators(world, Mode.HONEST)
    arguments = tree.batches[0].arguments
    receipt = world.vault.send("pay_batch", *arguments, sender=BOB, gas=330_000)
    assert receipt.reason == "operator"
    world.chain.wait(30 * 86400)
    receipt = world.vault.send("pay_batch", *arguments, sender=BOB, gas=330_000)
    assert receipt.reason == "gas"
