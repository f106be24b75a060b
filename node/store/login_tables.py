"""The tables of signing in: who somebody is, by which wallet, and in which browser.

    sign_in_challenge ▶ sign_in_proof ▶ identity ── member
                                        session ─── member

A challenge is what a wallet is asked to sign; when it has signed, the challenge is deleted and a
proof waits until the browser that asked takes it. Of every secret only the sha256 is here.
"""

from __future__ import annotations

from typing import Any, ClassVar

from sqlalchemy import CheckConstraint, Index
from sqlmodel import Field, SQLModel

from node.store.tables import big, key


class SessionRow(SQLModel, table=True):
    """A browser in which a member is signed in: by a wallet, at `signed_in_us`, or by a `token`."""

    __tablename__: ClassVar[Any] = "session"
    __table_args__ = (
        CheckConstraint("(signed_in_us IS NULL) <> (token IS NULL)"),
        Index("session_of_member", "member"),
        Index("session_seen", "seen_us"),
    )
    hash: str = key()
    id: str = Field(unique=True)
    member: int = Field(foreign_key="member.id")
    agent: str
    created_us: int = big()
    seen_us: int = big()
    signed_in_us: int | None = big()
    token: str | None = Field(default=None, foreign_key="token.id")


class IdentityRow(SQLModel, table=True):
    """A wallet by which a member signs in. One wallet is one member's."""

    __tablename__: ClassVar[Any] = "identity"
    __table_args__ = (
        CheckConstraint("kind IN ('lightning', 'ethereum', 'nostr')"),
        Index("identity_of_member", "member"),
    )
    kind: str = key()
    key: str = key()
    id: str = Field(unique=True)
    member: int = Field(foreign_key="member.id")
    created_us: int = big()
    used_us: int = big()


class SignInChallengeRow(SQLModel, table=True):
    """What a wallet was asked to sign, for one browser. `member`: who asks, if signed in."""

    __tablename__: ClassVar[Any] = "sign_in_challenge"
    __table_args__ = (
        CheckConstraint("kind IN ('lightning', 'ethereum', 'nostr')"),
        CheckConstraint("action IN ('login', 'link', 'auth')"),
        CheckConstraint("(member IS NULL) = (action = 'login')"),
        Index("sign_in_challenge_expires", "expires_us"),
        Index("sign_in_challenge_of_browser", "browser"),
    )
    hash: str = key()
    kind: str
    action: str
    browser: str
    member: int | None = Field(default=None, foreign_key="member.id")
    expires_us: int = big()


class SignInProofRow(SQLModel, table=True):
    """A signature that was good, until the browser that asked for it comes for it."""

    __tablename__: ClassVar[Any] = "sign_in_proof"
    __table_args__ = (
        CheckConstraint("(member IS NULL) = (action = 'login')"),
        Index("sign_in_proof_expires", "expires_us"),
    )
    browser: str = key()
    kind: str
    key: str
    action: str
    member: int | None = Field(default=None, foreign_key="member.id")
    expires_us: int = big()


class SeenEventRow(SQLModel, table=True):
    """A signed Nostr event that was taken once, for as long as its time would be good."""

    __tablename__: ClassVar[Any] = "seen_event"
    __table_args__ = (Index("seen_event_expires", "expires_us"),)
    id: str = key()
    expires_us: int = big()
