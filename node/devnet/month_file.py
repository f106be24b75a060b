"""The demo's month as a text file: who has which pot, who made what, who clicks what, in order.

`demo_month.txt` beside this module is the example and explains the lines. Everything is checked
before anything is started, and the first line that does not fit is named with what to write there,
so that a changed copy either runs as it stands or says in one sentence why not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, cast

from node.canonical import canonical_url
from node.errors import BadInput, BadUrl

EXAMPLE: Final = Path(__file__).parent / "demo_month.txt"
BYTES_MAX: Final = 1 << 20
POT_MAX_SAT: Final = 1_000_000
POTS_MAX_SAT: Final = 5_000_000
"""All pots together: what one channel of the local network carries with room to spare."""
POT_MAX_CENTS: Final = 10_000_000
RESERVED: Final = "operator"

Target = Literal["address", "keysend", "none"]
Verb = Literal["flattr", "undo", "subscribe"]

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]{1,31}", re.ASCII)
_USD: Final = re.compile(r"[0-9]{1,6}(\.[0-9]{2})?", re.ASCII)
_COMMENT: Final = re.compile(r"(^|\s)#.*")


@dataclass(frozen=True, slots=True)
class PlannedMember:
    """A reader, or a creator (`target` is not None), and the pot in whole sats; 0 for none.

    `pot_cents`: the pot in the stablecoin, in hundredths; `evm`: whether a creator has an address.
    """

    name: str
    pot_sat: int
    target: Target | None
    pot_cents: int = 0
    evm: bool = False


@dataclass(frozen=True, slots=True)
class PlannedThing:
    """A thing under a short name. `owner` None: unclaimed."""

    name: str
    url: str
    owner: str | None


@dataclass(frozen=True, slots=True)
class Act:
    """One click. `months` counts for a subscription only."""

    verb: Verb
    member: str
    thing: str
    months: int = 0


@dataclass(frozen=True, slots=True)
class MonthPlan:
    """A whole month, by name, in the order of the file."""

    members: dict[str, PlannedMember]
    things: dict[str, PlannedThing]
    acts: tuple[Act, ...]

    @property
    def readers(self) -> list[PlannedMember]:
        """Those who only read."""
        return [member for member in self.members.values() if member.target is None]

    @property
    def creators(self) -> list[PlannedMember]:
        """Those who make things."""
        return [member for member in self.members.values() if member.target is not None]

    @property
    def has_stablecoin(self) -> bool:
        """Whether anything in it needs a chain."""
        return any(member.pot_cents or member.evm for member in self.members.values())

    @property
    def pots_sat(self) -> int:
        """All pots together."""
        return sum(member.pot_sat for member in self.members.values())


def read_month(path: Path) -> MonthPlan:
    """The month in this file. Raises BadInput with the line and what to write there."""
    try:
        content = path.read_bytes()
        if len(content) > BYTES_MAX:
            raise BadInput(f"{path} is longer than {BYTES_MAX} bytes: a month file is a page")
        text = content.decode()
    except OSError as error:
        raise BadInput(f"{path} can't be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise BadInput(f"{path} is not UTF-8 text: save it as UTF-8") from error
    return parse_month(text, path.name)


def parse_month(text: str, name: str) -> MonthPlan:
    """The month in this text; `name` says where it is from. Raises BadInput as `read_month`."""
    reading = _Reading()
    for number, line in enumerate(text.splitlines(), 1):
        words = _COMMENT.sub("", line).split()
        if not words:
            continue
        try:
            reading.take(" ".join(words))
        except BadInput as error:
            raise BadInput(f"{name}, line {number}: {error}") from error
    try:
        return reading.plan()
    except BadInput as error:
        raise BadInput(f"{name}: {error}") from error


class _Reading:
    """What the lines so far say."""

    def __init__(self) -> None:
        self._members: dict[str, PlannedMember] = {}
        self._things: dict[str, PlannedThing] = {}
        self._acts: list[Act] = []

    def take(self, line: str) -> None:
        """Take one line, its words separated by single spaces."""
        verb = line.partition(" ")[0]
        if verb not in _SHAPES:
            raise BadInput(f"{_quoted(verb)} is no line's first word: write {', '.join(_SHAPES)}")
        pattern, write = _SHAPES[verb]
        found = pattern.fullmatch(line)
        if found is None:
            raise BadInput(f"{_quoted(line)} can't be read: write {write}")
        if verb in {"reader", "creator"}:
            self._member(found)
        elif verb == "thing":
            self._thing(found)
        else:
            self._acts += self._clicks(cast("Verb", verb), found)

    def plan(self) -> MonthPlan:
        """The whole month."""
        plan = MonthPlan(self._members, self._things, tuple(self._acts))
        for found, write in (
            (plan.readers, _SHAPES["reader"][1]),
            (plan.creators, _SHAPES["creator"][1]),
            (plan.things, _SHAPES["thing"][1]),
        ):
            if not found:
                raise BadInput(f"a month needs at least one line like this: {write}")
        if plan.pots_sat > POTS_MAX_SAT:
            raise BadInput(
                f"the pots hold {plan.pots_sat} sat together: write {POTS_MAX_SAT} sat at most"
            )
        return plan

    def _member(self, found: re.Match[str]) -> None:
        name = found["name"]
        _demand_name(name)
        if name in self._members:
            raise BadInput(
                f"{name} stands here twice: a creator's pot is written as dues, "
                f"creator {name} pays 9000 sat dues target address"
            )
        fields = found.groupdict()
        target = cast("Target | None", fields.get("target"))
        if target == "keysend" and any(one.target == target for one in self._members.values()):
            raise BadInput(
                "a second creator with the node key would share the first one's wallet, and "
                "flattrs between them would not count: write target address"
            )
        self._members[name] = PlannedMember(
            name, _pot_sat(fields["pot"]), target, _pot_cents(fields.get("usd")),
            evm=fields.get("evm") is not None,
        )  # fmt: skip

    def _thing(self, found: re.Match[str]) -> None:
        name, owner = found["name"], found["owner"]
        _demand_name(name)
        if name in self._things:
            raise BadInput(f"the thing {name} stands here twice: give it another name")
        try:
            url = canonical_url(found["url"])
        except BadUrl as error:
            raise BadInput(f"{_quoted(found['url'])} is no thing's URL: {error}") from error
        for other in self._things.values():
            if other.url == url:
                raise BadInput(f"{other.name} has the same URL: a thing is written once")
        if owner is not None and self._known(owner).target is None:
            raise BadInput(f"{owner} is a reader: write a creator as owner, or unclaimed")
        self._things[name] = PlannedThing(name, url, owner)

    def _clicks(self, verb: Verb, found: re.Match[str]) -> Iterator[Act]:
        member = self._known(found["name"]).name
        fields = found.groupdict()
        for part in found["things"].split(","):
            thing = self._things.get(part.strip())
            if thing is None:
                raise BadInput(
                    f"there is no thing {_quoted(part.strip())} above: write thing NAME https://…"
                    " owner CREATOR before it is clicked"
                )
            if thing.owner == member:
                raise BadInput(f"{thing.name} is {member}'s own thing: write another reader")
            act = Act(verb, member, thing.name, int(fields.get("months") or 0))
            if verb == "undo" and Act("flattr", member, thing.name) not in self._acts:
                raise BadInput(f"{member} has not flattred {thing.name} above: nothing to undo")
            yield act

    def _known(self, name: str) -> PlannedMember:
        if name not in self._members:
            raise BadInput(
                f"there is no member {_quoted(name)} above: write reader {name} pot 9000 sat first"
            )
        return self._members[name]


def _demand_name(name: str) -> None:
    if not _NAME.fullmatch(name) or name == RESERVED:
        raise BadInput(
            f"{_quoted(name)} is no name: write 2 to 32 of a-z, 0-9, - and _, not {RESERVED}"
        )


def _pot_sat(text: str | None) -> int:
    if text is None:
        return 0
    pot_sat = (
        int(text) if text.isascii() and text.isdecimal() and len(text) <= len("1000000") else 0
    )
    if not 1 <= pot_sat <= POT_MAX_SAT:
        raise BadInput(f"{_quoted(text)} is no pot: write 1 to {POT_MAX_SAT}, in whole sats")
    return pot_sat


def _pot_cents(text: str | None) -> int:
    if text is None:
        return 0
    whole, _, cents = text.partition(".")
    number = int(whole + cents) * (1 if cents else 100) if _USD.fullmatch(text) else 0
    if not 1 <= number <= POT_MAX_CENTS:
        raise BadInput(
            f"{_quoted(text)} is no pot in dollars: write 0.01 to {POT_MAX_CENTS // 100},"
            " like 5 or 7.50"
        )
    return number


def _quoted(text: str) -> str:
    shown = "".join(char if char.isprintable() else "?" for char in text[:60])
    return f"“{shown}{'…' if len(text) > len(shown) else ''}”"


_SHAPES: Final = {
    "reader": (
        re.compile(r"reader (?P<name>\S+) pot (?P<pot>\S+) sat(?: and (?P<usd>\S+) usd)?"),
        "reader alice pot 9000 sat, or reader alice pot 9000 sat and 7.50 usd",
    ),
    "creator": (
        re.compile(
            r"creator (?P<name>\S+) pays (?:nothing|(?P<pot>\S+) sat dues)"
            r" target (?P<target>address|keysend|none)(?P<evm> and evm)?"
        ),
        "creator blog pays 2000 sat dues target address, or … target address and evm",
    ),
    "thing": (
        re.compile(r"thing (?P<name>\S+) (?P<url>\S+) (?:unclaimed|owner (?P<owner>\S+))"),
        "thing essay https://blog.example/essay owner blog",
    ),
    "flattr": (
        re.compile(r"flattr (?P<name>\S+) (?P<things>.+)"),
        "flattr alice essay, waltz",
    ),
    "undo": (re.compile(r"undo (?P<name>\S+) (?P<things>.+)"), "undo alice essay"),
    "subscribe": (
        re.compile(r"subscribe (?P<name>\S+) (?P<things>\S+) for (?P<months>3|6|12) months"),
        "subscribe alice essay for 12 months",
    ),
}
"""What a line looks like, by its first word, and one to copy."""
