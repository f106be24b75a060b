"""`doctor` finds what is wrong, and says in words how to mend it."""

from types import SimpleNamespace

import pytest

from node.cli.doctor import examine
from node.config import FILE_NAME
from node.store import leases
from node.wallet.lightning import simulated_gate, simulated_lightning
from node.wallet.lightning.rpc_errors import METHODS
from tests.cli.conftest import folder_of, run, write_settings
from tests.simulation.scene import PAYER, READER


async def bad(folder):
    """part -> (words, fix) of all that is wrong."""
    return {f.part: (f.words, f.fix) async for f in examine(folder) if not f.good}


async def test_a_node_that_is_well_is_green(place):
    ended = await run("doctor", *folder_of(place))
    assert ended.status == 0, ended.out
    assert "all is well" in ended.out
    assert (await run("doctor", "--json", *folder_of(place))).json["good"] is True


async def test_something_wrong_is_exit_status_1_with_the_fix(place):
    place.network.faults.locked = {PAYER}
    ended = await run("doctor", *folder_of(place))
    assert ended.status == 1
    assert "lncli unlock" in ended.out
    answer = (await run("doctor", "--json", *folder_of(place))).json
    assert answer["good"] is False
    assert next(f["part"] for f in answer["findings"] if not f["good"]) == "wallet"


@pytest.mark.parametrize(
    ("switch", "part", "fix"),
    [
        ("locked", "wallet", "lncli unlock"),
        ("starting", "wallet", "wait"),
        ("unreachable", "lnd", "start lnd"),
        ("unsynced", "sync", "wait"),
    ],
)
async def test_a_trouble_of_lnd_is_found(place, switch, part, fix):
    setattr(place.network.faults, switch, {PAYER})
    found = await bad(place.folder / "node")
    assert fix in found[part][1]


@pytest.mark.parametrize("methods", [METHODS[:1], METHODS[3:6], METHODS[-2:]])
async def test_rights_that_a_macaroon_lacks_are_named(place, monkeypatch, methods):
    monkeypatch.setattr(simulated_gate, "ADMIN_ONLY", frozenset(methods))
    words, fix = (await bad(place.folder / "node"))["macaroon"]
    for method in METHODS:
        assert (method.rpartition("/")[2] in words) == (method in methods)
    assert fix.count("uri:") == len(METHODS)


async def test_looking_for_rights_has_no_effect(place):
    before = place.network.balance_msat(PAYER)
    for _ in range(2):
        assert await bad(place.folder / "node") == {}
    assert place.network.balance_msat(PAYER) == before
    assert [one async for one in place.node.lnd.list_payments()] == []


async def test_an_admin_macaroon_is_refused_on_a_real_network(place):
    admin = place.network.nodes[PAYER].admin_macaroon_path
    folder = place.folder / "admin"
    cert = place.network.nodes[PAYER].cert_path
    port = place.network.nodes[PAYER].port
    (folder).mkdir()
    (folder / FILE_NAME).write_text(
        f"network = 'signet'\n[lnd]\naddress = '127.0.0.1:{port}'\ncert_path = '{cert}'\n"
        f"macaroon_path = '{admin}'\n"
    )
    (folder / FILE_NAME).chmod(0o600)
    found = await bad(folder)
    assert "DeletePayment" not in found["admin"][1]
    assert "lncli bakemacaroon" in found["admin"][1]
    assert "network = 'simnet'" in found["network"][1]


async def test_another_calendar_is_found(open_place):
    async with open_place(at_s=4_000_000_000) as scene:
        words, fix = (await bad(scene.folder / "node"))["clock"]
        assert "ahead of our clock" in words
        assert "NTP" in fix


async def test_an_old_lnd_is_found(place, monkeypatch):
    monkeypatch.setattr(simulated_lightning, "VERSION", "0.15.5-beta commit=v0.15.5-beta")
    assert "upgrade lnd" in (await bad(place.folder / "node"))["version"][1]


async def test_too_few_sats_in_the_channels_are_found(place):
    await place.play()
    network = place.network
    spent = network.balance_msat(PAYER) // 1000 * 1000 - 10_000_000
    await network.pay(PAYER, network.invoice(READER, spent))
    found = await bad(place.folder / "node")
    assert "move 8" in found["solvency"][1]
    assert "liquidity" in found["outbound"][1]


async def test_stopped_sending_and_broken_books_are_found(place):
    await place.play()
    async with place.node.store.write() as tx:
        await leases.stop(tx, "lightning", "drained by the operator", 1)
        await tx.run("UPDATE account SET balance = balance + 1 WHERE kind = 'payout'")
    found = await bad(place.folder / "node")
    assert found["sending"] == (
        "stopped: drained by the operator", "when that is settled: flattr-node resume",
    )  # fmt: skip
    assert "flattr-node audit" in found["books"][1]


async def test_what_is_wrong_with_the_machine_is_found(place, monkeypatch):
    folder = place.folder / "node"
    (folder / FILE_NAME).chmod(0o644)
    usage = SimpleNamespace(free=5 << 20)
    monkeypatch.setattr("node.flows.diagnose.shutil.disk_usage", lambda _: usage)
    found = await bad(folder)
    assert "make room" in found["disk"][1]
    assert found["secrets"][1] == f"chmod 600 {folder / FILE_NAME}"


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("lnsb1nothing", "can't be paid"),
        ("nobody@127.0.0.1:1", "can't be paid"),
        ("hello", "can't be paid"),
    ],
)
async def test_an_operator_target_that_can_not_be_paid_is_found(place, target, words):
    money = place.settings.money.model_copy(update={"operator_target": target})
    write_settings(place.folder / "node", place.settings, money=money)
    found = await bad(place.folder / "node")
    assert words in found["operator"][0]
    assert "money.operator_target" in found["operator"][1]


async def test_an_operator_target_that_is_the_nodes_own_lnd_is_found(place):
    own = place.network.nodes[PAYER].identity_pubkey
    money = place.settings.money.model_copy(update={"operator_target": own})
    write_settings(place.folder / "node", place.settings, money=money)
    found = await bad(place.folder / "node")
    assert found["operator"] == (
        "the operator's target is this lnd itself",
        "write another wallet's as money.operator_target, or none: the share stays here then",
    )


async def test_a_public_url_that_is_none_is_found(place):
    web = place.settings.web.model_copy(update={"public_url": "my.node"})
    write_settings(place.folder / "node", place.settings, web=web)
    assert "https://your.domain" in (await bad(place.folder / "node"))["public URL"][1]


async def test_a_database_that_is_away_is_found(place):
    url = "postgresql://flattr@127.0.0.1:1/none"
    write_settings(place.folder / "node", place.settings, database=url)
    found = await bad(place.folder / "node")
    assert set(found) == {"database"}
    assert "start the database" in found["database"][1]


async def test_without_settings_it_says_how_to_begin(tmp_path):
    found = await bad(tmp_path)
    assert set(found) == {"settings"}
    assert "flattr-node init" in found["settings"][0]
