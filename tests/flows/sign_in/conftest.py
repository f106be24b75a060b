"""Who signs in: a node's side, and two browsers."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from node.flows import sessions
from node.flows.look import tokens_of
from node.flows.sign_in import ethereum, lightning, nostr
from node.flows.sign_in.asking import SignIn, new_browser, waiting
from node.flows.sign_in.finish import Browser, SignedIn, Unsigned, finish
from node.store.sessions import Session
from tests.conftest import MONTH
from tests.flows.sign_in import keys
from tests.wallet.stablecoin.fake_chain import CHAIN_ID, new_chain

URL = "https://flattr.example"


@pytest.fixture
def sign_in(store, clock) -> SignIn:
    return SignIn(store, clock, URL, "simnet", CHAIN_ID, new_chain(MONTH.starts_s))


@dataclass
class Person:
    """Somebody at a browser, with one wallet of each kind."""

    sign_in: SignIn
    number: int
    secret: str
    session: Session | None = None
    session_secret: str | None = None

    @property
    def lightning(self) -> keys.LightningWallet:
        return keys.LightningWallet(self.number)

    @property
    def ethereum(self):
        return keys.ethereum_wallet(self.number)

    @property
    def nostr(self):
        return keys.nostr_keys(self.number)

    async def prove(self, kind: str = "lightning", action: str = "login"):
        """Ask, and sign."""
        by = self.session if action != "login" else None
        match kind:
            case "lightning":
                shown = await lightning.show(self.sign_in, self.secret, action, by)
                return await lightning.signed(self.sign_in, self.lightning.answer(shown.url))
            case "ethereum":
                address = self.ethereum.address
                text = await ethereum.show(self.sign_in, self.secret, address, action, by)
                signature = keys.sign_text(text, self.ethereum)
                return await ethereum.signed(self.sign_in, self.secret, text, signature)
            case "nostr":
                shown = await nostr.show(self.sign_in, self.secret, action, by)
                signed = keys.sign_event(shown, self.nostr)
                return await nostr.signed(self.sign_in, self.secret, signed)

    async def finish(self, name: str | None = None, mine: str | None = None):
        """Come for what was signed; the cookie is kept as a browser keeps it.

        `mine`: the key that is called the own; of a Lightning wallet, the one in the hand.
        """
        browser = Browser(self.secret, "Firefox", self.session_secret)
        whose = self.lightning.linking_key if mine is None else mine
        done = await finish(self.sign_in, browser, name, mine=whose)
        if (new := getattr(done, "new", None)) is not None:
            self.session, self.session_secret = new.session, new.secret
        return done

    async def enter(self, name: str | None = None, kind: str = "lightning") -> SignedIn:
        await self.prove(kind)
        done = await self.finish(name)
        assert isinstance(done, SignedIn), done
        return done

    async def by_token(self, member) -> None:
        """A session that an API token has opened."""
        store, clock = self.sign_in.store, self.sign_in.clock
        [token] = await tokens_of(store, member)
        new = await sessions.open_session(store, clock, member, "", token=token.id)
        self.session, self.session_secret = new.session, new.secret


@pytest.fixture
def ann(sign_in) -> Person:
    return Person(sign_in, 11, new_browser())


@pytest.fixture
def bob(sign_in) -> Person:
    return Person(sign_in, 22, new_browser())


@pytest.fixture(autouse=True)
async def nothing_is_proven(request, ann, bob):
    """After a refusal nobody is signed in, and no proof waits for anybody."""
    yield
    for person in (ann, bob) if "refused" in request.node.name else ():
        assert await waiting(person.sign_in, person.secret) is None
        assert await person.finish("anybody") == Unsigned()
