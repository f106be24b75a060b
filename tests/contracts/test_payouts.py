"""What a creator can rely on, and a member when nobody pays: once, exactly, or back."""

from __future__ import annotations

from tests.contracts.chain import NOBODY
from tests.contracts.records import ABANDON_DELAY, CRANK_GRACE, EXIT_DELAY, MONTH_GAP
from tests.contracts.test_members import refused
from tests.contracts.token_model import Mode
from tests.contracts.tree import Batch, Tree, word
from tests.contracts.world import (
    CREATORS,
    DELAY,
    GUARDIAN,
    MEMBERS,
    OPERATOR,
    OWNER,
    STRANGER,
    TREASURY,
    World,
)

ALICE, BOB, *_ = MEMBERS
CAROL, DAVE, *_ = CREATORS


def month_of_a_thousand(world: World, *batches: list[tuple[str, int]]) -> Tree:
    """A month of 600 and 400, sealed and payable; two batches, if none are given."""
    world.fund({ALICE: 600, BOB: 400})
    month = world.charged({ALICE: 600, BOB: 400})
    return world.sealed(month, *(batches or ([(CAROL, 500)], [(DAVE, 400)])))


def test_a_month_is_paid_to_the_unit(world: World) -> None:
    tree = month_of_a_thousand(world, [(CAROL, 501), (DAVE, 1)], [(CAROL, 398)])
    paid = [world.pay(batch) for batch in tree.batches]
    assert [receipt.reason for receipt in paid] == [None, None]
    logs = [receipt.named("BatchPaid")[0] for receipt in paid]
    assert [(log["index"], log["count"], log["paid"]) for log in logs] == [
        (0, 2, 502), (1, 1, 398)]  # fmt: skip
    assert paid[1].named("CommissionPaid") == [{"month": 1, "to": TREASURY, "amount": 100}]
    assert [world.balance(who) for who in (CAROL, DAVE, TREASURY)] == [899, 1, 100]
    assert world.vault.read("liabilities") == world.balance(world.vault.address) == 0


def test_the_commission_is_a_tenth_rounded_down_and_paid_last(world: World) -> None:
    world.fund({ALICE: 109})
    tree = world.sealed(world.charged({ALICE: 109}), [(CAROL, 90)], [(DAVE, 9)])
    assert not world.pay(tree.batches[1]).named("CommissionPaid")
    assert world.balance(TREASURY) == 0
    paid = world.pay(tree.batches[0]).named("CommissionPaid")
    assert paid == [{"month": 1, "to": TREASURY, "amount": 10}]


def test_a_batch_is_paid_once(world: World) -> None:
    tree = month_of_a_thousand(world)
    assert world.pay(tree.batches[0]).reason is None
    assert world.vault.read("is_batch_paid", 1, 0)
    assert not world.vault.read("is_batch_paid", 1, 1)
    assert world.pay(tree.batches[0]).reason == "replayed"
    assert world.balance(CAROL) == 500


def test_only_what_was_sealed_is_paid(world: World) -> None:
    first, second = month_of_a_thousand(world).batches
    more = Batch(1, 0, (word(CAROL, 501),), first.proof)
    other = Batch(1, 0, (word(STRANGER, 500),), first.proof)
    moved = Batch(1, 0, second.words, second.proof)
    unproved = Batch(1, 0, first.words, ())
    for forged in (more, other, moved, unproved):
        assert world.pay(forged).reason == "proof"
    assert world.pay(Batch(2, 0, first.words, first.proof)).reason == "not payable"


def test_nothing_is_paid_before_the_delay(world: World) -> None:
    tree = month_of_a_thousand(world)
    world.chain.wait(-1)
    assert world.pay(tree.batches[0]).reason == "not payable"
    world.chain.wait(1)
    assert world.pay(tree.batches[0]).reason is None


def test_after_seven_days_anybody_sends_what_was_published(world: World) -> None:
    tree = month_of_a_thousand(world)
    world.chain.wait(CRANK_GRACE - 1)
    assert world.pay(tree.batches[0], STRANGER).reason == "operator"
    world.chain.wait(1)
    assert [world.pay(batch, STRANGER).reason for batch in tree.batches] == [None, None]
    assert world.balance(TREASURY) == 100


def test_a_root_that_is_short_is_never_finished(world: World) -> None:
    tree = month_of_a_thousand(world, [(CAROL, 500)], [(DAVE, 399)])
    assert world.pay(tree.batches[0]).reason is None
    assert world.pay(tree.batches[1]).reason == "sum"
    assert world.balance(TREASURY) == 0


