"""Passkeys (WebAuthn level 3): registered, asked to sign in, and asked to confirm one act.

    ask ▶ challenge stored: what it is for, and which browser or session it is bound to
    answer ▶ the challenge is used up ▶ origin, site, user verified, signature, count ▶ done

A challenge that was answered, rightly or wrongly, is gone. What is confirmed is named in the
challenge's purpose: a signature for one act is none for another.
"""

from __future__ import annotations

import json
import secrets
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import webauthn
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url, options_to_json
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from node.clock import Clock
from node.errors import BadInput, Conflict, Forbidden, Unauthorized
from node.flows.operator.access import NewSession, digest, is_fresh_link, open_session
from node.store import operator_access, operator_log
from node.store.engine import Store
from node.store.operator_access import OperatorSession, Passkey
from node.store.operator_log import Act

CHALLENGE_S: Final = 300
CHALLENGE_BYTES: Final = 32
SIGN_IN: Final = "sign-in"
REGISTER: Final = "register"
NAME_MAX: Final = 40
ANSWER_CHARS_MAX: Final = 8192
USER_ID: Final = b"flattr-node operator"
"""One user: every passkey is the operator's."""
_SECOND_US: Final = 1_000_000
_UNREADABLE: Final = (WebAuthnException, ValueError, KeyError, TypeError, IndexError, struct.error)
"""What the library raises for an answer that is wrong, or no answer at all."""
_REFUSED: Final = "the passkey's answer is not accepted"


@dataclass(frozen=True, slots=True)
class Site:
    """Whose passkeys these are. `id`: the host; `origin`: scheme, host and port."""

    id: str
    origin: str
    name: str


async def ask_to_register(store: Store, clock: Clock, site: Site, session: OperatorSession) -> str:
    """Options for `navigator.credentials.create`, as JSON."""
    challenge = await _challenge(store, clock, REGISTER, session.hash)
    options = webauthn.generate_registration_options(
        rp_id=site.id, rp_name=site.name, user_name="operator", user_id=USER_ID,
        challenge=challenge, exclude_credentials=_listed(await passkeys(store)),
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.PREFERRED,
            user_verification=UserVerificationRequirement.REQUIRED,
        ),
    )  # fmt: skip
    return options_to_json(options)


async def register(
    store: Store, clock: Clock, site: Site, session: OperatorSession, answer: str, name: str
) -> None:
    """Keep a new passkey. Raises Unauthorized, BadInput, Conflict when it is known already."""
    name = " ".join(name.split())
    if not 0 < len(name) <= NAME_MAX or not name.isprintable():
        raise BadInput(f"give the passkey a name of 1 to {NAME_MAX} characters")
    read = _read(answer)
    challenge = await _used(store, clock, read, REGISTER, session.hash)
    try:
        verified = webauthn.verify_registration_response(
            credential=read, expected_challenge=challenge, expected_rp_id=site.id,
            expected_origin=site.origin, require_user_verification=True,
        )  # fmt: skip
    except _UNREADABLE as error:
        raise Unauthorized(f"{_REFUSED}: {error}") from error
    now_us = clock.now_us()
    passkey = Passkey(
        bytes_to_base64url(verified.credential_id), name, verified.credential_public_key,
        verified.sign_count, now_us, None,
    )  # fmt: skip
    async with store.write() as tx:
        if not await operator_access.add_passkey(tx, passkey):
            raise Conflict("this passkey is registered, or was removed: use another")
        await operator_log.append(tx, Act(session.actor, "added", f"passkey {name}"), now_us)


async def ask_to_sign_in(store: Store, clock: Clock, site: Site, browser: str) -> str:
    """Options for `navigator.credentials.get`, as JSON, for the browser with this secret."""
    return await _ask(store, clock, site, SIGN_IN, digest(browser))


async def sign_in(
    store: Store, clock: Clock, site: Site, browser: str, answer: str, agent: str
) -> NewSession:
    """Open a session by a passkey. Raises Unauthorized."""
    passkey = await _verified(store, clock, site, answer, (SIGN_IN, digest(browser)))
    async with store.write() as tx:
        return await open_session(tx, passkey.id, passkey.name, agent, clock.now_us())


