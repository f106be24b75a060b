"""Our reader of invoices accepts nothing that a real lnd refuses or reads differently.

A sample of `python -m tests.hostile bolt11`, on the network that is there anyway.
"""

import pytest

from node.devnet.lightning import LightningNetwork
from node.wallet.lightning import bolt11 as reader
from tests.hostile import bolt11
from tests.hostile.bolt11_mutants import MUTATORS

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.lnd,
    pytest.mark.xdist_group("lnd"),
]

SAMPLE = 40 * len(MUTATORS)
SMALL = 8 * len(MUTATORS)


async def test_what_we_accept_lnd_reads_the_same(lightning_network: LightningNetwork) -> None:
    stub = lightning_network.creators.lightning
    figures = await bolt11.compare(stub, SAMPLE, 1, lambda _: None)
    assert figures.differ == [], bolt11.printed(figures)
    assert figures.counts["honest", "both accept"] == SAMPLE // len(MUTATORS)
    assert figures.of("both refuse") > SAMPLE // 4
    assert figures.of("only lnd") > 0


async def test_a_reader_that_passes_over_something_is_noticed(
    lightning_network: LightningNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    stub = lightning_network.creators.lightning
    monkeypatch.setattr(reader, "_check_signature", lambda *_: None)
    figures = await bolt11.compare(stub, SMALL, 1, lambda _: None)
    assert figures.differ
    monkeypatch.undo()
    monkeypatch.setattr(reader, "CLTV_DEFAULT_BLOCKS", 18)
    figures = await bolt11.compare(stub, SMALL, 1, lambda _: None)
    assert {kind for kind, words, _ in figures.differ if "cltv" in words}
