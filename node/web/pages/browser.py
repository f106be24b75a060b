"""What one browser keeps for us: cookies, and what follows from them.

    __Host-flattr           the session's secret (flows/sessions.py); flattr, where there is no TLS
    __Host-flattr-visitor   a secret of a browser that is not signed in: for its forms, and for the
                            challenges of a sign-in
    __Host-flattr-said      a message for the next page, with a tag that only we can make

The token in a form is a tag of the browser's own secret. So a form works in the browser that it was
made for and in no other, and nothing has to be stored for it.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import secrets
from typing import Final, Literal, TypeAlias

from aiohttp import web

from node.config import Settings
from node.flows.sessions import LIFE_S

Kind: TypeAlias = Literal["done", "error"]
SAID_CHARS_MAX: Final = 500
TAG_BYTES: Final = 16
_SECRET: Final = re.compile(r"[A-Za-z0-9_-]{32,100}", re.ASCII)


class Browser:
    """The cookies that came, and those that go back with the answer."""

    def __init__(self, request: web.Request, settings: Settings) -> None:
        self._secure = settings.web.public_url.startswith("https:")
        self._cookies = request.cookies
        self._now: tuple[str, str] | None = None
        self._changes: dict[str, tuple[str, int | None]] = {}
        self.secret = self._known("")
        """Of the session; empty: none."""
        self._visitor = self._known("-visitor")

    @property
    def visitor(self) -> str:
        """The secret of a browser that need not be signed in. It is made when it is asked for."""
        if not self._visitor:
            self._visitor = secrets.token_urlsafe(32)
            self._changes["-visitor"] = (self._visitor, None)
        return self._visitor

    def form_token(self) -> str:
        """For the forms of this browser: under a new mask each time, since pages are compressed."""
        mask = secrets.token_bytes(TAG_BYTES)
        return _pack(mask + _xor(mask, self._tag("form")))

    def has_made(self, token: str) -> bool:
        """Whether a form's token is this browser's."""
        raw = _unpack(token)
        if not (self.secret or self._visitor) or len(raw) != 2 * TAG_BYTES:
            return False
        return hmac.compare_digest(_xor(raw[:TAG_BYTES], raw[TAG_BYTES:]), self._tag("form"))

    def sign_in(self, secret: str) -> None:
        """From now on this browser has the session of this secret."""
        self.secret = secret
        self._changes[""] = (secret, LIFE_S)

    def sign_out(self) -> None:
        """The browser has no session any more."""
        self.secret = ""
        self._changes[""] = ("", 0)

    def say(self, kind: Kind, text: str) -> None:
        """Keep a message for the next page."""
        raw = json.dumps([kind, text[:SAID_CHARS_MAX]]).encode()
        packed = _pack(raw)
        self._changes["-said"] = (f"{packed}.{_pack(self._tag(packed))}", 60)

    def say_now(self, kind: Kind, text: str) -> None:
        """A message for the page that is the answer to this request."""
        self._now = (kind, text)

    def heard(self) -> tuple[str, str] | None:
        """(kind, text) of the message that was kept for this page, once."""
        if self._now is not None:
            return self._now
        packed, _, tag = self._cookies.get(self._name("-said"), "").partition(".")
        if not packed:
            return None
        self._changes.setdefault("-said", ("", 0))
        mine = self.secret or self._visitor
        if not mine or not hmac.compare_digest(_unpack(tag), self._tag(packed)):
            return None
        kind, text = json.loads(_unpack(packed))
        return kind, text

    def keep(self, name: str, value: str, seconds: int) -> None:
        """Set a cookie that is no secret, such as the language."""
        self._changes["-" + name] = (value, seconds)

    def kept(self, name: str) -> str:
        """A cookie that `keep` has set; empty: none."""
        return self._cookies.get(self._name("-" + name), "")

    def stamp(self, response: web.StreamResponse) -> None:
        """Put the changes on the answer."""
        for suffix, (value, seconds) in self._changes.items():
            response.set_cookie(
                self._name(suffix), value, max_age=seconds, path="/", secure=self._secure,
                httponly=True, samesite="Lax",
            )  # fmt: skip

    def _known(self, suffix: str) -> str:
        value = self._cookies.get(self._name(suffix), "")
        return value if _SECRET.fullmatch(value) else ""

    def _name(self, suffix: str) -> str:
        return ("__Host-flattr" if self._secure else "flattr") + suffix

    def _tag(self, words: str) -> bytes:
        key = (self.secret or self.visitor).encode()
        return hmac.new(key, words.encode(), hashlib.sha256).digest()[:TAG_BYTES]


def _xor(mask: bytes, other: bytes) -> bytes:
    return bytes(one ^ two for one, two in zip(mask, other, strict=True))


def _pack(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _unpack(text: str) -> bytes:
    """What `_pack` has packed; empty for what it has not."""
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except ValueError:
        return b""
