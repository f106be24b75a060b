"""Mutants of how an invoice is written and signed: characters, checksums, signatures, payees.

Each function takes an honest invoice in parts and dice, and gives a text; its name is the kind in
the printed table.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Final

from bech32 import CHARSET, bech32_create_checksum, bech32_encode

from tests.hostile.bolt11_changes import CHANGES, Change
from tests.hostile.bolt11_parts import (
    ORDER,
    Parts,
    flip,
    inserted,
    number_of,
    number_words,
    own_key,
    random_words,
    resigned,
    sign,
    signature_words,
    words_of,
    write,
)

FIELDS_MIN: Final = 3
"""What a change needs, so that it can take some away."""
Mutator = Callable[[Parts, Random], str]


def honest(parts: Parts, dice: Random) -> str:
    """Nothing but another key: both should accept it."""
    return resigned(parts, own_key(dice)[0])


def one_character(parts: Parts, dice: Random) -> str:
    """Characters changed, and the checksum not."""
    text = list(write(parts))
    for _ in range(dice.randint(1, 3)):
        text[dice.randrange(len(text))] = dice.choice(CHARSET + "1bio BIO")
    return "".join(text)


def flipped(parts: Parts, dice: Random) -> str:
    """Bits flipped anywhere, the checksum right, the signature as it was."""
    words = [*parts.words(), *parts.signature]
    return str(bech32_encode(parts.head, flip(words, dice)))


def flipped_and_signed(parts: Parts, dice: Random) -> str:
    """Bits flipped before the signature, and signed."""
    key, _ = own_key(dice)
    words = flip(parts.without("n").words(), dice)
    return str(bech32_encode(parts.head, words + sign(parts.head, words, key, dice.randrange(4))))


def lying_length(parts: Parts, dice: Random) -> str:
    """A field whose length says something else than its size."""
    key, _ = own_key(dice)
    words = parts.words()
    at = len(parts.stamp)
    for tag, value in parts.fields[: dice.randrange(len(parts.fields))]:
        del tag
        at += 3 + len(value)
    length = dice.choice([0, 1, 51, 52, 53, 1023, dice.randrange(1024)])
    words[at + 1 : at + 3] = number_words(length, 2)
    return str(bech32_encode(parts.head, words + sign(parts.head, words, key, 0)))


def cases(parts: Parts, dice: Random) -> str:
    """All capitals, some capitals, capitals in the head alone."""
    text = _signed(parts, dice)
    at = dice.randrange(len(text))
    head = text.rindex("1")
    return dice.choice(
        [
            text.upper(),
            text[:head].upper() + text[head:],
            text[:at] + text[at:].upper(),
            text[:at] + text[at].upper() + text[at + 1 :],
        ]
    )


def wrappings(parts: Parts, dice: Random) -> str:
    """Blanks, schemes and signs around it and in it."""
    text = _signed(parts, dice)
    at = dice.randrange(len(text))
    around = [
        "lightning:",
        "LIGHTNING:",
        " ",
        "\n",
        "\t",
        "\r\n",
        "\u00a0",
        "\ufeff",
        "\u200b",
        "//",
    ]
    sign_ = dice.choice(around)
    return dice.choice([sign_ + text, text + sign_, text[:at] + sign_ + text[at:]])


def lookalikes(parts: Parts, dice: Random) -> str:
    """Letters that become others when their case is changed, digits that are none."""
    text = _signed(parts, dice)
    swaps = {
        "s": "\u017f",
        "k": "\u212a",
        "l": "\u2113",
        "1": "\uff11",
        "2": "\u0662",
        "n": "\u207f",
    }
    found = [at for at, char in enumerate(text) if char in swaps]
    at = dice.choice(found)
    return text[:at] + swaps[text[at]] + text[at + 1 :]


def payees(parts: Parts, dice: Random) -> str:
    """A payee field: the signer's, another's, no point, another size, another kind of key."""
    key, public = own_key(dice)
    _, other = own_key(dice)
    named = dice.choice(
        [
            public,
            other,
            bytes([dice.choice([2, 3])]) + dice.randbytes(32),
            bytes([dice.randrange(256)]) + public[1:],
            public[:32],
            public + b"\0",
            bytes(33),
            b"\x02" + b"\xff" * 32,
        ]
    )
    parts = inserted(parts.without("n"), ("n", words_of(named)), dice)
    return resigned(parts, key, dice.randrange(4))


def signatures(parts: Parts, dice: Random) -> str:
    """Signatures that are none: zeros, beyond the order, of the high kind, of any recovery code."""
    small = dice.choice([0, 1, 2, ORDER - 1, ORDER, ORDER + 1, 2**256 - 1, 2**128 - 5])
    r, s = (
        dice.choice([small, dice.randrange(2**256)]),
        dice.choice([small, dice.randrange(2**256)]),
    )
    code = dice.choice([0, 1, 2, 3, 4, 27, 31, 255])
    made = signature_words(r, s, code)
    if dice.random() < 0.5:
        parts = parts.without("n")
    return write(parts, dice.choice([made, flip(parts.signature, dice), made[:-1], [*made, 0]]))


def high_s(parts: Parts, dice: Random) -> str:
    """A right signature in its other form, which some verifiers refuse."""
    key, public = own_key(dice)
    if dice.random() < 0.5:
        parts = parts.set("n", words_of(public))
    made = sign(parts.head, parts.words(), key, 0)
    r, s = divmod(number_of(made) >> 8, 2**256)
    return write(parts, signature_words(r, ORDER - s, dice.randrange(4)))


def another_checksum(parts: Parts, dice: Random) -> str:
    """Bech32m's checksum, or none."""
    text = _signed(parts, dice)
    head, _, rest = text.rpartition("1")
    values = [CHARSET.index(char) for char in rest[:-6]]
    mark = dice.choice([0x2BC830A2 ^ 0, dice.randrange(1, 2**30)])
    check = bech32_create_checksum(head, values)
    check = [value ^ (mark >> 5 * (5 - at) & 31) for at, value in enumerate(check)]
    return head + "1" + "".join(CHARSET[value] for value in [*values, *check])


