"""`audit`, `drain`, `resume`, `reconcile`, `serve`: what an operator does on a bad day."""

import asyncio
import json
import re
import shutil
import signal
import sqlite3

import aiohttp

from node.clock import ManualClock
from node.devnet.processes import free_ports
from node.flows import fund
from node.money import sats
from node.store import leases
from tests.cli.conftest import LIMIT_S, OLD, folder_of, run, run_process, start, write_settings
from tests.simulation.scene import PAYER, READER, open_scene

DATABASE = "flattr.sqlite"


async def stopped(scene):
    async with scene.node.store.read() as tx:
        return await leases.stopped(tx, "lightning")


def back_up(scene):
    """A copy of the node's folder as it is now."""
    restored = scene.folder / "restored"
    shutil.copytree(scene.folder / "node", restored, ignore=shutil.ignore_patterns("*sqlite*"))
    source, target = sqlite3.connect(scene.node.store.path), sqlite3.connect(restored / DATABASE)
    source.backup(target)
    source.close()
    target.close()
    return restored


async def test_an_audit_passes_in_words_and_in_json(place):
    await place.play()
    await place.pay()
    ended = await run("audit", *folder_of(place))
    assert ended.status == 0, ended
    assert ended.out.rstrip().endswith("result: PASS")
    answer = (await run("audit", "--json", *folder_of(place))).json
    assert answer["result"] == "pass"
    assert {"id", "law", "state", "figures"} == set(answer["lines"][0])
    assert await stopped(place) is None


async def test_a_breach_is_exit_status_3_and_stops_dispatch(place):
    await place.play()
    async with place.node.store.write() as tx:
        await tx.run("UPDATE close SET digest = 'ff'")
    ended = await run_process("audit", *folder_of(place))
    assert ended.status == 3
    assert "result: BREACH" in ended.out
    assert "dispatch is stopped" in ended.err
    assert "I9" in (await stopped(place) or "")
    await place.pay([1])
    assert place.network.settled("creator0") == []
    again = await run("resume", *folder_of(place))
    assert "sending again; it was: the audit found a breach" in again.out
    await place.pay([1])
    assert len(place.network.settled("creator0")) == 1


async def test_warnings_are_exit_status_2_only_under_strict(place):
    await place.play()
    place.network.faults.phantom.next_count = 1
    await place.round()
    place.clock.advance(2 * 3600)
    await place.round()
    assert (await run("audit", *folder_of(place))).status == 0
    ended = await run_process("audit", "--strict", *folder_of(place))
    assert ended.status == 2
    assert "PASS with warnings" in ended.out
    assert await stopped(place) is None
    assert "LIMBO" in (await run("payouts", *folder_of(place))).out


async def test_offline_says_what_was_not_checked(place):
    place.network.faults.unreachable = {PAYER}
    ended = await run("audit", "--offline", *folder_of(place))
    assert ended.status == 0
    assert "not checked: I3, I7, I13" in ended.out
    assert "not checked: I3, I7, I13" in (await run("audit", *folder_of(place))).out


async def test_a_drain_waits_for_a_payment_that_is_held(place):
    await place.play()
    place.network.faults.hold.next_count = 1
    await place.round()
    (held,) = place.network.faults.hold.struck
    early = await run("drain", "--timeout", 1, *folder_of(place))
    assert early.status == 1
    assert "1 still in flight: do not stop LND" in early.out
    process = await start("drain", "--timeout", LIMIT_S, *folder_of(place))
    ending = asyncio.create_task(process.communicate())
    await asyncio.wait([ending], timeout=3)
    assert not ending.done(), "it ended while a payment was in flight"
    place.network.release(held)
    async with asyncio.timeout(LIMIT_S):
        out, _ = await ending
    assert process.returncode == 0
    assert "nothing is in flight, LND may be stopped" in out.decode()
    assert await stopped(place) == "drained by the operator"


