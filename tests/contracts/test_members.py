"""What a member can rely on: the pot is a limit, the rest is free, and nothing holds it back."""

from __future__ import annotations

from tests.contracts.chain import NOBODY
from tests.contracts.records import CAP_MAX, DAY, EXIT_DELAY
from tests.contracts.token_model import Mode
from tests.contracts.world import (
    GUARDIAN,
    MEMBERS,
    OPERATOR,
    OWNER,
    STRANGER,
    World,
)

ALICE, BOB, *_ = MEMBERS


def refused(world: World, reason: str, name: str, *arguments: object, sender: str) -> None:
    """The vault must refuse, for this reason."""
    assert world.vault.send(name, *arguments, sender=sender).reason == reason


def test_a_deposit_is_credited_with_what_arrived(world: World) -> None:
    world.token.accept("set_mode", world.vault.address, Mode.KEEPS_A_FEE, sender=STRANGER)
    world.vault.accept("deposit", 1000, ALICE, 500, sender=ALICE)
    assert world.vault.read("account", ALICE) == (990, 500, 0, 0)
    assert world.vault.read("liabilities") == world.balance(world.vault.address) == 990


def test_a_deposit_that_does_not_arrive_is_refused(world: World) -> None:
    world.token.accept("set_mode", world.vault.address, Mode.LIES, sender=STRANGER)
    refused(world, "nothing", "deposit", 1000, ALICE, 0, sender=ALICE)
    world.token.accept("set_mode", world.vault.address, Mode.SAYS_FALSE, sender=STRANGER)
    refused(world, "refused", "deposit", 1000, ALICE, 0, sender=ALICE)


def test_anybody_may_pay_in_for_me_but_only_i_set_my_pot(world: World) -> None:
    world.vault.accept("deposit", 10, ALICE, 0, sender=BOB)
    refused(world, "pot", "deposit", 10, ALICE, 10, sender=BOB)
    assert world.vault.read("account", ALICE) == (10, 0, 0, 0)


def test_a_deposit_never_lowers_a_pot(world: World) -> None:
    world.fund({ALICE: 100})
    world.vault.accept("deposit", 10, ALICE, 50, sender=ALICE)
    assert world.vault.read("account", ALICE) == (110, 100, 0, 0)


def test_nobody_and_the_vault_have_no_account(world: World) -> None:
    for who in (NOBODY, world.vault.address):
        refused(world, "member", "deposit", 10, who, 0, sender=ALICE)


def test_a_pot_goes_down_only_after_an_exit(world: World) -> None:
    world.fund({ALICE: 100})
    refused(world, "exit first", "set_pot", 99, sender=ALICE)
    world.vault.accept("request_exit", sender=ALICE)
    world.chain.wait(EXIT_DELAY - 1)
    refused(world, "exit first", "set_pot", 99, sender=ALICE)
    world.chain.wait(1)
    world.vault.accept("set_pot", 99, sender=ALICE)
    refused(world, "exit first", "set_pot", 98, sender=ALICE)


def test_money_above_the_pot_leaves_at_any_time(world: World) -> None:
    world.fund({ALICE: 100})
    world.vault.accept("deposit", 50, ALICE, 0, sender=ALICE)
    world.vault.accept("set_paused", True, sender=GUARDIAN)
    refused(world, "locked", "withdraw", 51, ALICE, sender=ALICE)
    before = world.balance(BOB)
    world.vault.accept("withdraw", 50, BOB, sender=ALICE)
    assert world.balance(BOB) == before + 50
    assert world.vault.read("liabilities") == 100


def test_an_exit_frees_everything_after_fourteen_days(world: World) -> None:
    world.fund({ALICE: 100})
    world.vault.accept("request_exit", sender=ALICE)
    world.chain.wait(EXIT_DELAY - 1)
    refused(world, "locked", "withdraw", 1, ALICE, sender=ALICE)
    world.chain.wait(1)
    assert world.vault.read("free", ALICE) == 100
    world.vault.accept("withdraw", 100, ALICE, sender=ALICE)


def test_a_raised_pot_ends_an_exit(world: World) -> None:
    world.fund({ALICE: 100})
    world.vault.accept("request_exit", sender=ALICE)
    world.vault.accept("deposit", 1, ALICE, 101, sender=ALICE)
    world.chain.wait(EXIT_DELAY)
    assert world.vault.read("exit_at", ALICE) == world.vault.read("free", ALICE) == 0


