"""The API against its own document: schemathesis invents requests, and nothing may break.

A short run, on both databases. `FUZZ_EXAMPLES=1000` makes it long. What `positive_data_acceptance`
asks can't be kept: no JSON schema says which text is the URL of a thing or a payable target.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path

import jsonschema_rs
from schemathesis.specs.openapi.definitions import OPENAPI_31

from node.web.openapi import document
from node.web.routes import all_routes
from tests.web.wallets import book, link

SETTINGS = """
[checks]
negative_data_rejection.expected-statuses = [
    400, 401, 403, 404, 405, 408, 409, 413, 415, 417, 422, 429, 431
]
"""
"""Its own list lacks 413 and 431: what is too long is refused by them."""
EXAMPLES = os.environ.get("FUZZ_EXAMPLES", "5")
LIMIT_S = 240


async def test_no_request_that_can_be_thought_of_breaks_the_node(both_worlds, tmp_path):
    world = both_worlds
    alice = await world.join("alice")
    await world.fund(alice, 5_000)
    await world.fund(alice, 5_000, "available")
    await alice("POST", "/flattrs", {"url": "https://a.example/"})
    await _run(world, alice, tmp_path)
    assert (await world.nobody("GET", "/readyz", api="")).body["parts"]["database"]["good"]


async def test_nor_does_one_about_the_vault(usd_world, tmp_path):
    alice = await usd_world.join("alice")
    await link(alice, "alice")
    await usd_world.vault.deposit(await usd_world.vault.local.funded("alice"), 10, 4)
    await book(usd_world)
    await _run(usd_world, alice, tmp_path, "--include-path-regex", "stablecoin|payout-target|month")


async def _run(world, alice, tmp_path, *more):
    (tmp_path / "schemathesis.toml").write_text(SETTINGS)
    process = await asyncio.create_subprocess_exec(
        *(str(Path(sys.executable).parent / "st"), "run", f"{world.url}/openapi.json"),
        *("--header", f"Authorization: Bearer {alice.token}", "--max-examples", EXAMPLES),
        *("--exclude-checks", "positive_data_acceptance", "--continue-on-failure"),
        *("--phases", "examples,coverage,fuzzing", "--generation-deterministic", "--no-color"),
        *more,
        cwd=tmp_path,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        async with asyncio.timeout(LIMIT_S * max(1, int(EXAMPLES) // 5)):
            output, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == 0, output.decode()[-8000:]


def test_the_document_is_openapi_3_1_and_names_every_route():
    made = json.loads(json.dumps(document(all_routes(), "simnet")))
    jsonschema_rs.validator_for(OPENAPI_31).validate(made)
    routes = [route for group in all_routes().values() for route in group]
    assert sum(len(operations) for operations in made["paths"].values()) == len(routes)
    names = [one["operationId"] for path in made["paths"].values() for one in path.values()]
    assert len(names) == len(set(names))
    for reference in _references(made):
        place = made
        for step in reference.removeprefix("#/").split("/"):
            place = place[step]


def _references(value):
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        value = list(value.values())
    if isinstance(value, list):
        for one in value:
            yield from _references(one)
