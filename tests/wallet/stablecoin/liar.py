"""An RPC that stands before a real one, and can lie, be behind, be slow or be away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
from aiohttp import web

SECRET = "an-api-key"  # A part of the URL, as providers have it.


class Liar:
    """`lies[method]` changes what the real one answered to it."""

    def __init__(self, behind: str) -> None:
        self.behind = behind
        self.url = ""
        self.lies: dict[str, Callable[[Any], Any]] = {}
        self.refusals: dict[str, dict[str, Any]] = {}
        self.status = 200
        self.garbage: bytes | None = None
        self.stuck = False
        self.freed = asyncio.Event()
        self.asked: list[str] = []

    async def answer(self, request: web.Request) -> web.Response:
        body = await request.json()
        self.asked.append(body["method"])
        if self.stuck:
            await self.freed.wait()
        if self.status != 200:
            return web.Response(status=self.status)
        if self.garbage is not None:
            return web.Response(body=self.garbage, content_type="application/json")
        if body["method"] in self.refusals:
            return self._json(body, error=self.refusals[body["method"]])
        async with (
            aiohttp.ClientSession() as session,
            session.post(self.behind, json=body) as response,
        ):
            answer = await response.json()
        if body["method"] in self.lies and "result" in answer:
            answer["result"] = self.lies[body["method"]](answer["result"])
        return web.json_response(answer)

    @staticmethod
    def _json(body: dict[str, Any], **content: Any) -> web.Response:
        return web.json_response({"jsonrpc": "2.0", "id": body["id"], **content})


@asynccontextmanager
async def open_liar(behind: str) -> AsyncIterator[Liar]:
    """A server before `behind`, honest at first."""
    liar = Liar(behind)
    app = web.Application()
    app.router.add_post("/{key}", liar.answer)
    runner = web.AppRunner(app, shutdown_timeout=0)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        liar.url = f"http://{host}:{port}/{SECRET}"
        yield liar
    finally:
        liar.freed.set()
        await runner.cleanup()
