"""Whether an answer is inert: nothing in it runs, in whatever reads its type."""

from __future__ import annotations

import csv
import io
import json
import re
from html.parser import HTMLParser
from xml.etree import ElementTree as ET

from tests.web.pages.conftest import Shown

DONE_BY_TEMPLATES = "1337"
"""What `7*191` comes to, where a template reads what was typed."""
NUMBER = re.compile(r"[-+]?[0-9.]+")


class _Inert(HTMLParser):
    """Fails at what would run, or be somebody else's."""

    def handle_starttag(self, tag, attrs):
        assert tag != "evil", "markup was not escaped"
        given = dict(attrs)
        assert tag != "script" or given.get("src", "").startswith("/static/"), attrs
        for name, value in attrs:
            assert not name.startswith("on"), (tag, attrs)
            told = re.sub(r"[\x00-\x20]", "", value or "").lower()
            if name in {"href", "src", "action", "formaction", "srcset"}:
                assert not told.startswith(("javascript:", "data:text", "vbscript:")), attrs


def demand_inert(shown: Shown) -> None:
    """Nothing of an answer runs, in whatever reads its type."""
    kind = shown.headers.get("Content-Type", "").partition(";")[0]
    if not shown.html:
        return
    if kind == "text/html":
        _Inert().feed(shown.html)
        assert DONE_BY_TEMPLATES not in shown.html
    elif kind.endswith("xml"):
        _demand_plain(ET.fromstring(shown.html))
    elif kind.endswith("json"):
        json.loads(shown.html)
    elif kind == "text/csv":
        cells = [cell for row in csv.reader(io.StringIO(shown.html)) for cell in row]
        formulas = [cell for cell in cells if cell.startswith(tuple("=+-@\t\r"))]
        assert not [cell for cell in formulas if not NUMBER.fullmatch(cell)]
    else:
        assert kind == "text/plain", kind
        assert shown.headers["X-Content-Type-Options"] == "nosniff"


def _demand_plain(document: ET.Element) -> None:
    """No element or attribute of XML runs anything."""
    for element in document.iter():
        assert not str(element.tag).endswith(("evil", "script", "foreignObject"))
        assert not [name for name in element.attrib if name.startswith("on")]
        told = [value for name, value in element.attrib.items() if name.endswith("href")]
        assert not [value for value in told if value.lower().startswith("javascript:")]
