"""Two RPCs, one of which lies, is behind, or is away: nobody is believed then."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import pytest

from node.devnet.evm import Anvil
from node.devnet.evm_vault import DOLLAR, LocalVault, deploy_vault
from node.errors import NodeError, RailUnavailable, Reverted
from node.wallet.stablecoin.calldata import open_month_calldata, set_pot_calldata
from node.wallet.stablecoin.chain import Chain, open_chain
from node.wallet.stablecoin.signer import Order, Signer
from node.wallet.stablecoin.vault import Vault
from tests.wallet.stablecoin.liar import SECRET, Liar, open_liar

pytestmark = pytest.mark.anvil
ANSWER = "0x" + 64 * "1"


@dataclass(frozen=True, slots=True)
class Scene:
    """A chain with a deposit on it, seen through an honest RPC and one that may lie."""

    anvil: Anvil
    vault: LocalVault
    chain: Chain
    honest: Liar
    liar: Liar
    alice: Signer
    tx_hash: str

    @property
    def seen(self) -> Vault:
        return Vault(self.chain, self.vault.address)

    async def look(self, what: str) -> Any:
        """One read of each kind."""
        last = (await self.anvil.chain.latest()).number
        reads: dict[str, Callable[[], Any]] = {
            "chain_id": self.chain.chain_id,
            "latest": self.chain.latest,
            "finalized": self.chain.finalized,
            "block": lambda: self.chain.block(last),
            "nonce": lambda: self.chain.nonce(self.alice.address, finalized=True),
            "receipt": lambda: self.chain.receipt(self.tx_hash),
            "call": lambda: self.seen.account(self.alice.address),
            "final call": lambda: self.seen.account(self.alice.address, finalized=True),
            "logs": lambda: self.chain.logs(self.vault.address, 0, last),
            "code": lambda: self.chain.code(self.vault.address),
            "balance": lambda: self.chain.balance_wei(self.alice.address),
            "estimate": self.estimate,
            "tip": self.chain.tip_wei,
            "pending": lambda: self.chain.nonce(self.alice.address),
        }
        return await reads[what]()

    async def estimate(self) -> int:
        calldata = set_pot_calldata(3 * DOLLAR)
        return await self.chain.estimate_gas(self.alice.address, self.vault.address, calldata)


ALL = ("chain_id", "latest", "finalized", "block", "nonce", "receipt", "call", "final call",
       "logs", "code", "balance", "estimate", "tip", "pending")  # fmt: skip


@pytest.fixture
async def scene(anvil: Anvil) -> AsyncIterator[Scene]:
    vault = await deploy_vault(anvil)
    alice = await anvil.funded("alice")
    receipt = await vault.deposit(alice, 5 * DOLLAR, 2 * DOLLAR)
    await anvil.finalize()
    async with AsyncExitStack() as stack:
        honest = await stack.enter_async_context(open_liar(anvil.url))
        liar = await stack.enter_async_context(open_liar(anvil.url))
        chain = await stack.enter_async_context(open_chain([honest.url, liar.url]))
        yield Scene(anvil, vault, chain, honest, liar, alice, receipt.tx_hash)


def changed(**parts: Any) -> Callable[[Any], Any]:
    return lambda answer: {**answer, **parts}


def in_the_first_log(**parts: Any) -> Callable[[Any], Any]:
    return lambda logs: [{**logs[0], **parts}, *logs[1:]]


def without_logs(answer: Any) -> Any:
    return {**answer, "logs": []}


LIES: list[tuple[str, str, Callable[[Any], Any]]] = [
    ("chain_id", "eth_chainId", lambda _: "0x1"),
    ("latest", "eth_getBlockByNumber", changed(hash=ANSWER)),
    ("latest", "eth_getBlockByNumber", changed(timestamp="0x1")),
    ("finalized", "eth_getBlockByNumber", changed(hash=ANSWER)),
    ("block", "eth_getBlockByNumber", changed(parentHash=ANSWER)),
    ("block", "eth_getBlockByNumber", lambda _: None),
    ("nonce", "eth_getTransactionCount", lambda _: "0x9"),
    ("receipt", "eth_getTransactionReceipt", lambda _: None),
    ("receipt", "eth_getTransactionReceipt", changed(status="0x0")),
    ("receipt", "eth_getTransactionReceipt", changed(blockHash=ANSWER)),
    ("receipt", "eth_getTransactionReceipt", without_logs),
    ("call", "eth_call", lambda _: "0x" + 256 * "0"),
    ("final call", "eth_call", lambda _: "0x" + 255 * "0" + "1"),
    ("logs", "eth_getLogs", lambda _: []),
    ("logs", "eth_getLogs", lambda logs: logs[:-1]),
    ("logs", "eth_getLogs", lambda logs: [*logs, logs[-1]]),
    ("logs", "eth_getLogs", in_the_first_log(data="0x" + 64 * "f")),
    ("code", "eth_getCode", lambda code: code[:-2] + "01"),
    ("balance", "eth_getBalance", lambda _: "0x0"),
]


async def test_two_honest_rpcs_say_what_one_says(scene: Scene) -> None:
    assert await scene.look("latest") == await scene.anvil.chain.latest()
    assert await scene.look("finalized") == await scene.anvil.chain.finalized()
    assert await scene.look("receipt") == await scene.anvil.chain.receipt(scene.tx_hash)
    assert (await scene.look("final call")).pot_units == 2 * DOLLAR
    assert len(await scene.look("logs")) == 6
    for what in ALL:
        await scene.look(what)
    assert set(scene.honest.asked) == set(scene.liar.asked)


@pytest.mark.parametrize(("what", "method", "lie"), LIES)
async def test_a_lie_of_one_is_believed_by_nobody(
    scene: Scene, what: str, method: str, lie: Callable[[Any], Any]
) -> None:
    await scene.look(what)
    scene.liar.lies[method] = lie
    with pytest.raises(RailUnavailable):
        await scene.look(what)
    scene.liar.lies.clear()
    await scene.look(what)


@pytest.mark.parametrize(
    "breach",
    [
        {"status": 500},
        {"status": 401},
        {"status": 302},
        {"garbage": b"<html>busy</html>"},
        {"garbage": b"[]"},
        {"garbage": b"7"},
        {"garbage": b'{"jsonrpc":"2.0","id":1,"result":{"number":"0x1"}}'},
        {"garbage": b'{"jsonrpc":"2.0","id":1,"result":"zz"}'},
        {"garbage": b'{"jsonrpc":"2.0","id":1,"error":{"code":-32005,"message":"slow down"}}'},
    ],
    ids=lambda breach: str(next(iter(breach.values())))[:40],
)
async def test_what_is_no_answer_is_unavailable_and_tells_no_key(
    scene: Scene, breach: dict[str, Any]
) -> None:
    for name, value in breach.items():
        setattr(scene.liar, name, value)
    for what in ALL:
        with pytest.raises(RailUnavailable) as raised:
            await scene.look(what)
        assert SECRET not in str(raised.value)
        assert "127.0.0.1" in str(raised.value)
        assert raised.value.__cause__ is None


async def test_an_rpc_that_is_silent_is_unavailable(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("node.wallet.stablecoin.endpoint.CALL_S", 0.1)
    scene.liar.stuck = True
    for what in ALL:
        with pytest.raises(RailUnavailable, match="no answer"):
            await scene.look(what)


async def test_the_slower_one_says_how_far_the_chain_is(scene: Scene) -> None:
    behind = await scene.anvil.chain.block(5)
    assert behind is not None
    old = await scene.anvil.call("eth_getBlockByNumber", "0x5", False)
    newest = (await scene.anvil.chain.latest()).number

    def stay(answer: Any) -> Any:
        return old if int(answer["number"], 16) == newest else answer

    scene.liar.lies["eth_getBlockByNumber"] = stay
    assert await scene.chain.latest() == behind


async def test_a_fork_below_the_slower_one_is_noticed(scene: Scene) -> None:
    old = await scene.anvil.call("eth_getBlockByNumber", "0x5", False)
    scene.liar.lies["eth_getBlockByNumber"] = lambda _: {**old, "hash": ANSWER}
    with pytest.raises(RailUnavailable, match="differ about block 5"):
        await scene.chain.latest()


async def test_one_that_is_behind_hides_no_logs(scene: Scene) -> None:
    """Both would say that there are none: nothing tells it from a quiet month."""
    scene.liar.lies["eth_getBlockByNumber"] = lambda _: None
    scene.honest.lies["eth_getBlockByNumber"] = lambda _: None
    with pytest.raises(RailUnavailable, match="no block"):
        await scene.look("logs")


async def test_logs_that_both_invent_are_still_those_that_were_asked_for(scene: Scene) -> None:
    for one in (scene.honest, scene.liar):
        one.lies["eth_getLogs"] = in_the_first_log(address=scene.vault.token)
    with pytest.raises(RailUnavailable, match="nobody asked"):
        await scene.look("logs")


REFUSAL = {"code": 3, "message": "execution reverted: early", "data": "0x"}


@pytest.mark.parametrize(
    ("what", "method"), [("call", "eth_call"), ("estimate", "eth_estimateGas")]
)
async def test_a_refusal_that_only_one_sees_is_none(scene: Scene, what: str, method: str) -> None:
    scene.liar.refusals[method] = REFUSAL
    with pytest.raises(RailUnavailable, match="differ about whether"):
        await scene.look(what)
    scene.honest.refusals[method] = REFUSAL
    with pytest.raises(Reverted) as refused:
        await scene.look(what)
    assert refused.value.reason == "early"


def error_string(text: str) -> str:
    content = text.encode()
    padded = content + bytes(-len(content) % 32)
    return "0x08c379a0" + f"{32:064x}" + f"{len(content):064x}" + padded.hex()


@pytest.mark.parametrize(
    ("refusal", "reason"),
    [
        ({"code": 3, "message": "execution reverted: early"}, "early"),
        ({"code": 3, "message": "execution reverted", "data": error_string("early")}, "early"),
        ({"code": -32000, "message": "execution reverted", "data": error_string("early")}, "early"),
        ({"code": -32000, "message": "execution reverted"}, ""),
        ({"code": 3, "message": "execution reverted", "data": "0x"}, ""),
        ({"code": 3, "message": "execution reverted", "data": error_string("ä")[:-66]}, ""),
        ({"code": 3, "message": "execution reverted", "data": "0x12345678"}, ""),
        (
            {"code": 3, "message": "execution reverted", "data": "0x4e487b71" + f"{0x11:064x}"},
            "Panic error 0x11: Arithmetic operation results in underflow or overflow.",
        ),
        # EIP-3668: the contract wants somebody else to be asked. Nobody is.
        ({"code": 3, "message": "execution reverted", "data": "0x556f1830" + 320 * "0"}, None),
    ],
)
async def test_the_reason_is_read_as_every_kind_of_node_says_it(
    scene: Scene, refusal: dict[str, Any], reason: str | None
) -> None:
    for one in (scene.honest, scene.liar):
        one.refusals["eth_call"] = refusal
    with pytest.raises(NodeError) as refused:
        await scene.look("call")
    if reason is None:
        assert isinstance(refused.value, (Reverted, RailUnavailable))
    else:
        assert isinstance(refused.value, Reverted)
        assert refused.value.reason == reason


async def test_the_larger_estimate_tip_and_nonce_are_taken(scene: Scene) -> None:
    scene.liar.lies["eth_estimateGas"] = lambda _: hex(900_000)
    scene.liar.lies["eth_maxPriorityFeePerGas"] = lambda _: hex(77 * 10**9)
    scene.liar.lies["eth_getTransactionCount"] = lambda _: hex(40)
    assert await scene.look("estimate") == 900_000
    assert await scene.look("tip") == 77 * 10**9
    assert await scene.look("pending") == 40


async def test_a_broadcast_reaches_the_chain_by_the_one_that_answers(scene: Scene) -> None:
    order = Order(31_337, 2, scene.vault.address, set_pot_calldata(3 * DOLLAR), 100_000, 10**9,
                  10**11)  # fmt: skip
    signed = scene.alice.sign(order)
    scene.honest.status = 503
    answer = await scene.chain.broadcast(signed.raw)
    assert "HTTP status 503" in answer
    assert "taken" in answer
    assert SECRET not in answer
    scene.honest.status = 200
    receipt = await scene.chain.receipt(signed.tx_hash)
    assert receipt is not None
    assert receipt.ok
    # Again: whatever they say now, it raises nothing.
    assert "taken" not in await scene.chain.broadcast(signed.raw)


async def test_a_refused_broadcast_tells_what_both_said(scene: Scene) -> None:
    order = Order(31_337, 2, scene.vault.address, open_month_calldata(), 100_000, 1, 1)
    answer = await scene.chain.broadcast(scene.alice.sign(order).raw)
    assert answer.count("127.0.0.1:") == 2
    assert "fee" in answer
