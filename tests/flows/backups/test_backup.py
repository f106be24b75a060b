"""A backup is one whole file, taken while the node serves, and comes back in either database."""

from __future__ import annotations

import asyncio
import stat

import pytest

from node.app import read_seed
from node.config import StablecoinSettings
from node.errors import BadBackup, Conflict
from node.flows import claim, join
from node.flows.audits.audit import audit
from node.flows.backups import file as backups
from node.flows.backups.restore import restore_backup
from node.flows.backups.take import take_backup
from node.flows.close import close_month
from node.flows.operator import acts
from node.store import dump, leases, operator_log
from node.store.engine import open_store
from tests.conftest import MONTH
from tests.flows.backups.lives import restored, save
from tests.simulation.scene import READER, open_scene
from tests.world import open_world

SEED = bytes(range(32))


def rows_of(path):
    """Every row of a backup, by table, in no order."""
    found: dict[str, list[str]] = {}
    for shape, rows in backups.read_tables(path):
        found.setdefault(shape.name, []).extend(map(str, rows))
    return {name: sorted(rows) for name, rows in found.items()}


@pytest.fixture
async def played(tmp_path, clock):
    """A month that is closed and paid, with clicks that are in the inbox still."""
    async with open_scene(tmp_path, clock, creators=3) as scene:
        await scene.play()
        await scene.pay()
        thing = await claim.add_thing(scene.node.store, clock, "https://example.org/x", "x")
        await scene.node.clicks.flattr(scene.creators[READER], thing, None, "")
        yield scene


async def test_what_comes_back_is_what_was_saved(database_url, played, tmp_path, clock):
    url = database_url.replace("flattr.sqlite", "new.sqlite")
    before = await save(played, tmp_path / "before")
    async with restored(played, before, tmp_path / "new", url=url) as scene:
        store = scene.node.store
        report = await audit(store, clock, scene.node.lnd)
        assert report.result == "pass"
        after = tmp_path / "after"
        await take_backup(store, clock, scene.settings, read_seed(tmp_path / "new"), after)
        ours, theirs = rows_of(before), rows_of(after)
        logs = ours.pop("operator_log"), theirs.pop("operator_log")
        ours.pop("operator_log_head"), theirs.pop("operator_log_head")
        ours.pop("audit_result"), theirs.pop("audit_result")
        assert _with_truths(ours) == _with_truths(theirs)
        assert len(logs[1]) == len(logs[0]) + 1, "the restore itself"
        # and it goes on numbering: in Postgres that is a thing of its own
        joined, _ = await join.join(store, clock, "late")
        assert joined > max(scene.creators.values())


def _with_truths(tables):
    """SQLite writes 1 where Postgres writes True."""
    return {
        name: sorted(row.replace("True", "1").replace("False", "0") for row in rows)
        for name, rows in tables.items()
    }


async def test_from_postgres_to_sqlite(tmp_path, clock, postgres_url):
    async with open_scene(tmp_path, clock, creators=2, database=postgres_url) as scene:
        await scene.play()
        await scene.pay([31])
        path = await save(scene, tmp_path / "saved")
        async with restored(scene, path, tmp_path / "new") as back:
            assert (await audit(back.node.store, clock, back.node.lnd)).result == "pass"


async def test_a_backup_that_is_taken_while_clicks_and_money_come_in_is_of_one_moment(
    tmp_path, clock, monkeypatch
):
    """Every page is followed by more writing; the books in the file are clean all the same."""
    monkeypatch.setattr(dump, "ROWS_AT_ONCE", 3)
    async with open_scene(tmp_path, clock, creators=3) as scene:
        path = tmp_path / "saved"
        await scene.fill()
        clock.set(MONTH.ends_s + 60)
        taking = asyncio.create_task(save(scene, path))
        await close_month(scene.node.closing(lambda _: None), MONTH)
        await scene.pay()
        await taking
        async with restored(scene, path, tmp_path / "new") as back:
            report = await audit(back.node.store, clock, None)
            assert report.result in {"pass", "warn"}, "a close that is half done is a warning"


async def test_the_file_is_for_its_owner_alone_and_says_what_it_is(played, tmp_path):
    path = await save(played, tmp_path / "saved")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    first, header = path.read_bytes().split(b"\n", 2)[:2]
    assert first == b"flattr-node backup 1"
    assert b'"network":"simnet"' in header
    assert b"No seed, no key" in header
    assert read_seed(tmp_path / "node").hex().encode() not in path.read_bytes()
    assert [one.name for one in tmp_path.iterdir() if "partial" in one.name] == []


