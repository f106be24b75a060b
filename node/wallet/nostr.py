"""A Nostr event that signs a request (NIP-98, kind 27235), read and verified.

A browser's extension signs it (NIP-07). The event is taken from strangers, so it is judged whole:
its id must be the hash of what it says, the signature one of its author, and each tag that counts
must be there once.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from bech32 import bech32_encode, convertbits

from node.errors import BadInput, Forbidden

KIND: Final = 27_235
EVENT_CHARS_MAX: Final = 4096
TAGS_MAX: Final = 10


@dataclass(frozen=True, slots=True)
class SignedRequest:
    """What an event says. `author` and `id` are 64 hex digits; `created_s` is its author's time.

    `content` is what the author has read before signing.
    """

    id: str
    author: str
    created_s: int
    url: str
    method: str
    challenge: str
    content: str


def parse_signed_request(text: str) -> SignedRequest:
    """Read an event's JSON and verify it. Raises BadInput, Forbidden for a bad signature."""
    from nostr_sdk import (  # type: ignore[import-untyped]  # noqa: PLC0415  12 MB, no types
        Event,
        NostrSdkError,
    )

    if len(text) > EVENT_CHARS_MAX:
        raise BadInput(f"the event is longer than {EVENT_CHARS_MAX} characters")
    try:
        event = Event.from_json(text)
    except NostrSdkError as error:
        raise BadInput("that is no signed Nostr event: sign the one that is shown") from error
    if not event.verify():
        raise Forbidden("the event's id or signature is wrong: sign it as it is shown")
    if event.kind().as_u16() != KIND:
        raise BadInput(f"the event must be of kind {KIND}")
    tags = [tag.to_vec() for tag in event.tags()]
    return SignedRequest(
        id=event.id().to_hex(),
        author=event.author().to_hex(),
        created_s=event.created_at().as_secs(),
        url=_once(tags, "u"),
        method=_once(tags, "method"),
        challenge=_once(tags, "challenge"),
        content=event.content(),
    )


def npub(public_key: str) -> str:
    """A public key (64 hex digits) as people know it (NIP-19)."""
    return str(bech32_encode("npub", convertbits(bytes.fromhex(public_key), 8, 5)))


def _once(tags: list[list[str]], name: str) -> str:
    values = [tag for tag in tags if tag[:1] == [name]]
    if len(tags) > TAGS_MAX or len(values) != 1 or len(values[0]) != 2:  # noqa: PLR2004  name, value
        raise BadInput(f"the event must have one tag {name} with one value, and few others")
    if not re.fullmatch(r"[!-~]{1,1000}", values[0][1], re.ASCII):
        raise BadInput(f"the tag {name} has characters that no address has")
    return values[0][1]