async def test_after_a_drain_nothing_is_sent_until_resume(place):
    await place.play()
    assert (await run("drain", *folder_of(place))).status == 0
    await place.pay([1])
    ended = await run("payouts", "--run", *folder_of(place))
    assert "drained by the operator" in ended.err
    assert all(place.network.settled(f"creator{n}") == [] for n in range(3))
    await run("resume", *folder_of(place))
    await run("payouts", "--run", *folder_of(place))
    assert all(len(place.network.settled(f"creator{n}")) == 1 for n in range(3))
    assert "was not stopped" in (await run("resume", *folder_of(place))).out


async def test_resume_opens_both_rails(place):
    async with place.node.store.write() as tx:
        for rail in ("lightning", "stablecoin"):
            await leases.stop(tx, rail, f"{rail} has burst", 1)
    ended = await run("resume", *folder_of(place))
    assert "it was: lightning has burst; stablecoin has burst" in ended.out
    async with place.node.store.read() as tx:
        assert await leases.stopped(tx, "stablecoin") is None


async def test_a_payment_that_nobody_knows_stops_sending_until_it_is_adopted(place):
    await place.play()
    await place.network.pay(PAYER, place.network.invoice(READER, 1_234_000))
    found = await run("reconcile", *folder_of(place))
    assert found.status == 1
    assert "unknown: " in found.out
    assert "1\u2009234 sat" in found.out
    assert "unknown here" in (await stopped(place) or "")
    adopted = await run("reconcile", "--adopt", "--json", *folder_of(place))
    assert (adopted.status, adopted.json["adopted"]) == (0, 1)
    assert await stopped(place) is None
    assert (await run("audit", *folder_of(place))).status == 0


async def test_a_restored_backup_pays_nobody_twice(place):
    """The payouts were paid after the backup: lnd knows them, the books do not."""
    await place.play()
    restored = back_up(place)
    await place.pay([1])
    assert len(place.network.settled("creator0")) == 1
    found = (await run("reconcile", "--json", "--folder", restored)).json
    assert found["unknown"] == []
    assert found["recognized"] == 4, "keysend has one hash for the payout's life"
    ended = await run("payouts", "--run", "--folder", restored)
    assert "paid 4" in ended.err
    assert (await run("audit", "--folder", restored)).status == 0
    assert place.paid_twice() == []
    assert len(place.network.settled("creator0")) == 1


async def test_after_a_restored_backup_a_suspect_is_not_adopted_by_the_way(tmp_path):
    """Paid to an address, a payout has a new hash each time: only a person can tell."""
    async with open_scene(
        tmp_path, ManualClock(OLD.starts_s + 3600), creators=1, keysend=False
    ) as s:
        write_settings(s.folder / "node", s.settings)
        await s.play()
        restored = back_up(s)
        await s.pay([1])
        at_once = await run("payouts", "--run", "--folder", restored)
        assert "unknown here" in at_once.err
        found = await run("reconcile", "--adopt", "--json", "--folder", restored)
        assert (found.status, found.json["adopted"]) == (1, 0)
        assert len(found.json["unknown"]) == 2
        assert all(one["suspects"] for one in found.json["unknown"])
        await run("payouts", "--run", "--folder", restored)
        assert s.paid_twice() == []


async def test_a_deposit_that_was_given_up_and_paid_is_credited(place):
    node, reader = place.node, place.creators[READER]
    asked = await fund.ask_deposit(node.funding, reader, sats(50), to_pot=False, key="")
    async with node.store.write() as tx:
        await tx.run("UPDATE deposit SET state = 'expired'")
    await place.network.pay(READER, asked.payment_request)
    found = await run("reconcile", *folder_of(place))
    assert "deposits credited 1" in found.out
    assert "deposits credited 0" in (await run("reconcile", *folder_of(place))).out
    listed = (await run("members", "--json", *folder_of(place))).json["members"]
    assert [one["available_msat"] for one in listed if one["name"] == READER] == [50_000]


