"""The vault on a dollar with Circle's rules, behind a proxy: signatures, blocks and pauses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from eth_abi import encode
from eth_account import Account
from eth_utils import keccak, to_checksum_address

from tests.contracts.chain import Chain, Contract, solidity_artifact, vyper_artifact
from tests.contracts.tree import Tree, plant, word
from tests.contracts.world import (
    CHAIN_ID,
    DELAY,
    GUARDIAN,
    OPERATOR,
    OWNER,
    STRANGER,
    TREASURY,
)

ISSUER = to_checksum_address("0x" + "15" * 20)
ALICE = Account.from_key(keccak(text="alice"))
THIEF = Account.from_key(keccak(text="thief"))
SALT = b"\7" * 32
UNIT = 10**6
HUNDRED = tuple(to_checksum_address((0xD000 + n).to_bytes(20, "big")) for n in range(100))
BLOCKED = HUNDRED[42]


@dataclass(frozen=True, slots=True)
class Bank:
    """A dollar behind a proxy, and a vault for it."""

    chain: Chain
    dollar: Contract
    vault: Contract

    def sign(self, name: str, fields: str, **values: Any) -> Any:
        """Alice's signature over a message of the dollar's (EIP-712)."""
        names = [field.split() for field in fields.split(", ")]
        domain = {"name": "Test Dollar", "version": "2", "chainId": CHAIN_ID,
                  "verifyingContract": self.dollar.address}  # fmt: skip
        types = {name: [{"type": kind, "name": field} for kind, field in names]}
        return Account.sign_typed_data(ALICE.key, domain, types, values)

    def authorize(self, payer: str, amount: int, member: str, pot: int) -> bytes:
        """Alice's signature for a deposit of the payer into the member's account."""
        nonce = keccak(encode(["address", "uint64", "bytes32"], [member, pot, SALT]))
        fields = ("address from, address to, uint256 value, uint256 validAfter, "
                  "uint256 validBefore, bytes32 nonce")  # fmt: skip
        signed = self.sign(
            "ReceiveWithAuthorization", fields, to=self.vault.address, value=amount,
            validAfter=0, validBefore=self.chain.now + 3600, nonce=nonce, **{"from": payer},
        )  # fmt: skip
        return bytes(signed.signature)

    def relay(self, payer: str, amount: int, member: str, pot: int, signature: bytes) -> str | None:
        """A stranger brings the signature; the reason for which the vault refuses."""
        arguments = (payer, amount, 0, self.chain.now + 3600, SALT, member, pot, signature)
        return self.vault.send("deposit_with_authorization", *arguments, sender=STRANGER).reason

    def month_of_a_hundred(self) -> Tree:
        """A month of a hundred creators with 9 dollars each, payable."""
        gross = 1000 * UNIT
        self.dollar.accept("mint", ALICE.address, gross, sender=STRANGER)
        self.dollar.accept("approve", self.vault.address, gross, sender=ALICE.address)
        arguments = (gross, ALICE.address, gross)
        self.vault.accept("deposit", *arguments, sender=ALICE.address)
        self.vault.accept("open_month", sender=OPERATOR)
        self.vault.accept("charge", 1, [word(ALICE.address, gross)], sender=OPERATOR)
        words = [word(creator, 9 * UNIT) for creator in HUNDRED]
        tree = plant(self.vault.address, CHAIN_ID, 1, [words])
        self.vault.accept("seal", 1, tree.root, 1, bytes(32), sender=OPERATOR)
        self.chain.wait(DELAY)
        return tree


@pytest.fixture
def bank() -> Bank:
    """Deployed anew for each test."""
    chain = Chain()
    code = chain.deploy(vyper_artifact("test/TestDollar"), ISSUER, sender=ISSUER)
    behind = chain.deploy(solidity_artifact("Proxy"), code.address, OWNER, sender=ISSUER)
    dollar = Contract(chain, behind.address, code.abi)
    roles = (OWNER, OPERATOR, GUARDIAN, TREASURY)
    artifact = vyper_artifact("PayoutVault")
    vault = chain.deploy(artifact, dollar.address, *roles, DELAY, sender=OWNER)
    dollar.accept("mint", ALICE.address, 100 * UNIT, sender=STRANGER)
    return Bank(chain, dollar, vault)


def test_a_blocked_creator_in_a_batch_of_100_claims_after_being_cleared(bank: Bank) -> None:
    tree = bank.month_of_a_hundred()
    bank.dollar.accept("set_blocked", BLOCKED, True, sender=ISSUER)
    receipt = bank.vault.accept("pay_batch", *tree.batches[0].arguments, sender=OPERATOR)
    paid = {"month": 1, "index": 0, "count": 100, "paid": 891 * UNIT, "deferred": 9 * UNIT}
    assert receipt.named("BatchPaid") == [paid]
    assert [bank.dollar.read("balanceOf", creator) for creator in HUNDRED].count(9 * UNIT) == 99
    assert bank.vault.read("claimable", BLOCKED) == 9 * UNIT
    assert bank.vault.send("claim", BLOCKED, sender=STRANGER).reason == "blocked"
    bank.dollar.accept("set_blocked", BLOCKED, False, sender=ISSUER)
    bank.vault.accept("claim", BLOCKED, sender=STRANGER)
    assert bank.dollar.read("balanceOf", BLOCKED) == 9 * UNIT
    assert bank.dollar.read("balanceOf", TREASURY) == 100 * UNIT
    assert bank.vault.read("liabilities") == 0


@pytest.mark.parametrize("cause", ["the token is paused", "the vault is blocked"])
def test_a_batch_waits_for_a_token_that_pays_nobody(bank: Bank, cause: str) -> None:
    tree = bank.month_of_a_hundred()
    name, *who = {"the token is paused": ("set_paused",),
                  "the vault is blocked": ("set_blocked", bank.vault.address)}[cause]  # fmt: skip
    bank.dollar.accept(name, *who, True, sender=ISSUER)
    arguments = tree.batches[0].arguments
    assert bank.vault.send("pay_batch", *arguments, sender=OPERATOR).reason == "token down"
    assert not bank.vault.read("is_batch_paid", 1, 0)
    assert bank.vault.read("claimable", HUNDRED[0]) == 0
    bank.dollar.accept(name, *who, False, sender=ISSUER)
    bank.vault.accept("pay_batch", *arguments, sender=OPERATOR)
    assert bank.dollar.read("balanceOf", HUNDRED[0]) == 9 * UNIT


def test_a_blocked_member_neither_pays_in_nor_is_lost(bank: Bank) -> None:
    member = ALICE.address
    bank.dollar.accept("approve", bank.vault.address, 100 * UNIT, sender=member)
    bank.vault.accept("deposit", 50 * UNIT, member, 0, sender=member)
    bank.dollar.accept("set_blocked", member, True, sender=ISSUER)
    assert bank.vault.send("deposit", 1, member, 0, sender=member).reason == "blocked"
    assert bank.vault.send("withdraw", 1, member, sender=member).reason == "blocked"
    bank.vault.accept("withdraw", 50 * UNIT, STRANGER, sender=member)
    assert bank.dollar.read("balanceOf", STRANGER) == 50 * UNIT


def test_a_deposit_by_signature_needs_no_gas_of_the_payer(bank: Bank) -> None:
    signature = bank.authorize(ALICE.address, 5 * UNIT, ALICE.address, 3 * UNIT)
    arguments = (ALICE.address, 5 * UNIT, ALICE.address, 3 * UNIT, signature)
    assert bank.relay(*arguments) is None
    assert bank.vault.read("account", ALICE.address)[:2] == (5 * UNIT, 3 * UNIT)
    assert bank.relay(*arguments) == "used"


def test_who_brings_a_signature_can_change_neither_member_nor_pot(bank: Bank) -> None:
    payer = ALICE.address
    signature = bank.authorize(payer, 5 * UNIT, payer, 3 * UNIT)
    assert bank.relay(payer, 5 * UNIT, THIEF.address, 3 * UNIT, signature) == "signature"
    assert bank.relay(payer, 5 * UNIT, payer, 5 * UNIT, signature) == "signature"
    assert bank.relay(payer, 6 * UNIT, payer, 3 * UNIT, signature) == "signature"
    assert bank.relay(THIEF.address, 5 * UNIT, payer, 0, signature) == "signature"
    assert bank.relay(payer, 5 * UNIT, payer, 3 * UNIT, signature[:64]) == "signature"


def test_a_signature_for_somebody_else_sets_no_pot(bank: Bank) -> None:
    signature = bank.authorize(ALICE.address, 5 * UNIT, THIEF.address, 1)
    assert bank.relay(ALICE.address, 5 * UNIT, THIEF.address, 1, signature) == "pot"


def test_a_contract_wallet_deposits_by_signature_too(bank: Bank) -> None:
    made = bank.chain.deploy(solidity_artifact("Wallet"), ALICE.address, sender=STRANGER)
    bank.dollar.accept("mint", made.address, 9 * UNIT, sender=STRANGER)
    signature = bank.authorize(made.address, 9 * UNIT, made.address, 9 * UNIT)
    forged = signature[:-1] + bytes([signature[-1] ^ 1])
    arguments = (made.address, 9 * UNIT, made.address, 9 * UNIT)
    assert bank.relay(*arguments, forged) == "signature"
    assert bank.relay(*arguments, signature) is None
    assert bank.vault.read("account", made.address)[:2] == (9 * UNIT, 9 * UNIT)


def permit(bank: Bank, amount: int) -> tuple[int, int, bytes, bytes]:
    """Alice's permit for the vault: deadline, v, r, s."""
    deadline = bank.chain.now + 3600
    fields = ("address owner, address spender, uint256 value, uint256 nonce, "
              "uint256 deadline")  # fmt: skip
    signed = bank.sign("Permit", fields, owner=ALICE.address, spender=bank.vault.address,
                       value=amount, nonce=0, deadline=deadline)  # fmt: skip
    return deadline, signed.v, signed.r.to_bytes(32, "big"), signed.s.to_bytes(32, "big")