async def test_no_file_is_overwritten_and_none_is_left_half_written(played, tmp_path, monkeypatch):
    path = tmp_path / "saved"
    path.write_text("mine")
    with pytest.raises(BadBackup, match="is there already"):
        await save(played, path)
    assert path.read_text() == "mine"

    def full(*_args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(backups.Writing, "rows", full)
    with pytest.raises(OSError, match="No space"):
        await save(played, tmp_path / "other")
    assert sorted(one.name for one in tmp_path.iterdir()) == ["net", "node", "saved"]


async def test_a_damaged_file_is_refused_wherever_the_damage_is(played, tmp_path, clock):
    path = await save(played, tmp_path / "saved")
    whole = path.read_bytes()
    url = f"sqlite:///{tmp_path / 'new.sqlite'}"
    seed = read_seed(tmp_path / "node")
    for place in (0, 25, 60, len(whole) // 2, len(whole) - 40, len(whole) - 1):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        with pytest.raises(BadBackup):
            await restore_backup(url, clock, played.settings, seed, path)
    for size in (0, 10, 100, len(whole) - 1):
        path.write_bytes(whole[:size])
        with pytest.raises(BadBackup):
            await restore_backup(url, clock, played.settings, seed, path)
    assert not (tmp_path / "new.sqlite").exists()


async def test_another_nodes_backup_is_refused(played, tmp_path, clock):
    path = await save(played, tmp_path / "saved")
    url, seed = f"sqlite:///{tmp_path / 'new.sqlite'}", read_seed(tmp_path / "node")
    with pytest.raises(BadBackup, match="another seed"):
        await restore_backup(url, clock, played.settings, SEED, path)
    signet = played.settings.model_copy(update={"network": "signet"})
    with pytest.raises(BadBackup, match="of simnet, and the settings say network = signet"):
        await restore_backup(url, clock, signet, seed, path)
    coin = StablecoinSettings.model_construct(network="anvil", vault="0xAB")
    with_vault = played.settings.model_copy(update={"stablecoin": coin})
    with pytest.raises(BadBackup, match="vault is none, and the settings' is anvil 0xab"):
        await restore_backup(url, clock, with_vault, seed, path)


async def test_a_database_with_anything_in_it_is_not_filled(played, tmp_path, clock):
    path, url = await save(played, tmp_path / "saved"), f"sqlite:///{tmp_path / 'new.sqlite'}"
    async with open_store(url) as store, open_world(store, clock) as world:
        await world.join("somebody")
    seed = read_seed(tmp_path / "node")
    with pytest.raises(BadBackup, match="not empty"):
        await restore_backup(url, clock, played.settings, seed, path)
    async with open_store(url) as store, store.read() as tx:
        assert await tx.value("SELECT count(*) FROM member") == 1


async def test_no_resume_lifts_the_quarantine_of_a_restore(played, tmp_path, clock):
    path = await save(played, tmp_path / "saved")
    async with restored(played, path, tmp_path / "new") as scene:
        store = scene.node.store
        with pytest.raises(Conflict, match="in quarantine, restored from a backup"):
            await acts.resume(store, clock, "command line")
        async with store.read() as tx:
            assert await leases.stopped(tx, "lightning") is not None
            assert await leases.stopped(tx, "stablecoin") is not None
            (newest,) = await operator_log.newest(tx, 10**9, 1)
        assert newest.act.act == "restored"


async def test_a_corrupt_balance_is_said_and_not_copied(played, tmp_path, clock):
    async with played.node.store.write() as tx:
        await tx.run("UPDATE account SET balance = balance + 7 WHERE kind = 'commission'")
    path, seed = await save(played, tmp_path / "saved"), read_seed(tmp_path / "node")
    url = f"sqlite:///{tmp_path / 'new.sqlite'}"
    done = await restore_backup(url, clock, played.settings, seed, path)
    assert [words for words in done.broken if "its postings come to" in words]
    async with open_store(url) as store:
        assert (await audit(store, clock, None)).result == "pass"


def test_every_table_is_saved_or_left_out_with_a_reason():
    saved = {shape.name for shape in dump.shapes()}
    assert saved & dump.LEFT_OUT == set()
    assert {"member", "posting", "attempt", "signed_transaction", "flattr_inbox"} <= saved
