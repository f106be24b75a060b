"""On which sites a member flattrs with one click, without being asked in the window.

A consent is the member's alone, for one site, until it is taken back. It changes nothing about what
may flattr: a form of our own page, sent by a signed-in browser. It only lets that page send it by
itself (docs/decisions/0015-the-click-window.md).
"""

from __future__ import annotations

from typing import Final

from node.canonical import canonical_url
from node.clock import Clock
from node.errors import Conflict, NotFound
from node.ids import MemberId
from node.store import consents
from node.store.consents import Consent
from node.store.engine import Store

SITES_MAX: Final = 500


def origin_of(url: str) -> str:
    """The site of a canonical URL, as browsers name it: scheme, host and port."""
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{rest.partition('/')[0]}"


async def give(store: Store, clock: Clock, member: MemberId, url: str) -> str:
    """Flattr with one click from now on what is on the site of this URL; the site's origin.

    Raises BadUrl, Conflict beyond SITES_MAX.
    """
    origin = origin_of(canonical_url(url))
    async with store.write() as tx:
        known = {one.origin for one in await consents.of_member(tx, member)}
        if len(known) >= SITES_MAX and origin not in known:
            raise Conflict(f"at most {SITES_MAX} sites: take one back in the settings first")
        await consents.add(tx, member, origin, clock.now_us())
    return origin


async def take_back(store: Store, member: MemberId, origin: str) -> None:
    """Be asked on this site again. Raises NotFound."""
    async with store.write() as tx:
        if not await consents.end(tx, member, origin):
            raise NotFound("you are asked on this site already")


async def sites_of(store: Store, member: MemberId) -> list[Consent]:
    """The member's sites, by name."""
    async with store.read() as tx:
        return await consents.of_member(tx, member)