async def ask_to_confirm(
    store: Store, clock: Clock, site: Site, session: OperatorSession, act: str
) -> str | None:
    """Options for `navigator.credentials.get` for one act; None when no passkey is asked for.

    That is so for ten minutes after a one-time link.
    """
    if is_fresh_link(session, clock.now_us()):
        return None
    return await _ask(store, clock, site, f"act {act}", session.hash)


async def confirm(
    store: Store, clock: Clock, site: Site, session: OperatorSession, act: str, answer: str
) -> None:
    """Go on only if the operator is at the browser now. Raises Forbidden, Unauthorized."""
    if is_fresh_link(session, clock.now_us()):
        return
    if not answer:
        raise Forbidden(
            "this needs your passkey now, and the page's script to ask for it. Without a script:"
            " flattr-node operator-link, and do it within ten minutes after you sign in"
        )
    await _verified(store, clock, site, answer, (f"act {act}", session.hash))


async def passkeys(store: Store) -> list[Passkey]:
    """The operator's passkeys, oldest first."""
    async with store.read() as tx:
        return await operator_access.passkeys(tx)


async def _challenge(store: Store, clock: Clock, purpose: str, bound: str) -> bytes:
    challenge, now_us = secrets.token_bytes(CHALLENGE_BYTES), clock.now_us()
    async with store.write() as tx:
        await operator_access.add_challenge(
            tx, digest(challenge), purpose, bound, now_us, now_us + CHALLENGE_S * _SECOND_US
        )
    return challenge


async def _ask(store: Store, clock: Clock, site: Site, purpose: str, bound: str) -> str:
    options = webauthn.generate_authentication_options(
        rp_id=site.id, challenge=await _challenge(store, clock, purpose, bound),
        allow_credentials=_listed(await passkeys(store)),
        user_verification=UserVerificationRequirement.REQUIRED,
    )  # fmt: skip
    return options_to_json(options)


async def _verified(
    store: Store, clock: Clock, site: Site, answer: str, asked: tuple[str, str]
) -> Passkey:
    """The passkey that has signed what was asked: (purpose, bound). Raises Unauthorized."""
    read = _read(answer)
    challenge = await _used(store, clock, read, *asked)
    passkey = next((one for one in await passkeys(store) if one.id == read.get("id")), None)
    if passkey is None:
        raise Unauthorized(f"{_REFUSED}: it is none of the operator's passkeys")
    try:
        verified = webauthn.verify_authentication_response(
            credential=read, expected_challenge=challenge, expected_rp_id=site.id,
            expected_origin=site.origin, credential_public_key=passkey.public_key,
            credential_current_sign_count=passkey.signs, require_user_verification=True,
        )  # fmt: skip
    except _UNREADABLE as error:
        raise Unauthorized(f"{_REFUSED}: {error}") from error
    async with store.write() as tx:
        now_us = clock.now_us()
        if not await operator_access.sign_with(tx, passkey, verified.new_sign_count, now_us):
            raise Unauthorized(f"{_REFUSED}: it has signed something else since")
    return passkey


async def _used(
    store: Store, clock: Clock, read: dict[str, Any], purpose: str, bound: str
) -> bytes:
    """The challenge that was answered, used up. Raises Unauthorized."""
    try:
        told = json.loads(base64url_to_bytes(read["response"]["clientDataJSON"]))
        challenge = base64url_to_bytes(told["challenge"])
    except (KeyError, TypeError, ValueError) as error:
        raise Unauthorized(f"{_REFUSED}: it can't be read") from error
    async with store.write() as tx:
        good = await operator_access.use_challenge(
            tx, digest(challenge), purpose, bound, clock.now_us()
        )
    if not good:
        raise Unauthorized(
            f"{_REFUSED}: it answers nothing that was asked of this browser, or too late. Try again"
        )
    return challenge


def _read(answer: str) -> dict[str, Any]:
    try:
        read = json.loads(answer[:ANSWER_CHARS_MAX])
    except ValueError as error:
        raise Unauthorized(f"{_REFUSED}: it can't be read") from error
    if not isinstance(read, dict):
        raise Unauthorized(f"{_REFUSED}: it can't be read")
    return read


def _listed(known: Sequence[Passkey]) -> list[PublicKeyCredentialDescriptor]:
    return [PublicKeyCredentialDescriptor(id=base64url_to_bytes(one.id)) for one in known]