def cut(parts: Parts, dice: Random) -> str:
    """Cut off or run on, with a right checksum."""
    words = [*parts.words(), *parts.signature]
    size = dice.choice([dice.randrange(len(words)), len(words) - 1, len(words) - 104, 0])
    return str(
        bech32_encode(parts.head, dice.choice([words[:size], words + random_words(dice, 9)]))
    )


def several_changes(parts: Parts, dice: Random) -> str:
    """Two or three changes of the content at once."""
    for change in dice.sample(CHANGES, dice.randint(2, 3)):
        parts = change(parts, dice) if len(parts.fields) > FIELDS_MIN else parts
    return _signed(parts, dice)


def _changed(change: Change) -> Mutator:
    def mutate(parts: Parts, dice: Random) -> str:
        return _signed(change(parts, dice), dice)

    return mutate


MUTATORS: Final[dict[str, Mutator]] = {
    **{change.__name__: _changed(change) for change in CHANGES},
    **{
        mutator.__name__: mutator
        for mutator in (
            honest,
            one_character,
            flipped,
            flipped_and_signed,
            lying_length,
            cases,
            wrappings,
            lookalikes,
            payees,
            signatures,
            high_s,
            another_checksum,
            cut,
            several_changes,
        )
    },
}


def _signed(parts: Parts, dice: Random) -> str:
    """Signed: by its payee if it names one, else by anybody."""
    key, public = own_key(dice)
    if parts.of("n") is not None:
        parts = parts.set("n", words_of(public))
    return resigned(parts, key, dice.randrange(4) if dice.random() < 0.2 else 0)
