"""Write the words of the pages that are to be translated into the catalogues: `make words`.

What is new gets an empty translation, which a test finds; what is gone is dropped; the rest stays.
"""

from __future__ import annotations

import io
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from node.web.pages.language import CATALOGUE, FOLDER, NAMES
from node.web.problems import PROBLEMS

NODE = Path(__file__).parent.parent / "node"
METHODS = [("**.py", "python"), ("**/templates/**.html", "jinja2.ext:babel_extract")]
OPTIONS = {"**/templates/**.html": {"trimmed": "true", "newstyle_gettext": "true"}}
KEYWORDS = {"_": None, "gettext": None, "ngettext": (1, 2)}
WIDTH = 98


def extract() -> Catalog:
    """Every message of the code and the templates, and the titles of the problems."""
    found = Catalog(project="flattr-node", charset="utf-8")
    for path, line, message, _, context in extract_from_dir(
        NODE, METHODS, OPTIONS, keywords=KEYWORDS
    ):
        found.add(message, None, [(f"node/{path}", line)], context=context)
    for problem in PROBLEMS.values():
        found.add(problem.title, None, [("node/web/problems.py", 0)])
    return found


def catalogue(language: str) -> Catalog:
    """The committed catalogue of a language, or an empty one."""
    path = FOLDER / CATALOGUE.format(name=language)
    if not path.exists():
        return Catalog(locale=language, fuzzy=False)
    with path.open("rb") as file:
        return read_po(file, locale=language)


def updated(language: str) -> bytes:
    """The catalogue of a language with all messages, as a file."""
    known = catalogue(language)
    known.header_comment, known.fuzzy = "", False
    known.update(extract(), no_fuzzy_matching=True, update_creation_date=False)
    out = io.BytesIO()
    write_po(
        out, known, width=WIDTH, sort_output=True, ignore_obsolete=True, include_lineno=False,
        omit_header=False,
    )  # fmt: skip
    lines = out.getvalue().decode().splitlines(keepends=True)
    return "".join(line for line in lines if not line.startswith(NOT_KEPT)).encode()


NOT_KEPT = tuple(
    f'"{name}: '
    for name in (
        "POT-Creation-Date", "PO-Revision-Date", "Generated-By", "Last-Translator",
        "Language-Team", "Report-Msgid-Bugs-To", "Project-Id-Version",
    )
)  # fmt: skip
"""Headers that say nothing."""


def main() -> None:
    """Write the catalogues."""
    for language in NAMES:
        if language == "en":
            continue
        path = FOLDER / CATALOGUE.format(name=language)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(updated(language))


if __name__ == "__main__":
    main()
