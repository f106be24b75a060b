"""The templates of the pages: every one in every language, and the frame around each page.

There is an environment for each language, so that macros and filters know theirs. A name that a
template uses and nobody has handed it is an error (StrictUndefined); everything is escaped.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from aiohttp import web
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from node.config import Settings
from node.web.pages import formats, language, pictures
from node.web.pages.browser import Browser
from node.web.pages.language import NAMES, Language
from node.web.static_files import StaticFiles

FOLDER: Final = Path(__file__).parent.parent / "templates"
_INPUT: Final = Markup('<input type="hidden" name="{}" value="{}">')


@dataclass(frozen=True, slots=True)
class Frame:
    """What every page shows around its own words; `page` in the templates."""

    path: str
    here: str
    language: str
    languages: dict[str, str]
    simulated: bool
    signed_in: bool
    said: tuple[str, str] | None
    browser: Browser

    @property
    def token_field(self) -> Markup:
        """The hidden field that a form needs."""
        return _INPUT.format("token", self.browser.form_token())

    @property
    def once_field(self) -> Markup:
        """The hidden field `once`, for a form that does its work once however often it is sent."""
        return _INPUT.format("once", secrets.token_urlsafe(16))


class Templates:
    """Every template in every language, for one node."""

    def __init__(self, settings: Settings, files: StaticFiles) -> None:
        self.languages = language.load()
        self._made = {one.name: self._make(settings, files, one) for one in self.languages.values()}

    def language_of(self, request: web.Request, browser: Browser) -> Language:
        """The language to answer a request in."""
        return self.languages[language.choose(request, browser.kept(language.COOKIE))]

    def fill(self, name: str, spoken: Language, frame: Frame, values: dict[str, Any]) -> str:
        """A template with these values."""
        return self._made[spoken.name].get_template(name).render(page=frame, **values)

    @staticmethod
    def _make(settings: Settings, files: StaticFiles, spoken: Language) -> Environment:
        made = Environment(
            loader=FileSystemLoader(FOLDER), autoescape=True, undefined=StrictUndefined,
            trim_blocks=True, lstrip_blocks=True, auto_reload=False,
            extensions=["jinja2.ext.i18n"],
        )  # fmt: skip
        made.install_gettext_callables(spoken.gettext, spoken.ngettext, newstyle=True)  # type: ignore[attr-defined]  # the extension adds it
        rate = (settings.money.fiat, settings.money.fiat_per_bitcoin)
        made.filters.update(formats.filters(spoken, rate), qr=pictures.qr)
        made.globals.update(
            static=files.path_of, has_static=files.has, network=settings.network,
            real_money=settings.network == "mainnet",
            public_url=settings.web.base_url,
        )  # fmt: skip
        return made


def frame_of(request: web.Request, browser: Browser, spoken: Language, simulated: bool) -> Frame:
    """What is around a page of this request."""
    return Frame(
        path=request.path, here=request.rel_url.raw_path_qs, language=spoken.name,
        languages=NAMES, simulated=simulated, signed_in=bool(browser.secret),
        said=browser.heard(), browser=browser,
    )  # fmt: skip


def html(text: str, status: int) -> web.Response:
    """A page, compressed if the browser takes that; what is secret in it is masked (browser.py)."""
    response = web.Response(text=text, content_type="text/html", status=status)
    response.headers["Vary"] = "Accept-Encoding, Accept-Language, Cookie"
    response.enable_compression()
    return response
