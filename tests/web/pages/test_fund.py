"""Money in by the pages, without scripts; and the page that flips when it is paid."""

from __future__ import annotations

import asyncio
import re
import time

import pytest

from node.errors import RailUnavailable
from node.flows import fund

FLIP_S = 1.0


async def _ask(person, **fields) -> object:
    return await person.send("/fund", "/fund", **fields)


async def test_money_goes_in_and_the_pot_has_it(both_people) -> None:
    alice, world = await both_people.member("alice"), both_people.world
    shown = await _ask(alice, amount="5000")
    assert re.fullmatch(r"/fund/[0-9a-f]+", shown.path)
    assert "Pay 5 000 sat" in shown.text
    assert "waits for your payment" in shown.text
    assert '<meta http-equiv="refresh" content="5">' in shown.html
    invoice = shown.invoice
    assert f'value="{invoice}"' in shown.html
    assert '<svg xmlns="http://www.w3.org/2000/svg"' in shown.html
    await world.pay(invoice)
    shown = await alice.get(shown.path)
    assert "Received: 5 000 sat" in shown.text
    assert "It is in your pot" in shown.text
    assert "refresh" not in shown.html
    assert "In your pot 5 000 sat" in (await alice.get("/month")).text


async def test_another_amount_stays_available(people) -> None:
    alice = await people.member("alice")
    shown = await _ask(alice, amount="other", other="2 500", to="available")
    await people.world.pay(shown.invoice)
    assert "It is available" in (await alice.get(shown.path)).text
    assert "Available 2 500 sat" in (await alice.get("/withdraw")).text


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ("", "whole sats"),
        ("0", "a deposit is"),
        ("1.500", "whole sats"),
        ("1,5", "whole sats"),
        ("-5", "whole sats"),
        ("2000000", "a deposit is"),
        ("99999999999999999999", "whole sats"),
        ("５", "whole sats"),
    ],
)
async def test_what_is_no_amount_is_said_on_the_form_which_keeps_it(people, typed, says) -> None:
    alice = await people.member("alice")
    shown = await _ask(alice, amount="other", other=typed)
    assert (shown.status, shown.path) == (400, "/fund")
    assert says in shown.text.lower()
    assert shown.form("/fund")["other"] == typed
    assert "Your latest deposits" not in shown.text


async def test_a_form_that_is_sent_twice_makes_one_deposit(people) -> None:
    alice = await people.member("alice")
    form = {**(await alice.get("/fund")).form("/fund"), "amount": "5000"}
    first, second = await alice.post("/fund", form), await alice.post("/fund", form)
    assert first.path == second.path
    assert (await alice.get("/fund")).text.count("waits for your payment") == 1
    shown = await alice.post("/fund", {**form, "amount": "1000"})
    assert shown.status == 422


async def test_the_deposit_of_another_member_is_not_there(people) -> None:
    alice, mallory = await people.member("alice"), await people.member("mallory")
    shown = await _ask(alice, amount="5000")
    for path in (shown.path, shown.path + "/events"):
        assert (await mallory.get(path)).status == 404
    assert (await mallory.get("/fund")).text.count("5 000 sat") == 1  # the chip


async def test_an_expired_invoice_says_what_to_do(people, clock) -> None:
    alice = await people.member("alice")
    shown = await _ask(alice, amount="5000")
    clock.advance(fund.EXPIRY_S)
    shown = await alice.get(shown.path)
    assert "This invoice has expired" in shown.text
    assert "lightning:" not in shown.html
    assert "Ask for a new invoice" in shown.text


async def test_while_lnd_is_away_the_page_says_that_there_is_no_invoice(
    people, monkeypatch
) -> None:
    alice, lnd = await people.member("alice"), type(people.world.node.lnd)

    async def away(*_, **__):
        raise RailUnavailable("LND can't be reached")

    with monkeypatch.context() as broken:
        broken.setattr(lnd, "add_invoice", away)
        broken.setattr(lnd, "lookup_invoice", away)
        shown = await _ask(alice, amount="5000")
        assert shown.status == 200
        assert re.fullmatch(r"/fund/[0-9a-f]+", shown.path)
        assert "There is no invoice yet" in shown.text
        assert "Nothing was paid" in shown.text
        assert "an invoice of yours may still be paid" in (await alice.get("/settings/close")).text
    assert "Close it for ever" in (await alice.get("/settings/close")).text
    assert (await _ask(alice, amount="5000")).invoice


async def test_the_page_flips_within_a_second_of_the_payment(people) -> None:
    alice, world = await people.member("alice"), people.world
    shown = await _ask(alice, amount="5000")
    async with alice.http.get(alice.url + shown.path + "/events") as stream:
        assert stream.headers["Content-Type"] == "text/event-stream"
        line = asyncio.create_task(stream.content.readuntil(b"data: settled"))
        await asyncio.sleep(0)
        assert not line.done()
        begun = time.monotonic()
        await world.pay(shown.invoice)
        paid = time.monotonic()
        told = await asyncio.wait_for(line, 10)
        flipped = time.monotonic()
    assert b"event: changed" in told
    assert flipped - begun < FLIP_S
    print(f"paid in {paid - begun:.3f} s, told {flipped - paid:.3f} s after that")
    assert "Received: 5 000 sat" in (await alice.get(shown.path)).text


async def test_the_page_flips_when_another_process_has_credited(people) -> None:
    alice, world = await people.member("alice"), people.world
    shown = await _ask(alice, amount="5000")
    other = fund.Funding(world.node.store, world.clock, world.node.rules, world.node.invoices)
    async with alice.http.get(alice.url + shown.path + "/events") as stream:
        line = asyncio.create_task(stream.content.readuntil(b"data: settled"))
        await world.pay(shown.invoice, funding=other)
        assert b"event: changed" in await asyncio.wait_for(line, 10)


async def test_the_streams_of_a_server_that_ends_end_at_once(people) -> None:
    alice = await people.member("alice")
    shown = await _ask(alice, amount="5000")
    async with alice.http.get(alice.url + shown.path + "/events") as stream:
        begun = time.monotonic()
        await people.world.streams.end(None)
        assert await asyncio.wait_for(stream.content.read(), 10) == b""
        assert time.monotonic() - begun < FLIP_S