def test_a_root_that_is_over_pays_nothing_too_much(world: World) -> None:
    tree = month_of_a_thousand(world, [(CAROL, 500)], [(DAVE, 401)])
    world.vault.accept("deposit", 1000, ALICE, 0, sender=ALICE)
    assert world.pay(tree.batches[0]).reason is None
    assert world.pay(tree.batches[1]).reason == "sum"


def test_a_batch_beyond_the_sealed_number_is_refused(world: World) -> None:
    world.fund({ALICE: 1000})
    month = world.charged({ALICE: 1000})
    tree = world.plant(month, [(CAROL, 900)], [])
    world.vault.accept("seal", month, tree.root, 1, bytes(32), sender=OPERATOR)
    world.chain.wait(DELAY)
    assert world.pay(tree.batches[0]).reason is None
    assert world.pay(tree.batches[1]).reason == "index"
    world.chain.wait(ABANDON_DELAY + 1)
    refused(world, "paid", "abandon", sender=STRANGER)


def test_a_paused_vault_pays_no_batch_and_every_claim(world: World) -> None:
    tree = month_of_a_thousand(world)
    world.token.accept("set_mode", CAROL, Mode.REVERTS, sender=STRANGER)
    assert world.pay(tree.batches[0]).reason is None
    world.vault.accept("set_paused", True, sender=GUARDIAN)
    assert world.pay(tree.batches[1]).reason == "paused"
    refused(world, "blocked", "claim", CAROL, sender=STRANGER)
    world.token.accept("set_mode", CAROL, Mode.HONEST, sender=STRANGER)
    world.vault.accept("claim", CAROL, sender=STRANGER)
    refused(world, "nothing", "claim", CAROL, sender=CAROL)
    assert world.balance(CAROL) == 500


def test_what_is_owed_to_nobody_becomes_surplus(world: World) -> None:
    tree = month_of_a_thousand(world, [(NOBODY, 500), (CAROL, 1)], [(DAVE, 399)])
    assert [world.pay(batch).reason for batch in tree.batches] == [None, None]
    world.vault.accept("claim", NOBODY, sender=STRANGER)
    world.vault.accept("attribute", BOB, 500, sender=OPERATOR)
    assert world.vault.read("account", BOB)[0] == 500


def test_a_treasury_that_cannot_be_paid_claims_later(world: World) -> None:
    tree = month_of_a_thousand(world)
    world.token.accept("set_mode", TREASURY, Mode.REVERTS, sender=STRANGER)
    receipts = [world.pay(batch) for batch in tree.batches]
    assert receipts[1].named("CommissionDeferred")[0]["amount"] == 100
    world.token.accept("set_mode", TREASURY, Mode.HONEST, sender=STRANGER)
    world.vault.accept("claim", TREASURY, sender=STRANGER)
    assert world.balance(TREASURY) == 100


def test_a_month_that_is_not_paid_goes_back(world: World) -> None:
    tree = month_of_a_thousand(world, [(CAROL, 450)], [(DAVE, 450)])
    assert world.pay(tree.batches[0]).reason is None
    world.chain.wait(ABANDON_DELAY)
    refused(world, "alive", "abandon", sender=STRANGER)
    refused(world, "open", "reclaim", ALICE, sender=STRANGER)
    world.chain.wait(1)
    assert world.vault.accept("abandon", sender=STRANGER).named("Abandoned")[0]["refund"] == 550
    refused(world, "closed", "abandon", sender=STRANGER)
    assert world.pay(tree.batches[1]).reason == "closed"
    for member, back in ((ALICE, 330), (BOB, 220)):
        world.vault.accept("reclaim", member, sender=STRANGER)
        refused(world, "nothing", "reclaim", member, sender=STRANGER)
        world.vault.accept("withdraw", back, member, sender=member)
    assert world.vault.read("liabilities") == world.balance(world.vault.address) == 0


def test_a_month_that_is_never_sealed_goes_back_whole(world: World) -> None:
    world.fund({ALICE: 600, BOB: 400})
    refused(world, "empty", "abandon", sender=STRANGER)
    world.charged({ALICE: 600, BOB: 400})
    world.vault.accept("set_paused", True, sender=OWNER)
    world.chain.wait(ABANDON_DELAY + 1)
    world.vault.accept("abandon", sender=STRANGER)
    world.vault.accept("reclaim", BOB, sender=STRANGER)
    world.vault.accept("withdraw", 400, BOB, sender=BOB)
    assert world.vault.read("refund_pool") == 1000


