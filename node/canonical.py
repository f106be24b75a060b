"""The canonical URL: the published rule by which two links are the same thing.

A thing is known by one text. `docs/canonical-url.md` states the rule for people, with a table of
examples which a test runs; a change here changes what is flattred, so it needs a decision page.

    text → characters allowed? → scheme://authority path ?query   (the fragment is dropped)
         → host: lower case, punycode, no trailing dot, no port 80 or 443
         → path: escapes normalised, dot segments resolved
         → query: tracking parameters dropped, the rest in its order

The rule never looks anything up, so it can't know that two pages hold the same text, and it never
removes what might matter to a server: case and slashes of the path, order and repetition of
parameters, an empty value. The result is ASCII, and canonical itself: f(f(x)) == f(x).

The parser is our own since `urllib.parse.urlsplit` silently removes tabs and line ends.
"""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from typing import Final
from urllib.parse import unquote_plus

from node.errors import BadUrl

CANONICAL_BYTES_MAX: Final = 2048
"""The longest canonical URL."""
TEXT_CHARS_MAX: Final = 8192
"""The longest text that is looked at: what is dropped may be long."""

_TRACKING_NAMES: Final = (
    "_ga _gl _hsenc _hsmi _openstat dclid fbclid gad_source gbraid gclid gclsrc "
    "hsctatracking igsh igshid li_fat_id mc_cid mc_eid mibextid mkt_tok msclkid "
    "oly_anon_id oly_enc_id ref_src ref_url s_cid srsltid ttclid twclid vero_conv "
    "vero_id wbraid wickedid yclid ysclid"
)
TRACKING: Final = frozenset(_TRACKING_NAMES.split())
"""Parameters that say who sent the reader; never what the page is. In lower case."""
TRACKING_PREFIXES: Final = ("utm_", "mtm_", "pk_", "hsa_")
"""The same, by how the name begins."""

_SHAPE: Final = re.compile(r"(https?)://([^/?#]*)([^?#]*)(?:\?([^#]*))?(?:#.*)?", re.IGNORECASE)
_PORT: Final = re.compile(r":([0-9]{0,5})\Z", re.ASCII)
_LABEL: Final = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?", re.ASCII)
_NUMERIC: Final = re.compile(r"[0-9]+|0x[0-9a-f]*", re.ASCII)
_ESCAPE: Final = re.compile("%([0-9A-Fa-f]{2})?")
_PLAIN_PORTS: Final = frozenset({80, 443})
_PORT_MAX: Final = 65535
_HOST_CHARS_MAX: Final = 253
_DELETE: Final = 0x7F
_FIRST_PRINTABLE: Final = 0x20

_UNRESERVED: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_PATH_CHARS: Final = _UNRESERVED | frozenset("!$&'()*+,;=:@/%")
_QUERY_CHARS: Final = _PATH_CHARS | frozenset("?")
_REFUSED_CATEGORIES: Final = frozenset({"Cc", "Cf", "Co", "Cs", "Zl", "Zp", "Zs"})
_JOINERS: Final = "\u200c\u200d"
"""Format characters that Persian and emoji spelling need."""
_DEVIATIONS: Final = frozenset("ßẞς" + _JOINERS)
"""Characters that IDNA 2003, which Python knows, and IDNA 2008, which browsers use, read as
different names. Guessing would credit the wrong site."""
_IPV6_LOOPBACK: Final = ipaddress.IPv6Address("::1")


def canonical_url(text: str) -> str:
    """The one text by which this thing is known.

    Raises BadUrl, with a sentence for people, and nothing else.
    """
    match = _SHAPE.fullmatch(_readable(text))
    if match is None:
        raise BadUrl("a thing's URL begins with https:// (or http://)")
    _, authority, path, query = match.groups()
    scheme, host, port = _authority(authority)
    path = _without_dots(_escaped(path, _PATH_CHARS)) or "/"
    query = _without_tracking(_escaped(query or "", _QUERY_CHARS))
    url = f"{scheme}://{host}{port}{path}{'?' if query else ''}{query}"
    if len(url) > CANONICAL_BYTES_MAX:
        raise BadUrl(f"the URL is longer than {CANONICAL_BYTES_MAX} bytes")
    return url


def authority_of(url: str) -> str:
    """The host of a canonical URL, with its port if that is no plain one: the site."""
    return url.split("/")[2]


def host_of(url: str) -> str:
    """The host of a canonical URL, without its port."""
    return _PORT.sub("", authority_of(url))


