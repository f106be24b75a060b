"""A local chain of each kind, and a vault on it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from node.devnet.evm import Anvil, LocalChain, open_anvil, open_tester
from node.devnet.evm_vault import LocalVault, deploy_vault
from node.month import Month

STARTS_S = Month(2026, 11).starts_s


@pytest.fixture
async def anvil(tmp_path: Path) -> AsyncIterator[Anvil]:
    """A new anvil, which makes a block of each transaction."""
    async with open_anvil(tmp_path / "anvil", starts_s=STARTS_S) as opened:
        yield opened


@pytest.fixture(params=["tester", pytest.param("anvil", marks=pytest.mark.anvil)])
async def local(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[LocalChain]:
    """A new chain of each kind."""
    if request.param == "tester":
        async with open_tester(starts_s=STARTS_S) as tester:
            yield tester
    else:
        async with open_anvil(tmp_path / "anvil", starts_s=STARTS_S) as opened:
            yield opened


@pytest.fixture
async def vault(local: LocalChain) -> LocalVault:
    """A vault that nobody has used."""
    return await deploy_vault(local)
