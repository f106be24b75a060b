"""What a batch costs, in whole transactions, beside the plainest ways of paying as many people.

    python -m tests.contracts.gas          measure, and write contracts/gas.json

The token stands behind a proxy, as Circle's does. `cold` recipients have never held it, so that a
slot is made for each; `warm` ones have. The vault and the treasury hold some from the start. The
vault's batch is one of several, so without the commission, which is one more payment a month.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, field
from typing import Any

from eth_keys.datatypes import PrivateKey
from eth_utils import keccak, to_canonical_address

from tests.contracts.chain import FOLDER, Chain, Contract, solidity_artifact, vyper_artifact
from tests.contracts.records import MONTH_GAP
from tests.contracts.tree import plant, word

SNAPSHOT = FOLDER / "gas.json"
COUNTS = (1, 10, 100, 500)
GAS_PRICE = 10**10
GAS_MAX = 30_000_000
RICHES = 10**15
CHAIN_ID = 1
PAYER = PrivateKey(keccak(text="the payer"))

Costs = dict[str, dict[str, dict[str, int]]]


@dataclass(slots=True)
class Bench:
    """A chain on which whole transactions are paid for, and the contracts that are compared."""

    chain: Chain = field(default_factory=Chain)
    payer: str = PAYER.public_key.to_checksum_address()
    recipients: int = 0
    token: Contract = field(init=False)
    vault: Contract = field(init=False)
    bars: dict[str, Contract] = field(init=False)

    def __post_init__(self) -> None:
        payer, chain = self.payer, self.chain
        chain.env.set_balance(payer, 10**24)
        dollar = chain.deploy(vyper_artifact("test/TestDollar"), payer, sender=payer)
        proxy = solidity_artifact("Proxy")
        behind = chain.deploy(proxy, dollar.address, "0x" + "ad" * 20, sender=payer)
        self.token = Contract(chain, behind.address, dollar.abi)
        vault = vyper_artifact("PayoutVault")
        roles = (payer, payer, payer, self.someone())
        self.vault = chain.deploy(vault, self.token.address, *roles, 0, sender=payer)
        shapes = ("GasliteShape", "DisperseShape")
        self.bars = {name: chain.deploy(solidity_artifact(name), sender=payer) for name in shapes}
        for holder in (payer, *(bar.address for bar in self.bars.values())):
            self.token.accept("mint", holder, RICHES, sender=payer)
        for spender in (self.vault, *self.bars.values()):
            self.token.accept("approve", spender.address, 2**200, sender=payer)
        self.vault.accept("deposit", RICHES // 10, payer, 10**12, sender=payer)

    def someone(self) -> str:
        """A new address, whose twenty bytes say nothing."""
        self.recipients += 1
        return "0x" + keccak(text=f"recipient {self.recipients}")[12:].hex()

    def dues(self, count: int, *, warm: bool) -> list[tuple[str, int]]:
        """So many recipients and amounts between 0.10 and 1000."""
        made = []
        for _ in range(count):
            who = self.someone()
            amount = 10**5 + int.from_bytes(keccak(text=who)[:8]) % 10**9
            made.append((who, amount))
            if warm:
                self.token.accept("mint", who, 1, sender=self.payer)
        return made

    def transact(self, contract: Contract, name: str, *arguments: Any) -> int:
        """The gas of one whole transaction, which must succeed."""
        machine = self.chain.env.evm.vm
        machine.state.lock_changes()
        self.chain.env.evm.reset_access_counters()
        payer = to_canonical_address(self.payer)
        unsigned = machine.create_unsigned_transaction(
            nonce=machine.state.get_nonce(payer), gas_price=GAS_PRICE, gas=GAS_MAX,
            to=to_canonical_address(contract.address), value=0,
            data=contract.data(name, *arguments),
        )  # fmt: skip
        before = machine.state.get_balance(payer)
        computation = machine.state.apply_transaction(unsigned.as_signed_transaction(PAYER))
        computation.raise_if_error()
        return int((before - machine.state.get_balance(payer)) // GAS_PRICE)

    def batch(self, dues: list[tuple[str, int]]) -> int:
        """The gas of `pay_batch`: the first of two batches of a month."""
        net = sum(amount for _, amount in dues)
        gross = -(-(net + 1) * 10 // 9)
        self.chain.wait(MONTH_GAP)
        self.vault.accept("open_month", sender=self.payer)
        month = self.vault.read("month")
        charge = [word(self.payer, gross)]
        self.vault.accept("charge", month, charge, sender=self.payer)
        rest = gross - gross // 10 - net
        batches = [[word(*due) for due in dues], [word(self.payer, rest)]]
        tree = plant(self.vault.address, CHAIN_ID, month, batches)
        self.vault.accept("seal", month, tree.root, 2, bytes(32), sender=self.payer)
        gas = self.transact(self.vault, "pay_batch", *tree.batches[0].arguments)
        self.vault.accept("pay_batch", *tree.batches[1].arguments, sender=self.payer)
        return gas


def measure() -> Costs:
    """Gas of whole transactions: by way, by temperature, by number of recipients."""
    bench = Bench()
    costs: Costs = {}
    for temperature in ("cold", "warm"):
        for count in COUNTS:
            for way, gas in _ways(bench, count, warm=temperature == "warm").items():
                costs.setdefault(way, {}).setdefault(temperature, {})[str(count)] = gas
    costs["others"] = {"once": _others(bench)}
    return costs


def per_recipient(costs: Costs, way: str, temperature: str) -> float:
    """What one more recipient adds: between 100 and 500 of them."""
    spent = costs[way][temperature]
    return (spent["500"] - spent["100"]) / 400


def main() -> int:
    """Write the snapshot, and print what one more recipient costs."""
    costs = measure()
    SNAPSHOT.write_text(json.dumps(costs, indent=1) + "\n", encoding="utf-8")
    for way in ("plain transfers", "DisperseShape", "GasliteShape", "PayoutVault"):
        cold, warm = (per_recipient(costs, way, kind) for kind in ("cold", "warm"))
        sys.stdout.write(f"{way:16} {cold:9.1f} cold {warm:9.1f} warm\n")
    return 0


def _ways(bench: Bench, count: int, *, warm: bool) -> dict[str, int]:
    alone = bench.dues(min(count, 10), warm=warm)
    plain = [bench.transact(bench.token, "transfer", *due) for due in alone]
    dues = bench.dues(count, warm=warm)
    to, amounts = zip(*dues, strict=True)
    asset, total = bench.token.address, sum(amounts)
    gaslite = bench.transact(bench.bars["GasliteShape"], "drop", asset, to, amounts, total)
    to, amounts = zip(*bench.dues(count, warm=warm), strict=True)
    disperse = bench.transact(bench.bars["DisperseShape"], "disperse", asset, to, amounts)
    return {
        "plain transfers": sum(plain) * count // len(plain),
        "DisperseShape": disperse,
        "GasliteShape": gaslite,
        "PayoutVault": bench.batch(bench.dues(count, warm=warm)),
    }


def _others(bench: Bench) -> dict[str, int]:
    """The vault's other calls: what a member pays, and what a month costs the operator."""
    vault, payer = bench.vault, bench.payer
    spent = {"deposit again": bench.transact(vault, "deposit", 10**6, payer, 0)}
    spent["deposit for a new member"] = bench.transact(vault, "deposit", 10**6, bench.someone(), 0)
    members = [bench.someone() for _ in range(100)]
    for member in members:
        vault.accept("deposit", 10**6, member, 0, sender=payer)
        vault.accept("set_pot", 10**6, sender=member)
    bench.chain.wait(MONTH_GAP)
    spent["open_month"] = bench.transact(vault, "open_month")
    month = vault.read("month")
    words = [word(member, 10**6 - 7) for member in members]
    spent["charge of 100 members"] = bench.transact(vault, "charge", month, words)
    spent["seal"] = bench.transact(vault, "seal", month, b"\1" * 32, 1, b"\2" * 32)
    spent["withdraw"] = bench.transact(vault, "withdraw", 10**6, payer)
    return spent


if __name__ == "__main__":
    sys.exit(main())
