"""The operator's ways in: a link once, a passkey by what it has signed, for this and no more."""

from __future__ import annotations

import asyncio
import json

import pytest

from node.errors import Conflict, Forbidden, NotFound, Unauthorized
from node.flows.operator import access, passkeys
from node.flows.operator.passkeys import Site
from node.store import operator_log
from tests.authenticator import PRESENT, Authenticator, encode

SITE = Site("localhost", "http://localhost:8081", "flattr-node")
HOUR_S = 3600


@pytest.fixture
async def session(store, clock):
    """A session by a one-time link."""
    secret = await access.make_link(store, clock)
    return (await access.use_link(store, clock, secret, "a browser")).session


@pytest.fixture
async def key(store, clock, session):
    """A passkey that is registered."""
    made = Authenticator(SITE.origin)
    answer = made.create(await passkeys.ask_to_register(store, clock, SITE, session))
    await passkeys.register(store, clock, SITE, session, answer, "Ada's key")
    return made


async def sign_in(store, clock, key, browser="b" * 43):
    options = await passkeys.ask_to_sign_in(store, clock, SITE, browser)
    return await passkeys.sign_in(store, clock, SITE, browser, key.get(options), "a browser")


async def test_a_link_opens_one_session(store, clock):
    secret = await access.make_link(store, clock)
    opened = await access.use_link(store, clock, secret, "a browser")
    assert (await access.find_session(store, clock, opened.secret)).id == opened.session.id
    with pytest.raises(Unauthorized, match="operator-link"):
        await access.use_link(store, clock, secret, "a browser")
    assert await access.find_session(store, clock, secret) is None


async def test_of_many_who_use_a_link_at_once_one_gets_in(store, clock):
    secret = await access.make_link(store, clock)
    tries = [access.use_link(store, clock, secret, f"browser {n}") for n in range(16)]
    results = await asyncio.gather(*tries, return_exceptions=True)
    assert sum(not isinstance(one, Exception) for one in results) == 1
    assert {type(one) for one in results if isinstance(one, Exception)} == {Unauthorized}


async def test_a_link_is_good_for_an_hour_and_until_there_is_another(store, clock):
    old = await access.make_link(store, clock)
    new = await access.make_link(store, clock)
    with pytest.raises(Unauthorized):
        await access.use_link(store, clock, old, "")
    clock.advance(HOUR_S)
    with pytest.raises(Unauthorized):
        await access.use_link(store, clock, new, "")


async def test_a_session_ends_by_idleness_by_age_and_by_hand(store, clock):
    async def opened():
        return await access.use_link(store, clock, await access.make_link(store, clock), "")

    idle = await opened()
    clock.advance(access.IDLE_S)
    assert await access.find_session(store, clock, idle.secret) is None
    old = await opened()
    for _ in range(access.SESSION_S // 1800 - 1):
        clock.advance(1800)
        assert await access.find_session(store, clock, old.secret) is not None
    clock.advance(1800)
    assert await access.find_session(store, clock, old.secret) is None
    ended = await opened()
    await access.end_session(store, clock, "Ada", ended.session.id)
    assert await access.find_session(store, clock, ended.secret) is None
    with pytest.raises(NotFound):
        await access.end_session(store, clock, "Ada", ended.session.id)


async def test_nothing_that_a_browser_holds_is_in_the_database(store, clock):
    secret = await access.make_link(store, clock)
    opened = await access.use_link(store, clock, secret, "")
    async with store.read() as tx:
        tables = ("operator_link", "operator_session", "operator_challenge", "operator_log")
        rows = [row for name in tables for row in await tx.rows(f"SELECT * FROM {name}")]
    assert rows
    assert not [r for r in rows for column in r if str(column) in {secret, opened.secret}]


async def test_a_passkey_signs_in_and_the_log_says_so(store, clock, key):
    opened = await sign_in(store, clock, key)
    assert (opened.session.actor, opened.session.passkey) == ("Ada's key", encode(key.id))
    assert (await access.find_session(store, clock, opened.secret)).actor == "Ada's key"
    assert not await access.needs_link(store)
    async with store.read() as tx:
        acts = [(row.act.actor, row.act.act) for row in await operator_log.everything(tx)]
    assert acts == [
        ("command line", "made a link"), ("one-time link", "signed in"),
        ("one-time link", "added"), ("Ada's key", "signed in"),
    ]  # fmt: skip


async def test_a_challenge_is_answered_once(store, clock, key):
    options = await passkeys.ask_to_sign_in(store, clock, SITE, "b")
    answer = key.get(options)
    await passkeys.sign_in(store, clock, SITE, "b", answer, "")
    with pytest.raises(Unauthorized):
        await passkeys.sign_in(store, clock, SITE, "b", answer, "")
    with pytest.raises(Unauthorized):  # signed anew, the same challenge
        await passkeys.sign_in(store, clock, SITE, "b", key.get(options), "")


async def test_a_challenge_is_for_the_browser_that_asked_and_five_minutes(store, clock, key):
    options = await passkeys.ask_to_sign_in(store, clock, SITE, "b")
    with pytest.raises(Unauthorized):
        await passkeys.sign_in(store, clock, SITE, "another", key.get(options), "")
    clock.advance(passkeys.CHALLENGE_S)
    with pytest.raises(Unauthorized):
        await passkeys.sign_in(store, clock, SITE, "b", key.get(options), "")


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "https://localhost:8081", "http://localhost:8080", "null"]
)
async def test_another_origin_is_refused(store, clock, key, origin):
    key.origin = origin
    with pytest.raises(Unauthorized):
        await sign_in(store, clock, key)


