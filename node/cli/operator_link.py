"""`operator-link`: a link that signs the operator in once, for who has no passkey here."""

from __future__ import annotations

from node.app import open_books
from node.cli.options import FOLDER_DEFAULT, Folder, read_settings, screen
from node.clock import SystemClock
from node.errors import ConfigError
from node.flows.operator.access import make_link
from node.web.operator.server import link_of, url_of


async def operator_link(*, folder: Folder = FOLDER_DEFAULT) -> None:
    """Print a link that signs the operator in once, within an hour.

    The node has to be serving. A link that was printed before and not used is good no more.
    """
    settings = read_settings(folder)
    if not settings.operator.enabled:
        raise ConfigError("the console is switched off: write enabled = true in [operator]")
    async with open_books(settings, folder) as store:
        secret = await make_link(store, SystemClock())
    screen().print(link_of(url_of(settings.operator), secret), markup=False)
