"""Look at one part of a node after the other, and say what is wrong and how to mend it.

Nothing is changed, and nothing that is looked at may stop the looking: a part that can't be asked
is a finding, too. `doctor` shows all of it, `init` what concerns LND.
"""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from node.clock import Clock, now_s
from node.config import Settings
from node.errors import BadTarget, ConfigError, FetchRefused, NodeError, QuoteRefused
from node.ledger import accounts
from node.money import Amount, Asset
from node.store import checks, journal, leases, payouts
from node.store.engine import Store
from node.wallet.fetch import Fetcher
from node.wallet.lightning.answers import LndNode, WalletState
from node.wallet.lightning.lnd import Lnd
from node.wallet.lightning.rpc_errors import bake_command
from node.wallet.lightning.targets import Bolt11, LightningAddress, LnurlPay, parse_target, probe

RAIL: Final = "lightning"
APART_MAX_S: Final = 2 * 3600
"""How far lnd's calendar may be from ours: months are closed by ours."""
DISK_FREE_MIN: Final = 1 << 30
VERSION_MIN: Final = (0, 18)
"""The oldest lnd whose payment calls behave as this node expects."""
LOCAL_NETWORKS: Final = frozenset({"simnet", "regtest"})
"""Blocks come when somebody mines them, and an admin macaroon can do no harm."""
_LOCAL_HOSTS: Final = frozenset({"127.0.0.1", "localhost", "::1", "0.0.0.0"})  # noqa: S104  refused
_WALLET_WORDS: Final = {
    WalletState.NON_EXISTING: "lnd has no wallet yet: make one with lncli create",
    WalletState.LOCKED: "lnd is locked: unlock it with lncli unlock",
    WalletState.UNLOCKED: "lnd is starting: wait until it serves",
    WalletState.RPC_ACTIVE: "lnd is starting: wait until it serves",
    WalletState.WAITING_TO_START: "lnd waits to become the leader of its cluster",
    WalletState.UNKNOWN: "lnd is in a state that this node does not know: read its log",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One part of the node, and how it is. `fix`: what to do, empty when it is good."""

    part: str
    good: bool
    words: str
    fix: str = ""


def good(part: str, words: str) -> Finding:
    """A part that is as it should be."""
    return Finding(part, True, words)


def bad(part: str, words: str, fix: str) -> Finding:
    """A part that is not, and what to do."""
    return Finding(part, False, words, fix)


async def lnd_findings(lnd: Lnd, settings: Settings, clock: Clock) -> AsyncIterator[Finding]:
    """Reachable, unlocked, permitted, synced, of the right network and version, on time."""
    try:
        state = await lnd.wallet_state()
    except NodeError as error:
        fix = "start lnd, and compare lnd.address or lnd.lndconnect with its rpclisten"
        yield bad("lnd", str(error), fix)
        return
    yield good("lnd", "answers")
    if state is not WalletState.SERVER_ACTIVE:
        words, _, fix = _WALLET_WORDS[state].partition(": ")
        yield bad("wallet", words, fix or "wait, or stop the other lnd")
        return
    yield good("wallet", "unlocked")
    missing, dangerous = await macaroon_findings(lnd, settings)
    yield missing
    yield dangerous
    try:
        node = await lnd.read_node()
    except NodeError:
        return  # the macaroon's finding has said why
    for finding in _node_findings(node, settings, clock):
        yield finding


async def macaroon_findings(lnd: Lnd, settings: Settings) -> tuple[Finding, Finding]:
    """(what it lacks, what it should not have)."""
    bake = f"bake a macaroon with these rights and no others: {bake_command()}"
    try:
        missing = await lnd.missing_permissions()
        admin = await lnd.holds_dangerous_permissions()
    except NodeError as error:
        return bad("macaroon", str(error), "try again"), bad("admin", "not asked", "try again")
    names = ", ".join(uri.rpartition("/")[2] for uri in missing)
    first = good("macaroon", "allows all that the node needs")
    if missing:
        first = bad("macaroon", f"it does not allow {names}", bake)
    allowed = settings.network in LOCAL_NETWORKS or settings.lnd.allow_admin_macaroon
    if not admin:
        return first, good("admin", "the macaroon can't delete payments")
    if allowed:
        words = f"the macaroon can delete payments; {settings.network} allows that"
        return first, good("admin", words)
    words = "the macaroon may delete payments, which lets lnd pay an invoice twice"
    return first, bad("admin", words, bake)


async def channel_findings(lnd: Lnd, store: Store) -> AsyncIterator[Finding]:
    """Solvency and liquidity: what is owed, what can be sent, what can come in."""
    async with store.read() as tx:
        owed = await journal.balance(tx, accounts.wallet(Asset.SAT))
        waiting = await payouts.counts(tx, Asset.SAT)
    try:
        balances = await lnd.balances()
        outbound = await lnd.outbound()
    except NodeError as error:
        yield bad("solvency", f"not compared: {error}", "mend lnd first")
        return
    own = Amount(balances.own_msat)
    if own < owed:
        fix = f"move {owed - own} or more into the channels: the members' money must be there"
        yield bad("solvency", f"{own} is in channels, and {owed} is owed", fix)
    else:
        yield good("solvency", f"{own} in channels, {owed} owed")
    due = sum(units for state, (_, units) in waiting.items() if state not in {"paid", "returned"})
    spendable = Amount(outbound.spendable_msat)
    if outbound.active == 0:
        words = f"no active channel ({outbound.inactive} inactive)"
        yield bad("outbound", words, "open a channel, or connect to the peer: lncli openchannel")
    elif spendable.units < due:
        fix = "add outbound liquidity; until then payouts wait, the oldest go first"
        yield bad("outbound", f"{spendable} can be sent, and {Amount(due)} is due", fix)
    else:
        yield good("outbound", f"{spendable} can be sent over {outbound.active} channels")
    inbound = Amount(max(0, balances.remote_msat))
    if not inbound:
        yield bad("inbound", "nothing can be received", "buy or open inbound liquidity")
    else:
        yield good("inbound", f"{inbound} can be received")


async def store_findings(store: Store) -> AsyncIterator[Finding]:
    """The database, the books, and whether sending is stopped."""
    async with store.read() as tx:
        broken = await checks.breaches(tx)
        stopped = await leases.stopped(tx, RAIL)
    yield good("database", f"{store.dialect.name}: durable, tables up to date")
    if broken:
        words = "; ".join(f"{one.invariant} {one.law}" for one in broken)
        yield bad("books", words, "run flattr-node audit, and restore a backup or ask for help")
    else:
        yield good("books", "clean by the quick laws (audit knows more)")
    if stopped is not None:
        yield bad("sending", f"stopped: {stopped}", "when that is settled: flattr-node resume")
    else:
        yield good("sending", "not stopped")


def place_findings(
    settings: Settings, folder: Path, secret_files: tuple[Path, ...]
) -> list[Finding]:
    """The machine: disk, file permissions, and the public URL."""
    free = shutil.disk_usage(folder).free
    readable = [str(path) for path in secret_files if path.exists() and path.stat().st_mode & 0o077]
    url = urlsplit(settings.web.public_url)
    found = [
        good("disk", f"{free >> 20} MiB free")
        if free >= DISK_FREE_MIN
        else bad("disk", f"{free >> 20} MiB free", "make room: 1 GiB or more should be free"),
        bad("secrets", f"others may read {', '.join(readable)}", f"chmod 600 {' '.join(readable)}")
        if readable
        else good("secrets", "only this user may read them"),
    ]
    if url.scheme not in {"http", "https"} or not url.hostname:
        fix = "write web.public_url = 'https://your.domain'"
        found.append(bad("public URL", f"{settings.web.public_url!r} is no URL", fix))
    elif settings.network == "mainnet" and (url.scheme != "https" or url.hostname in _LOCAL_HOSTS):
        fix = "write web.public_url = 'https://your.domain', and put a TLS proxy before the node"
        words = f"{settings.web.public_url} can't be used by others, or is not encrypted"
        found.append(bad("public URL", words, fix))
    else:
        found.append(good("public URL", settings.web.public_url))
    return found


async def operator_finding(settings: Settings, fetcher: Fetcher) -> Finding:
    """Whether the operator's share can be paid out."""
    text = settings.money.operator_target
    if text is None:
        return good("operator", "no target: the commission stays on the node's own account")
    fix = "write money.operator_target: a Lightning address, an LNURL or a node key"
    try:
        target = parse_target(text, allow=fetcher.allow)
        if isinstance(target, Bolt11):
            return bad("operator", "an invoice is paid only once", fix)
        if isinstance(target, LightningAddress | LnurlPay):
            await probe(fetcher, target)
    except (BadTarget, FetchRefused, QuoteRefused, ConfigError) as error:
        return bad("operator", f"{text} can't be paid: {error}", fix)
    return good("operator", f"{text} can be paid")


def _node_findings(node: LndNode, settings: Settings, clock: Clock) -> list[Finding]:
    found = [
        good("network", node.network)
        if node.network == settings.network
        else bad(
            "network",
            f"lnd is on {node.network}, and the settings say {settings.network}",
            f"write network = '{node.network}', or connect to another lnd",
        ),
        good("sync", f"block {node.block_height}")
        if node.synced_to_chain
        else bad("sync", f"lnd is still reading the chain (block {node.block_height})", "wait"),
    ]
    if (version := _version(node.version)) is not None and version < VERSION_MIN:
        fix = f"upgrade lnd to {'.'.join(map(str, VERSION_MIN))} or later, after flattr-node drain"
        found.append(bad("version", f"lnd {node.version} is too old", fix))
    else:
        found.append(good("version", f"lnd {node.version}"))
    ahead_s = node.best_header_s - now_s(clock)
    behind_counts = settings.network not in LOCAL_NETWORKS
    if ahead_s > APART_MAX_S or (behind_counts and -ahead_s > APART_MAX_S):
        words = f"lnd's newest block is {abs(ahead_s) // 60} minutes {_side(ahead_s)} our clock"
        found.append(bad("clock", words, "set the machine's clock by NTP: months end by it"))
    else:
        found.append(good("clock", "agrees with lnd's calendar"))
    if (settings.money.operator_target or "").strip().lower() == node.pubkey:
        fix = "write another wallet's as money.operator_target, or none: the share stays here then"
        found.append(bad("operator", "the operator's target is this lnd itself", fix))
    return found


def _side(ahead_s: int) -> str:
    return "ahead of" if ahead_s > 0 else "behind"


def _version(text: str) -> tuple[int, int] | None:
    major, _, rest = text.partition(".")
    minor = rest.partition(".")[0].partition("-")[0]
    return (int(major), int(minor)) if major.isdecimal() and minor.isdecimal() else None