def test_a_closed_vault_takes_no_money_and_gives_all_away(world: World) -> None:
    world.fund({ALICE: 600, BOB: 400})
    world.charged({ALICE: 600})
    world.chain.wait(ABANDON_DELAY + 1)
    world.vault.accept("abandon", sender=STRANGER)
    refused(world, "closed", "deposit", 1, ALICE, 0, sender=ALICE)
    refused(world, "closed", "open_month", sender=OPERATOR)
    world.vault.accept("set_cap", 0, sender=OWNER)
    world.token.accept("mint", world.vault.address, 7, sender=STRANGER)
    world.vault.accept("attribute", BOB, 7, sender=OPERATOR)
    world.vault.accept("withdraw", 407, BOB, sender=BOB)


def test_a_paid_month_is_never_abandoned(world: World) -> None:
    tree = month_of_a_thousand(world)
    assert [world.pay(batch).reason for batch in tree.batches] == [None, None]
    world.chain.wait(10 * ABANDON_DELAY)
    refused(world, "paid", "abandon", sender=STRANGER)
    world.vault.accept("open_month", sender=OPERATOR)


def test_a_hostile_operator_takes_one_months_pots_and_no_more(world: World) -> None:
    """What the README's table says of this key, done: everything it can, as early as it can."""
    for member in (ALICE, BOB):
        world.vault.accept("deposit", 1000, member, 100, sender=member)
    greedy = {ALICE: 2**64, BOB: 2**64}
    month = world.charged(greedy)
    refused(world, "twice", "charge", month, [word(ALICE, 1)], sender=OPERATOR)
    tree = world.plant(month, [(OPERATOR, 180)])
    world.vault.accept("seal", month, tree.root, 1, bytes(32), sender=OPERATOR)
    assert world.pay(tree.batches[0]).reason == "not payable"
    for name, arguments in (("set_role", (2, OPERATOR)), ("set_cap", (0,)), ("veto", (1,)),
                            ("sweep", (world.token.address, OPERATOR)),
                            ("attribute", (OPERATOR, 1)), ("withdraw", (1, OPERATOR))):  # fmt: skip
        assert world.vault.send(name, *arguments, sender=OPERATOR).reason is not None
    world.chain.wait(DELAY)
    assert world.pay(tree.batches[0]).reason is None
    refused(world, "early", "open_month", sender=OPERATOR)
    assert (world.balance(OPERATOR), world.balance(TREASURY)) == (180, 20)
    # everybody has seen it, and is out with all the rest before a second month can be charged
    for member in (ALICE, BOB):
        world.vault.accept("withdraw", 800, member, sender=member)
        world.vault.accept("request_exit", sender=member)
    world.chain.wait(EXIT_DELAY)
    for member in (ALICE, BOB):
        world.vault.accept("withdraw", 100, member, sender=member)
    world.chain.wait(MONTH_GAP)
    assert world.charged(greedy) == month + 1
    assert world.vault.read("months", month + 1)[1] == world.vault.read("liabilities") == 0


def test_a_hostile_operator_takes_the_surplus_too_and_nobodys_account(world: World) -> None:
    world.fund({ALICE: 100})
    world.token.accept("mint", world.vault.address, 30, sender=STRANGER)
    refused(world, "surplus", "attribute", OPERATOR, 31, sender=OPERATOR)
    world.vault.accept("attribute", OPERATOR, 30, sender=OPERATOR)
    world.vault.accept("withdraw", 30, OPERATOR, sender=OPERATOR)
    assert world.balance(world.vault.address) == world.vault.read("liabilities") == 100


def test_a_vetoed_operator_takes_nothing(world: World) -> None:
    world.fund({ALICE: 600, BOB: 400})
    month = world.charged({ALICE: 600, BOB: 400})
    tree = world.plant(month, [(OPERATOR, 900)])
    world.vault.accept("seal", month, tree.root, 1, bytes(32), sender=OPERATOR)
    world.vault.accept("veto", month, sender=GUARDIAN)
    world.vault.accept("set_role", 0, NOBODY, sender=OWNER)
    refused(world, "operator", "seal", month, tree.root, 1, bytes(32), sender=OPERATOR)
    world.chain.wait(ABANDON_DELAY + 1)
    world.vault.accept("abandon", sender=ALICE)
    for member, pot in ((ALICE, 600), (BOB, 400)):
        world.vault.accept("reclaim", member, sender=member)
        world.vault.accept("withdraw", pot, member, sender=member)
    assert world.balance(OPERATOR) == 0
