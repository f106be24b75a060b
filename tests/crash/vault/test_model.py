"""The model of the vault against the real bytecode: the same calls, the same answers to the byte.

FLATTR_MODEL_WALKS=20 FLATTR_MODEL_CALLS=300 goes further.
"""

from __future__ import annotations

import os
from collections import Counter
from random import Random
from typing import Final

import pytest

from node.devnet.evm import local_key, open_tester
from node.devnet.evm_vault import act, deploy_vault, mint_calldata
from node.errors import Reverted
from node.settlement.tree import Tree, leaf
from node.wallet.stablecoin import calldata as asks
from node.wallet.stablecoin.words import encode_call, word
from tests.conftest import MONTH
from tests.crash.vault.contract import Contract
from tests.crash.vault.ledger_state import DAY_S, Keys, Refused, State

NAMES: Final = ("owner", "operator", "guardian", "treasury", "ann", "ben", "cid", "dan")
CALLS: Final = int(os.environ.get("FLATTR_MODEL_CALLS", "60"))
WALKS: Final = int(os.environ.get("FLATTR_MODEL_WALKS", "1"))
DELAY_S: Final = 2 * DAY_S


class Twins:
    """The real vault and the model of it, with the same addresses."""

    def __init__(self, local, vault, random: Random) -> None:
        self.local, self.vault, self.random = local, vault, random
        number = {name: int(local_key(name).address, 16) for name in NAMES}
        self.keys = Keys(
            int(vault.address, 16), int(vault.token, 16), number["owner"], number["operator"],
            number["guardian"], number["treasury"], DELAY_S, local.chain_id,
        )  # fmt: skip
        self.contract, self.state = Contract(self.keys), State()
        self.done: Counter[str] = Counter()
        self.refused = 0
        self.sealed: list[list[int]] = []

    async def call(self, name: str, to: str, content: bytes) -> None:
        """Both get it; both must say the same."""
        real_why, receipt = None, None
        try:
            receipt = await act(self.local, await self.local.funded(name), to, content)
        except Reverted as error:
            real_why = error.reason
        block = await self.local.chain.latest()
        time_s = block.time_s + (receipt is None)  # an estimate is for the next block
        sender, number = int(local_key(name).address, 16), int(to, 16)
        try:
            state, events = self.contract.run(self.state, sender, number, content, time_s)
            why = None
        except Refused as error:
            why = str(error)
        assert why == real_why, (name, content.hex()[:8])
        if receipt is None:
            self.refused += 1
            return
        real = [(int(log.address, 16), log.topics, log.data) for log in receipt.logs]
        assert real == events
        self.state = state
        self.done[content[:4].hex()] += 1

    async def ask(self, to: str, content: bytes) -> None:
        """A view of both."""
        latest = await self.local.chain.latest()
        real = await self.local.chain.call(to, content)
        mine = self.contract.view(self.state, int(to, 16), content, latest.time_s)
        assert mine == real, content.hex()[:8]

    async def compare(self) -> None:
        """Everything that can be asked."""
        for name in ("month()", "liabilities()", "closed()", "paused_until()", "refund_pool()"):
            await self.ask(self.vault.address, encode_call(name))
        for month in range(self.state.month + 2):
            await self.ask(self.vault.address, encode_call("months(uint256)", month))
            for index in range(3):
                view = encode_call("is_batch_paid(uint256,uint256)", month, index)
                await self.ask(self.vault.address, view)
        for name in NAMES:
            address = local_key(name).address
            for view in ("account", "free", "exit_at", "claimable"):
                await self.ask(self.vault.address, encode_call(f"{view}(address)", address))
            await self.ask(self.vault.token, encode_call("balanceOf(address)", address))

    def any_call(self) -> tuple[str, str, bytes]:
        """(who, to whom, what): mostly sensible, sometimes not."""
        kinds = (
            self._member, self._member, self._member, self._token, self._month, self._month,
            self._month, self._month, self._guard,
        )  # fmt: skip
        return self.random.choice(kinds)()

    def _member(self) -> tuple[str, str, bytes]:
        random, who = self.random, self.random.choice(NAMES[4:])
        units, address = random.randint(0, 40), local_key(random.choice(NAMES)).address
        calls = (
            asks.deposit_calldata(units, local_key(who).address, random.choice((0, units, 25))),
            asks.deposit_calldata(units, address, 0),
            asks.set_pot_calldata(random.randint(0, 60)), asks.request_exit_calldata(),
            asks.withdraw_calldata(units, address), asks.claim_calldata(address),
            asks.reclaim_calldata(address), asks.abandon_calldata(),
        )  # fmt: skip
        return who, self.vault.address, random.choice(calls)

    def _token(self) -> tuple[str, str, bytes]:
        random = self.random
        who, other = random.choice(NAMES), local_key(random.choice(NAMES)).address
        calls = (
            mint_calldata(other, random.randint(0, 100)),
            asks.approve_calldata(self.vault.address, random.randint(0, 90)),
            asks.approve_calldata(self.vault.address, 10**9),
            asks.transfer_calldata(other, random.randint(0, 30)),
            asks.transfer_calldata(self.vault.address, random.randint(0, 5)),
        )  # fmt: skip
        block = encode_call("set_blocked(address,bool)", other, random.randint(0, 1))
        pause = encode_call("set_paused(bool)", int(random.random() < 0.3))
        if random.random() < 0.2:
            return (
                random.choice(("owner", "owner", who)),
                self.vault.token,
                random.choice((block, pause)),
            )
        return who, self.vault.token, random.choice(calls)

    def _month(self) -> tuple[str, str, bytes]:
        random, number = self.random, self.state.month
        who = random.choice(("operator", "operator", "operator", "ann"))
        month = self.state.months.get(number)
        if month is None or random.random() < 0.15:
            return who, self.vault.address, asks.open_month_calldata()
        if month.payable_at and random.random() < 0.9:
            return who, self.vault.address, self._batch(number)
        net = month.gross - month.gross // 10
        if month.gross and random.random() < 0.5:
            return who, self.vault.address, self._seal(number, net)
        words = [
            word(local_key(name).address, random.randint(0, 40))
            for name in random.sample(NAMES[4:], random.randint(0, 4))
        ]
        return who, self.vault.address, asks.charge_calldata(number, words)

    def _seal(self, number: int, net: int) -> bytes:
        names = [self.random.choice(NAMES) for _ in range(3)]
        first, second = net // 3, net // 4
        shares = (first, second, net - first - second)
        words = [word(local_key(n).address, s) for n, s in zip(names, shares, strict=True)]
        self.sealed = [words[:2], words[2:]]
        return asks.seal_calldata(number, self._tree(number).root, 2, bytes(32))

    def _batch(self, number: int) -> bytes:
        index = self.random.randint(0, 2)
        at = min(index, 1)
        words, proof = self.sealed[at], self._tree(number).proof(at)
        if self.random.random() < 0.1:
            words = words[:1]
        return asks.pay_batch_calldata(number, index, words, proof)

    def _tree(self, number: int) -> Tree:
        chain_id, vault = self.local.chain_id, self.vault.address
        return Tree([leaf(vault, chain_id, number, at, w) for at, w in enumerate(self.sealed)])

    def _guard(self) -> tuple[str, str, bytes]:
        who = self.random.choice(("guardian", "owner", "ann"))
        pause = encode_call("set_paused(bool)", int(self.random.random() < 0.3))
        veto = asks.veto_calldata(self.state.month)
        credit = asks.attribute_calldata(local_key("ann").address, self.random.randint(0, 3))
        if self.random.random() < 0.4:
            return self.random.choice(("operator", "ann")), self.vault.address, credit
        return who, self.vault.address, pause if self.random.random() < 0.3 else veto


@pytest.mark.parametrize("seed", range(WALKS))
async def test_the_model_says_what_the_bytecode_says(seed):
    random = Random(seed)
    async with open_tester(starts_s=MONTH.starts_s) as local:
        vault = await deploy_vault(local, delay_s=DELAY_S)
        twins = Twins(local, vault, random)
        for name in NAMES[4:]:
            await twins.call(name, vault.token, mint_calldata(local_key(name).address, 300))
            await twins.call(name, vault.token, asks.approve_calldata(vault.address, 10**9))
            deposit = asks.deposit_calldata(100, local_key(name).address, 50)
            await twins.call(name, vault.address, deposit)
        for _ in range(CALLS):
            await twins.call(*twins.any_call())
            if random.random() < 0.2:
                days = random.choice((1, 1, 3, 10, 28))
                await local.jump_to((await local.chain.latest()).time_s + days * DAY_S)
        await twins.compare()
        assert twins.done.total() > CALLS // 6
        assert twins.refused > CALLS // 10
