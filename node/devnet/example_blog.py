"""A small blog on a port of its own, with buttons and badges of a node: for the demo and the tests.

It is a foreign site to the node, as every site will be: another origin, and a policy that lets in
nothing but itself and the node, with no inline script or style. It can prove that a member owns it
(`Blog.prove`), in the way that the node's claims ask for.

    /  /night-train …  /feed.xml  /.well-known/flattr-node.txt
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import urlencode

from aiohttp import web
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from node.devnet.example_posts import POSTS, Post
from node.devnet.processes import HOST
from node.flows.proofs import WELL_KNOWN

FOLDER: Final = Path(__file__).parent / "blog"
_TYPES: Final = {".css": "text/css", ".svg": "image/svg+xml"}


@dataclass(slots=True)
class Blog:
    """A running blog. `node_url`: whose buttons it has. `lines`: its proofs."""

    url: str
    node_url: str
    lines: list[str] = field(default_factory=list)

    def prove(self, line: str) -> None:
        """Put a line of a claim where the node looks for it."""
        self.lines.append(line)

    def url_of(self, post: Post) -> str:
        """The address of a post."""
        return self.url + post.path

    def window_of(self, post: Post) -> str:
        """Where a post is flattred: the node's window."""
        words = urlencode({"url": self.url_of(post), "title": post.title})
        return f"{self.node_url}/click?{words}"

    def badge_of(self, post: Post) -> str:
        """The picture of a post's count."""
        return f"{self.node_url}/badge.svg?{urlencode({'url': self.url_of(post)})}"

    def oembed_of(self, post: Post) -> str:
        """Where a post's badge is told to programs."""
        return f"{self.node_url}/oembed?{urlencode({'url': self.url_of(post)})}"

    @property
    def policy(self) -> str:
        """Content-Security-Policy: this site, and of the node its script, counts and badges."""
        return (
            f"default-src 'none'; script-src {self.node_url}; connect-src {self.node_url}; "
            f"img-src 'self' {self.node_url}; style-src 'self'; base-uri 'none'; "
            "form-action 'none'; frame-ancestors 'none'"
        )


@asynccontextmanager
async def open_blog(node_url: str, port: int = 0, host: str = HOST) -> AsyncIterator[Blog]:
    """Serve the blog on 127.0.0.1 until the block ends; port 0: any that is free.

    `host`: what it calls itself. As `localhost` it is another site than a node on 127.0.0.1, to
    which a browser sends no cookie of that node along.
    """
    desk = _Desk(Blog("", node_url.rstrip("/")))
    app = web.Application()
    app.router.add_get("/", desk.index)
    app.router.add_get("/feed.xml", desk.feed)
    app.router.add_get(WELL_KNOWN, desk.proofs)
    for path in FOLDER.iterdir():
        if path.suffix in _TYPES:
            app.router.add_get(f"/{path.name}", desk.file)
    for post in POSTS:
        app.router.add_get(post.path, desk.post)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, HOST, port).start()
        desk.blog.url = f"http://{host}:{runner.addresses[0][1]}"
        yield desk.blog
    finally:
        await runner.cleanup()


class _Desk:
    def __init__(self, blog: Blog) -> None:
        self.blog = blog
        self._templates = Environment(
            loader=FileSystemLoader(FOLDER), autoescape=True, undefined=StrictUndefined,
            trim_blocks=True, auto_reload=False,
        )  # fmt: skip
        self._posts = {post.path: post for post in POSTS}
        self._files = {
            f"/{path.name}": (path.read_bytes(), _TYPES[path.suffix])
            for path in FOLDER.iterdir()
            if path.suffix in _TYPES
        }

    async def index(self, request: web.Request) -> web.Response:
        """All posts."""
        del request
        return self._page("index.html")

    async def post(self, request: web.Request) -> web.Response:
        """One post."""
        return self._page("post.html", post=self._posts[request.path])

    async def feed(self, request: web.Request) -> web.Response:
        """Atom, with the window of each post as its rel=payment."""
        del request
        return self._answer("feed.xml", "application/atom+xml")

    async def proofs(self, request: web.Request) -> web.Response:
        """Whose site this is, as far as it was told."""
        del request
        return web.Response(text="".join(f"{line}\n" for line in self.blog.lines))

    async def file(self, request: web.Request) -> web.Response:
        """The style, or a picture."""
        body, kind = self._files[request.path]
        return web.Response(body=body, content_type=kind, headers={"Cache-Control": "no-cache"})

    def _page(self, name: str, **values: object) -> web.Response:
        response = self._answer(name, "text/html", **values)
        response.headers["Content-Security-Policy"] = self.blog.policy
        return response

    def _answer(self, name: str, kind: str, **values: object) -> web.Response:
        blog = self.blog
        text = self._templates.get_template(name).render(
            here=blog.url, node=blog.node_url, posts=POSTS, window=blog.window_of,
            badge=blog.badge_of, oembed=blog.oembed_of, **values,
        )  # fmt: skip
        return web.Response(text=text, content_type=kind)
