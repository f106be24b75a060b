"""No vector opens a connection inside, at any door; a planted hole does, and is seen."""

from pathlib import Path

import pytest

from node.wallet import fetch
from tests.hostile import ssrf
from tests.hostile.canaries import own_addresses
from tests.hostile.ssrf_doors import BEHIND, DOORS, OPENERS, fetching, opening
from tests.hostile.ssrf_vectors import Vector, vectors

ROOT = Path(__file__).parent.parent.parent
EACH = 12
"""The sample takes every twelfth vector, another twelfth at each door."""


async def test_no_vector_reaches_a_canary_at_any_door(tmp_path):
    ways = vectors(own_addresses())
    assert len(ways) >= 300
    found = await ssrf.run(tmp_path, each=EACH)
    assert found.keys() == DOORS.keys()
    assert all(number > 20 and not visited for number, visited in found.values()), ssrf.printed(
        found
    )


def test_every_function_that_fetches_has_a_door():
    assert fetching(ROOT) == set(BEHIND), "add its door to tests/hostile/ssrf_doors.py"
    assert set(BEHIND.values()) <= set(DOORS)
    assert opening(ROOT) == set(OPENERS)


@pytest.mark.parametrize("door", DOORS)
async def test_a_hole_in_the_guard_is_seen_at_each_door(tmp_path, monkeypatch, door):
    monkeypatch.setattr(fetch, "is_public", lambda *_: True)
    way = Vector("https://pay.example/")
    found = await ssrf.run(tmp_path, [way], [door])
    if door == "redirected":  # what is not followed leads nowhere, whatever the guard says
        assert found[door] == (1, [])
        return
    assert found[door] == (1, [way.name])


@pytest.mark.parametrize("url", ["https://127.0.0.1:{port}/", "http://[::1]:{port}/"])
async def test_a_url_that_is_not_looked_at_is_seen(tmp_path, monkeypatch, url):
    monkeypatch.setattr(fetch, "is_public", lambda *_: True)
    monkeypatch.setattr(fetch, "check_url", lambda url, _: url.split("/")[2])
    found = await ssrf.run(tmp_path, [Vector(url)], ["text"])
    assert found["text"] == (1, [Vector(url).name])
