"""What hostile people type into forms, paths and JSON: by dice, the same for the same seed."""

from __future__ import annotations

import json
from random import Random
from typing import Final
from urllib.parse import quote

TEXTS: Final = (
    *("", " ", "0", "-1", "1", "1e9", "1e400", "NaN", "Infinity", "-0", "0x10", "١٢", "½", "1_000"),
    *("9" * 19, "9" * 400, "-" + "9" * 19, "2147483648", "9223372036854775807", "0.1", "1,5", "+5"),
    *(
        "true",
        "null",
        "undefined",
        "[]",
        "{}",
        "{{7*7}}",
        "${7*7}",
        "%s%n",
        "%00",
        "\x00",
        "a\x00b",
    ),
    *(
        "' OR 1=1 --",
        '"; DROP TABLE member; --',
        "<script>alert(1)</script>",
        "<img src=x onerror=a>",
    ),
    *(
        "\u202egnp.exe",
        "a\u0301" * 99,
        "\u200b",
        "\ufeffx",
        "\ud7ff",
        "\U0010ffff",
        "\U0001f980" * 50,
    ),
    *(
        "../../../etc/passwd",
        "..%2f..",
        "C:\\con",
        "/",
        "//",
        ".",
        "..",
        "a/b",
        "a?b",
        "a#b",
        "a;b",
    ),
    *("\r\nSet-Cookie: a=b", "\n\n", "\t", "\x7f", "\x1b[2J", "a" * 300, "a" * 5000, "é" * 3000),
    *(
        "https://a.example/",
        "https://a.example:99999/",
        "http://127.0.0.1:1/",
        "javascript:alert(1)",
    ),
    *(
        "https://[::1]/",
        "https://xn--/",
        "https://" + "a." * 200,
        "anna@pay.example",
        "@",
        "a@",
        "@b",
    ),
    *(
        "lnsb1",
        "LNURL1",
        "lightning:",
        "0x" + "0" * 40,
        "0x" + "f" * 64,
        "02" + "79" * 32,
        "nsec1qq",
    ),
    *(
        "2026-11",
        "2026-13",
        "0000-00",
        "9999-12",
        "-2026-11",
        "2026-11-31",
        "sat",
        "usd",
        "SAT",
        "btc",
    ),
)
PLAIN: Final = ("1", "2", "1000", "2026-11", "sat", "https://a.example/", "alice", "on", "pot")


def text(dice: Random) -> str:
    """One value."""
    kind = dice.random()
    if kind < 0.5:
        return dice.choice(TEXTS)
    if kind < 0.7:
        return dice.choice(PLAIN)
    if kind < 0.8:
        return str(dice.randrange(-(10 ** dice.randint(1, 25)), 10 ** dice.randint(1, 25)))
    points = (dice.randrange(dice.choice([128, 0x3000, 0xD800])) for _ in range(dice.randrange(40)))
    return "".join(map(chr, points))


def value(dice: Random, depth: int = 0) -> object:
    """A value of JSON, of any type."""
    kind = dice.randrange(9 if depth < 3 else 6)
    if kind < 3:
        return text(dice)
    if kind < 6:
        return dice.choice([None, True, False, 0, -1, 2**63, -(2**70), 0.5, 1e300, 10**30])
    if kind < 7:
        return [value(dice, depth + 1) for _ in range(dice.choice([0, 1, 3, 40]))]
    return {text(dice): value(dice, depth + 1) for _ in range(dice.choice([0, 1, 3]))}


def body_of_form(fields: tuple[str, ...], token: str, dice: Random) -> bytes:
    """A form's body: mostly its own fields; sometimes others, twice, none, a thousand, no UTF-8."""
    pairs = [(name, text(dice)) for name in fields if dice.random() < 0.9]
    if dice.random() < 0.9:
        pairs.append(("token", token))
    if dice.random() < 0.1:
        pairs.append((text(dice), text(dice)))
    if dice.random() < 0.05 and pairs:
        pairs.append(dice.choice(pairs))
    if dice.random() < 0.01:
        pairs += [(f"f{number}", "x") for number in range(1000)]
    body = "&".join(f"{quote(name, safe='')}={quote(given, safe='')}" for name, given in pairs)
    if dice.random() < 0.05:
        body += dice.choice(["&%ff%fe=%c3%28", "%", "&&&=&=", "&a=%u0041", "=" * 5000, "&" * 5000])
    return body.encode()


def body_of_json(dice: Random, names: tuple[str, ...]) -> bytes:
    """A JSON body: an object with these names, or anything, or no JSON at all."""
    kind = dice.random()
    if kind < 0.6 and names:
        chosen = {name: value(dice) for name in names if dice.random() < 0.8}
        return json.dumps(chosen).encode()
    if kind < 0.9:
        return json.dumps(value(dice)).encode()
    return dice.choice(
        [b"", b"{", b"[" * 5000, b"{" * 5000, b"\xff\xfe", b'{"a":NaN}', b'{"a":1,"a":2}',
         b"1" * 5000, b'"\\ud800"', b"\xef\xbb\xbf{}", b'{"a":' + b"9" * 4000 + b"}", b"\x00" * 100]
    )  # fmt: skip


def path(pattern: str, dice: Random) -> str:
    """A path with its parameters filled in: `{thing}` may be a number, or anything."""
    parts = []
    for part in pattern.split("/"):
        if "{" not in part:
            parts.append(part)
            continue
        before, _, rest = part.partition("{")
        name, _, after = rest.partition("}")
        del name
        given = str(dice.randrange(1, 6)) if dice.random() < 0.4 else text(dice)
        parts.append(before + quote(given, safe="") + after)
    return "/".join(parts)


def query(names: tuple[str, ...], dice: Random) -> str:
    """A query string, often none."""
    if dice.random() < 0.4:
        return ""
    pairs = [(name, text(dice)) for name in names]
    if dice.random() < 0.2:
        pairs.append((text(dice), text(dice)))
    joined = "&".join(f"{quote(name, safe='')}={quote(given, safe='')}" for name, given in pairs)
    return f"?{joined}" if joined else ""
