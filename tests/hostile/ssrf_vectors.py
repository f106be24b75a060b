"""Ways to lead a fetcher inside: URLs whose host is an own address, and names that resolve to one.

A name's DNS is in the attacker's hands: what it answers, and with which port, stands in the vector.
`{port}` in a URL is the canaries' port.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final

PUBLIC: Final = "93.184.216.34"
NAME: Final = "pay.example"
ROOTS: Final = ("https://{host}/", "https://{host}:{port}/", "http://{host}:{port}/")


@dataclass(frozen=True)
class Vector:
    """One way: the URL, and what the DNS answers for its name, in turn."""

    url: str
    answers: tuple[tuple[str, ...], ...] = field(default=(("127.0.0.1",),))

    @property
    def host(self) -> str:
        """What stands between the slashes, user and port included."""
        return self.url.partition("://")[2].partition("/")[0]

    @property
    def name(self) -> str:
        """How it is printed."""
        return f"{self.url!r} {'' if self.answers == (('127.0.0.1',),) else self.answers}"


def vectors(own: list[str]) -> list[Vector]:
    """All of them; `own` are the addresses at which canaries listen."""
    found = [
        Vector(root.replace("{host}", host))
        for address in own
        for host in spellings(address)
        for root in ROOTS
    ]
    found += [Vector(url) for url in (*_urls(), *_schemes(), *_inner_names())]
    found += [Vector(f"https://{NAME}/", answers) for answers in _answers(own)]
    return list(dict.fromkeys(found))


def spellings(text: str) -> Iterator[str]:
    """An address as hosts are written, read and misread."""
    address = ip_address(text)
    if isinstance(address, IPv6Address):
        yield from _of_six(address)
        return
    yield from _of_four(text)
    yield from _beside(text)
    yield from _tunnels(text)


def _of_four(text: str) -> Iterator[str]:
    """Decimal, octal, hexadecimal, short, in other digits and with other dots."""
    parts, number = text.split("."), int(IPv4Address(text))
    yield text
    yield text + "."
    yield str(number)
    yield hex(number)
    yield f"0{number:o}"
    yield ".".join(f"{int(part):#x}" for part in parts)
    yield ".".join(f"0{int(part):o}" for part in parts)
    yield ".".join(part.zfill(3) for part in parts)
    yield f"{parts[0]}.{number & 0xFFFFFF}"
    yield f"{parts[0]}.{parts[1]}.{number & 0xFFFF}"
    yield str(number + 2**32)
    yield "".join(chr(0x2460 + int(d) - 1) if d in "123456789" else d for d in text)
    yield "".join(chr(0xFF10 + int(d)) if d.isdigit() else d for d in text)
    for dot in "\u3002\uff0e\uff61":
        yield text.replace(".", dot)


def _beside(text: str) -> Iterator[str]:
    """With something before or after it that a reader may take for the host."""
    yield f"{text}.nip.example"
    yield f"user@{text}"
    yield f"{NAME}@{text}"
    yield f"{NAME}\\@{text}"
    yield f"{text}#@{NAME}"
    yield f"{text}%2f.{NAME}"
    yield f"{text}%00.{NAME}"
    yield f"{text}\u200b"
    yield f" {text}"


def _tunnels(text: str) -> Iterator[str]:
    """IPv6 addresses that stand for it or lead to it."""
    number = int(IPv4Address(text))
    yield from _of_six(IPv6Address(f"::ffff:{text}"))
    yield f"[::ffff:{text}]"
    yield f"[::{text}]"
    for prefix in ("64:ff9b::", "64:ff9b:1::"):
        yield f"[{IPv6Address(int(IPv6Address(prefix)) | number)}]"
    yield f"[{IPv6Address((0x2002 << 112) | (number << 80))}]"
    yield f"[{IPv6Address((0x20010000 << 96) | (number ^ 0xFFFFFFFF))}]"


def _of_six(address: IPv6Address) -> Iterator[str]:
    yield f"[{address}]"
    yield f"[{address.exploded}]"
    yield f"[{str(address).upper()}]"
    yield f"[{address}%25lo]"
    yield f"[{address}%lo]"
    yield str(address)
    yield f"[{address}"
    yield f"[{address}].{NAME}"


def _urls() -> Iterator[str]:
    """Where the URL is taken apart differently by different readers."""
    inner = "127.0.0.1:{port}"
    yield from (
        f"https://{NAME}@{inner}/",
        f"https://{NAME}:443@{inner}/",
        f"https://{NAME}:secret@{inner}/",
        f"https://{inner}\\@{NAME}/",
        f"https://{NAME}\\.{inner}/",
        f"https:\\\\{inner}\\",
        f"https://{inner}#@{NAME}/",
        f"https://{inner}?@{NAME}/",
        f"https://{NAME}/\r\nHost: {inner}",
        f"https://{NAME}\r\nHost: {inner}\r\n/",
        f"https://{NAME}%0d%0aHost:{inner}/",
        f"https://{NAME}\t@{inner}/",
        f"https://{NAME} @{inner}/",
        f"https:///{inner}/",
        f"https:/{inner}/",
        f"https:{inner}",
        f"//{inner}/",
        f"///{inner}/",
        f"{inner}",
    )
    yield from _ports_and_names()


def _ports_and_names() -> Iterator[str]:
    """Ports that are none of ours, and names that are none at all."""
    yield from (
        f"https://{NAME}:{{port}}/",
        f"https://{NAME}:0/",
        f"https://{NAME}:65536/",
        f"https://{NAME}:-1/",
        f"https://{NAME}:443:{{port}}/",
        f"https://{NAME}:４４３/",
        f"https://{NAME}:+443/",
        f"https://{NAME}:/",
        f"http://{NAME}/",
        f"http://{NAME}:443/",
        f"http://{NAME}:{{port}}/",
        f"https://{'a' * 64}.example/",
        f"https://{'a.' * 130}example/",
        f"https://{NAME}/{'a' * 5000}",
        f"https://.{NAME}/",
        f"https://{NAME}./",
        f"https://{NAME}../",
        "https://pay..example/",
        f"https://-{NAME}/",
        f"https://xn--{NAME}/",
        "https://xn--a-ecp.ru/",
        "https://p\u0430y.example@127.0.0.1:{port}/",
        "https://l\u043ecalhost:{port}/",
        "https://\u2113ocalhost:{port}/",
        "https://loca\u2061lhost:{port}/",
        "https://localho\u017ft:{port}/",
        "https://[::ffff:127.0.0.1%2525lo]:{port}/",
        "https://[v1.127.0.0.1]:{port}/",
        "https://[]:{port}/",
    )


def _schemes() -> Iterator[str]:
    """Schemes that are none of ours."""
    inner = "127.0.0.1:{port}"
    for scheme in (
        *("ftp", "file", "gopher", "dict", "ldap", "unix", "data", "jar", "ws", "wss", "tftp"),
        *("HTTP", "hTTps+unix", "javascript", "blob", "about", "view-source", "https+srv"),
    ):
        yield f"{scheme}://{inner}/_x"
        yield f"{scheme}:{inner}"


def _inner_names() -> Iterator[str]:
    """Names that mean the own network, or something in it."""
    for host in (
        *(
            "localhost",
            "LOCALHOST",
            "localhost.",
            "a.localhost",
            "localhost.localdomain",
            "ip6-localhost",
        ),
        *("printer.local", "router.lan", "nas.internal", "metadata.google.internal", "lnd", "db"),
        *("postgres", "kubernetes.default.svc", "host.docker.internal", "1.0.0.127.in-addr.arpa"),
        *("instance-data", "expyuzz4wqqyqhjn.onion", f"{NAME}.onion", f"{NAME}.onion.", "0", "0x0"),
        *(
            "localtest.1",
            "127.1",
            "127.0.1",
            "0.0.0.0",
            "0.0",
            "[::]",
            "255.255.255.255",
            "224.0.0.1",
        ),
        *("169.254.169.254", "[fd00:ec2::254]", "100.100.100.200", "192.168.0.1", "10.0.0.1", "*"),
    ):
        for root in ROOTS:
            yield root.replace("{host}", host)


def _answers(own: list[str]) -> Iterator[tuple[tuple[str, ...], ...]]:
    """What a hostile DNS answers for a good name: inside, mixed, first this and then that."""
    inner = [
        *own,
        *("0.0.0.0", "::", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::1", "::7f00:1"),
        *("fe80::1%lo", "::1%lo", "2130706433", "0x7f000001", "127.1", "localhost", ""),
        *("10.0.0.1", "100.64.0.1", "169.254.169.254", "172.16.0.1", "192.168.0.1", "198.18.0.1"),
        *(
            "224.0.0.1",
            "255.255.255.255",
            "fc00::1",
            "ff02::1",
            "2001:0:4136:e378:8000:63bf:3fff:fdd2",
        ),
    ]
    for address in inner:
        yield ((address,),)
        yield ((PUBLIC, address),)
        yield ((address, PUBLIC),)
        yield ((PUBLIC,), (address,))
        yield ((PUBLIC,), (PUBLIC, address), (address,))


def as_ip(text: str) -> IPv4Address | IPv6Address | None:
    """The address of a socket's peer."""
    try:
        return ip_address(text.partition("%")[0])
    except ValueError:
        return None
