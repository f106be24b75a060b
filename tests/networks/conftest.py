"""The real Lightning network, once a session. When a test failed, its folder stays and is named.

The daemons are built, where they are not there yet, when the tests have been collected: no test's
time limit runs then, and the person who waits sees how far it is.
"""

import asyncio
import shutil
import sys
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from node.devnet.daemons import ensure_daemons
from node.devnet.lightning import LightningNetwork, open_lightning_network


def pytest_collection_finish(session: pytest.Session) -> None:
    """Build the daemons, when a test of this session needs them."""
    needed = any("lightning_network" in getattr(item, "fixturenames", ()) for item in session.items)
    if needed and not session.config.option.collectonly:
        asyncio.run(ensure_daemons(lambda line: _say(session.config, line)))


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def lightning_network(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[LightningNetwork]:
    """btcd and four lnds with channels. For tests with `loop_scope="session"`."""
    folder = tmp_path_factory.mktemp("lightning")
    failed_before = request.session.testsfailed
    daemons = await ensure_daemons(print)
    try:
        async with open_lightning_network(folder, daemons, print) as network:
            yield network
    except BaseException:
        _say(request.config, f"the folder of the Lightning network that did not start: {folder}")
        raise
    if request.session.testsfailed > failed_before:
        _say(request.config, f"the Lightning network's folder, with all logs: {folder}")
    else:
        shutil.rmtree(folder)


def _say(config: pytest.Config, line: str) -> None:
    """Print past pytest's capture; on stderr, as xdist passes on nothing else."""
    capture = config.pluginmanager.getplugin("capturemanager")
    assert capture is not None
    with capture.global_and_fixture_disabled():
        print(f"\n{line}", file=sys.stderr)
