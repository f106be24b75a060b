"""A made-up person with a real HTTP client: what the demo's members do, they do over the API.

Each call is one that anybody could make with curl; the token is the one that joining returned. An
answer that is not 2xx is raised with the words of its problem document, so a story that the node
refuses stops with the node's own sentence.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final

import aiohttp

from node.errors import BadInput, NodeError
from node.ids import MemberId

ANSWER_LIMIT_S: Final = 60
API: Final = "/api/v1"
_REFUSED: Final = 400


@asynccontextmanager
async def open_street(url: str) -> AsyncIterator[Street]:
    """Where visitors of the node at this URL come from."""
    limit = aiohttp.ClientTimeout(total=ANSWER_LIMIT_S)
    async with aiohttp.ClientSession(f"{url}{API}/", timeout=limit) as session:
        yield Street(session)


class Street:
    """Everybody outside. Made by `open_street`."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    async def join(self, name: str) -> Visitor:
        """A new member. Raises NodeError with the node's words."""
        joined = await self.ask("POST", "/members", {"name": name})
        return Visitor(self, name, MemberId(joined["member"]), joined["token"]["secret"])

    async def ask(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        """One request, its JSON answer. Raises NodeError with the node's words."""
        try:
            async with self._session.request(
                method, path.removeprefix("/"), json=body, params=query, headers=headers
            ) as response:
                answer = await response.json(content_type=None)
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise NodeError(f"{method} {path} was not answered: {error}") from error
        if response.status >= _REFUSED:
            words = answer.get("detail") if isinstance(answer, dict) else None
            raise BadInput(f"{method} {path} is answered {response.status}: {words}")
        return answer


class Visitor:
    """One member with a token."""

    def __init__(self, street: Street, name: str, member: MemberId, secret: str) -> None:
        self.name = name
        self.member = member
        self.secret = secret
        self._street = street
        self._headers = {"Authorization": f"Bearer {secret}"}

    async def deposit(self, amount_sat: int, what: str = "demo") -> tuple[str, str]:
        """Ask for an invoice: (the deposit's id, BOLT11). One for each `what`."""
        body = {"amount_sat": amount_sat, "to": "available"}
        asked = await self._ask("POST", "/deposits", body, key=f"{what}-{self.name}")
        return asked["id"], asked["payment_request"]

    async def deposit_state(self, deposit: str) -> str:
        """What became of a deposit: open, settled, expired."""
        return str((await self._ask("GET", f"/deposits/{deposit}"))["state"])

    async def fill_pot(self, amount_sat: int) -> tuple[str, int]:
        """Set aside for this month: (the month, msat in the pot)."""
        pot = await self._ask("PUT", "/pot", {"amount_sat": amount_sat})
        return pot["month"], pot["pot_msat"]

    async def set_target(self, target: str, *, asset: str = "sat") -> str:
        """Say where to be paid; what the node's live test saw."""
        body = {"target": target, "asset": asset}
        return str((await self._ask("PUT", "/payout-target", body))["tested"])

    async def ask_link(self, address: str) -> str:
        """The text whose signature links an address."""
        body = {"address": address}
        return str((await self._ask("POST", "/stablecoin/challenges", body))["text"])

    async def link(self, text: str, signature: str) -> None:
        """Link the address that has signed the text."""
        body = {"text": text, "signature": signature}
        await self._ask("POST", "/stablecoin/link", body)

    async def flattr(self, url: str) -> None:
        """One click."""
        await self._ask("POST", "/flattrs", {"url": url})

    async def undo(self, url: str) -> None:
        """Take it back."""
        await self._ask("DELETE", "/flattrs", query={"url": url})

    async def subscribe(self, url: str, months: int) -> None:
        """A flattr that repeats."""
        await self._ask("POST", "/subscriptions", {"url": url, "months": months})

    async def add_thing(self, url: str, title: str) -> int:
        """Name a thing; its number."""
        return int((await self._ask("POST", "/things", {"url": url, "title": title}))["id"])

    async def _ask(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        query: Mapping[str, str] | None = None,
        key: str = "",
    ) -> Any:
        headers = {**self._headers, "Idempotency-Key": key} if key else self._headers
        return await self._street.ask(method, path, body, query=query, headers=headers)
