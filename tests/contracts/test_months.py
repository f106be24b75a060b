"""What the operator can take: each pot at most once in 27 days, in time, where all can see it."""

from __future__ import annotations

from tests.contracts.records import (
    CHARGE_WINDOW,
    COOLDOWN,
    DAY,
    EXIT_DELAY,
    MONTH_GAP,
    PAUSE,
    SEAL_WINDOW,
)
from tests.contracts.test_members import refused
from tests.contracts.tree import word
from tests.contracts.world import (
    CREATORS,
    DELAY,
    GUARDIAN,
    HEIR,
    MEMBERS,
    OPERATOR,
    OWNER,
    STRANGER,
    TREASURY,
    World,
)

ALICE, BOB, *_ = MEMBERS
ROOT = b"\1" * 32


def charge(world: World, month: int, member: str, amount: int) -> dict[str, int]:
    """Charge one member, and return what the event says."""
    words = [word(member, amount)]
    receipt = world.vault.accept("charge", month, words, sender=OPERATOR)
    return receipt.named("Charged")[0]


def test_a_charge_takes_at_most_the_pot(world: World) -> None:
    world.fund({ALICE: 100})
    world.vault.accept("deposit", 500, ALICE, 0, sender=ALICE)
    world.vault.accept("open_month", sender=OPERATOR)
    assert charge(world, 1, ALICE, 101)["total"] == 100
    assert world.vault.read("account", ALICE) == (500, 100, 1, 100)


def test_a_charge_takes_at_most_the_balance(world: World) -> None:
    world.fund({BOB: 1000})
    world.vault.accept("deposit", 60, ALICE, 100, sender=ALICE)
    world.vault.accept("open_month", sender=OPERATOR)
    words = [word(ALICE, 80), word(BOB, 1000)]
    receipt = world.vault.accept("charge", 1, words, sender=OPERATOR)
    short = {"month": 1, "member": ALICE, "wanted": 80, "got": 60}
    assert receipt.named("ChargeShort") == [short]
    assert receipt.named("Charged") == [{"month": 1, "members": 2, "total": 1060}]
    assert world.vault.read("months", 1)[1] == 1060


def test_a_member_is_charged_once_a_month(world: World) -> None:
    world.fund({ALICE: 100})
    world.vault.accept("open_month", sender=OPERATOR)
    charge(world, 1, ALICE, 10)
    refused(world, "twice", "charge", 1, [word(ALICE, 10)], sender=OPERATOR)
    refused(world, "twice", "charge", 1, [word(BOB, 1), word(BOB, 1)], sender=OPERATOR)


def test_only_the_operator_opens_charges_and_seals(world: World) -> None:
    world.fund({ALICE: 100})
    refused(world, "operator", "open_month", sender=OWNER)
    world.vault.accept("open_month", sender=OPERATOR)
    refused(world, "operator", "charge", 1, [word(ALICE, 1)], sender=STRANGER)
    charge(world, 1, ALICE, 100)
    refused(world, "operator", "seal", 1, ROOT, 1, ROOT, sender=ALICE)


def test_no_month_but_the_newest_is_charged(world: World) -> None:
    world.fund({ALICE: 100})
    refused(world, "month", "charge", 0, [word(ALICE, 1)], sender=OPERATOR)
    world.vault.accept("open_month", sender=OPERATOR)
    refused(world, "month", "charge", 2, [word(ALICE, 1)], sender=OPERATOR)
    world.chain.wait(MONTH_GAP)
    world.vault.accept("open_month", sender=OPERATOR)
    refused(world, "month", "charge", 1, [word(ALICE, 1)], sender=OPERATOR)


def test_months_are_27_days_apart(world: World) -> None:
    world.vault.accept("open_month", sender=OPERATOR)
    world.chain.wait(MONTH_GAP - 1)
    refused(world, "early", "open_month", sender=OPERATOR)
    world.chain.wait(1)
    world.vault.accept("open_month", sender=OPERATOR)


def test_the_next_month_waits_until_this_one_is_paid(world: World) -> None:
    world.fund({ALICE: 100})
    month = world.charged({ALICE: 100})
    world.chain.wait(MONTH_GAP)
    refused(world, "unpaid", "open_month", sender=OPERATOR)
    tree = world.sealed(month, [(CREATORS[0], 50)], [(CREATORS[1], 40)])
    assert world.pay(tree.batches[0]).reason is None
    refused(world, "unpaid", "open_month", sender=OPERATOR)
    assert world.pay(tree.batches[1]).reason is None
    world.vault.accept("open_month", sender=OPERATOR)


def test_during_an_exit_at_most_one_more_pot_is_taken(world: World) -> None:
    world.vault.accept("deposit", 200, ALICE, 100, sender=ALICE)
    world.vault.accept("open_month", sender=OPERATOR)
    world.chain.wait(CHARGE_WINDOW)
    world.vault.accept("request_exit", sender=ALICE)
    charge(world, 1, ALICE, 100)
    tree = world.sealed(1, [(CREATORS[0], 90)])
    assert world.pay(tree.batches[0]).reason is None
    world.chain.wait(EXIT_DELAY - DELAY)
    refused(world, "early", "open_month", sender=OPERATOR)
    world.vault.accept("withdraw", 100, ALICE, sender=ALICE)


def test_a_month_is_charged_for_twelve_days(world: World) -> None:
    world.fund({ALICE: 100, BOB: 100})
    world.vault.accept("open_month", sender=OPERATOR)
    world.chain.wait(CHARGE_WINDOW)
    charge(world, 1, ALICE, 100)
    world.chain.wait(1)
    refused(world, "late", "charge", 1, [word(BOB, 1)], sender=OPERATOR)


