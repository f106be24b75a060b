"""The checks read each table a few times, however large it is: no query is run for each row."""

from __future__ import annotations

from itertools import pairwise

import pytest

from node.store import checks
from node.store.engine import open_store


@pytest.mark.parametrize("check", checks.CHECKS, ids=[one.law for one in checks.CHECKS])
async def test_no_check_reads_a_whole_table_for_each_row_of_another(tmp_path, check):
    """Such a one took minutes at every close of a node with fifty thousand deposits."""
    async with open_store(f"sqlite:///{tmp_path / 'plan.sqlite'}") as store, store.read() as tx:
        plan = [row[3] for row in await tx.plain_rows(f"EXPLAIN QUERY PLAN {check.query}")]
    for before, step in pairwise(plan):
        if before.startswith("CORRELATED"):
            assert not step.startswith("SCAN"), plan
