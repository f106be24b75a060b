"""The operator's key: what it signs, and how it is kept."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
from eth_account import Account
from eth_account.typed_transactions import TypedTransaction
from hexbytes import HexBytes

from node.devnet.evm import local_key
from node.errors import ConfigError
from node.wallet.stablecoin.signer import Order, Signer, open_signer, write_keystore

KEY = bytes(range(1, 33))
ORDER = Order(84_532, 7, "0x9fE46736679d2D9a65F0992F2272dE9f3c7fa6e0", b"call", 60_000, 5, 90)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keystores that take no second to open: scrypt's work is not ours to test."""
    slow = Account.encrypt
    monkeypatch.setattr(
        Account, "encrypt", lambda key, passphrase, kdf: slow(key, passphrase, kdf, iterations=2)
    )


def test_what_is_signed_is_the_order_and_by_this_key() -> None:
    signer = Signer(KEY)
    signed = signer.sign(ORDER)
    assert Account.recover_transaction(signed.raw) == signer.address
    fields = TypedTransaction.from_bytes(HexBytes(signed.raw)).as_dict()
    assert signed.raw[0] == fields["type"] == 2
    assert fields["chainId"] == 84_532
    assert fields["nonce"] == 7
    assert HexBytes(fields["to"]) == HexBytes(ORDER.to or "")
    assert bytes(fields["data"]) == b"call"
    assert fields["gas"] == 60_000
    assert fields["maxPriorityFeePerGas"] == 5
    assert fields["maxFeePerGas"] == 90
    assert fields["value"] == 0


def test_the_same_order_gives_the_same_bytes() -> None:
    assert Signer(KEY).sign(ORDER) == Signer(KEY).sign(ORDER)
    assert Signer(KEY).sign(ORDER) != local_key("operator").sign(ORDER)


def test_a_keystore_opens_with_its_passphrase_only(tmp_path: Path) -> None:
    keystore = tmp_path / "operator.json"
    address = write_keystore(keystore, "correct horse", KEY)
    signer = open_signer(keystore, "correct horse")
    assert signer.address == address == Signer(KEY).address
    assert signer.sign(ORDER) == Signer(KEY).sign(ORDER)
    with pytest.raises(ConfigError, match="passphrase does not open"):
        open_signer(keystore, "wrong horse")


def test_a_keystore_is_for_its_owner_alone_and_says_no_key(tmp_path: Path) -> None:
    keystore = tmp_path / "operator.json"
    write_keystore(keystore, "correct horse", KEY)
    assert stat.S_IMODE(keystore.stat().st_mode) == 0o600
    assert KEY.hex() not in keystore.read_text()
    assert KEY.hex() not in repr(open_signer(keystore, "correct horse"))


def test_a_new_key_is_another_one_each_time(tmp_path: Path) -> None:
    addresses = {write_keystore(tmp_path / name, "correct horse") for name in ("a", "b")}
    assert len(addresses) == 2
    assert open_signer(tmp_path / "a", "correct horse").address in addresses


def test_a_key_is_never_overwritten(tmp_path: Path) -> None:
    keystore = tmp_path / "operator.json"
    write_keystore(keystore, "correct horse", KEY)
    with pytest.raises(ConfigError, match="never overwritten"):
        write_keystore(keystore, "correct horse")
    assert open_signer(keystore, "correct horse").address == Signer(KEY).address


@pytest.mark.parametrize("content", ["", "{}", "[]", "7", "null", '{"crypto": 1, "version": 3}',
                                     '{"version": 1}', "\x00"])  # fmt: skip
def test_what_is_no_keystore_says_so(tmp_path: Path, content: str) -> None:
    keystore = tmp_path / "operator.json"
    keystore.write_text(content)
    with pytest.raises(ConfigError, match="keystore"):
        open_signer(keystore, "correct horse")


def test_a_keystore_that_is_not_there_says_what_to_write(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="write the path"):
        open_signer(tmp_path / "none.json", "correct horse")


def test_a_damaged_keystore_does_not_open(tmp_path: Path) -> None:
    keystore = tmp_path / "operator.json"
    write_keystore(keystore, "correct horse", KEY)
    content = json.loads(keystore.read_text())
    content["crypto"]["ciphertext"] = "00" * 32
    keystore.write_text(json.dumps(content))
    with pytest.raises(ConfigError):
        open_signer(keystore, "correct horse")
