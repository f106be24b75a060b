"""Attacks on private feeds: by tokens that are none, and with the address of one."""

from __future__ import annotations

from tests.web.attacks.attack import Attack, Doing
from tests.web.attacks.scene import Scene
from tests.web.attacks.staying import AWAY, new_token, revoke_by_api, stale, weak


def feed_of(*scopes: str, end=None) -> Doing:
    """A token of alice's with these scopes as the address of a feed, ended or not."""

    async def does(scene: Scene):
        made = await new_token(scene, *scopes)
        path = f"/feeds/{made.secret}/payments.atom"
        if end is not None:
            assert (await scene.nobody.get(path)).status == 200
            await end(scene, made)
        await scene.from_here()
        return [await scene.nobody.get(path), await scene.mallory.get(path)]

    return does


async def opens_a_session(scene: Scene):
    made = await new_token(scene, "feed")
    await scene.from_here()
    return [await scene.nobody.send("/sign-in", "/sign-in/token", secret=made.secret)]


ATTACKS = (
    Attack("makes the address of a feed with a stolen session", stale("/creator/payouts", {}), 200,
           AWAY),
    Attack("makes an address up", "nobody GET /feeds/flattr_AAAA/payments.atom", 404),
    Attack("takes the id of a token for its address",
           "mallory GET /feeds/<alices_token>/payments.atom", 404),
    Attack("reads a feed with a token of every scope", feed_of(), 404),
    Attack("reads a feed with a token that may read", feed_of("read"), 404),
    Attack("reads a feed after its token was revoked", feed_of("feed", end=revoke_by_api), 404),
    Attack("reads by API with the address of a feed", weak("GET", "/payouts", None, "feed"), 403),
    Attack("clicks with the address of a feed", weak("POST", "/flattrs", {"thing": 1}, "feed"),
           403),
    Attack("withdraws with the address of a feed",
           weak("POST", "/withdrawals", {"target": "x", "amount_sat": 5}, "feed"), 403),
    Attack("makes a token with the address of a feed",
           weak("POST", "/tokens", {"label": "x", "scopes": ["read"]}, "feed"), 403),
    Attack("opens a session with the address of a feed", opens_a_session, 200,
           "lacks click, money"),
)  # fmt: skip