def test_a_deposit_with_a_permit_is_one_transaction(bank: Bank) -> None:
    arguments = (7 * UNIT, ALICE.address, 2 * UNIT, *permit(bank, 7 * UNIT))
    bank.vault.accept("deposit_with_permit", *arguments, sender=ALICE.address)
    assert bank.vault.read("account", ALICE.address)[:2] == (7 * UNIT, 2 * UNIT)


def test_a_permit_that_somebody_has_used_first_stops_nothing(bank: Bank) -> None:
    signed = permit(bank, 7 * UNIT)
    owner_and_spender = (ALICE.address, bank.vault.address, 7 * UNIT)
    bank.dollar.accept("permit", *owner_and_spender, *signed, sender=STRANGER)
    arguments = (7 * UNIT, ALICE.address, 0, *signed)
    bank.vault.accept("deposit_with_permit", *arguments, sender=ALICE.address)
    assert bank.vault.read("free", ALICE.address) == 7 * UNIT


def test_a_permit_is_of_no_use_to_a_thief(bank: Bank) -> None:
    arguments = (7 * UNIT, THIEF.address, 0, *permit(bank, 7 * UNIT))
    stolen = bank.vault.send("deposit_with_permit", *arguments, sender=THIEF.address)
    assert stolen.reason == "allowance"
    assert bank.dollar.read("balanceOf", ALICE.address) == 100 * UNIT


def test_a_vault_is_not_made_of_what_is_no_token_or_has_no_keys(bank: Bank) -> None:
    nobody = "0x" + "00" * 20
    roles = (OWNER, OPERATOR, GUARDIAN, TREASURY)
    artifact = vyper_artifact("PayoutVault")
    for reason, arguments in (
        ("asset", (STRANGER, *roles, DELAY)),
        ("owner", (bank.dollar.address, nobody, *roles[1:], DELAY)),
        ("operator", (bank.dollar.address, OWNER, nobody, *roles[2:], DELAY)),
        ("treasury", (bank.dollar.address, *roles[:3], nobody, DELAY)),
        ("delay", (bank.dollar.address, *roles, 60 * 86400 + 1)),
    ):
        assert bank.chain.try_deploy(artifact, *arguments, sender=OWNER)[1] == reason
