"""Which IP addresses belong to the public internet.

The node connects to strangers' hosts. A stranger's name may resolve to the node's own network, so
an address is public only if it is nothing else: not private, shared, loopback, link-local,
multicast, reserved, for documentation or for benchmarks, and not a tunnel that ends in one of
these. `ipaddress.is_global` alone is not enough: it calls multicast and tunnels global, and its
list changes between Python versions; the list below is ours (IANA special-purpose registries).

Two kinds of IPv6 address stand for an IPv4 address, and are judged by it: ::ffff:0:0/96, which the
kernel connects over IPv4, and 64:ff9b::/96 (RFC 6052), which every host behind NAT64 sees.
6to4 and Teredo are refused: no server is reached by them, only what hides behind their relays.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

Network = IPv4Network | IPv6Network

_NAT64: Final = IPv6Network("64:ff9b::/96")
_UNICAST_V6: Final = IPv6Network("2000::/3")
_REFUSED: Final[tuple[Network, ...]] = tuple(
    ip_network(text)
    for text in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
        "2001::/23",
        "2001:db8::/32",
        "2002::/16",
        "3fff::/20",
    )
)


def is_public(text: str, refuse: tuple[Network, ...] = ()) -> bool:
    """Tell whether this numeric address is on the public internet and in none of `refuse`.

    Anything that is no address, or has a scope, is not public.
    """
    try:
        address = ip_address(text)
    except ValueError:
        return False
    if isinstance(address, IPv6Address):
        if address.scope_id is not None:
            return False
        address = _stands_for(address)
    if any(address in network for network in (*_REFUSED, *refuse)):
        return False
    in_use = isinstance(address, IPv4Address) or address in _UNICAST_V6
    return in_use and address.is_global and not address.is_multicast


def _stands_for(address: IPv6Address) -> IPv4Address | IPv6Address:
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address
