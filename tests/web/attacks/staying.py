"""Attacks by sessions and tokens that are over, weak, or made up."""

from __future__ import annotations

import hashlib
from urllib.parse import urlencode

from node.flows import join, sessions
from node.web.session import FRESH_S as TOKEN_FRESH_S
from tests.web.attacks.attack import Attack, Doing
from tests.web.attacks.forged import ONCE
from tests.web.attacks.scene import Scene
from tests.web.pages.conftest import Person

DAY_S = 86_400
AWAY = "/sign-in?"


def secret_of(person: Person) -> str:
    """The cookie of a session."""
    return next(one.value for one in person.http.cookie_jar if one.key == "flattr")


async def with_cookie(scene: Scene, secret: str, name: str = "flattr"):
    """A browser with this cookie looks, and sends two forms: with a token of its own making."""
    eve = await scene.people.visitor()
    eve.http.cookie_jar.update_cookies({name: secret})
    looked = await eve.get("/month")
    token = await scene.token_of_guest(eve)
    eve.http.cookie_jar.update_cookies({name: secret})
    form = {"token": token, "target": scene.ids["target"], "amount": "50", "once": ONCE}
    sent = await eve.post("/withdraw", form)
    assert sent.status == 403 or sent.path.startswith(AWAY), sent.text
    return [looked]


def over(end) -> Doing:
    """A copy of alice's cookie, after her session has ended in this way."""

    async def does(scene: Scene):
        secret = secret_of(scene.alice)
        await end(scene)
        await scene.from_here()
        return await with_cookie(scene, secret)

    return does


async def _signs_out(scene: Scene) -> None:
    await scene.alice.send("/sign-out", "/sign-out")


async def _is_revoked(scene: Scene) -> None:
    mine = scene.ids["session"]
    await scene.people.sign_in(scene.alice)
    form = {"token": await scene.token_of(scene.alice)}
    assert (await scene.alice.post(f"/settings/sessions/{mine}/end", form)).status == 200


async def _all_others_end(scene: Scene) -> None:
    scene.world.clock.advance(1)
    await scene.people.sign_in(scene.alice)
    form = {"token": await scene.token_of(scene.alice)}
    assert "ended" in (await scene.alice.post("/settings/sessions/end", form)).text


async def _signs_in_anew(scene: Scene) -> None:
    node, before = scene.node, secret_of(scene.alice)
    await sessions.open_session(
        node.store, node.clock, scene.alice.member, "a test", replaces=before
    )


async def _is_idle(scene: Scene) -> None:
    scene.world.clock.advance(sessions.IDLE_S)


