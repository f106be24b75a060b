"""One attack: a name that says what the attacker wants, what he sends, and what he must get.

What he sends is a function that takes the scene, or text with a request on each line:

    mallory GET  /api/v1/deposits/<deposit>
    mallory POST /api/v1/flattrs            {"thing": <thing>}
    mallory POST /creator/claim/thing/<thing>
    nobody  GET  /month

`<deposit>` is alice's (`scene.py`). Under /api a person has a token with every scope; elsewhere a
browser that is signed in, which sends forms as one of our own pages would, with its own token.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from tests.web.pages.conftest import Shown

Doing: TypeAlias = Callable[[Any], Awaitable[Sequence[Shown]]]
_ID = re.compile(r"<(\w+)>")


@dataclass(frozen=True, slots=True)
class Attack:
    """One row of the matrix. Every answer must have one of the statuses, and hold these words.

    `stores`: tables that the requests may write, since they are asked for in good order; of all
    other tables no row may change.
    """

    name: str
    sends: str | Doing
    gets: int | tuple[int, ...]
    says: str = ""
    stores: frozenset[str] = frozenset()

    @property
    def statuses(self) -> tuple[int, ...]:
        return self.gets if isinstance(self.gets, tuple) else (self.gets,)

    async def answers(self, scene: Any, **instead: str) -> Sequence[Shown]:
        """Send it; `instead`: who sends it in somebody's place."""
        if not isinstance(self.sends, str):
            return await self.sends(scene)
        lines = [line.split(maxsplit=3) for line in self.sends.splitlines() if line.strip()]
        return [
            await scene.ask(
                instead.get(who, who), method, _filled(path, scene), _filled("".join(body), scene)
            )
            for who, method, path, *body in lines
        ]

    def demand_refused(self, answers: Sequence[Shown]) -> None:
        assert answers, "nothing was sent"
        for shown in answers:
            told = f"{shown.path}\n{shown.text}\n{shown.html[:3000]}"
            assert shown.status in self.statuses, told
            assert self.says in told, told


def _filled(text: str, scene: Any) -> str:
    return _ID.sub(lambda found: str(scene.ids[found[1]]), text)
