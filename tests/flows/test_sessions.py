"""Sessions: how long they live, who ends them, and what is stored of them."""

from __future__ import annotations

import hashlib

import pytest

from node.clock import ManualClock
from node.errors import NotFound
from node.flows import sessions
from node.flows.join import join
from node.flows.look import tokens_of
from node.ids import MemberId
from node.store.engine import Store


async def member(store: Store, clock: ManualClock, name: str = "alice") -> MemberId:
    return (await join(store, clock, name))[0]


async def test_a_session_is_found_by_its_secret_alone(store, clock):
    alice = await member(store, clock)
    new = await sessions.open_session(store, clock, alice, "Firefox")
    assert await sessions.find_session(store, clock, new.secret) == new.session
    assert new.session.member == alice
    for wrong in ("", new.secret[:-1], new.secret + "A", new.session.id, "é" * 43, "A" * 43):
        assert await sessions.find_session(store, clock, wrong) is None


async def test_only_the_hash_of_a_secret_is_stored(store, clock):
    new = await sessions.open_session(store, clock, await member(store, clock), "Firefox")
    async with store.read() as tx:
        row = await tx.row("SELECT * FROM session")
    assert new.secret not in [str(value) for value in row]
    assert row.hash == hashlib.sha256(new.secret.encode()).hexdigest()
    assert await sessions.find_session(store, clock, row.hash) is None


async def test_a_session_that_is_not_used_is_over_after_twelve_hours(store, clock):
    new = await sessions.open_session(store, clock, await member(store, clock), "")
    clock.advance(sessions.IDLE_S - 1)
    assert await sessions.find_session(store, clock, new.secret)
    clock.advance(1)
    assert await sessions.find_session(store, clock, new.secret) is None
    assert await sessions.sessions_of(store, clock, new.session.member) == []


async def test_use_keeps_a_session_alive_for_fourteen_days_and_no_longer(store, clock):
    new = await sessions.open_session(store, clock, await member(store, clock), "")
    hours = 0
    while found := await sessions.find_session(store, clock, new.secret):
        await sessions.touch(store, clock, found)
        clock.advance(6 * 3600)
        hours += 6
    assert hours == 14 * 24


async def test_a_session_that_was_just_seen_is_not_written_again(store, clock):
    new = await sessions.open_session(store, clock, await member(store, clock), "")
    clock.advance(sessions.TOUCH_S - 1)
    await sessions.touch(store, clock, new.session)
    assert (await sessions.find_session(store, clock, new.secret)).seen_us == new.session.seen_us
    clock.advance(1)
    await sessions.touch(store, clock, new.session)
    assert (await sessions.find_session(store, clock, new.secret)).seen_us == clock.now_us()


async def test_signing_in_again_ends_the_session_that_the_browser_had(store, clock):
    alice, bob = await member(store, clock), await member(store, clock, "bob")
    old = await sessions.open_session(store, clock, alice, "")
    other = await sessions.open_session(store, clock, alice, "another browser")
    new = await sessions.open_session(store, clock, bob, "", replaces=old.secret)
    assert await sessions.find_session(store, clock, old.secret) is None
    assert await sessions.find_session(store, clock, new.secret) == new.session
    assert await sessions.find_session(store, clock, other.secret) == other.session


async def test_fresh_is_ten_minutes_after_a_wallet_signed_and_never_by_a_token(store, clock):
    alice = await member(store, clock)
    new = await sessions.open_session(store, clock, alice, "")
    [token] = await tokens_of(store, alice)
    by_token = await sessions.open_session(store, clock, alice, "", token=token.id)
    assert sessions.is_fresh(clock, new.session)
    assert not sessions.is_fresh(clock, by_token.session)
    assert not sessions.is_fresh(clock, None)
    clock.advance(599)
    await sessions.touch(store, clock, new.session)
    assert sessions.is_fresh(clock, await sessions.find_session(store, clock, new.secret))
    clock.advance(1)
    assert not sessions.is_fresh(clock, await sessions.find_session(store, clock, new.secret))


async def test_a_member_ends_own_sessions_and_nobody_elses(store, clock):
    alice, bob = await member(store, clock), await member(store, clock, "bob")
    mine, theirs = [await sessions.open_session(store, clock, who, "") for who in (alice, bob)]
    with pytest.raises(NotFound):
        await sessions.revoke_session(store, bob, mine.session.id)
    assert await sessions.find_session(store, clock, mine.secret)
    await sessions.revoke_session(store, alice, mine.session.id)
    assert await sessions.find_session(store, clock, mine.secret) is None
    await sessions.end_session(store, mine.secret)
    assert await sessions.find_session(store, clock, theirs.secret)
    await sessions.end_session(store, theirs.secret)
    assert await sessions.find_session(store, clock, theirs.secret) is None


async def test_all_sessions_end_but_the_one_that_asks(store, clock):
    alice, bob = await member(store, clock), await member(store, clock, "bob")
    mine = [await sessions.open_session(store, clock, alice, str(n)) for n in range(3)]
    theirs = await sessions.open_session(store, clock, bob, "")
    assert await sessions.end_sessions(store, alice, but=mine[1].session) == 2
    assert await sessions.sessions_of(store, clock, alice) == [mine[1].session]
    assert await sessions.end_sessions(store, alice) == 1
    assert await sessions.sessions_of(store, clock, alice) == []
    assert await sessions.find_session(store, clock, theirs.secret)


async def test_a_member_has_so_many_sessions_and_the_one_least_seen_goes(store, clock):
    alice = await member(store, clock)
    opened = []
    for number in range(sessions.SESSIONS_MAX):
        opened.append(await sessions.open_session(store, clock, alice, str(number)))
        clock.advance(sessions.TOUCH_S)
    await sessions.touch(store, clock, opened[0].session)
    await sessions.open_session(store, clock, alice, "one more")
    names = {one.agent for one in await sessions.sessions_of(store, clock, alice)}
    assert len(names) == sessions.SESSIONS_MAX
    assert "0" in names
    assert "1" not in names


async def test_what_is_over_is_deleted(store, clock):
    alice = await member(store, clock)
    await sessions.open_session(store, clock, alice, "")
    clock.advance(sessions.IDLE_S)
    await sessions.open_session(store, clock, await member(store, clock, "bob"), "")
    async with store.read() as tx:
        assert await tx.value("SELECT count(*) FROM session") == 1


async def test_what_a_browser_calls_itself_is_one_short_line(store, clock):
    alice = await member(store, clock)
    new = await sessions.open_session(store, clock, alice, "a\nb\x00c\u202e" + "x" * 500)
    assert new.session.agent == ("abc" + "x" * 500)[: sessions.AGENT_CHARS_MAX]
    assert await sessions.find_session(store, clock, new.secret) == new.session
