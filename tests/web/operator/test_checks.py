"""The checks of a running node: a part that does not answer holds no other up."""

from __future__ import annotations

import asyncio

from node.flows.operator import checks
from node.flows.operator.checks import look


async def test_a_part_that_hangs_is_a_finding_and_the_others_are_there(
    world, tmp_path, monkeypatch
):
    async def hangs(*_):
        yield checks.good("lnd", "answers")
        await asyncio.Event().wait()

    monkeypatch.setattr(checks, "lnd_findings", hangs)
    monkeypatch.setattr(checks, "LOOK_S", 0.05)
    monkeypatch.setattr(checks, "channel_findings", _quick)
    monkeypatch.setattr(checks, "store_findings", _quick)
    found = await look(world.node, tmp_path, ())
    assert [(one.part, one.words) for one in found if not one.good] == [
        ("lnd", "no answer within 0.05 s")
    ]
    assert {"lnd", "quick", "disk", "public URL", "tasks"} <= {one.part for one in found}


async def _quick(*_):
    yield checks.good("quick", "answers")
