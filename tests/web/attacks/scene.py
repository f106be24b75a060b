"""Where the attacks happen: one node, alice with something of everything, and mallory.

Alice has a wallet, a pot, money that is available, an invoice that waits, a payout, a thing, a
flattr, a subscription, a claim of a site, a consent, tokens and sessions. The operator has a
console with a passkey.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from node.clock import ManualClock
from node.flows import consents, join, sessions
from node.flows.claim import grant
from node.flows.fold import fold
from node.flows.operator.passkeys import passkeys
from node.flows.pay import pay_until_quiet
from node.flows.sign_in import lightning
from node.ids import derive
from tests.conftest import MONTH
from tests.web.conftest import Client, World, open_world
from tests.web.login.conftest import Guest
from tests.web.operator.conftest import Operator, Place, open_place
from tests.web.pages.conftest import People, Person, Shown

LEFT_BY_VISITS = {"sign_in_challenge", "sign_in_proof", "seen_event", "operator_challenge"}
"""What a look at a page of signing in may leave: it is worth nothing to anybody."""
SEEN = ("seen_us",)
"""Columns that say when somebody was last here."""


@dataclass
class Scene:
    """The node, who is there, and the ids of what is alice's."""

    world: World
    place: Place
    people: People
    alice: Person
    mallory: Person
    nobody: Person
    operator: Operator
    secrets: dict[str, str] = field(default_factory=dict)
    """A token with every scope, by member."""
    ids: dict[str, Any] = field(default_factory=dict)
    before: dict[str, list[str]] = field(default_factory=dict)
    pages: list[tuple[Any, Shown]] = field(default_factory=list)
    """Every page as alice sees it, once it was asked for."""
    linked: tuple[int, Operator] | None = None
    """The operator, signed in by a link at this time."""
    made: list[str] = field(default_factory=list)
    """Ids of tokens that an attack has had made, which end before the next."""

    @property
    def node(self) -> Any:
        return self.world.node

    async def renew(self, *, operator: bool = False) -> None:
        """Everybody is signed in since a moment, before the next attack."""
        for person in (self.alice, self.mallory, self.nobody):
            person.http.cookie_jar.clear()
        for member in (self.alice.member, self.mallory.member):
            await sessions.end_sessions(self.node.store, member)
        for token in self.made:
            async with self.node.store.write() as tx:
                await tx.run("DELETE FROM session WHERE token = :id", id=token)
                await tx.run("DELETE FROM token WHERE id = :id", id=token)
        self.made.clear()
        await self.people.sign_in(self.alice, self.mallory)
        if operator:
            await self.operator.sign_in()
        await fold(self.node.store, self.node.clock)  # else a visit may do it in the attack
        self.ids["session"] = await self.session_of(self.alice)
        await self.from_here()

    async def session_of(self, person: Person) -> str:
        """The id of the newest session."""
        found = await sessions.sessions_of(self.node.store, self.node.clock, person.member)
        return str(max(found, key=lambda one: one.created_us).id)

    async def new(self) -> Person:
        """Somebody whose new wallet has signed, and who may choose a name."""
        guest = await self.guest()
        await guest.prove()
        return guest.person

    async def things(self) -> list[int]:
        """The numbers of all things."""
        async with self.node.store.read() as tx:
            return [row.id for row in await tx.rows("SELECT id FROM thing ORDER BY id")]

    async def guest(self, number: int = 31) -> Guest:
        """A browser that has never been here, and a wallet that nobody knows."""
        person = await self.people.visitor()
        person.bare = self.world.http
        return Guest(person, number)

    async def from_here(self) -> None:
        """What was done until now was no attack; from now on nothing may change."""
        self.before = await self.rows()

    async def rows(self) -> dict[str, list[str]]:
        """Every row of every table, but for what visits leave."""
        async with self.node.store.read() as tx:
            names = await tx.rows("SELECT name FROM sqlite_master WHERE type = 'table'")
            found = {}
            for [name] in names:
                if name not in LEFT_BY_VISITS:
                    rows = await tx.rows(f'SELECT * FROM "{name}"')
                    found[name] = sorted(
                        repr([value for key, value in row._asdict().items() if key not in SEEN])
                        for row in rows
                    )
        return found

    async def demand_unchanged(self, but: frozenset[str] = frozenset()) -> None:
        after = await self.rows()
        changed = {
            name: set(self.before[name]) ^ set(rows)
            for name, rows in after.items()
            if rows != self.before[name] and name not in but
        }
        assert not changed, f"these rows have changed: {changed}"

    async def ask(self, who: str, method: str, path: str, body: str = "") -> Shown:
        """One request of a person, as `attack.py` writes it."""
        person: Person = getattr(self, who)
        if path.startswith("/api/"):
            return await self.call(who, method, path, json.loads(body) if body else None)
        if method != "POST":
            return await person._ask(method, path, {"Accept": "text/html"})
        fields = dict(part.split("=", 1) for part in body.split())
        return await person.post(path, {"token": await self.token_of(person), **fields})

    async def call(self, who: str, method: str, path: str, told: Any, **headers: str) -> Shown:
        """A request to the API."""
        if secret := self.secrets.get(who):
            headers.setdefault("Authorization", f"Bearer {secret}")
        bare = Person(self.world.http, self.world.url)
        return await bare._ask(method, path, headers, json=told)

    @staticmethod
    def query_of(query: dict[str, str]) -> str:
        return urlencode(query)

    async def wallet_calls(self, query: dict[str, str], more: str = "") -> Shown:
        """A Lightning wallet brings its signature; it has no cookies."""
        bare = Person(self.world.http, self.world.url)
        path = f"{lightning.CALLBACK_PATH}?{urlencode(query)}{more}"
        return await bare._ask("GET", path, {})

    async def token_of(self, person: Person) -> str:
        """A token for the forms of this browser."""
        if person.member is None:
            return await self.token_of_guest(person)
        return (await person.get("/sign-out")).form("/sign-out")["token"]

    @staticmethod
    async def token_of_guest(person: Person) -> str:
        """The same for a browser that may be signed in, or not."""
        for path in ("/sign-in/lightning", "/sign-in"):
            for form in (await person.get(path)).read.forms:
                if token := form["fields"].get("token"):
                    return str(token)
        raise AssertionError("there is no form")


