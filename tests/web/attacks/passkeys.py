"""Attacks on the operator's passkey: another's answer, for something else, or none."""

from __future__ import annotations

import json

from node.flows.operator import passkeys
from tests.authenticator import PRESENT
from tests.web.attacks.attack import Attack, Doing
from tests.web.attacks.scene import Scene
from tests.web.operator.conftest import question

SIGN_IN = "/sign-in"


def signs_in(spoil) -> Doing:
    """The passkey's answer to another question, or with something wrong in it."""

    async def does(scene: Scene):
        eve, key = scene.place.browser(), scene.operator.key
        page = await eve.get("/sign-in")
        origin, flags, signs = key.origin, key.flags, key.signs
        try:
            answer = await spoil(scene, key, question(page))
        finally:
            key.origin, key.flags, key.signs = origin, flags, max(signs, key.signs)
        await scene.from_here()
        shown = await eve.post("/sign-in", {**page.form("/sign-in"), "answer": answer})
        assert (await eve.get("/log")).path.startswith(SIGN_IN)
        return [shown]

    return does


async def _of_another_browser(scene: Scene, key, _asked: str) -> str:
    return key.get(question(await scene.place.browser().get("/sign-in")))


async def _for_an_act(scene: Scene, key, _asked: str) -> str:
    return key.get(question(await scene.operator.get(f"/members/{scene.mallory.member}")))


async def _at_another_origin(_: Scene, key, asked: str) -> str:
    key.origin = "http://localhost:9"
    return key.get(asked)


async def _at_another_site(_: Scene, key, asked: str) -> str:
    return key.get(json.dumps(json.loads(asked) | {"rpId": "evil.example"}))


async def _without_the_person(_: Scene, key, asked: str) -> str:
    key.flags = PRESENT
    return key.get(asked)


async def _of_a_copied_key(_: Scene, key, asked: str) -> str:
    key.signs -= 1
    return key.get(asked)


async def _of_another_key(scene: Scene, _key, asked: str) -> str:
    return scene.place.browser().key.get(asked)


async def _late(scene: Scene, key, asked: str) -> str:
    scene.world.clock.advance(passkeys.CHALLENGE_S)
    return key.get(asked)


async def _none(*_: object) -> str:
    return "{}"


def acts(answer_of) -> Doing:
    """A suspension of alice in the operator's open browser, with this instead of a passkey."""

    async def does(scene: Scene):
        where = f"/members/{scene.alice.member}"
        page = await scene.operator.get(where)
        answer = await answer_of(scene, page)
        await scene.from_here()
        form = {**page.form(f"{where}/suspend"), "words": "x", "answer": answer}
        return [await scene.operator.post(f"{where}/suspend", form)]

    return does


async def _without(*_: object) -> str:
    return ""


async def _about_another(scene: Scene, _page) -> str:
    return scene.operator.key.get(
        question(await scene.operator.get(f"/members/{scene.mallory.member}"))
    )


async def _of_a_sign_in(scene: Scene, _page) -> str:
    return scene.operator.key.get(question(await scene.operator.get("/sign-in")))


async def adds_a_passkey(scene: Scene):
    """At the operator's open browser, a moment after a sign-in, without the passkey."""
    new = scene.place.browser().key
    return [await scene.operator.add_passkey("Eve's key", new, answer="")]


ATTACKS = (
    Attack("signs in by a passkey's answer for another browser", signs_in(_of_another_browser),
           200, "not accepted"),
    Attack("signs in by a passkey's answer for an act", signs_in(_for_an_act), 200,
           "not accepted"),
    Attack("signs in by a passkey's answer at another origin", signs_in(_at_another_origin), 200,
           "not accepted"),
    Attack("signs in by a passkey's answer at another site", signs_in(_at_another_site), 200,
           "not accepted"),
    Attack("signs in by a passkey without its person", signs_in(_without_the_person), 200,
           "not accepted"),
    Attack("signs in by a copy of the passkey", signs_in(_of_a_copied_key), 200, "not accepted"),
    Attack("signs in by another's passkey", signs_in(_of_another_key), 200, "not accepted"),
    Attack("signs in by a passkey's answer that is late", signs_in(_late), 200, "not accepted"),
    Attack("signs in by no answer", signs_in(_none), 200, "not accepted"),
    Attack("suspends alice at the operator's open browser", acts(_without), 200, "passkey"),
    Attack("adds a passkey of his own at the operator's open browser", adds_a_passkey, 200,
           "passkey now"),
    Attack("suspends alice by a passkey's answer about another", acts(_about_another), 200,
           "not accepted"),
    Attack("suspends alice by a passkey's answer to a sign-in", acts(_of_a_sign_in), 200,
           "not accepted"),
)  # fmt: skip