def _readable(text: str) -> str:
    """The text without white space around it, if it holds nothing that can't be seen."""
    if len(text) > TEXT_CHARS_MAX:
        raise BadUrl(f"the URL is longer than {TEXT_CHARS_MAX} characters")
    text = text.strip(" \t\r\n")
    for char in text:
        if char == "\\":
            raise BadUrl("the URL holds a backslash; write / or %5C")
        if char not in _JOINERS and unicodedata.category(char) in _REFUSED_CATEGORIES:
            raise BadUrl(f"the URL holds a space or an invisible character (U+{ord(char):04X})")
    return text


def _authority(authority: str) -> tuple[str, str, str]:
    """(scheme, host, port with its colon or nothing)."""
    if "@" in authority:
        raise BadUrl("the URL holds a user name or password before the host; leave them out")
    found = _PORT.search(authority)
    host = authority[: found.start()] if found else authority
    port = _port(found.group(1)) if found else ""
    if host.startswith("["):
        return "http", _loopback_v6(host), port
    host = _ascii_host(host)
    loopback = _is_loopback_name(host)
    if not loopback and "." not in host:
        raise BadUrl(f"{host} is not the full name of a site")
    return ("http" if loopback else "https"), host, port


def _port(digits: str) -> str:
    number = int(digits) if digits else 80
    if not 0 < number <= _PORT_MAX:
        raise BadUrl(f"{digits} is not a port")
    return "" if number in _PLAIN_PORTS else f":{number}"


def _loopback_v6(host: str) -> str:
    try:
        address = ipaddress.IPv6Address(host[1:-1]) if host.endswith("]") else None
    except ValueError:
        address = None
    if address != _IPV6_LOOPBACK:
        raise BadUrl("the URL holds a bare IP address; use the name of the site")
    return "[::1]"


def _ascii_host(host: str) -> str:
    if len(host) > _HOST_CHARS_MAX + 1:
        raise BadUrl("the URL's host is longer than a name of the DNS")
    if _DEVIATIONS & set(host):
        raise BadUrl("the site's name holds a letter that has two spellings; write its xn-- form")
    try:
        host = host if host.isascii() else host.encode("idna").decode("ascii")
    except UnicodeError as error:
        raise BadUrl("the site's name can't be written in punycode; write its xn-- form") from error
    host = host.lower().rstrip(".")
    labels = host.split(".")
    if len(host) > _HOST_CHARS_MAX or not all(_LABEL.fullmatch(label) for label in labels):
        raise BadUrl("the URL has no host, or one that is not a name of the DNS")
    if _NUMERIC.fullmatch(labels[-1]) and not _is_loopback_v4(host):
        raise BadUrl("the URL holds a bare IP address; use the name of the site")
    return host


def _is_loopback_name(host: str) -> bool:
    return host == "localhost" or host.endswith(".localhost") or _is_loopback_v4(host)


def _is_loopback_v4(host: str) -> bool:
    try:
        return ipaddress.IPv4Address(host).is_loopback
    except ValueError:
        return False


def _escaped(part: str, plain: frozenset[str]) -> str:
    """Escape what must be, then spell every escape in the one way (RFC 3986 §6.2.2)."""
    encoded = "".join(
        char if char in plain else "".join(f"%{byte:02X}" for byte in char.encode())
        for char in part
    )
    return _ESCAPE.sub(_one_spelling, encoded)


def _one_spelling(escape: re.Match[str]) -> str:
    if escape.group(1) is None:
        raise BadUrl("the URL holds a % without two hexadecimal digits; write %25")
    code = int(escape.group(1), 16)
    if code < _FIRST_PRINTABLE or code == _DELETE:
        raise BadUrl(f"the URL holds the control character %{code:02X}")
    return chr(code) if chr(code) in _UNRESERVED else f"%{code:02X}"


def _without_dots(path: str) -> str:
    """RFC 3986 §5.2.4, for a path that is empty or begins with a slash."""
    kept: list[str] = []
    segments = path.split("/")[1:]
    for segment in segments:
        if segment == "..":
            del kept[-1:]
        elif segment != ".":
            kept.append(segment)
    if segments and segments[-1] in {".", ".."}:
        kept.append("")
    return "".join(f"/{segment}" for segment in kept)


def _without_tracking(query: str) -> str:
    return "&".join(piece for piece in query.split("&") if piece and not _tracks(piece))


def _tracks(piece: str) -> bool:
    name = unquote_plus(piece.partition("=")[0]).lower()
    return name in TRACKING or name.startswith(TRACKING_PREFIXES)