@asynccontextmanager
async def open_scene(folder: Path) -> AsyncIterator[Scene]:
    """A node on SQLite with its people."""
    clock = ManualClock(MONTH.starts_s + 3600)
    async with AsyncExitStack() as stack:
        world = await stack.enter_async_context(open_world(folder, clock))
        world.folder = folder
        place = await stack.enter_async_context(open_place(world))
        people = People(world)
        try:
            nobody = await people.visitor()
            scene = Scene(
                world, place, people, await _join(world, people, "alice", 11),
                await _join(world, people, "mallory", 66), nobody, await place.by_passkey(),
            )  # fmt: skip
            [passkey] = await passkeys(world.node.store)
            scene.ids["passkey"] = derive("passkey", passkey.id)
            await _furnish(scene)
            yield scene
        finally:
            for http in people.opened:
                await http.close()


async def _join(world: World, people: People, name: str, wallet: int) -> Person:
    person = await people.visitor()
    person.bare = world.http
    await Guest(person, wallet).join(name)
    async with world.node.store.read() as tx:
        person.member = await tx.value("SELECT id FROM member WHERE name = :name", name=name)
    return person


async def _furnish(scene: Scene) -> None:
    """Give alice something of everything, and both a token."""
    world, node, ids = scene.world, scene.node, scene.ids
    clients = {}
    for name in ("alice", "mallory"):
        member = getattr(scene, name).member
        new = await join.make_token(
            node.store, node.clock, member, "phone", join.SCOPES, join.TOKEN_DAYS_MAX
        )
        scene.secrets[name] = new.secret
        clients[name] = Client(world.http, world.url, new.secret, member, name)
        ids[f"{name}s_token"] = new.token.id
    alice = clients["alice"]
    await world.fund(alice, 3000)
    await world.fund(alice, 900, "available")
    waits = await alice("POST", "/deposits", {"amount_sat": 700, "to": "pot"})
    ids["deposit"] = waits.body["id"]
    target = world.lnurl.address("creator")
    assert (await alice("PUT", "/payout-target", {"target": target})).status == 200
    thing = (await alice("POST", "/things", {"url": "https://a.example/"})).body["id"]
    await grant(node.store, node.clock, alice.id, thing)
    other = (await alice("POST", "/flattrs", {"url": "https://b.example/"})).body["thing"]
    await alice("POST", "/subscriptions", {"thing": other, "months": 3})
    asked = {"target": target, "amount_sat": 100}
    payout = (await alice("POST", "/withdrawals", asked, key="w")).body["id"]
    await pay_until_quiet(node.payer, world.clock, 50)
    site = await alice("POST", "/sites", {"site": "blog.example"})
    assert site.status == 201, site.body
    await consents.give(node.store, node.clock, alice.id, "https://blog.example/")
    await alice("GET", "/earnings")  # folds the click
    async with node.store.read() as tx:
        wallet = await tx.value("SELECT id FROM identity WHERE member = :member", member=alice.id)
    ids |= {
        "thing": thing, "other": other, "payout": payout, "site": site.body["id"],
        "wallet": wallet, "target": target, "alice": alice.id,
    }  # fmt: skip
