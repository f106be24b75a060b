"""What every test of the contracts may ask for."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.contracts.world import World, build_world


@pytest.fixture
def world() -> Iterator[World]:
    """A vault that nobody has used, on a token that can misbehave."""
    made = build_world()
    with made.chain.undone():
        yield made
