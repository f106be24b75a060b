"""Hostile invoices from an honest-looking server: what each does, and what must become of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric import ec

from tests.hostile.bolt11_parts import Parts, number_words, resigned, take_apart, words_of
from tests.hostile.lnurl_server import EITHER, Behaviour, Reply, Talk

DAY_S: Final = 86_400
Change = Callable[[Talk, Parts], Parts]


def changed(change: Change) -> Reply:
    """An invoice of the right amount, changed and signed anew."""

    async def reply(talk: Talk) -> None:
        if talk.step == "offer":
            await talk.honest()
            return
        parts = change(talk, talk.desk.forged(talk.amount_msat))
        await talk.json({"pr": talk.desk.signed(parts)})

    return reply


def amount(of: Callable[[int], int]) -> Reply:
    """A real invoice of another amount."""

    async def reply(talk: Talk) -> None:
        if talk.step == "offer":
            await talk.honest()
            return
        text = talk.desk.network.invoice("creators", of(talk.amount_msat))
        await talk.json({"pr": text})

    return reply


def paid_with(order: Callable[[Talk], dict[str, Any]]) -> Reply:
    """A payable invoice in an answer that says more."""

    async def reply(talk: Talk) -> None:
        if talk.step == "offer":
            await talk.honest()
            return
        pr = talk.desk.invoice(talk.creator, talk.amount_msat)
        await talk.json({"pr": pr} | order(talk))

    return reply


def text(change: Callable[[str], object]) -> Reply:
    """What looks like an invoice, in an answer that is otherwise in order."""

    async def reply(talk: Talk) -> None:
        if talk.step == "offer":
            await talk.honest()
            return
        await talk.json({"pr": change(talk.desk.signed(talk.desk.forged(talk.amount_msat)))})

    return reply


def _again(tag: str) -> Change:
    def change(talk: Talk, parts: Parts) -> Parts:
        del talk
        words = parts.of(tag) or parts.of("s") or []
        if parts.of(tag) is None:
            parts = parts.set(tag, words)
        other = [words[0] ^ 1, *words[1:]]
        return replace(parts, fields=[*parts.fields, (tag, other)])

    return change


def _number(tag: str, number: int, *, zeros: int = 0) -> Change:
    return lambda _, parts: parts.set(tag, [0] * zeros + (number_words(number) or [0]))


def _dated(seconds: int, expiry_s: int = 3600) -> Change:
    return lambda talk, parts: replace(
        parts.set("x", number_words(expiry_s)),
        stamp=number_words(talk.desk.now_s() + seconds, 7),
    )


def _head(change: Callable[[str], str]) -> Change:
    return lambda _, parts: replace(parts, head=change(parts.head))


def _network(name: str) -> Change:
    return _head(lambda head: f"ln{name}{head[4:]}")


def _features(*bits: int) -> Change:
    return _number("9", sum(1 << bit for bit in bits))


def _route(fee_base_msat: int, fee_ppm: int, *more: bytes) -> Change:
    def change(talk: Talk, parts: Parts) -> Parts:
        hop = talk.desk.wallet.pubkey + bytes(8)
        hop += (
            fee_base_msat.to_bytes(4, "big") + fee_ppm.to_bytes(4, "big") + (40).to_bytes(2, "big")
        )
        return parts.set("r", words_of(hop + b"".join(more)))

    return change


def used(*, own: bool) -> Reply:
    """Fresh in all but the hash, which was paid in an earlier month; honest until then."""

    async def reply(talk: Talk) -> None:
        past = talk.desk.past
        if talk.step == "offer" or not past:
            await talk.honest()
            return
        known = next(key for key, owner in past.items() if (owner == talk.creator) is own)
        parts = talk.desk.forged(talk.amount_msat).set("p", words_of(bytes.fromhex(known)))
        await talk.json({"pr": talk.desk.signed(parts)})

    return reply


def _deposit_hash(talk: Talk, parts: Parts) -> Parts:
    return parts.set("p", take_apart(talk.desk.own_request).of("p") or [])


async def own_invoice(talk: Talk) -> None:
    """The node's own deposit invoice: it would pay itself."""
    if talk.step == "offer":
        await talk.honest()
    else:
        await talk.json({"pr": talk.desk.own_request})


async def forged_signature(talk: Talk) -> None:
    """Signed by another than the payee that it names."""
    if talk.step == "offer":
        await talk.honest()
        return
    stranger = ec.derive_private_key(7, ec.SECP256K1())
    await talk.json({"pr": resigned(talk.desk.forged(talk.amount_msat), stranger)})


async def one_for_two(talk: Talk) -> None:
    """The same invoice for two creators: it may be paid for either, once."""
    if talk.step == "offer":
        await talk.honest()
        return
    shared = talk.desk.shared
    if talk.amount_msat not in shared:
        shared[talk.amount_msat] = talk.desk.invoice(EITHER, talk.amount_msat)
    await talk.json({"pr": shared[talk.amount_msat]})


async def another_each_time(talk: Talk) -> None:
    """An invoice more with each call: one is stored and paid, and the server is asked once."""
    await talk.honest()