def test_what_did_not_leave_is_not_taken_from_an_account(world: World) -> None:
    world.vault.accept("deposit", 100, ALICE, 0, sender=ALICE)
    for mode, reason in ((Mode.LIES, "moved"), (Mode.TAKES_MORE, "moved"),
                         (Mode.SAYS_FALSE, "refused"), (Mode.REVERTS, "blocked")):  # fmt: skip
        world.token.accept("mint", world.vault.address, 1, sender=STRANGER)
        world.token.accept("set_mode", BOB, mode, sender=STRANGER)
        refused(world, reason, "withdraw", 100, BOB, sender=ALICE)
    assert world.vault.read("free", ALICE) == 100


def test_money_is_not_withdrawn_to_nobody(world: World) -> None:
    world.vault.accept("deposit", 100, ALICE, 0, sender=ALICE)
    refused(world, "to", "withdraw", 1, NOBODY, sender=ALICE)
    refused(world, "to", "withdraw", 1, world.vault.address, sender=ALICE)
    refused(world, "nothing", "withdraw", 0, ALICE, sender=ALICE)


def test_a_cap_holds_deposits_back_and_nothing_else(world: World) -> None:
    world.vault.accept("deposit", 100, ALICE, 0, sender=ALICE)
    world.vault.accept("set_cap", 150, sender=OWNER)
    refused(world, "cap", "deposit", 51, BOB, 0, sender=BOB)
    world.vault.accept("deposit", 50, BOB, 0, sender=BOB)
    world.vault.accept("set_cap", 0, sender=OWNER)
    world.vault.accept("withdraw", 100, ALICE, sender=ALICE)
    refused(world, "cap", "set_cap", CAP_MAX + 1, sender=OWNER)


def test_a_plain_transfer_is_given_to_the_member_who_made_it(world: World) -> None:
    world.fund({BOB: 100})
    world.token.accept("transfer", world.vault.address, 70, sender=ALICE)
    refused(world, "surplus", "attribute", ALICE, 71, sender=OPERATOR)
    refused(world, "operator", "attribute", ALICE, 70, sender=ALICE)
    world.vault.accept("set_paused", True, sender=OWNER)
    world.vault.accept("attribute", ALICE, 70, sender=OPERATOR)
    assert world.vault.read("free", ALICE) == 70
    refused(world, "surplus", "attribute", ALICE, 1, sender=OPERATOR)


def test_a_foreign_token_is_swept_and_the_asset_never(world: World) -> None:
    world.fund({ALICE: 100})
    world.foreign.accept("mint", world.vault.address, 9, sender=STRANGER)
    refused(world, "asset", "sweep", world.token.address, OWNER, sender=OWNER)
    refused(world, "owner", "sweep", world.foreign.address, STRANGER, sender=STRANGER)
    world.vault.accept("sweep", world.foreign.address, OWNER, sender=OWNER)
    assert world.foreign.read("balanceOf", OWNER) == 9


def test_a_second_address_of_the_asset_is_not_swept(world: World) -> None:
    """A foreign contract whose transfer moves the vault's own asset, as old proxies can."""
    world.fund({ALICE: 100})
    drain = world.token.data("burn_of", world.vault.address, 100)
    world.foreign.accept("set_attack", world.token.address, drain, sender=STRANGER)
    world.foreign.accept("set_mode", OWNER, Mode.REENTERS, sender=STRANGER)
    world.foreign.accept("mint", world.vault.address, 9, sender=STRANGER)
    refused(world, "moved", "sweep", world.foreign.address, OWNER, sender=OWNER)
    world.vault.accept("sweep", world.foreign.address, STRANGER, sender=OWNER)


def test_a_pause_ends_by_itself(world: World) -> None:
    world.vault.accept("set_paused", True, sender=GUARDIAN)
    world.chain.wait(14 * DAY - 1)
    refused(world, "paused", "deposit", 1, ALICE, 0, sender=ALICE)
    world.chain.wait(1)
    world.vault.accept("deposit", 1, ALICE, 0, sender=ALICE)
