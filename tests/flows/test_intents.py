"""The journal of intents: a line is on disk before a payment is sent; a torn one harms nobody."""

from __future__ import annotations

import asyncio
import stat

import pytest

from node.errors import RailUnavailable
from node.flows import intents
from node.flows.intents import FILE_NAME, Intents
from node.ids import AttemptId, MemberId, PayoutId
from node.money import sats
from node.month import Month
from node.settlement.attempt import Attempt
from node.settlement.payout import Payout, PayoutKind
from tests.simulation.scene import open_scene


def payment(number):
    payout = Payout(
        PayoutId(f"p{number}"), PayoutKind.CREATOR, MemberId(number), sats(5), sats(2), "a@b.c",
        Month(2026, 11),
    )  # fmt: skip
    attempt = Attempt(
        AttemptId(f"a{number}"), "lightning", number, (payout.id,), f"{number:064x}", "lnsb…",
        sats(5), sats(2), 99, "02ab",
    )  # fmt: skip
    return payout, attempt


async def test_what_is_noted_at_once_is_all_there_and_shares_its_flushes(tmp_path, monkeypatch):
    flushed = []
    monkeypatch.setattr(intents.os, "fsync", flushed.append)
    journal = Intents(tmp_path / FILE_NAME)
    await asyncio.gather(*(journal.note(*payment(n), 7) for n in range(32)))
    found = journal.read()
    assert sorted(found) == [f"{n:064x}" for n in range(32)]
    assert found[f"{3:064x}"].payout == "p3"
    assert 1 <= len(flushed) < 32
    assert stat.S_IMODE((tmp_path / FILE_NAME).stat().st_mode) == 0o600


async def test_a_line_that_a_crash_has_cut_off_is_passed_over_and_spoils_no_other(tmp_path):
    path = tmp_path / FILE_NAME
    await Intents(path).note(*payment(1), 7)
    path.write_bytes(path.read_bytes() + path.read_bytes()[:40])
    await Intents(path).note(*payment(2), 8)
    assert sorted(Intents(path).read()) == [f"{1:064x}", f"{2:064x}"]


async def test_nothing_is_sent_that_could_not_be_noted(tmp_path, clock, monkeypatch):
    async with open_scene(tmp_path, clock, creators=1, keysend=False) as scene:
        await scene.play()

        def full(*_args):
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(Intents, "_append", full)
        await scene.pay([31] * 3)
        assert all(scene.network.settled(name) == [] for name in ("creator0", "operator"))
        assert any("No space left" in words for words in scene.said)
        monkeypatch.undo()
        await scene.pay()
        assert await scene.judge() == {"paid": 2}
        assert scene.paid_twice() == []


async def test_a_flush_that_fails_loses_nobody_else_s_line(tmp_path, monkeypatch):
    journal, append, failed = Intents(tmp_path / FILE_NAME), Intents._append, []

    def full_once(self, octets):
        if octets.count(b"\n") > 1 and not failed:
            failed.append(octets)
            raise OSError("no space left")
        append(self, octets)

    monkeypatch.setattr(Intents, "_append", full_once)
    told = await asyncio.gather(
        *(journal.note(*payment(number), 7) for number in range(4)), return_exceptions=True
    )
    refused = {number for number, one in enumerate(told) if isinstance(one, RailUnavailable)}
    assert (len(failed), len(refused)) == (1, 1)
    noted = {f"{number:064x}" for number in range(4) if number not in refused}
    assert set(journal.read()) == noted


async def test_a_journal_that_is_no_file_is_said(tmp_path):
    (tmp_path / FILE_NAME).mkdir()
    with pytest.raises(RailUnavailable, match="can't be written"):
        await Intents(tmp_path / FILE_NAME).note(*payment(1), 7)
