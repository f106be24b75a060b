"""Styles, scripts and pictures of the pages, in memory, under a URL that holds their digest.

`/static/<digest>/<name>`: the digest is that of all files together, so that a script's relative
import of another stays right, and a browser may keep each for ever. What was asked for under an
older digest is answered with what there is now, and is not kept.
"""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from aiohttp import web

from node.errors import NotFound
from node.web import reading

FOLDER: Final = Path(__file__).parent / "static"
PATH: Final = "/static/{digest}/{name}"
DIGEST_CHARS: Final = 12
FOR_EVER: Final = "public, max-age=31536000, immutable"
_TYPES: Final = {".css", ".js", ".svg", ".txt", ".png", ".ico"}


@dataclass(frozen=True, slots=True)
class StaticFile:
    """One file, plain and compressed."""

    content_type: str
    plain: bytes
    packed: bytes
    tag: str


class StaticFiles:
    """All of them, read once. What the build brings lies in `static/vendor/`, and may be absent."""

    def __init__(self, folder: Path = FOLDER) -> None:
        paths = sorted(one for one in folder.rglob("*") if one.suffix in _TYPES)
        self._files = {path.name: _read(path) for path in paths}
        whole = hashlib.sha256("".join(one.tag for one in self._files.values()).encode())
        self._digest = whole.hexdigest()[:DIGEST_CHARS]

    def has(self, name: str) -> bool:
        """Whether there is a file of this name."""
        return name in self._files

    def path_of(self, name: str) -> str:
        """The URL of a file, for templates. Raises KeyError for one that is not there."""
        assert name in self._files, f"there is no static file {name}"
        return PATH.format(digest=self._digest, name=name)

    def answer(self, request: web.Request) -> web.Response:
        """A file. Raises NotFound."""
        file = self._files.get(request.match_info["name"])
        if file is None:
            raise NotFound("there is no such file")
        fits = request.match_info["digest"] == self._digest
        headers = {
            "ETag": file.tag,
            "Cache-Control": FOR_EVER if fits else "no-cache",
            "Vary": "Accept-Encoding",
        }
        if reading.has_already(request, file.tag):
            return web.Response(status=reading.NOT_MODIFIED, headers=headers)
        body = file.plain
        if "gzip" in request.headers.get("Accept-Encoding", ""):
            body, headers["Content-Encoding"] = file.packed, "gzip"
        return web.Response(body=body, headers={**headers, "Content-Type": file.content_type})


def _read(path: Path) -> StaticFile:
    plain = path.read_bytes()
    kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    kind = "text/javascript" if path.suffix == ".js" else kind
    is_text = kind.startswith("text/") or path.suffix == ".svg"
    tag = f'"{hashlib.sha256(plain).hexdigest()[:32]}"'
    return StaticFile(
        kind + ("; charset=utf-8" if is_text else ""), plain, gzip.compress(plain, 9, mtime=0), tag
    )
