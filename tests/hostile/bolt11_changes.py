"""Mutants of what an invoice says, each signed anew: so its content alone is judged.

Each function takes an honest invoice in parts and dice, and gives other parts; its name is the kind
in the printed table. Several may be put one upon the other.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import Final

from bech32 import CHARSET

from tests.hostile.bolt11_parts import (
    Parts,
    flip,
    inserted,
    number_words,
    own_key,
    random_words,
    words_of,
)

Change = Callable[[Parts, Random], Parts]
NETWORKS: Final = ("bc", "tb", "tbs", "bcrt", "sb", "sbb", "s", "", "bcr", "ltc", "simnet", "sb1")
UNITS: Final = ("", "m", "u", "n", "p", "k", "M", "µ", "mm", "pn", " ")


def field_twice(parts: Parts, dice: Random) -> Parts:
    """A field that stands twice: the same, nearly the same, of another size, or another's."""
    tag, words = dice.choice(parts.fields)
    again = dice.choice(
        [words, flip(words, dice), words[:-1], [*words, 0], [], random_words(dice, len(words))]
    )
    return inserted(parts, (tag, again), dice)


def hashes_by_the_dozen(parts: Parts, dice: Random) -> Parts:
    """Several payment hashes, of which some have a size that readers skip."""
    for _ in range(dice.randint(1, 4)):
        size = dice.choice([52, 52, 51, 53, 0])
        parts = inserted(parts, ("p", random_words(dice, size)), dice)
    return parts


def reordered(parts: Parts, dice: Random) -> Parts:
    """The fields in another order, which is allowed."""
    fields = list(parts.fields)
    dice.shuffle(fields)
    return replace(parts, fields=fields)


def resized(parts: Parts, dice: Random) -> Parts:
    """A field that is longer or shorter than it should be."""
    tag, words = dice.choice(parts.fields)
    size = max(0, len(words) + dice.choice([-53, -5, -2, -1, 1, 2, 5, 53, 500]))
    return parts.set(tag, (words + random_words(dice, 500))[:size])


def loose_end(parts: Parts, dice: Random) -> Parts:
    """Words between the last field and the signature that are no field."""
    tail = random_words(dice, dice.choice([1, 2, 3, 4, 5, 60]))
    return replace(parts, tail=tail)


def missing(parts: Parts, dice: Random) -> Parts:
    """Without some of its fields."""
    gone = dice.sample([tag for tag, _ in parts.fields], dice.randint(1, 3))
    return parts.without(*gone)


def unknown_field(parts: Parts, dice: Random) -> Parts:
    """A field of any letter, also one that nobody has given a meaning."""
    value = random_words(dice, dice.choice([0, 1, 2, 51, 52, 53, 82, 83, 100]))
    return inserted(parts, (dice.choice(CHARSET), value), dice)


def padded(parts: Parts, dice: Random) -> Parts:
    """Bits in the padding of a field of bytes."""
    tag = dice.choice([tag for tag in "psnhd" if parts.of(tag)] or ["d"])
    words = parts.of(tag) or [0]
    return parts.set(tag, [*words[:-1], words[-1] | dice.randint(1, 15)])


def features(parts: Parts, dice: Random) -> Parts:
    """Feature bits: unknown ones, even ones, AMP, parts without a secret, zeros before them."""
    bits = {8, 14, 17} if dice.random() < 0.7 else set()
    bits |= {dice.randrange(dice.choice([32, 64, 300, 2000])) for _ in range(dice.randint(0, 3))}
    bits -= {dice.choice([8, 14, 17, 99])}
    words = number_words(sum(1 << bit for bit in bits))
    return parts.set("9", [0] * dice.choice([0, 0, 1, 5]) + words)


def amounts(parts: Parts, dice: Random) -> Parts:
    """Amounts of each unit, fractions of a msat, leading zeros, signs, more than there is."""
    digits = dice.choice(
        [str(dice.randrange(10 ** dice.randint(1, 21))), str(2 ** dice.choice([31, 32, 63, 64]))]
    )
    before = dice.choice(["", "", "", "", "0", "00", "-", "+", " ", "."])
    return replace(parts, head=f"lnsb{before}{digits}{dice.choice(UNITS)}")


def networks(parts: Parts, dice: Random) -> Parts:
    """Other networks, and what looks like one."""
    amount = dice.choice(["", "1", "10u", "2500u", "1m", "1p", "10n"])
    start = dice.choice(["ln", "ln", "ln", "ln", "lno", "l", "LN", "lightning"])
    return replace(parts, head=start + dice.choice(NETWORKS) + amount)


def numbers(parts: Parts, dice: Random) -> Parts:
    """Expiry and final time lock: none, zero, zeros before, as long as it goes."""
    tag = dice.choice("xc")
    words = dice.choice(
        [
            number_words(dice.randrange(2 ** dice.choice([1, 8, 16, 31, 32, 34, 59, 60, 63, 64]))),
            random_words(dice, dice.choice([0, 1, 2, 6, 7, 12, 13, 14, 60])),
            [0] * dice.choice([0, 1, 2, 13]) + number_words(dice.randrange(1, 4000)),
        ]
    )
    return parts.set(tag, words)


def dates(parts: Parts, dice: Random) -> Parts:
    """A date in 1970, in 3058, and any other."""
    stamp = dice.choice([0, 1, 2**31, 2**32, 2**35 - 1, dice.randrange(2**35)])
    return replace(parts, stamp=number_words(stamp, 7))


def routes(parts: Parts, dice: Random) -> Parts:
    """Private routes with any fee, of any size, many of them, to keys that are none."""
    for _ in range(dice.choice([1, 1, 2, 20])):
        start = dice.choice([own_key(dice)[1], dice.randbytes(33)])
        hop = start + dice.choice([bytes(18), b"\xff" * 18, dice.randbytes(18)])
        octets = (hop * dice.choice([1, 1, 2, 12]))[: dice.choice([612, 612, 612, 51, 50, 52, 0])]
        parts = inserted(parts, ("r", words_of(octets)), dice)
    return parts


def fallbacks(parts: Parts, dice: Random) -> Parts:
    """On-chain addresses of any version and size, and metadata."""
    version = dice.choice([0, 1, 16, 17, 18, 19, 31])
    value = [version, *words_of(dice.randbytes(dice.choice([0, 1, 19, 20, 21, 32, 33, 40])))]
    tag = dice.choice("ffm")
    return inserted(parts, (tag, dice.choice([value, []])), dice)


def descriptions(parts: Parts, dice: Random) -> Parts:
    """Descriptions that are no UTF-8, and both kinds, and neither."""
    made = [
        ("d", words_of(dice.randbytes(dice.choice([0, 1, 30, 639])))),
        ("h", random_words(dice, 52)),
    ]
    parts = parts.without("d", "h")
    for one in dice.sample(made, dice.choice([0, 1, 1, 2])):
        parts = inserted(parts, one, dice)
    return parts


CHANGES: Final[tuple[Change, ...]] = (
    field_twice,
    hashes_by_the_dozen,
    reordered,
    resized,
    loose_end,
    missing,
    unknown_field,
    padded,
    features,
    amounts,
    networks,
    numbers,
    dates,
    routes,
    fallbacks,
    descriptions,
)
