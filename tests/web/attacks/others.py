"""Attacks on what is another member's: asked for by its id, by API and by page."""

from __future__ import annotations

from tests.web.attacks.attack import Attack

READS = (
    Attack("reads another's deposit and its invoice",
           "mallory GET /api/v1/deposits/<deposit>", 404),
    Attack("reads another's deposit on its page", "mallory GET /fund/<deposit>", 404),
    Attack("waits for another's deposit", "mallory GET /fund/<deposit>/events", 404),
    Attack("reads another's payout and its proof", "mallory GET /api/v1/payouts/<payout>", 404),
    Attack("reads another's withdrawal on its page", "mallory GET /withdraw/<payout>", 404),
    Attack("waits for another's withdrawal", "mallory GET /withdraw/<payout>/events", 404),
    Attack("reads the claim of another's site", "mallory GET /api/v1/sites/<site>", 404),
    Attack("reads the claim of another's site on its page",
           "mallory GET /creator/claim/site/<site>", 404),
)  # fmt: skip
"""Alice herself may."""

ACTS = (
    Attack("tries another's payout again by API",
           "mallory POST /api/v1/payouts/<payout>/retry", 404),
    Attack("tries another's payout again by page", "mallory POST /creator/payouts/<payout>/retry",
           200, "no payout"),
    Attack("revokes another's token by API",
           "mallory DELETE /api/v1/tokens/<alices_token>", 404),
    Attack("revokes another's token by page",
           "mallory POST /settings/tokens/<alices_token>/end", 200, "no token"),
    Attack("ends another's subscription by API",
           "mallory DELETE /api/v1/subscriptions/<other>", 404),
    Attack("ends another's subscription by page",
           "mallory POST /month/unsubscribe thing=<other>", 200, "subscription"),
    Attack("releases another's site by API", "mallory DELETE /api/v1/sites/<site>", 404),
    Attack("releases another's site by page",
           "mallory POST /creator/claim/site/<site>/release", (200, 404), "claim"),
    Attack("has another's site looked at", "mallory POST /api/v1/sites/<site>/claim", 404),
    Attack("signs another's browser out", "mallory POST /settings/sessions/<session>/end", 200,
           "no session"),
    Attack("removes another's wallet", "mallory POST /settings/identities/<wallet>/remove", 200,
           "no wallet"),
    Attack("takes another's consent back",
           "mallory POST /settings/sites origin=https://blog.example", 200, "asked on this site"),
    Attack("takes a thing that another owns by API",
           "mallory POST /api/v1/things/<thing>/claim", 409),
    Attack("takes a thing that another owns by page",
           "mallory POST /creator/claim/thing/<thing>", 200, "owne"),
    Attack("fills the pot with another's money",
           'mallory PUT /api/v1/pot {"amount_sat": 50}', 409),
    Attack("withdraws another's money",
           'mallory POST /api/v1/withdrawals {"target": "<target>", "amount_sat": 50}', 409),
    Attack("withdraws another's money by page",
           "mallory POST /withdraw target=<target> amount=50 once=aaaaaaaaaaaaaaaaaaaa", 409),
    Attack("undoes another's flattr", "mallory POST /month/undo thing=<other> once=" + "b" * 20,
           200, stores=frozenset({"flattr_inbox", "click_key"})),
)  # fmt: skip

ATTACKS = (*READS, *ACTS)