async def test_another_site_an_unverified_user_and_an_old_count_are_refused(store, clock, key):
    await sign_in(store, clock, key)
    options = json.loads(await passkeys.ask_to_sign_in(store, clock, SITE, "b"))
    with pytest.raises(Unauthorized):
        answer = key.get(json.dumps(options | {"rpId": "evil.example"}))
        await passkeys.sign_in(store, clock, SITE, "b", answer, "")
    key.flags = PRESENT
    with pytest.raises(Unauthorized):
        await sign_in(store, clock, key)
    key.flags, key.signs = 0x05, 0
    with pytest.raises(Unauthorized):  # a copy of the key, which has signed less often
        await sign_in(store, clock, key)


async def test_a_stranger_s_key_and_a_removed_one_are_refused(store, clock, key):
    with pytest.raises(Unauthorized):
        await sign_in(store, clock, Authenticator(SITE.origin))
    with pytest.raises(Unauthorized):  # another key under the same id
        await sign_in(store, clock, Authenticator(SITE.origin, signs=9, id=key.id))
    opened = await sign_in(store, clock, key)
    await access.end_passkey(store, clock, "Ada's key", encode(key.id))
    assert await access.find_session(store, clock, opened.secret) is None
    with pytest.raises(Unauthorized):
        await sign_in(store, clock, key)
    assert await access.needs_link(store)


async def test_a_key_is_registered_once_under_a_name(store, clock, key, session):
    options = await passkeys.ask_to_register(store, clock, SITE, session)
    assert encode(key.id) in options  # the browser is asked not to
    with pytest.raises(Conflict):
        await passkeys.register(store, clock, SITE, session, key.create(options), "again")


async def test_a_registration_is_for_the_session_that_asked(store, clock, session):
    options = await passkeys.ask_to_register(store, clock, SITE, session)
    other = await access.use_link(store, clock, await access.make_link(store, clock), "")
    with pytest.raises(Unauthorized):
        answer = Authenticator(SITE.origin).create(options)
        await passkeys.register(store, clock, SITE, other.session, answer, "stolen")


async def test_what_is_confirmed_is_that_act_alone(store, clock, key):
    session = (await sign_in(store, clock, key)).session
    with pytest.raises(Forbidden, match="passkey"):
        await passkeys.confirm(store, clock, SITE, session, "resume sending", "")
    options = await passkeys.ask_to_confirm(store, clock, SITE, session, "resume sending")
    with pytest.raises(Unauthorized):
        await passkeys.confirm(store, clock, SITE, session, "suspend 3", key.get(options))
    options = await passkeys.ask_to_confirm(store, clock, SITE, session, "resume sending")
    answer = key.get(options)
    await passkeys.confirm(store, clock, SITE, session, "resume sending", answer)
    with pytest.raises(Unauthorized):
        await passkeys.confirm(store, clock, SITE, session, "resume sending", answer)


async def test_a_sign_in_s_answer_confirms_nothing(store, clock, key):
    session = (await sign_in(store, clock, key)).session
    options = await passkeys.ask_to_sign_in(store, clock, SITE, "b")
    with pytest.raises(Unauthorized):
        await passkeys.confirm(store, clock, SITE, session, "sign-in", key.get(options))


async def test_a_link_confirms_for_ten_minutes(store, clock, session):
    assert await passkeys.ask_to_confirm(store, clock, SITE, session, "resume sending") is None
    await passkeys.confirm(store, clock, SITE, session, "resume sending", "")
    clock.advance(access.FRESH_S)
    with pytest.raises(Forbidden, match="operator-link"):
        await passkeys.confirm(store, clock, SITE, session, "resume sending", "")


@pytest.mark.parametrize(
    "change",
    [
        lambda _: "", lambda _: "[]", lambda _: "null", lambda a: a[:-20], lambda _: "{}",
        lambda a: json.dumps(json.loads(a) | {"response": None}),
        lambda a: json.dumps(json.loads(a) | {"id": "AAAA"}),
        lambda a: json.dumps(json.loads(a) | {"id": 7}),
        lambda a: json.dumps(json.loads(a) | {"rawId": "AAAA"}),
        lambda a: json.dumps(json.loads(a) | {"type": "password"}),
        *(
            lambda a, part=part, value=value: json.dumps(
                json.loads(a) | {"response": json.loads(a)["response"] | {part: value}}
            )
            for part in ("clientDataJSON", "authenticatorData", "signature")
            for value in ("", "AAAA", "!", "____", None, 7, [])
        ),
    ],
)  # fmt: skip
async def test_what_is_no_answer_is_refused_in_words(store, clock, key, change):
    options = await passkeys.ask_to_sign_in(store, clock, SITE, "b")
    with pytest.raises(Unauthorized):
        await passkeys.sign_in(store, clock, SITE, "b", change(key.get(options)), "")