AMOUNTS: Final = (
    Behaviour("1 msat more", "asks for", amount(lambda msat: msat + 1)),
    Behaviour("1 msat less", "asks for", amount(lambda msat: msat - 1)),
    Behaviour("a thousand times the amount", "asks for", amount(lambda msat: msat * 1000)),
    Behaviour("a thousandth", "asks for", amount(lambda msat: msat // 1000)),
    Behaviour("no amount", "no amount", amount(lambda _: 0)),
    Behaviour("a fraction of a msat", "fraction", changed(_head(lambda _: "lnsb11p"))),
    Behaviour("amount with a zero before", "malformed", changed(_head(lambda _: "lnsb0900000n"))),
    Behaviour("more than all bitcoin", "more bitcoin", changed(_head(lambda _: "lnsb21000001"))),
)
HASHES: Final = (
    Behaviour("hash of an earlier month, same creator", "used before", used(own=True)),
    Behaviour("hash of an earlier month, other creator", "used before", used(own=False)),
    Behaviour("hash of a deposit of ours", "used before", changed(_deposit_hash)),
    Behaviour("one invoice for two creators, one", EITHER, one_for_two),
    Behaviour("one invoice for two creators, two", EITHER, one_for_two),
    Behaviour("our own invoice", "to itself", own_invoice),
    Behaviour("another invoice each time", "paid", another_each_time),
)
FIELDS: Final = (
    *(
        Behaviour(f"{name} twice", "twice", changed(_again(tag)))
        for tag, name in [
            ("p", "payment hash"),
            ("s", "payment secret"),
            ("d", "description"),
            ("n", "payee"),
            ("x", "expiry"),
            ("c", "time lock"),
            ("9", "features"),
        ]
    ),
    Behaviour(
        "description and its hash",
        "neither or both",
        changed(lambda _, p: p.set("h", [1] * 51 + [0])),
    ),
    Behaviour("no payment hash", "no payment hash", changed(lambda _, p: p.without("p"))),
    Behaviour("no payment secret", "no payment", changed(lambda _, p: p.without("s"))),
    Behaviour("hash of 51 words", "wrong size", changed(lambda _, p: p.set("p", [1] * 51))),
    Behaviour("signed by another", "signature", forged_signature),
    Behaviour("a blinded path", "blinded", changed(lambda _, p: p.set("5", [0] * 80))),
    Behaviour("unknown even feature", "unknown feature 102", changed(_features(8, 14, 17, 102))),
    Behaviour("AMP demanded", "unknown feature 30", changed(_features(8, 14, 17, 30))),
    Behaviour("AMP offered", "AMP", changed(_features(8, 14, 17, 31))),
    Behaviour("parts without a secret", "parts", changed(_features(8, 17))),
)
TIMES: Final = (
    Behaviour("time lock of 2016 blocks", "lock the money", changed(_number("c", 2016))),
    Behaviour("time lock of 145 blocks", "lock the money", changed(_number("c", 145))),
    Behaviour(
        "time lock below zero in 32 bits", "lock the money", changed(_number("c", 2**32 - 1))
    ),
    Behaviour("time lock below zero in 64 bits", "plain number", changed(_number("c", 2**64 - 1))),
    Behaviour("time lock with zeros before", "plain number", changed(_number("c", 40, zeros=2))),
    Behaviour("expiry of nothing", "expire", changed(_number("x", 0))),
    Behaviour("expiry of a minute", "expire", changed(_number("x", 60))),
    Behaviour("expiry of a year", "more than a month", changed(_number("x", 365 * DAY_S))),
    Behaviour("expiry that wraps around", "beyond", changed(_number("x", 2**55))),
    Behaviour("expired yesterday", "expire", changed(_dated(-DAY_S))),
    Behaviour("made in the future", "future", changed(_dated(DAY_S))),
)
PLACES: Final = (
    *(
        Behaviour(f"for the network {name}", words, changed(_network(name)))
        for name, words in [("bc", "is for lnbc"), ("tb", "is for lntb"), ("bcrt", "is for lnbcrt")]
    ),
    Behaviour("for a network of its own", "unknown network", changed(_network("xx"))),
    Behaviour("private route at 10 %", "costs more", changed(_route(0, 100_000))),
    Behaviour("private route of 4 million sat", "costs more", changed(_route(2**32 - 1, 0))),
    Behaviour("private route from no key", "no public key", changed(
        lambda _, p: p.set("r", words_of(b"\x02" + b"\xff" * 50)))),
)  # fmt: skip
TEXTS: Final = (
    Behaviour("invoice as a number", "no invoice", text(lambda _: 5)),
    Behaviour("invoice as a list", "no invoice", text(lambda t: [t])),
    Behaviour("invoice with a scheme", "checksum", text(lambda t: f"lightning:{t}")),
    Behaviour("invoice in both cases", "capitals", text(lambda t: t[:9] + t[9:].upper())),
    Behaviour("invoice with a line break", "checksum", text(lambda t: f"{t}\n")),
    Behaviour("invoice of 8,000 characters", "longer", text(lambda t: t + "q" * 8000)),
    Behaviour("invoice with look-alikes", "ASCII", text(lambda t: t.replace("s", "\u017f", 1))),
    Behaviour("a character changed", "checksum", text(lambda t: t[:-9] + "qpzry9x8g")),
    Behaviour("an empty invoice", "checksum", text(lambda _: "")),
)
HARMLESS: Final = (
    Behaviour("invoice in capitals", "paid", paid_with(
        lambda talk: {"pr": talk.desk.invoice(talk.creator, talk.amount_msat).upper()})),
    Behaviour("nonsense for the wallet to show", "paid", paid_with(
        lambda _: {"successAction": {"tag": "url", "url": "javascript:alert(1)"}, "verify": 7,
                   "disposable": "no", "routes": [[[]]]})),
    Behaviour("verify at an inner address", "paid", paid_with(
        lambda talk: {"verify": f"http://{talk.desk.inner[0]}/verify",
                      "successAction": {"tag": "url", "url": f"http://{talk.desk.inner[0]}/"}})),
)  # fmt: skip
INVOICES: Final = (*AMOUNTS, *HASHES, *FIELDS, *TIMES, *PLACES, *TEXTS, *HARMLESS)
