"""A chain in this process (titanoboa's EVM), and contracts on it as they are called: by bytes.

Nothing here knows the sources. What is deployed is the committed bytecode, or that of a planted
fault, and a call's answer is read as a node would read it: the reason of a refusal, and the logs.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import boa
from eth_abi import decode, encode
from eth_utils import keccak, to_checksum_address

FOLDER = Path(__file__).parent.parent.parent / "contracts"
NOBODY = "0x" + "00" * 20
CALL_GAS = 30_000_000
REASON = keccak(text="Error(string)")[:4]


@dataclass(frozen=True, slots=True, eq=False)
class Artifact:
    """What a contract is deployed from."""

    abi: list[dict[str, Any]]
    bytecode: bytes


@dataclass(frozen=True, slots=True)
class Log:
    """One event, by its name and its arguments."""

    name: str
    values: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Receipt:
    """What came of a call: `reason` is None when it was accepted, ""
    when it was refused without a reason in words."""

    reason: str | None
    output: bytes
    logs: tuple[Log, ...]
    gas: int

    def named(self, name: str) -> list[dict[str, Any]]:
        """The arguments of each event of this name."""
        return [log.values for log in self.logs if log.name == name]


@cache
def vyper_artifact(name: str) -> Artifact:
    """A committed Vyper contract: `PayoutVault`, `test/TestDollar`."""
    content = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    return Artifact(content["abi"], bytes.fromhex(content["bytecode"][2:]))


@cache
def solidity_artifact(name: str) -> Artifact:
    """A committed contract of contracts/test/solidity."""
    text = (FOLDER / "test" / "solidity" / "compiled.json").read_text(encoding="utf-8")
    content = json.loads(text)["contracts"][name]
    return Artifact(content["abi"], bytes.fromhex(content["bytecode"][2:]))


@dataclass(slots=True)
class Chain:
    """One chain, whose time stands still until it is moved."""

    env: boa.Env = field(default_factory=boa.Env)

    @property
    def now(self) -> int:
        """The time of the block, in seconds."""
        return self.env.evm.patch.timestamp

    def wait(self, seconds: int) -> None:
        """Let time pass."""
        self.env.evm.patch.timestamp += seconds

    @contextmanager
    def undone(self) -> Iterator[None]:
        """Whatever happens inside has not happened afterwards."""
        with self.env.anchor():
            yield

    def deploy(self, artifact: Artifact, *arguments: Any, sender: str) -> Contract:
        """Deploy a contract; its constructor must accept."""
        contract, reason = self.try_deploy(artifact, *arguments, sender=sender)
        assert reason is None, reason
        return contract

    def try_deploy(
        self, artifact: Artifact, *arguments: Any, sender: str
    ) -> tuple[Contract, str | None]:
        """Deploy a contract, or say why its constructor refused."""
        constructor = [item for item in artifact.abi if item["type"] == "constructor"]
        types = _types(constructor[0]["inputs"]) if constructor else []
        code = artifact.bytecode + encode(types, arguments)
        address, computation = self.env.deploy(bytecode=code, sender=sender, gas=CALL_GAS)
        return Contract(self, str(address), artifact.abi), _reason(computation)


@dataclass(slots=True)
class Contract:
    """A contract at its address."""

    chain: Chain
    address: str
    abi: list[dict[str, Any]]
    functions: dict[str, dict[str, Any]] = field(init=False)
    events: dict[bytes, dict[str, Any]] = field(init=False)

    def __post_init__(self) -> None:
        self.functions = {item["name"]: item for item in self.abi if item["type"] == "function"}
        self.events = {
            keccak(text=_signature(item)): item for item in self.abi if item["type"] == "event"
        }

    def data(self, name: str, *arguments: Any) -> bytes:
        """The calldata of a call."""
        function = self.functions[name]
        selector = keccak(text=_signature(function))[:4]
        return selector + encode(_types(function["inputs"]), arguments)

    def send(self, name: str, *arguments: Any, sender: str, gas: int = CALL_GAS) -> Receipt:
        """Call a function, and keep what it does."""
        computation = self.chain.env.execute_code(
            to_address=self.address, sender=sender, gas=gas, data=self.data(name, *arguments)
        )
        reason = _reason(computation)
        logs = () if reason is not None else tuple(self._logs(computation))
        return Receipt(reason, computation.output, logs, computation.get_gas_used())

    def accept(self, name: str, *arguments: Any, sender: str) -> Receipt:
        """Call a function that must accept."""
        receipt = self.send(name, *arguments, sender=sender)
        assert receipt.reason is None, f"{name} was refused: {receipt.reason}"
        return receipt

    def read(self, name: str, *arguments: Any) -> Any:
        """What a view says: one value, or a tuple of them."""
        receipt = self.send(name, *arguments, sender=NOBODY)
        assert receipt.reason is None, f"{name} was refused: {receipt.reason}"
        values = _decode(_types(self.functions[name]["outputs"]), receipt.output)
        return values[0] if len(values) == 1 else values

    def _logs(self, computation: Any) -> Iterator[Log]:
        for address, topics, body in computation.get_log_entries():
            raw = [topic.to_bytes(32, "big") for topic in topics]
            event = self.events.get(raw[0])
            if to_checksum_address(address) == self.address and event is not None:
                yield _log(event, raw[1:], body)


def _log(event: dict[str, Any], topics: Sequence[bytes], body: bytes) -> Log:
    indexed = [item for item in event["inputs"] if item["indexed"]]
    plain = [item for item in event["inputs"] if not item["indexed"]]
    values = {
        item["name"]: _decode([item["type"]], topic)[0]
        for item, topic in zip(indexed, topics, strict=True)
    }
    names = [item["name"] for item in plain]
    values |= dict(zip(names, _decode(_types(plain), body), strict=True))
    return Log(event["name"], values)


def _decode(types: list[str], body: bytes) -> tuple[Any, ...]:
    """Decode values, and give addresses their checksum."""
    values = zip(types, decode(types, body), strict=True)
    return tuple(
        to_checksum_address(value) if kind == "address" else value for kind, value in values
    )


def _signature(item: dict[str, Any]) -> str:
    return f"{item['name']}({','.join(_types(item['inputs']))})"


def _types(inputs: list[dict[str, Any]]) -> list[str]:
    return [_type(item) for item in inputs]


def _type(item: dict[str, Any]) -> str:
    if item["type"] != "tuple":
        return str(item["type"])
    return f"({','.join(_types(item['components']))})"


def _reason(computation: Any) -> str | None:
    if not computation.is_error:
        return None
    output = computation.output
    if output[:4] == REASON:
        return str(decode(["string"], output[4:])[0])
    return ""
