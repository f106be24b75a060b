"""Where a claim is proved, and what was seen there.

    file    https://SITE/.well-known/flattr-node.txt   the line, alone on a line    thing, site
    meta    the page of the thing, the site's home     a meta tag in the head       thing; site
    dns     TXT of _flattr-node.HOST                   the line                     thing, site
    nip05   /.well-known/nostr.json?name=_             key for _ and for the line   thing, site

Each place is in the hands of who controls the site, or the page (docs/decisions/0017). The line
names the node and the member: nobody can claim with what another has put there, nor can a member
of another node. A place has three answers: the proof is there, it is not, or nobody can tell.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus
from typing import Final

from node.canonical import authority_of, host_of
from node.errors import FetchRefused
from node.flows.head import META_NAME, meta_contents
from node.ids import MemberId, derive
from node.wallet.fetch import Fetcher
from node.wallet.txt_records import TxtRecords

WELL_KNOWN: Final = "/.well-known/flattr-node.txt"
NOSTR: Final = "/.well-known/nostr.json?name=_"
DNS_LABEL: Final = "_flattr-node"
PAGE_BYTES_MAX: Final = 2 * 1024 * 1024
FILE_BYTES_MAX: Final = 64 * 1024
PROOF_CHARS_MAX: Final = 200
PROOFS_MAX: Final = 100
_ACCEPT_PAGE: Final = "text/html, application/xhtml+xml;q=0.9, */*;q=0.1"
_ACCEPT_FILE: Final = "text/plain, */*;q=0.1"
_NOTHING_HERE: Final = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.GONE, *range(300, 400)})
_LINE: Final = re.compile(r"flattr-node=[a-z0-9_-]{1,32}:[0-9a-f]{32}", re.ASCII)
_CLAIM: Final = re.compile(r"flattr-[0-9a-f]{32}", re.ASCII)
_NOSTR_KEY: Final = re.compile(r"[0-9a-f]{64}", re.ASCII)


class Method(StrEnum):
    """The ways to prove a claim."""

    FILE = "file"
    META = "meta"
    DNS = "dns"
    NIP05 = "nip05"


class Saw(StrEnum):
    """What was seen at a place."""

    FOUND = "found"
    ANOTHERS = "anothers"
    NOTHING = "nothing"
    NO_ANSWER = "no-answer"
    """The place could not be read: the proof may be there or not."""


@dataclass(frozen=True, slots=True)
class Eyes:
    """How the node looks at strangers' sites."""

    fetcher: Fetcher
    txt_records: TxtRecords


@dataclass(frozen=True, slots=True)
class Place:
    """Where a proof may be put, and what; None: the member has none of this kind."""

    method: Method
    place: str
    text: str | None


@dataclass(frozen=True, slots=True)
class Reading:
    """What is at one place: everybody's proofs; None if it could not be read."""

    method: Method
    place: str
    proofs: frozenset[str] | None
    words: str = ""
    """Why there is none, or nothing."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What one place says of one member's claim."""

    method: Method
    place: str
    saw: Saw
    words: str


def claim_line(node_url: str, member: MemberId, name: str) -> str:
    """What the owner puts on the site: the same for all of a member's claims on this node."""
    return f"flattr-node={name}:{derive('claim', node_url, member, name)}"


def nostr_proof(pubkey: str, line: str) -> str:
    """What a Nostr key (64 hexadecimal digits) counts as among proofs, for who has this line.

    The site names the key twice: for itself, and for the claim. A key alone could be claimed with
    by whoever has got one signature of it.
    """
    return f"nostr:{pubkey}:{_nostr_name(line)}"


def _nostr_name(line: str) -> str:
    """The name for a line's claim: of letters, digits and `-` (NIP-05)."""
    return f"flattr-{line.rpartition(':')[2]}"


def places_of(url: str, line: str, nostr_keys: Sequence[str]) -> list[Place]:
    """Where a claim of this canonical URL can be proved, and the text to put there."""
    names = None
    if nostr_keys:
        names = json.dumps({"names": dict.fromkeys(("_", _nostr_name(line)), nostr_keys[0])})
    origin = _origin(url)
    return [
        Place(Method.FILE, origin + WELL_KNOWN, line),
        Place(Method.META, url, f'<meta name="{META_NAME}" content="{line}">'),
        Place(Method.DNS, f"{DNS_LABEL}.{host_of(url)}", line),
        Place(Method.NIP05, origin + NOSTR, names),
    ]


