"""English, German and French: which one a browser wants, and the catalogue of each.

The words in templates and code are English, inside `{% trans %}`, `_()` or `gettext()`. The other
languages are .po files under `languages/`, read at start. `make words` writes new words into them,
and a test fails while one lacks its translation.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from aiohttp import web
from babel import Locale, negotiate_locale
from babel.messages.pofile import read_po

FOLDER: Final = Path(__file__).parent.parent / "languages"
CATALOGUE: Final = "{name}/LC_MESSAGES/flattr.po"
NAMES: Final = {"en": "English", "de": "Deutsch", "fr": "Français"}
COOKIE: Final = "lang"
_CHOICES_MAX: Final = 20

_Words = dict[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Language:
    """One language: its words, and how it writes numbers and dates."""

    name: str
    locale: Locale
    words: _Words = field(repr=False)

    def gettext(self, message: str) -> str:
        """The message in this language; in English, if there is no translation."""
        return self.words.get(message, (message,))[0]

    def ngettext(self, one: str, many: str, number: int) -> str:
        """The same for a number of something."""
        found = self.words.get(one, (one, many))
        return found[0 if self.locale.plural_form(number) == "one" else -1]


def load() -> dict[str, Language]:
    """Every language, by its name."""
    return {name: Language(name, Locale.parse(name), _words(name)) for name in NAMES}


def choose(request: web.Request, kept: str) -> str:
    """The name of the language for a request: the one that was chosen, or the browser's."""
    if kept in NAMES:
        return kept
    asked = request.headers.get("Accept-Language", "").split(",")[:_CHOICES_MAX]
    wanted = sorted((_quality(one), -place, one) for place, one in enumerate(asked))
    tags = [one.partition(";")[0].strip().replace("-", "_") for _, _, one in reversed(wanted)]
    plain = [tag for tag in tags if tag.replace("_", "").isalnum() and tag.isascii()]
    return negotiate_locale(plain, list(NAMES)) or "en"


def _quality(asked: str) -> float:
    _, found, text = asked.partition("q=")
    try:
        return float(text.strip()) if found else 1.0
    except ValueError:
        return 0.0


def _words(language: str) -> _Words:
    path = FOLDER / CATALOGUE.format(name=language)
    if not path.exists():
        return {}
    with path.open("rb") as file:
        catalogue = read_po(file)
    words: _Words = {}
    for message in catalogue:
        if not message.id or message.fuzzy:
            continue
        name, told = message.id, message.string
        key = name if isinstance(name, str) else name[0]
        texts = tuple(
            str(one or "") for one in ((told,) if isinstance(told, str) else told or ("",))
        )
        if all(texts):
            words[key] = texts
    return words
