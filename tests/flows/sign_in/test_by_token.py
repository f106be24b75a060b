"""A session by an API token: only by a strong one, never fresh, and over with it."""

from __future__ import annotations

import pytest

from node.errors import Forbidden, Unauthorized
from node.flows import join, sessions
from node.flows.look import notices_of
from node.flows.sign_in.by_token import sign_in_by_token
from node.store.engine import NEWEST


@pytest.fixture
async def robot(store, clock):
    return await join.join(store, clock, "robot")


async def test_a_token_with_every_scope_opens_a_session_that_is_not_fresh(store, clock, robot):
    member, token = robot
    new = await sign_in_by_token(store, clock, token.secret, "curl")
    assert new.session.member == member
    assert await sessions.find_session(store, clock, new.secret) == new.session
    assert not sessions.is_fresh(clock, new.session)
    [notice] = await notices_of(store, member, 5, NEWEST)
    assert "API token" in notice.words


@pytest.mark.parametrize("lacking", sorted(join.SCOPES))
async def test_a_weaker_token_is_refused(store, clock, robot, lacking):
    weaker = join.SCOPES - {lacking}
    made = await join.make_token(store, clock, robot[0], "weak", frozenset(weaker), 1)
    with pytest.raises(Forbidden, match=lacking):
        await sign_in_by_token(store, clock, made.secret, "")
    assert await sessions.sessions_of(store, clock, robot[0]) == []


async def test_what_is_no_token_is_refused(store, clock, robot):
    for secret in ("", "flattr_", "flattr_" + "A" * 43, robot[1].secret[:-1], "é" * 50):
        with pytest.raises(Unauthorized):
            await sign_in_by_token(store, clock, secret, "")


async def test_a_revoked_token_opens_nothing_and_ends_what_it_has_opened(store, clock, robot):
    member, token = robot
    new = await sign_in_by_token(store, clock, token.secret, "")
    other = await sessions.open_session(store, clock, member, "by a wallet")
    await join.revoke_token(store, clock, member, token.token.id)
    assert await sessions.find_session(store, clock, new.secret) is None
    assert await sessions.sessions_of(store, clock, member) == [other.session]
    with pytest.raises(Unauthorized):
        await sign_in_by_token(store, clock, token.secret, "")
    await sessions.open_session(store, clock, member, "again")
    async with store.read() as tx:
        assert await tx.value("SELECT count(*) FROM session") == 2


async def test_a_session_ends_when_its_token_does(store, clock, robot):
    made = await join.make_token(store, clock, robot[0], "short", join.SCOPES, 1)
    clock.advance(86_400 - 60)
    new = await sign_in_by_token(store, clock, made.secret, "")
    assert await sessions.find_session(store, clock, new.secret)
    clock.advance(60)
    assert await sessions.find_session(store, clock, new.secret) is None


async def test_it_replaces_the_session_that_the_browser_had(store, clock, robot):
    old = await sessions.open_session(store, clock, robot[0], "")
    await sign_in_by_token(store, clock, robot[1].secret, "", replaces=old.secret)
    assert await sessions.find_session(store, clock, old.secret) is None
