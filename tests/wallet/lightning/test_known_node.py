"""Who lnd is: asked once for all who want to know, and again when it may be another."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from node.errors import RailUnavailable
from node.wallet.lightning import known_node
from node.wallet.lightning.known_node import KnownNode

Asked = SimpleNamespace


@pytest.fixture
def lnd() -> Asked:
    """An lnd that answers when `go` is set, over a connection that can be another one."""
    asked: Any = SimpleNamespace(times=0, go=asyncio.Event(), error=None)
    asked.channel = SimpleNamespace(unbroken=1)

    async def read() -> Any:
        asked.times += 1
        await asked.go.wait()
        if asked.error is not None:
            raise asked.error
        return f"answer {asked.times}"

    asked.known = KnownNode(asked.channel, read)
    return asked


async def test_hundreds_who_ask_at_once_cost_lnd_one_question(lnd: Asked) -> None:
    asking = [asyncio.create_task(lnd.known.get()) for _ in range(256)]
    await asyncio.sleep(0)
    lnd.go.set()
    assert set(await asyncio.gather(*asking)) == {"answer 1"}
    assert await lnd.known.get() == "answer 1"
    assert lnd.times == 1


async def test_a_word_that_is_old_is_asked_anew(
    lnd: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    lnd.go.set()
    monkeypatch.setattr(known_node, "KNOWN_S", 0.0)
    assert [await lnd.known.get() for _ in range(3)] == ["answer 1", "answer 2", "answer 3"]


async def test_another_connection_is_asked_anew(lnd: Asked) -> None:
    lnd.go.set()
    await lnd.known.get()
    lnd.channel.unbroken = 2
    assert await lnd.known.get() == "answer 2"
    lnd.channel.unbroken = None  # it is broken
    assert await lnd.known.get() == "answer 3"


async def test_a_question_that_fails_is_told_to_all_and_asked_again(lnd: Asked) -> None:
    lnd.error = RailUnavailable("it is away")
    asking = [asyncio.create_task(lnd.known.get()) for _ in range(3)]
    await asyncio.sleep(0)
    lnd.go.set()
    told = await asyncio.gather(*asking, return_exceptions=True)
    assert [str(error) for error in told] == ["it is away"] * 3
    lnd.error = None
    assert await lnd.known.get() == "answer 2"


async def test_who_is_cancelled_takes_nobody_s_answer(lnd: Asked) -> None:
    first, other = (asyncio.create_task(lnd.known.get()) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    lnd.go.set()
    assert await other == "answer 1"
    with pytest.raises(asyncio.CancelledError):
        await first