async def test_serve_answers_and_ends_cleanly(place):
    (port,) = free_ports(1)
    web = place.settings.web.model_copy(update={"port": port})
    write_settings(place.folder / "node", place.settings, web=web)
    process = await start("serve", *folder_of(place))
    try:
        assert process.stderr is not None
        async with asyncio.timeout(LIMIT_S):
            first = (await process.stderr.readline()).decode()
        assert f"serves at http://127.0.0.1:{port}" in first
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"http://127.0.0.1:{port}/readyz") as answer,
        ):
            assert answer.status == 200
            assert json.loads(await answer.text())["ready"] is True
        await _enter(process)
    finally:
        process.send_signal(signal.SIGTERM)
    async with asyncio.timeout(LIMIT_S):
        out, err = await process.communicate()
    assert (process.returncode, out) == (0, b"")
    assert b"Traceback" not in err


async def _enter(process):
    """Open the one-time link that `serve` prints."""
    said = ""
    async with asyncio.timeout(LIMIT_S):
        while "/link/" not in said:
            said = (await process.stderr.readline()).decode()
            assert said, "it ended"
    link = said.strip()
    url, _, secret = link.partition("/link/")
    jar = aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(cookie_jar=jar) as session:
        async with session.get(link) as answer:
            token = re.search('name="token" value="([^"]+)"', await answer.text())
        form = {"token": token[1], "secret": secret}
        headers = {"Origin": url}
        async with session.post(f"{url}/link", data=form, headers=headers) as answer:
            assert (answer.status, answer.url.path) == (200, "/access")
        async with session.get(f"{url}/metrics") as answer:
            assert "flattr_lnd_reachable 1.0" in await answer.text()


async def test_serve_sends_nothing_while_a_payment_is_unknown(place):
    await place.play()
    await place.network.pay(PAYER, place.network.invoice(READER, 1_234_000))
    process = await start("serve", *folder_of(place), FLATTR_WEB__PORT="0")
    said = ""
    assert process.stderr is not None
    async with asyncio.timeout(LIMIT_S):
        while "NOTHING IS SENT" not in said:
            said = (await process.stderr.readline()).decode()
            assert said, "it ended"
        process.send_signal(signal.SIGINT)
        await process.communicate()
    assert process.returncode == 0
    assert all(place.network.settled(f"creator{n}") == [] for n in range(3))


async def test_a_backup_comes_back_and_nothing_is_sent_before_reconcile(place, tmp_path):
    await place.play()
    file, new = tmp_path / "node.backup", tmp_path / "new"
    assert (await run("backup", file, *folder_of(place))).status == 0
    await place.pay([31])
    arrived = {name: place.network.settled(name) for name in place.network.nodes}
    shutil.copytree(place.folder / "node", new, ignore=shutil.ignore_patterns("*sqlite*"))
    answer = (await run("restore", file, "--json", "--folder", new)).json
    assert answer["broken"] == []
    assert answer["rows"] > 0
    again = await run_process("restore", file, "--folder", new)
    assert (again.status, "not empty" in again.err) == (1, True)
    refused = await run_process("resume", "--folder", new)
    assert (refused.status, "in quarantine" in refused.err) == (1, True)
    await run("payouts", "--run", "--folder", new)
    done = (await run("reconcile", "--json", "--folder", new)).json
    assert (done["unknown"], done["stopped"]) == ([], None)
    assert done["taken_up"] + done["recognized"] > 0
    await run("payouts", "--run", "--folder", new)
    assert {name: place.network.settled(name) for name in place.network.nodes} == arrived
    assert place.paid_twice() == []


async def test_limbo_says_what_is_missing_and_refuses_until_it_is_there(place):
    assert "no payment is in LIMBO" in (await run("limbo", *folder_of(place))).out
    await place.play()
    place.network.faults.phantom.next_count = 1
    await place.round()
    place.clock.advance(2 * 3600)
    await place.round()
    ended = await run("limbo", *folder_of(place))
    assert ended.status == 1
    assert "NO  every time lock has passed by 144 blocks" in ended.out
    (case,) = (await run("limbo", "--json", *folder_of(place))).json["limbo"]
    said = await run_process(
        "limbo", "--dead", case["payout"], "--name", "ann", *folder_of(place)
    )  # fmt: skip
    assert (said.status, "may not be called dead yet" in said.err) == (1, True)