async def read_places(eyes: Eyes, url: str) -> list[Reading]:
    """Read every place where a claim of this canonical URL can be proved, at the same time."""
    origin = _origin(url)
    reading: list[Awaitable[Reading]] = [
        _read_file(eyes, origin + WELL_KNOWN),
        _read_page(eyes, url),
        _read_dns(eyes, host_of(url)),
        _read_nostr(eyes, origin + NOSTR),
    ]
    return list(await asyncio.gather(*reading))


def judge(reading: Reading, proofs: frozenset[str]) -> Seen:
    """What a reading says of the claim that these proofs are for."""
    if reading.proofs is None:
        return Seen(reading.method, reading.place, Saw.NO_ANSWER, reading.words)
    if reading.proofs & proofs:
        return Seen(reading.method, reading.place, Saw.FOUND, "your proof is there")
    if reading.proofs:
        words = f"it is another's: {_spoken(reading.proofs)}"
        return Seen(reading.method, reading.place, Saw.ANOTHERS, words)
    return Seen(reading.method, reading.place, Saw.NOTHING, reading.words)


def found_in(seen: Sequence[Seen]) -> Seen | None:
    """The first place that has the proof."""
    return next((one for one in seen if one.saw is Saw.FOUND), None)


def _origin(url: str) -> str:
    return f"{url.partition('://')[0]}://{authority_of(url)}"


async def _read_file(eyes: Eyes, place: str) -> Reading:
    try:
        text = await eyes.fetcher.get_text(place, limit_bytes=FILE_BYTES_MAX, accept=_ACCEPT_FILE)
    except FetchRefused as error:
        return _unread(Method.FILE, place, error)
    text = text.removeprefix("\ufeff")
    if text.lstrip().startswith("<"):
        words = "it answers with a web page, and not with a text file"
        return Reading(Method.FILE, place, frozenset(), words)
    return _with_lines(Method.FILE, place, text.splitlines(), "the file is there, without a line")


async def _read_page(eyes: Eyes, place: str) -> Reading:
    try:
        text = await eyes.fetcher.get_text(place, limit_bytes=PAGE_BYTES_MAX, accept=_ACCEPT_PAGE)
    except FetchRefused as error:
        return _unread(Method.META, place, error)
    words = f'the page is there, and its <head> has no <meta name="{META_NAME}">'
    return _with_lines(Method.META, place, meta_contents(text), words)


async def _read_dns(eyes: Eyes, host: str) -> Reading:
    name = f"{DNS_LABEL}.{host}"
    try:
        texts = await eyes.txt_records.texts(name)
    except FetchRefused as error:
        return Reading(Method.DNS, name, None, str(error))
    words = "its TXT records are other ones" if texts else "the name has no TXT record"
    return _with_lines(Method.DNS, name, texts, words)


async def _read_nostr(eyes: Eyes, place: str) -> Reading:
    try:
        told = await eyes.fetcher.get_json(place, limit_bytes=FILE_BYTES_MAX)
    except FetchRefused as error:
        return _unread(Method.NIP05, place, error)
    names = told.get("names")
    key = names.get("_") if isinstance(names, dict) else None
    if not isinstance(names, dict) or not isinstance(key, str) or not _NOSTR_KEY.fullmatch(key):
        return Reading(Method.NIP05, place, frozenset(), "it names no key for _, the site itself")
    claims = [name for name, named in names.items() if named == key and _CLAIM.fullmatch(name)]
    proofs = frozenset(f"nostr:{key}:{name}" for name in claims[:PROOFS_MAX])
    return Reading(Method.NIP05, place, proofs, "it names the key for _, and for no claim")


def _with_lines(method: Method, place: str, lines: Sequence[str], words: str) -> Reading:
    stripped = (line.strip() for line in lines if len(line) <= PROOF_CHARS_MAX)
    found = [line for line in stripped if _LINE.fullmatch(line)]
    return Reading(method, place, frozenset(found[:PROOFS_MAX]), words)


def _unread(method: Method, place: str, error: FetchRefused) -> Reading:
    """A server that answers that there is nothing here has said so; else nobody can tell."""
    gone = error.status in _NOTHING_HERE
    return Reading(method, place, frozenset() if gone else None, str(error))


def _spoken(proofs: frozenset[str]) -> str:
    first = min(proofs)
    return first if len(proofs) == 1 else f"{first} and {len(proofs) - 1} more"
