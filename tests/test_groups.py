"""Tests that share what is slow to begin run in one process."""

import pytest


@pytest.mark.xdist_group("together")
def test_a_test_s_id_names_its_group(request: pytest.FixtureRequest) -> None:
    in_groups = getattr(request.config.option, "loadgroup", False)
    assert request.node.nodeid.endswith("@together") == in_groups
