"""Signing in with an Ethereum wallet: a text is signed (EIP-4361).

The text names this site, this chain, the address, and what the signature is good for. A wallet that
is a contract is asked itself (EIP-1271), and is known by its chain, too: the same address can be
somebody else's contract on another chain.
"""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

from node.clock import now_s
from node.errors import BadInput, BadTarget, Forbidden
from node.flows.sign_in.asking import VALID_S, SignIn, ask, find, prove, statement
from node.store.challenges import Action, Challenge, Proof
from node.store.sessions import Session
from node.wallet.stablecoin.siwe import LinkText, parse_link_text, parse_signature, signed_how
from node.wallet.stablecoin.words import ZERO_ADDRESS, read_address


async def show(
    sign_in: SignIn, browser: str, address: str, action: Action = "login",
    by: Session | None = None,
) -> str:  # fmt: skip
    """The text that the wallet of this address must sign. Raises BadTarget, and as `ask` does."""
    checked = read_address(address)
    if checked == ZERO_ADDRESS:
        raise BadTarget("that is nobody's wallet: give the address that you sign with")
    nonce = await ask(sign_in, "ethereum", browser, action, by)
    issued_s = now_s(sign_in.clock)
    words = await statement(sign_in, action, by.member if by else None)
    return _text(sign_in, checked, words, nonce, issued_s, issued_s + VALID_S).text()


async def signed(
    sign_in: SignIn, browser: str, text: str, signature: str,
    count_contract: Callable[[], None] = lambda: None,
) -> Proof:  # fmt: skip
    """The browser brings text and signature back.

    `count_contract` is called before a contract is asked, and raises when that is too often.

    Raises BadInput, Forbidden for a signature of another, Conflict for a text that is over,
    RailUnavailable when a contract can't be asked now.
    """
    given, octets = parse_link_text(text), parse_signature(signature)
    asked = await find(sign_in, "ethereum", given.nonce)
    await _demand_ours(sign_in, given, asked)
    how = await signed_how(None, given.address, text, octets)
    if how is None and sign_in.chain is not None:
        count_contract()
        how = await signed_how(sign_in.chain, given.address, text, octets)
    if how is None:
        raise Forbidden(f"the signature is not one of {given.address}")
    key = given.address if how == "key" else f"eip155:{sign_in.chain_id}:{given.address}"
    async with sign_in.store.write() as tx:
        return await prove(tx, sign_in.clock, "ethereum", given.nonce, key, browser)


async def _demand_ours(sign_in: SignIn, given: LinkText, asked: Challenge) -> None:
    """The text is the one that was shown, and its time is not over. Raises BadInput."""
    words = await statement(sign_in, asked.action, asked.member)
    ours = _text(
        sign_in, given.address, words, given.nonce, given.issued_s, given.expires_s
    )  # fmt: skip
    if given != ours:
        raise BadInput("this text was made for another site, chain or purpose: ask for a new one")
    if not given.issued_s <= now_s(sign_in.clock) < given.expires_s:
        raise BadInput(f"the text has run out: sign the new one within {VALID_S // 60} minutes")


def _text(
    sign_in: SignIn, address: str, words: str, nonce: str, issued_s: int, expires_s: int
) -> LinkText:
    return LinkText(
        urlsplit(sign_in.public_url).netloc, address, words, sign_in.public_url,
        sign_in.chain_id, nonce, issued_s, expires_s,
    )  # fmt: skip
