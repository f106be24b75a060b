"""Hostile LNURL servers, each once: nothing wrong or reused is dispatched, and each has its end."""

from node.wallet.hosts import FetchLimits
from tests.hostile import lnurl

HASTY = FetchLimits(total_s=1.5)


async def test_every_hostile_server_has_its_end(tmp_path):
    rows = await lnurl.run(tmp_path, HASTY)
    assert len(rows) >= 40
    assert all(row.fine for row in rows), lnurl.printed([one for one in rows if not one.fine])
