"""The codec says what eth_abi says, for the whole interface that is committed."""

from __future__ import annotations

import inspect
import json
from typing import Any

import pytest
from eth_abi import encode as abi_encode
from eth_utils import to_checksum_address
from hypothesis import given
from hypothesis import strategies as st

from node.errors import BadTarget
from node.wallet.stablecoin import calldata, event_logs
from node.wallet.stablecoin.artifact import NAME, vault_artifact
from node.wallet.stablecoin.words import (
    UNITS_MAX,
    Blob,
    encode,
    from_word,
    read_address,
    selector,
    to_address,
    word,
)
from tests.test_tidy import ROOT

ABI = json.loads((ROOT / "contracts" / NAME).read_text())["abi"]
numbers = st.integers(min_value=0, max_value=2**256 - 1)
addresses = st.integers(min_value=0, max_value=2**160 - 1)
digests = st.binary(min_size=32, max_size=32)


def signature(item: dict[str, Any]) -> str:
    return f"{item['name']}({','.join(each['type'] for each in item['inputs'])})"


FUNCTIONS = {signature(item): item for item in ABI if item["type"] == "function"}
EVENTS = {signature(item): item for item in ABI if item["type"] == "event"}


@given(addresses)
def test_addresses_have_the_checksum_of_eip_55(number: int) -> None:
    address = to_address(number)
    assert address == to_checksum_address(f"0x{number:040x}")
    assert read_address(address) == read_address(address.lower()) == address
    assert read_address("0x" + address[2:].upper()) == address


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0x",
        "alice",
        "0x" + 39 * "a",
        "0x" + 41 * "a",
        40 * "a",
        "0x" + 40 * "g",
        "0x" + 40 * "a" + "\n",
        "0X" + 40 * "a",
        "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeD",
        "0x" + 39 * "a" + "A",
        "0x" + 39 * "a" + "\uff11",
    ],
)
def test_what_is_no_address_is_not_paid(text: str) -> None:
    with pytest.raises(BadTarget):
        read_address(text)


@given(addresses, st.integers(min_value=0, max_value=UNITS_MAX))
def test_a_word_holds_an_address_and_units(number: int, units: int) -> None:
    address = to_address(number)
    assert from_word(word(address, units)) == (address, units)
    assert word(address, units) == number << 96 | units


@pytest.mark.parametrize("units", [-1, UNITS_MAX + 1])
def test_units_never_run_into_the_address(units: int) -> None:
    with pytest.raises(ValueError, match="do not fit"):
        word(to_address(1), units)


@given(numbers, addresses, digests, st.lists(numbers), st.lists(digests), st.binary(max_size=99))
def test_arguments_are_laid_out_as_eth_abi_does(number, address, digest, words, proof, blob):
    text = to_address(address)
    ours = encode(number, words, text, Blob(blob), digest, proof, number)
    types = ["uint256", "uint256[]", "address", "bytes", "bytes32", "bytes32[]", "uint256"]
    assert ours == abi_encode(types, [number, words, text, blob, digest, proof, number])


EXAMPLES: dict[str, Any] = {"uint256": 3, "uint64": 4, "uint8": 27, "uint256[]": [5, 6],
    "bytes32[]": [bytes(32), b"a" * 32], "bytes32": b"b" * 32, "address": to_address(7),
    "bytes": b"signed" * 11}  # fmt: skip


def test_every_call_is_one_of_the_committed_interface() -> None:
    """By name, with an example of each type; `approve` and `transfer` are the token's."""
    compared = set()
    for name, make in inspect.getmembers(calldata, inspect.isfunction):
        function = name.removesuffix("_calldata")
        if function == name or function in ("approve", "transfer"):
            continue
        (item,) = [item for item in FUNCTIONS.values() if item["name"] == function]
        types = [each["type"] for each in item["inputs"]]
        values = [EXAMPLES[kind] for kind in types]
        assert make(*values) == selector(signature(item)) + abi_encode(types, values), function
        compared.add(function)
    assert len(compared) == 15


def test_the_tokens_calls_are_those_of_erc_20() -> None:
    to = to_address(7)
    types = ["address", "uint256"]
    assert calldata.approve_calldata(to, 5).hex() == "095ea7b3" + abi_encode(types, [to, 5]).hex()
    assert calldata.transfer_calldata(to, 5).hex() == "a9059cbb" + abi_encode(types, [to, 5]).hex()


def test_every_event_of_the_committed_interface_can_be_read() -> None:
    ours = {}
    for kind, shape in event_logs._SHAPES.items():
        arguments = [part.split(" ") for part in shape.split(", ")]
        types = ",".join(type_ for type_, _ in arguments)
        indexed = [name.endswith("!") for _, name in arguments]
        ours[f"{kind.__name__}({types})"] = indexed
    assert ours == {
        name: [each["indexed"] for each in item["inputs"]] for name, item in EVENTS.items()
    }


def test_the_artifact_is_the_committed_one() -> None:
    committed = json.loads((ROOT / "contracts" / NAME).read_text())
    artifact = vault_artifact()
    assert artifact.bytecode.hex() == committed["bytecode"].removeprefix("0x")
    assert artifact.runtime.hex() == committed["runtime"].removeprefix("0x")
    assert artifact.runtime in artifact.bytecode
