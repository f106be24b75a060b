"""TXT records: what the owner of a name has said in the DNS.

The operator's own resolver is asked, never a stranger's server: the system's, or the one that the
settings name. It follows the chain of names and answers within LOOKUP_S, or there is no answer.
"""

from __future__ import annotations

from typing import Final

import dns.asyncresolver
import dns.exception
import dns.rdtypes.ANY.TXT
import dns.resolver

from node.errors import ConfigError, FetchRefused

LOOKUP_S: Final = 5.0
RECORDS_MAX: Final = 64
"""More than this many records of one name are not looked at."""
_PORT: Final = 53


class TxtRecords:
    """Looks up TXT records. `server`: `address` or `address:port`; empty: the system's."""

    def __init__(self, server: str = "") -> None:
        self._server = read_server(server) if server else None

    async def texts(self, name: str) -> list[str]:
        """The texts of a name's TXT records, each put together; none if it has none.

        Raises FetchRefused when nobody answered, which says nothing about the records.
        """
        try:
            answer = await self._resolver().resolve(
                f"{name}.", "TXT", search=False, lifetime=LOOKUP_S
            )
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return []
        except dns.resolver.LifetimeTimeout as error:
            raise FetchRefused(f"no resolver answered for {name} within {LOOKUP_S:g} s") from error
        except dns.resolver.NoResolverConfiguration as error:
            raise FetchRefused("this node has no DNS resolver: ask the operator") from error
        except (dns.exception.DNSException, OSError, ValueError) as error:
            reason = type(error).__name__
            raise FetchRefused(f"the DNS has no answer for {name} ({reason})") from error
        found = [row for row in answer if isinstance(row, dns.rdtypes.ANY.TXT.TXT)]
        return [_text(row) for row in found[:RECORDS_MAX]]

    def _resolver(self) -> dns.asyncresolver.Resolver:
        if self._server is None:
            return dns.asyncresolver.Resolver()
        address, port = self._server
        resolver = dns.asyncresolver.Resolver(configure=False)
        resolver.nameservers = [address]
        resolver.port = port
        return resolver


def read_server(text: str) -> tuple[str, int]:
    """(numeric address, port) of `192.0.2.1`, `192.0.2.1:5353` or `[2001:db8::1]:5353`.

    Raises ConfigError.
    """
    address, _, port = text.rpartition(":") if ":" in text else (text, "", str(_PORT))
    address = address.removeprefix("[").removesuffix("]")
    try:
        resolver = dns.asyncresolver.Resolver(configure=False)
        resolver.nameservers = [address]
        return address, int(port)
    except ValueError as error:
        raise ConfigError(
            f"dns_server is {text!r}: write a numeric address, or address:port"
        ) from error


def _text(row: dns.rdtypes.ANY.TXT.TXT) -> str:
    """A record's pieces in one: a text longer than 255 bytes is written in several."""
    return b"".join(row.strings).decode("utf-8", errors="replace")
