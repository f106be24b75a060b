"""Linking: a member shows that an address is theirs, by a signature of its wallet.

    challenge   the text to sign is made; the hash of its nonce is kept for ten minutes
    link        text and signature come back ▶ the wallet is asked who signed ▶ one transaction:
                nonce used up, address linked, and what it has paid in before is booked

An address belongs to one member, and a member has one address, since the vault's account is the
member's pot. Another one takes its place when the vault holds nothing for the old one any more.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from node.clock import now_s, this_month
from node.errors import BadInput, BadTarget, Conflict, Forbidden, NotFound, TooMany
from node.flows.vault.books import USD, book_waiting, settle_pots
from node.flows.vault.chain_money import books_units, position
from node.flows.vault.events import ChainMoney, stored_pot
from node.ids import MemberId
from node.month import Month
from node.store import chain_addresses, closes, journal, members
from node.store.chain_addresses import LinkedAddress
from node.store.engine import Tx
from node.wallet.stablecoin.siwe import (
    VALID_MAX_S,
    LinkText,
    is_signed_by,
    parse_link_text,
    parse_signature,
)
from node.wallet.stablecoin.words import ZERO_ADDRESS, read_address

CHALLENGES_MAX: Final = 10
"""Texts that wait for one member's signature at a time."""


@dataclass(frozen=True, slots=True)
class Linking:
    """What linking needs. `public_url` is where people reach the node; `network` its chain."""

    money: ChainMoney
    public_url: str
    network: str


async def challenge(linking: Linking, member: MemberId, address: str) -> str:
    """The text that the address' wallet must sign. Raises BadTarget, TooMany, NotFound."""
    checked = read_address(address)
    if checked in (ZERO_ADDRESS, linking.money.vault.address):
        raise BadTarget("that is no wallet of yours: give the address that you pay from")
    money, nonce = linking.money, secrets.token_hex(16)
    issued_s = now_s(money.clock)
    async with money.store.write() as tx:
        wanted = LinkText(
            _domain(linking), checked, await _statement(tx, linking, member), linking.public_url,
            money.chain_id, nonce, issued_s, issued_s + VALID_MAX_S,
        )  # fmt: skip
        await chain_addresses.forget_challenges(tx, money.clock.now_us())
        if await chain_addresses.open_challenges(tx, member) >= CHALLENGES_MAX:
            raise TooMany("too many texts wait for a signature: sign one of them", VALID_MAX_S)
        expires_us = wanted.expires_s * 1_000_000
        await chain_addresses.challenge(tx, _hash(nonce), member, expires_us)
    return wanted.text()


async def link(linking: Linking, member: MemberId, text: str, signature: str) -> LinkedAddress:
    """Link the address that has signed the text, and book what it has paid in.

    Raises BadInput, Forbidden for a signature of another, Conflict, RailUnavailable.
    """
    asked, signed = parse_link_text(text), parse_signature(signature)
    money = linking.money
    await _demand_ours(linking, member, asked)
    if not await is_signed_by(money.chain, asked.address, text, signed):
        raise Forbidden(f"the signature is not one of {asked.address}")
    await _demand_old_is_empty(money, member, asked.address)
    account = await money.vault.account(asked.address, finalized=True)
    at = (await position(money)).block
    month = Month.at(at.time_s) if at else this_month(money.clock)
    async with money.store.write("vault.link") as tx:
        await journal.lock_head(tx, USD)
        now_us = money.clock.now_us()
        if not await chain_addresses.spend_challenge(tx, _hash(asked.nonce), member, now_us):
            raise Conflict("this text was used, has run out, or is not yours: ask for another")
        linked = LinkedAddress(
            money.chain_id, asked.address, member, now_us, stored_pot(account.pot_units)
        )
        if (before := await _take_place(tx, linked)) is not None:
            return before
        await book_waiting(tx, linked, now_us)
        await chain_addresses.set_pot(tx, money.chain_id, linked.address, linked.pot_units)
        while await closes.takes_no_money(tx, month, USD):
            month = month.plus(1)
        await settle_pots(tx, money.chain_id, month, now_us)
    return linked


async def _demand_ours(linking: Linking, member: MemberId, asked: LinkText) -> None:
    """The text is one that this node would have written, and its time is not over."""
    money, at_s = linking.money, now_s(linking.money.clock)
    async with money.store.read() as tx:
        statement = await _statement(tx, linking, member)
    ours = (_domain(linking), linking.public_url, money.chain_id, statement)
    if (asked.domain, asked.uri, asked.chain_id, asked.statement) != ours:
        raise BadInput("this text was made for another site, chain or member: ask for a new one")
    if not asked.issued_s <= at_s < asked.expires_s:
        raise BadInput("the text has run out: ask for a new one and sign it within ten minutes")


async def _demand_old_is_empty(money: ChainMoney, member: MemberId, address: str) -> None:
    """Another address may take the place of one for which neither vault nor books hold money."""
    async with money.store.read() as tx:
        old = await chain_addresses.of_member(tx, money.chain_id, member)
        in_books = await books_units(tx, member)
    if old is None or old.address == address:
        return
    in_vault = await money.vault.account(old.address)
    final = await money.vault.account(old.address, finalized=True)
    if in_books or in_vault.balance_units or final.balance_units:
        raise Conflict(
            f"the vault holds money of {old.address}: withdraw it first, then link the other one"
        )


async def _take_place(tx: Tx, wanted: LinkedAddress) -> LinkedAddress | None:
    """Store the link; what was there when it was linked to this member before."""
    there = await chain_addresses.of_address(tx, wanted.chain_id, wanted.address)
    if there is not None and there.member == wanted.member:
        return there
    if there is not None:
        raise Conflict(f"{wanted.address} is linked to another member")
    if await books_units(tx, wanted.member) == 0:
        await chain_addresses.unlink(tx, wanted.chain_id, wanted.member)
    if not await chain_addresses.link(tx, wanted):
        raise Conflict("you have another address, and there is money in it: withdraw it first")
    return None


async def _statement(tx: Tx, linking: Linking, member: MemberId) -> str:
    found = await members.get(tx, member)
    if found is None:
        raise NotFound("there is no such member")
    return (
        f"Link this address to the member {found.name} of this flattr-node,"
        f" on the network {linking.network}. It moves no money."
    )


def _domain(linking: Linking) -> str:
    return urlsplit(linking.public_url).netloc


def _hash(nonce: str) -> str:
    return hashlib.sha256(nonce.encode()).hexdigest()
