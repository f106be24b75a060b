"""A chain in memory with one vault on it: blocks with hashes, a final height, forks, and an oracle.

A test lets things happen (`deposit`, `withdraw`, …) and mines them into a block. What the vault
holds at any height is the fold of what happened up to it, so a fork needs nothing undone. Logs and
answers are encoded as the real vault's, and read by the real `Vault`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import cast

from eth_hash.auto import keccak

from node.errors import RailUnavailable, Reverted
from node.wallet.stablecoin.answers import Block, Log
from node.wallet.stablecoin.chain import Chain
from node.wallet.stablecoin.siwe import ERC1271_MAGIC
from node.wallet.stablecoin.vault import Vault
from node.wallet.stablecoin.words import ZERO_ADDRESS, encode, selector, to_address

CHAIN_ID = 31337
BLOCK_S = 2


def address_of(name: str) -> str:
    """An address that nobody has the key of."""
    return to_address(int.from_bytes(hashlib.sha256(name.encode()).digest()[:20], "big"))


VAULT = address_of("the vault")
TOKEN = address_of("the token")


@dataclass(frozen=True)
class Happened:
    """One thing that happened to an account: `units` of balance, or a new pot, and its logs."""

    member: str
    units: int = 0
    pot: int | None = None
    owed: bool = True
    logs: tuple[tuple[tuple[bytes, ...], bytes], ...] = ()
    nonce: int = 0


@dataclass(frozen=True)
class FakeBlock:
    number: int
    hash: str
    parent: str
    time_s: int
    happened: tuple[Happened, ...] = ()


@dataclass
class FakeChain:
    """As much of a `Chain` as reading the vault needs."""

    blocks: list[FakeBlock]
    final: int = 0
    waiting: list[Happened] = field(default_factory=list)
    wallets: set[str] = field(default_factory=set)
    """Contract wallets, which call every signature theirs that ends with their own address."""
    asked: int = 0
    away: bool = False
    logs_max: int = 10_000
    meanwhile: Callable[[], Awaitable[None]] | None = None
    """What happens once, after the next answer with logs and before the one after it."""
    _nonce: int = 0

    # What a test lets happen.

    def deposit(self, member: str, units: int, pot: int = 0, payer: str | None = None) -> None:
        topics = (_topic("Deposited(address,address,uint256,address)"), _padded(member),
                  _padded(TOKEN))  # fmt: skip
        logs = [(topics, encode(units, payer or member))]
        if pot:
            logs.insert(0, _pot_set(member, pot))
        self._wait(Happened(member, units, pot or None, logs=tuple(logs)))

    def set_pot(self, member: str, pot: int) -> None:
        self._wait(Happened(member, pot=pot, logs=(_pot_set(member, pot),)))

    def withdraw(self, member: str, units: int) -> None:
        log = ((_topic("Withdrawn(address,address,uint256)"), _padded(member)),
               encode(member, units))  # fmt: skip
        self._wait(Happened(member, -units, logs=(log,)))

    def reclaim(self, member: str, units: int, month: int = 1) -> None:
        topics = (_topic("Reclaimed(uint256,address,uint256)"), encode(month), _padded(member))
        self._wait(Happened(member, units, logs=((topics, encode(units)),)))

    def charge(self, member: str, units: int) -> None:
        """Taken from an account into the month; the event names nobody."""
        log = ((_topic("Charged(uint256,uint256,uint256)"), encode(1)), encode(1, units))
        self._wait(Happened(member, -units, logs=(log,)))

    def transfer(self, units: int) -> None:
        """A plain transfer to the vault: it is owed to nobody, and the vault says nothing."""
        self._wait(Happened(ZERO_ADDRESS, units, owed=False))

    def mine(self, at_s: int | None = None, *, final: bool = True) -> FakeBlock:
        """Put what waits into one block."""
        top = self.blocks[-1]
        at_s = top.time_s + BLOCK_S if at_s is None else at_s
        happened, self.waiting = tuple(self.waiting), []
        made = _block(top, at_s, happened, len(self.blocks))
        self.blocks.append(made)
        assert all(self.balance(one.member) >= 0 for one in happened), "the vault would refuse it"
        if final:
            self.final = made.number
        return made

    def reorg(self, depth: int, keep: Iterable[int] = ()) -> None:
        """Replace the last blocks; `keep`: which of them happen again, one block later each."""
        assert len(self.blocks) - 1 - depth >= self.final, "final blocks stay"
        gone, self.blocks = self.blocks[-depth:], self.blocks[:-depth]
        waiting, self.waiting = self.waiting, []
        self.mine(final=False)
        for place, block in enumerate(gone):
            self.waiting = list(block.happened) if place in keep else []
            self.mine(final=False)
        self.waiting = waiting

    # The oracle.

    def balance(self, member: str, height: int | None = None) -> int:
        return sum(one.units for one in self._until(height) if one.member == member)

    def pot(self, member: str, height: int | None = None) -> int:
        pots = [one.pot for one in self._until(height) if one.member == member and one.pot]
        return pots[-1] if pots else 0

    # What a `Chain` answers.

    async def chain_id(self) -> int:
        return CHAIN_ID

    async def latest(self) -> Block:
        return self._answer(self.blocks[-1])

    async def finalized(self) -> Block:
        return self._answer(self.blocks[self.final])

    async def block(self, number: int) -> Block | None:
        return self._answer(self.blocks[number]) if 0 <= number < len(self.blocks) else None

    async def logs(self, address: str, first: int, last: int) -> list[Log]:
        if last >= len(self.blocks):
            raise RailUnavailable(f"there is no block {last} yet")
        self._answer(self.blocks[0])
        found = [log for block in self.blocks[first : last + 1] for log in _logs(block)]
        if len(found) > self.logs_max or not self.logs_max:
            raise RailUnavailable("too many logs")
        happens, self.meanwhile = self.meanwhile, None
        if happens is not None:
            await happens()
        return [replace(log, address=address) for log in found]

    async def code(self, address: str) -> bytes:
        return b"\xfe" if address in self.wallets else b""

    async def call(self, to: str, data: bytes, *, finalized: bool = False) -> bytes:
        self._answer(self.blocks[0])
        height = self.final if finalized else None
        if to in self.wallets:
            if data[:4] != selector("isValidSignature(bytes32,bytes)"):
                raise Reverted("")
            length = int.from_bytes(data[68:100], "big")
            return ERC1271_MAGIC if data[100 : 100 + length].endswith(_raw(to)) else bytes(32)
        happened = list(self._until(height))
        match data[:4]:
            case call if call == selector("account(address)"):
                member = to_address(int.from_bytes(data[4:36], "big"))
                return encode(self.balance(member, height), self.pot(member, height), 0, 0)
            case call if call == selector("liabilities()"):
                return encode(sum(one.units for one in happened if one.owed))
            case call if call == selector("token()"):
                return encode(TOKEN)
            case call if call == selector("balanceOf(address)"):
                return encode(sum(one.units for one in happened))
        raise Reverted("nobody here answers this")

    def _wait(self, happened: Happened) -> None:
        self._nonce += 1
        self.waiting.append(replace(happened, nonce=self._nonce))

    def _until(self, height: int | None) -> Iterable[Happened]:
        last = len(self.blocks) - 1 if height is None else height
        return (one for block in self.blocks[: last + 1] for one in block.happened)

    def _answer(self, block: FakeBlock) -> Block:
        self.asked += 1
        if self.away:
            raise RailUnavailable("the chain is away")
        return Block(block.number, block.hash, block.parent, block.time_s, 1)


def new_chain(at_s: int) -> FakeChain:
    """A chain with one empty block."""
    return FakeChain([FakeBlock(0, _hash("genesis"), _hash(""), at_s)])


def vault_on(chain: FakeChain) -> Vault:
    """The real reader of the vault, on this chain."""
    return Vault(cast(Chain, chain), VAULT)


_forks = iter(range(10**9))


def _block(top: FakeBlock, at_s: int, happened: tuple[Happened, ...], number: int) -> FakeBlock:
    assert at_s >= top.time_s, "time goes on"
    hashed = _hash(f"{top.hash} {at_s} {next(_forks)}")
    return FakeBlock(number, hashed, top.hash, at_s, happened)


def _logs(block: FakeBlock) -> Iterable[Log]:
    index = 0
    for one in block.happened:
        for topics, words in one.logs:
            yield Log(VAULT, topics, words, block.number, block.hash, _hash(f"tx {one.nonce}"),
                      index)  # fmt: skip
            index += 1


def _pot_set(member: str, pot: int) -> tuple[tuple[bytes, ...], bytes]:
    return (_topic("PotSet(address,uint256)"), _padded(member)), encode(pot)


def _topic(signature: str) -> bytes:
    return keccak(signature.encode())


def _padded(address: str) -> bytes:
    return encode(address)


def _raw(address: str) -> bytes:
    return bytes.fromhex(address[2:])


def _hash(text: str) -> str:
    return "0x" + hashlib.sha256(text.encode()).hexdigest()
