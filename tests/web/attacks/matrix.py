"""All attacks, by kind, and the page about them: `python -m tests.web.attacks.matrix` writes it."""

from __future__ import annotations

from pathlib import Path

from tests.web.attacks import (
    ethereum,
    feeds,
    forged,
    lightning,
    looking,
    markup,
    nostr,
    operators,
    others,
    passkeys,
    roads,
    staying,
)
from tests.web.attacks.attack import Attack

KINDS: dict[str, tuple[Attack, ...]] = {
    "Signing in over Lightning": lightning.ATTACKS,
    "Signing in with an Ethereum wallet": ethereum.ATTACKS,
    "Signing in with a Nostr key": nostr.ATTACKS,
    "Sessions and tokens": staying.ATTACKS,
    "Private feeds": feeds.ATTACKS,
    "Forged requests": forged.ATTACKS,
    "Methods that only look, frames and windows": looking.ATTACKS,
    "Markup and formulas in what people fill in": markup.ATTACKS,
    "Odd requests and ways to other hosts": roads.ATTACKS,
    "The operator's console": operators.ATTACKS,
    "The operator's passkey": passkeys.ATTACKS,
    "What is another member's": others.ATTACKS,
}
ATTACKS = tuple(attack for rows in KINDS.values() for attack in rows)
PAGE = Path(__file__).parents[3] / "docs" / "attacks.md"


def page() -> str:
    """docs/attacks.md."""
    lines = [
        "# Attacks",
        "",
        "What somebody may try on the node's pages and its API, each refused by a test that runs",
        "against a node with its two listeners: `tests/web/attacks/` has the requests, one row",
        "each, and what is answered. After each, no row of any table has changed that the request",
        "may not change. Written by `python -m tests.web.attacks.matrix`; a test compares.",
    ]
    for kind, rows in KINDS.items():
        lines += ["", f"## {kind}", "", "Somebody …", "", *(f"- {row.name}" for row in rows)]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
