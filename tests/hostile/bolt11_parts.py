"""A BOLT11 invoice taken apart, so that a mutant can be put together from other parts.

    text = head | timestamp, 7 words | fields, each (tag, words) | signature, 104 words | checksum

A word has five bits. `write` signs what it is told to sign, by whatever key, or not at all: what
nobody but an attacker would write can be written here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from random import Random
from typing import Final

from bech32 import CHARSET, bech32_decode, bech32_encode, convertbits
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from node.wallet.lightning.simulated_invoice import public_key

ORDER: Final = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
TIMESTAMP_WORDS: Final = 7
SIGNATURE_WORDS: Final = 104
Field = tuple[str, list[int]]


@dataclass(frozen=True)
class Parts:
    """An invoice before it is written. `fields` in the order in which they stand."""

    head: str
    stamp: list[int]
    fields: list[Field]
    signature: list[int]
    """As it stood when it was read; `write` may put another."""
    tail: list[int] = field(default_factory=list)
    """Words between the fields and the signature: none in an honest invoice."""

    def of(self, tag: str) -> list[int] | None:
        """The words of the first field of this tag."""
        return next((words for name, words in self.fields if name == tag), None)

    def without(self, *tags: str) -> Parts:
        """The same without these fields."""
        return replace(self, fields=[one for one in self.fields if one[0] not in tags])

    def set(self, tag: str, words: Sequence[int]) -> Parts:
        """The same with this field once: in its place if it stood, else at the end."""
        new, found = [], False
        for name, before in self.fields:
            if name != tag:
                new.append((name, before))
            elif not found:
                found = True
                new.append((tag, list(words)))
        return replace(self, fields=new if found else [*new, (tag, list(words))])

    def words(self) -> list[int]:
        """Everything that is signed after the head."""
        body = list(self.stamp)
        for tag, words in self.fields:
            body += [CHARSET.index(tag), len(words) >> 5 & 31, len(words) & 31, *words]
        return body + self.tail


def take_apart(text: str) -> Parts:
    """Read an honest invoice."""
    head, words = bech32_decode(text)
    assert head is not None
    body = words[TIMESTAMP_WORDS:-SIGNATURE_WORDS]
    fields: list[Field] = []
    while body:
        size = body[1] << 5 | body[2]
        fields.append((CHARSET[body[0]], body[3 : 3 + size]))
        body = body[3 + size :]
    return Parts(head, words[:TIMESTAMP_WORDS], fields, words[-SIGNATURE_WORDS:])


def write(parts: Parts, signature: Sequence[int] | None = None) -> str:
    """The text with the signature that is given, or the one it had."""
    ending = parts.signature if signature is None else list(signature)
    return str(bech32_encode(parts.head, [*parts.words(), *ending]))


def sign(head: str, words: Sequence[int], key: ec.EllipticCurvePrivateKey, code: int) -> list[int]:
    """A right signature by this key, with any recovery code, in words."""
    octets = bytes(convertbits(words, 5, 8))
    how = ec.ECDSA(hashes.SHA256(), deterministic_signing=True)
    r, s = decode_dss_signature(key.sign(head.encode() + octets, how))
    return signature_words(r, min(s, ORDER - s), code)


def signature_words(r: int, s: int, code: int) -> list[int]:
    """64 bytes and a recovery code, in words."""
    octets = r.to_bytes(32, "big") + s.to_bytes(32, "big") + bytes([code])
    return words_of(octets)


def resigned(parts: Parts, key: ec.EllipticCurvePrivateKey, code: int = 0) -> str:
    """The text, signed anew. Who reads it without a payee field finds the key, or some key."""
    return write(parts, sign(parts.head, parts.words(), key, code))


def words_of(octets: bytes) -> list[int]:
    """Bytes as words, padded with zeros."""
    return list(convertbits(octets, 8, 5))


def number_words(number: int, size: int = 0) -> list[int]:
    """A number in words: so many, or as few as it takes (zero in none)."""
    size = size or -(-number.bit_length() // 5)
    return [number >> 5 * (size - 1 - at) & 31 for at in range(size)]


@lru_cache(64)
def key_of(number: int) -> ec.EllipticCurvePrivateKey:
    """A private key by its number, the same in every run."""
    return ec.derive_private_key(number + 1, ec.SECP256K1())


def own_key(dice: Random) -> tuple[ec.EllipticCurvePrivateKey, bytes]:
    """One of a few keys, and its public half."""
    key = key_of(dice.randrange(32))
    return key, public_key(key)


def number_of(words: Sequence[int]) -> int:
    """The number that these words spell."""
    number = 0
    for word in words:
        number = number << 5 | word
    return number


def inserted(parts: Parts, new: Field, dice: Random) -> Parts:
    """With another field, somewhere."""
    fields = list(parts.fields)
    fields.insert(dice.choice([0, len(fields), dice.randrange(len(fields) + 1)]), new)
    return replace(parts, fields=fields)


def flip(words: Sequence[int], dice: Random) -> list[int]:
    """With a few bits flipped."""
    flipped = list(words)
    for _ in range(dice.choice([1, 1, 1, 2, 3, 8]) if flipped else 0):
        flipped[dice.randrange(len(flipped))] ^= 1 << dice.randrange(5)
    return flipped


def random_words(dice: Random, size: int) -> list[int]:
    """So many words of any value."""
    return [dice.randrange(32) for _ in range(size)]