def test_a_sealed_month_takes_nothing_more(world: World) -> None:
    world.fund({ALICE: 100, BOB: 100})
    world.charged({ALICE: 100})
    world.vault.accept("seal", 1, ROOT, 1, ROOT, sender=OPERATOR)
    refused(world, "sealed", "charge", 1, [word(BOB, 1)], sender=OPERATOR)
    refused(world, "sealed", "seal", 1, ROOT, 1, ROOT, sender=OPERATOR)


def test_an_empty_month_is_not_sealed(world: World) -> None:
    world.fund({ALICE: 100})
    world.vault.accept("open_month", sender=OPERATOR)
    refused(world, "empty", "seal", 1, ROOT, 1, ROOT, sender=OPERATOR)
    charge(world, 1, ALICE, 100)
    refused(world, "empty", "seal", 1, bytes(32), 1, ROOT, sender=OPERATOR)
    refused(world, "empty", "seal", 1, ROOT, 0, ROOT, sender=OPERATOR)
    refused(world, "batches", "seal", 1, ROOT, 2**16 + 1, ROOT, sender=OPERATOR)


def test_the_seal_says_what_the_commission_will_be(world: World) -> None:
    world.fund({ALICE: 109})
    world.charged({ALICE: 109})
    receipt = world.vault.accept("seal", 1, ROOT, 1, b"\2" * 32, sender=OPERATOR)
    (sealed,) = receipt.named("MonthSealed")
    assert (sealed["gross"], sealed["commission"], sealed["data_hash"]) == (109, 10, b"\2" * 32)
    assert sealed["payable_at"] == world.chain.now + DELAY
    assert world.vault.read("months", 1)[2] == 99


def test_a_veto_takes_a_seal_back_until_it_is_payable(world: World) -> None:
    world.fund({ALICE: 100, BOB: 100})
    world.charged({ALICE: 100})
    world.vault.accept("seal", 1, ROOT, 1, ROOT, sender=OPERATOR)
    for sender in (OPERATOR, STRANGER):
        refused(world, "guardian", "veto", 1, sender=sender)
    world.chain.wait(DELAY - 1)
    world.vault.accept("veto", 1, sender=GUARDIAN)
    refused(world, "late", "veto", 1, sender=GUARDIAN)
    charge(world, 1, BOB, 50)
    world.vault.accept("seal", 1, ROOT, 1, ROOT, sender=OPERATOR)
    assert world.vault.read("months", 1)[2] == 135
    world.chain.wait(DELAY)
    refused(world, "late", "veto", 1, sender=OWNER)


def test_seals_and_vetoes_cannot_go_on_for_ever(world: World) -> None:
    world.fund({ALICE: 100})
    world.charged({ALICE: 100})
    world.chain.wait(SEAL_WINDOW)
    world.vault.accept("seal", 1, ROOT, 1, ROOT, sender=OPERATOR)
    world.chain.wait(1)
    world.vault.accept("veto", 1, sender=GUARDIAN)
    refused(world, "late", "seal", 1, ROOT, 1, ROOT, sender=OPERATOR)
    world.vault.accept("abandon", sender=STRANGER)


def test_a_paused_vault_neither_charges_nor_seals(world: World) -> None:
    world.fund({ALICE: 100})
    world.vault.accept("open_month", sender=OPERATOR)
    world.vault.accept("set_paused", True, sender=GUARDIAN)
    refused(world, "paused", "charge", 1, [word(ALICE, 1)], sender=OPERATOR)
    refused(world, "paused", "seal", 1, ROOT, 1, ROOT, sender=OPERATOR)
    refused(world, "paused", "open_month", sender=OPERATOR)


def test_the_guardian_cannot_chain_pauses(world: World) -> None:
    refused(world, "guardian", "set_paused", True, sender=OPERATOR)
    world.vault.accept("set_paused", True, sender=GUARDIAN)
    refused(world, "guardian", "set_paused", False, sender=GUARDIAN)
    world.chain.wait(PAUSE + COOLDOWN - 1)
    refused(world, "cooldown", "set_paused", True, sender=GUARDIAN)
    world.chain.wait(1)
    world.vault.accept("set_paused", True, sender=GUARDIAN)
    world.vault.accept("set_paused", False, sender=OWNER)
    world.vault.accept("deposit", 1, ALICE, 0, sender=ALICE)


def test_the_ownership_passes_in_two_steps(world: World) -> None:
    refused(world, "owner", "transfer_ownership", STRANGER, sender=STRANGER)
    world.vault.accept("transfer_ownership", HEIR, sender=OWNER)
    refused(world, "pending", "accept_ownership", sender=STRANGER)
    assert world.vault.read("owner") == OWNER
    world.vault.accept("accept_ownership", sender=HEIR)
    refused(world, "pending", "accept_ownership", sender=HEIR)
    refused(world, "owner", "set_cap", 1, sender=OWNER)
    world.vault.accept("set_cap", 1, sender=HEIR)


def test_only_the_owner_names_the_keys(world: World) -> None:
    for role in (0, 1, 2):
        refused(world, "owner", "set_role", role, HEIR, sender=OPERATOR)
        world.vault.accept("set_role", role, HEIR, sender=OWNER)
    named = [world.vault.read(name) for name in ("operator", "guardian", "treasury")]
    assert named == [HEIR] * 3
    refused(world, "role", "set_role", 3, TREASURY, sender=OWNER)
    refused(world, "treasury", "set_role", 2, world.vault.address, sender=OWNER)
    world.chain.wait(DAY)
