"""The stablecoin by the pages, without scripts, on the real contract."""

from __future__ import annotations

import re

from node.devnet.evm import local_key
from node.devnet.evm_vault import DOLLAR
from tests.web.wallets import book, send, signed


async def _link(person, name: str):
    address = local_key(name).address
    shown = await person.send("/fund/stablecoin", "/fund/stablecoin/address", address=address)
    text = re.search(r"<textarea[^>]*>\n(.*?)</textarea>", shown.html, re.DOTALL)[1]
    form = shown.form("/fund/stablecoin/link")
    fields = {
        **form,
        "text": text.replace("\n", "\r\n"),
        "signature": signed(text, name)["signature"],
    }
    return await person.post("/fund/stablecoin/link", fields)


async def test_an_address_is_linked_and_pays_in_by_the_calls_shown(usd_people) -> None:
    people, world = usd_people, usd_people.world
    alice, address = await people.member("alice"), local_key("alice").address
    assert "published whole: anybody can compute it anew" in (await alice.get("/")).text
    assert "/fund/stablecoin" in (await alice.get("/fund")).html
    shown = await _link(alice, "alice")
    assert f"{address} is linked." in shown.text
    await world.vault.mint(address, 20 * DOLLAR)
    shown = await alice.get("/fund/stablecoin?deposit=12&pot=4.00")
    assert "In your wallet 20.00 USD" in shown.text
    assert f"ethereum:{world.vault.address}@" in shown.html
    calls = re.findall(r'data-sends="(\w+)" data-to="(\w+)" data-data="(\w+)"', shown.html)
    assert [name for name, _, _ in calls][:2] == ["approve", "deposit"]
    for _, to, calldata in calls[:2]:
        await send(world, "alice", {"to": to, "calldata": calldata})
    await book(world)
    shown = await alice.get("/month")
    assert "In your pot 4.00 USD" in shown.text
    assert "Free now 8.00 USD" in (await alice.get("/fund/stablecoin")).text


async def test_what_can_not_be_is_said_on_the_page(usd_people) -> None:
    alice, mallory = await usd_people.member("alice"), await usd_people.member("mallory")
    for address in ("", "0x12", "alice@wallet.example", "0x" + "00" * 20):
        shown = await alice.send("/fund/stablecoin", "/fund/stablecoin/address", address=address)
        assert shown.path == "/fund/stablecoin"
        assert 'role="alert"' in shown.html
    address = local_key("alice").address
    shown = await alice.send("/fund/stablecoin", "/fund/stablecoin/address", address=address)
    text = re.search(r"<textarea[^>]*>\n(.*?)</textarea>", shown.html, re.DOTALL)[1]
    form = (await mallory.send(
        "/fund/stablecoin", "/fund/stablecoin/address", address=address
    )).form("/fund/stablecoin/link")  # fmt: skip
    stolen = {**form, "text": text, "signature": signed(text, "alice")["signature"]}
    shown = await mallory.post("/fund/stablecoin/link", stolen)
    assert 'role="alert"' in shown.html
    assert "is linked" not in shown.text
    await _link(alice, "alice")
    for query in ("deposit=1.500", "pot=x", "withdraw=-1"):
        shown = await alice.get(f"/fund/stablecoin?{query}")
        assert (shown.status, shown.path) == (400, f"/fund/stablecoin?{query}")
    shown = await alice.get("/fund/stablecoin?deposit=5")
    assert "your wallet has 0 usd" in shown.text


async def test_a_node_without_it_has_no_such_page(people) -> None:
    alice = await people.member("alice")
    assert (await alice.get("/fund/stablecoin")).status == 404
    assert "/fund/stablecoin" not in (await alice.get("/fund")).html
