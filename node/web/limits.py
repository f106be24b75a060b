"""How much one caller may ask: requests a minute, joins an hour.

Requests are counted by token, or by address where there is none, in fixed minutes of the node's
clock: one look into a dict, since every click passes here. Joins are rare and each costs a row for
ever, so they get an exact moving window from the `limits` library. Both live in memory: several
processes allow as many times more.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from typing import Final

from aiohttp import web
from limits import RateLimitItemPerHour
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from node.clock import Clock
from node.config import WebSettings
from node.errors import Busy, TooMany

CALLERS_MAX: Final = 100_000
"""With more callers than this in one minute, all counts begin again: memory is bounded."""
LOOK_SHARE: Final = 20
"""One of so many requests a minute may look at a site: each asks a stranger's server thrice."""
CHAIN_SHARE: Final = 10
"""One of so many requests a minute may ask the chain; of all tokens of a member together."""
EXPORT_SHARE: Final = 100
"""One of so many requests a minute may be a download that reads the whole ledger, by member."""
SIGN_IN_SHARE: Final = 10
"""One of so many requests a minute may ask to sign in, or bring a signature, from one address."""
NETWORK_SHARE: Final = 4
"""Of one network (`network_of`) may come so many times as many sign-ins as of one address."""
CONTRACTS_A_MINUTE: Final = 60
"""How many signatures a minute contracts are asked about (EIP-1271), of everybody together."""
_IPV4_NETWORK: Final = 3
_IPV6_NETWORK_BITS: Final = 48
_MINUTE_US: Final = 60_000_000
_IPV6_SITE_BITS: Final = 64
_HOUR_S: Final = 3600


@dataclass(frozen=True, slots=True)
class Allowance:
    """What is left of a minute."""

    limit: int
    left: int
    resets_s: int

    @property
    def headers(self) -> dict[str, str]:
        """For the response."""
        return {
            "X-RateLimit-Limit": str(self.limit),
            "X-RateLimit-Remaining": str(self.left),
            "X-RateLimit-Reset": str(self.resets_s),
        }


class Limits:
    """The counts of this process."""

    def __init__(self, settings: WebSettings, clock: Clock) -> None:
        self._settings = settings
        self._limit = settings.requests_per_minute
        self._clock = clock
        self._minute = 0
        self._counts: dict[str, int] = {}
        self._joins = MovingWindowRateLimiter(MemoryStorage())
        self._join_limit = RateLimitItemPerHour(settings.joins_per_hour)

    def count(self, caller: str) -> int:
        """Count one request; how many have come this minute. Raises TooMany."""
        if (number := self._add(caller)) > self._limit:
            raise TooMany(f"at most {self._limit} requests a minute: wait a little", self._left_s())
        return number

    def _add(self, caller: str) -> int:
        minute = self._clock.now_us() // _MINUTE_US
        counts = self._counts
        if minute != self._minute or len(counts) > CALLERS_MAX:
            self._minute = minute
            counts.clear()
        number = counts.get(caller, 0) + 1
        counts[caller] = number
        return number

    def count_chain(self, member: int) -> None:
        """Count a request that asks the chain, by member. Raises TooMany.

        Each is many calls to RPCs, which have their own limits, and which the payments need too.
        """
        if self.count(f"chain {member}") > max(1, self._limit // CHAIN_SHARE):
            raise TooMany("too many questions to the chain: wait a little", self._left_s())

    def count_export(self, member: int) -> None:
        """Count a file that is written out of the whole ledger, by member. Raises TooMany."""
        if self.count(f"export {member}") > max(1, self._limit // EXPORT_SHARE):
            raise TooMany("too many downloads at once: wait a minute", self._left_s())

    def count_sign_in(self, address: str) -> None:
        """Count a challenge, a signature or a token from an address. Raises TooMany.

        A network is counted, too: an IPv6 customer may have 65,536 addresses as they are counted,
        and every challenge takes one of those that the node keeps for everybody.
        """
        most = max(1, self._limit // SIGN_IN_SHARE)
        of_network = self._add(f"sign-in from {network_of(address)}")
        if self.count(f"sign-in {address}") > most or of_network > NETWORK_SHARE * most:
            raise TooMany("too many tries to sign in: wait a little", self._left_s())

    def count_contract(self) -> None:
        """Count a signature that only a contract can judge, of everybody. Raises Busy.

        Each is two calls to an RPC, at the word of somebody who is signed in nowhere.
        """
        if self._add("contract wallets") > CONTRACTS_A_MINUTE:
            words = "too many contract wallets sign in at once: try again in a minute"
            raise Busy(words, self._left_s())

    def count_look(self, member: int) -> None:
        """Count a look at a stranger's site, by member. Raises TooMany."""
        if self.count(f"look {member}") > max(1, self._limit // LOOK_SHARE):
            raise TooMany("you have looked very often: wait a little", self._left_s())

    def allowance(self, caller: str) -> Allowance:
        """What this caller has left of the minute."""
        left = max(0, self._limit - self._counts.get(caller, 0))
        return Allowance(self._limit, left, self._left_s())

    def count_join(self, address: str) -> None:
        """Count a new member from an address. Raises TooMany."""
        if not self._joins.hit(self._join_limit, address):
            raise TooMany("too many new members from your address: try again in an hour", _HOUR_S)

    def address_of(self, request: web.Request) -> str:
        """Where a request comes from; of IPv6 the /64, which is one customer.

        Behind a proxy that the settings trust: the last entry of X-Forwarded-For, which is the
        proxy's own word. Everything before it is the caller's.
        """
        address = request.remote or ""
        if address in self._settings.trusted_proxies:
            forwarded = request.headers.getall("X-Forwarded-For", [address])
            address = forwarded[-1].rpartition(",")[2].strip()
        return site_of(address)

    def _left_s(self) -> int:
        return 60 - self._clock.now_us() // 1_000_000 % 60


def site_of(address: str) -> str:
    """An address as it is counted: IPv4 whole, IPv6 by its first 64 bits."""
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return "unknown"
    if isinstance(parsed, IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return f"{int(parsed) >> _IPV6_SITE_BITS:x}/64"
    return str(parsed)


def network_of(site: str) -> str:
    """The network of an address as `site_of` has it: IPv4 by 24 bits, IPv6 by 48."""
    if site.endswith("/64"):
        first = int(site.removesuffix("/64"), 16) >> (_IPV6_SITE_BITS - _IPV6_NETWORK_BITS)
        return f"{first:012x}/48"
    return ".".join(site.split(".")[:_IPV4_NETWORK])