async def _is_old(scene: Scene) -> None:
    for _ in range(sessions.LIFE_S // (sessions.IDLE_S - 60) + 1):
        scene.world.clock.advance(sessions.IDLE_S - 60)
        await scene.alice.get("/settings")


def made_up(secret: str, name: str = "flattr") -> Doing:
    async def does(scene: Scene):
        return await with_cookie(scene, secret, name)

    return does


async def by_its_id(scene: Scene):
    return await with_cookie(scene, (scene.ids["session"] * 4)[:43])


async def by_its_hash(scene: Scene):
    """As who has read the database would."""
    return await with_cookie(scene, hashlib.sha256(secret_of(scene.alice).encode()).hexdigest())


async def by_a_token(scene: Scene):
    return await with_cookie(scene, scene.secrets["alice"])


async def fixed(scene: Scene):
    """A cookie that mallory has planted before alice signs in."""
    guest = await scene.guest(11)
    guest.person.http.cookie_jar.update_cookies({"flattr": "A" * 43})
    await guest.prove()
    await guest.have_signed()
    await scene.from_here()
    return await with_cookie(scene, "A" * 43)


STALE = {
    "sends a stolen session's form to be paid elsewhere": (
        "/creator/target", {"target": "mallory@evil.example"}),
    "takes money out with a stolen session": (
        "/withdraw", {"target": "mallory@evil.example", "amount": "50", "once": ONCE}),
    "makes a token with a stolen session": (
        "/settings/tokens", {"label": "x", "days": "9", "money": "1"}),
    "closes the account with a stolen session": ("/settings/close", {"name": "alice"}),
    "removes a wallet with a stolen session": ("/settings/identities/<wallet>/remove", {}),
}  # fmt: skip


def stale(path: str, fields: dict[str, str]) -> Doing:
    """A form of alice's session, ten minutes after her wallet has signed."""

    async def does(scene: Scene):
        scene.world.clock.advance(sessions.FRESH_S)
        form = fields | {"token": await scene.token_of(scene.alice)}
        where = path.replace("<wallet>", str(scene.ids["wallet"]))
        return [await scene.alice.post(where, form)]

    return does


async def links_a_wallet_late(scene: Scene):
    scene.world.clock.advance(sessions.FRESH_S)
    return [await scene.alice.get("/sign-in/lightning?add=1")]


async def signs_again_with_his_own(scene: Scene):
    """In alice's browser, with mallory's wallet, to make her session fresh."""
    guest = await scene.guest(66)
    guest.person = scene.alice
    scene.alice.bare = scene.world.http
    await guest.prove()
    return [await guest.have_signed()]


def token(header: str) -> Doing:
    """Alice's token, spelled so; <secret> is its secret, <hash> what the database has of it."""

    async def does(scene: Scene):
        secret = scene.secrets["alice"]
        hashed = hashlib.sha256(secret.encode()).hexdigest()
        told = header.replace("<secret>", secret).replace("<hash>", hashed)
        return [
            await scene.call("nobody", method, f"/api/v1{path}", body, Authorization=told)
            for method, path, body in (("GET", "/me", None), ("POST", "/flattrs", {"thing": 1}))
        ]

    return does


async def in_the_url(scene: Scene):
    given = urlencode({"token": scene.secrets["alice"], "access_token": scene.secrets["alice"]})
    return [await scene.call("nobody", "GET", f"/api/v1/me?{given}", None)]


async def new_token(scene: Scene, *scopes: str, days: int = 9) -> join.NewToken:
    node = scene.node
    made = await join.make_token(
        node.store, node.clock, scene.alice.member, "x", frozenset(scopes or join.SCOPES), days
    )
    scene.made.append(made.token.id)
    return made


def ended_token(end) -> Doing:
    """A token of alice's that was good, until it ended in this way."""

    async def does(scene: Scene):
        made = await new_token(scene, days=1)
        headers = {"Authorization": f"Bearer {made.secret}"}
        assert (await scene.call("nobody", "GET", "/api/v1/me", None, **headers)).status == 200
        await end(scene, made)
        await scene.from_here()
        asked = (("GET", "/me", None), ("POST", "/flattrs", {"thing": scene.ids["thing"]}))
        return [
            await scene.call("nobody", method, f"/api/v1{path}", body, **headers)
            for method, path, body in asked
        ]

    return does


async def revoke_by_api(scene: Scene, made: join.NewToken) -> None:
    path = f"/api/v1/tokens/{made.token.id}"
    assert (await scene.call("alice", "DELETE", path, None)).status == 200


async def _by_page(scene: Scene, made: join.NewToken) -> None:
    form = {"token": await scene.token_of(scene.alice)}
    path = f"/settings/tokens/{made.token.id}/end"
    assert (await scene.alice.post(path, form)).status == 200
    scene.world.clock.advance(TOKEN_FRESH_S)


async def _by_time(scene: Scene, _: join.NewToken) -> None:
    scene.world.clock.advance(DAY_S)


def weak(method: str, path: str, body: dict[str, object] | None, *scopes: str) -> Doing:
    """A token that has only these scopes."""

    async def does(scene: Scene):
        made = await new_token(scene, *scopes)
        await scene.from_here()
        headers = {"Authorization": f"Bearer {made.secret}"}
        return [await scene.call("nobody", method, f"/api/v1{path}", body, **headers)]

    return does


async def weak_opens_a_session(scene: Scene):
    made = await new_token(scene, "read", "click", "things")
    await scene.from_here()
    return [await scene.nobody.send("/sign-in", "/sign-in/token", secret=made.secret)]


async def outlives_its_token(scene: Scene):
    made = await new_token(scene)
    eve = await scene.people.visitor()
    await eve.send("/sign-in", "/sign-in/token", secret=made.secret)
    assert (await eve.get("/month")).path == "/month"
    await revoke_by_api(scene, made)
    await scene.from_here()
    return [await eve.get("/month")]


async def a_tokens_session_is_fresh(scene: Scene):
    made = await new_token(scene)
    eve = await scene.people.visitor()
    await eve.send("/sign-in", "/sign-in/token", secret=made.secret)
    form = {"token": await scene.token_of_guest(eve), "target": "mallory@evil.example"}
    await scene.from_here()
    return [await eve.post("/creator/target", form), await eve.get("/sign-in/lightning?add=1")]


ATTACKS = (
    Attack("goes on after alice has signed out", over(_signs_out), 200, AWAY),
    Attack("goes on after alice has ended the session", over(_is_revoked), 200, AWAY),
    Attack("goes on after alice has ended all others", over(_all_others_end), 200, AWAY),
    Attack("goes on after alice has signed in anew", over(_signs_in_anew), 200, AWAY),
    Attack("goes on after half a day", over(_is_idle), 200, AWAY),
    Attack("keeps a session alive for ever", over(_is_old), 200, AWAY),
    Attack("makes a session up", made_up("A" * 43), 200, AWAY),
    Attack("sends a session that is no text", made_up("' OR 1=1 --"), 200, AWAY),
    Attack("takes the id of a session for its secret", by_its_id, 200, AWAY),
    Attack("takes the hash of a session for its secret", by_its_hash, 200, AWAY),
    Attack("takes an API token for a session", by_a_token, 200, AWAY),
    Attack("plants a session before alice signs in", fixed, 200, AWAY),
    *(Attack(name, stale(*sent), 200, AWAY) for name, sent in STALE.items()),
    Attack("links a wallet with a stolen session", links_a_wallet_late, 200, AWAY),
    Attack("makes a stolen session fresh with his own wallet", signs_again_with_his_own, 200,
           "none of your wallets"),
    Attack("calls without a token", token(""), 401),
    Attack("calls with an empty token", token("Bearer "), 401),
    Attack("makes a token up", token("Bearer flattr_" + "A" * 43), 401),
    Attack("sends a token as a password", token("Basic <secret>"), 401),
    Attack("sends two tokens as one", token("Bearer <secret> <secret>"), 401),
    Attack("takes the hash of a token for its secret", token("Bearer <hash>"), 401),
    Attack("sends a token that is very long", token("Bearer " + "x" * 5000), 401),
    Attack("sends a token in the URL", in_the_url, (400, 401)),
    Attack("calls after the token was revoked by API", ended_token(revoke_by_api), 401),
    Attack("calls after the token was revoked on a page", ended_token(_by_page), 401),
    Attack("calls after the token has run out", ended_token(_by_time), 401),
    Attack("reads with a token that may click", weak("GET", "/balance", None, "click"), 403),
    Attack("clicks with a token that may read", weak("POST", "/flattrs", {"thing": 1}, "read"),
           403),
    Attack("claims with a token that may click",
           weak("POST", "/things/1/claim", None, "click", "read"), 403),
    Attack("withdraws with a token that may not",
           weak("POST", "/withdrawals", {"target": "x", "amount_sat": 5}, "read", "click",
                "things"), 403),
    Attack("makes a stronger token with a weak one",
           weak("POST", "/tokens", {"label": "x", "scopes": ["money", "click"]}, "money"), 403),
    Attack("changes where a member with wallets is paid, with a token",
           weak("PUT", "/payout-target", {"target": "mallory@evil.example"}, "money"), 403),
    Attack("opens a session with a weak token", weak_opens_a_session, 200, "lacks money"),
    Attack("outlives the token that has opened a session", outlives_its_token, 200, AWAY),
    Attack("takes a token's session for a fresh one", a_tokens_session_is_fresh, 200, AWAY),
)  # fmt: skip
