"""Look at the second rail, part by part: its chain, its vault, its key, and how far it is read.

Each part is looked at by itself, as in `diagnose.py`: what can't be asked is a finding, too.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

from node.clock import now_s
from node.config import Settings
from node.errors import ConfigError, NodeError
from node.flows.diagnose import Finding, bad, good
from node.flows.rules import stablecoin_rules
from node.flows.vault.chain_key import ether, forgotten_nonce, strange_nonces
from node.flows.vault.chain_money import Position, position
from node.flows.vault.events import ChainMoney, demand_first_block
from node.flows.vault.stablecoin import RAIL
from node.settlement.gas_fees import first_fees
from node.store import chain_addresses, leases, transactions
from node.wallet.stablecoin.chain import Block
from node.wallet.stablecoin.networks import ChainNetwork, demand_test_chain
from node.wallet.stablecoin.signer import Signer, open_signer
from node.wallet.stablecoin.vault import VaultRoles

OLD_S: Final = 2 * 3600
"""How old the final block may be on a network of others: a month is closed when one is after it."""
BEHIND_S: Final = 3600
"""How far the booked events may be behind the final block, in the chain's time."""
MONTH_GAS: Final = 500_000
MEMBER_GAS: Final = 35_000
"""What a month takes: some calls, and for each member a charge and a payment (gas.json)."""
GWEI_WEI: Final = 10**9


async def stablecoin_findings(
    money: ChainMoney, network: ChainNetwork, settings: Settings, signer: Signer | None
) -> AsyncIterator[Finding]:
    """All of the second rail. `signer` is None when its key could not be opened."""
    try:
        found = await money.chain.chain_id()
        demand_test_chain(found)
        final = await money.chain.finalized()
    except ConfigError as error:
        yield _misset("chain", error)
        return
    except NodeError as error:
        fix = "look at stablecoin.rpc_urls; when the RPCs differ, wait or take another provider"
        yield bad("chain", str(error), fix)
        return
    yield good("chain", f"{network.name}: the RPCs answer and agree")
    yield _finality(final, network, now_s(money.clock))
    vault, roles = await _vault(money, network, signer)
    yield vault
    if roles is None:
        return
    yield _token(roles, network)
    yield _commission(settings, roles)
    try:
        yield await _gas(money, roles.operator, settings)
        yield await _events(money, final)
        yield await _calls(money, roles.operator)
    except NodeError as error:
        yield bad("calls", f"not looked at: {error}", "try again")


def key_finding(keystore: Path, passphrase: str | None) -> tuple[Finding, Signer | None]:
    """Whether the node's key can be used; and the key."""
    fix = (
        "write its passphrase into a file that only the node reads, and name that by"
        " FLATTR_STABLECOIN__PASSPHRASE_FILE"
    )
    if not passphrase:
        return bad("key", f"nobody gives the passphrase of {keystore.name}", fix), None
    try:
        signer = open_signer(keystore, passphrase)
    except ConfigError as error:
        return bad("key", str(error), "restore the keystore, or correct its passphrase"), None
    return good("key", f"{signer.address}, by {keystore.name}"), signer


def _misset(part: str, error: ConfigError) -> Finding:
    """A finding of a refusal, whose words end with what to do."""
    words, _, fix = str(error).rpartition(": ")
    return bad(part, words or fix, fix)


def _finality(final: Block, network: ChainNetwork, at_s: int) -> Finding:
    age_s = max(0, at_s - final.time_s)
    words = f"block {final.number} is final, and {age_s // 60} minutes old"
    if age_s <= OLD_S:
        return good("finality", words)
    if network.local:
        return good("finality", f"{words}: this chain makes blocks when somebody asks")
    return bad("finality", words, "wait: the chain stands, or its RPCs do; no month can be closed")


async def _vault(
    money: ChainMoney, network: ChainNetwork, signer: Signer | None
) -> tuple[Finding, VaultRoles | None]:
    """Whether it is the vault that it must be, and works; and its keys."""
    vault, operator = money.vault, signer.address if signer else None
    try:
        roles = await vault.check(
            network.chain_id, operator=operator, delay_min_s=network.delay_min_s
        )
        await demand_first_block(money)
        closed, paused_until_s = await vault.closed(), await vault.paused_until()
        latest = await money.chain.latest()
    except ConfigError as error:
        return _misset("vault", error), None
    except NodeError as error:
        return bad("vault", str(error), "try again"), None
    if closed:
        fix = "deploy another; members take their money out of this one"
        return bad("vault", f"its month {closed} was abandoned, and it is closed", fix), roles
    if paused_until_s > latest.time_s:
        words = f"it is paused for {(paused_until_s - latest.time_s) // 3600} hours more"
        return bad("vault", words, "ask its guardian why; the owner can end it"), roles
    return good("vault", f"{vault.address}, code and keys are as they must be"), roles


def _token(roles: VaultRoles, network: ChainNetwork) -> Finding:
    if network.token is None or roles.token == network.token:
        kind = "a token of one's own" if network.token is None else "USDC"
        return good("token", f"{roles.token}, {kind} on {network.name}")
    return good("token", f"{roles.token}, which is not the USDC of {network.name}")


def _commission(settings: Settings, roles: VaultRoles) -> Finding:
    assert settings.stablecoin is not None, "there is a vault"
    try:
        stablecoin_rules(settings.money, settings.stablecoin, roles.treasury)
    except ConfigError as error:
        return _misset("treasury", error)
    return good("treasury", f"the tenth goes to {roles.treasury}")


async def _gas(money: ChainMoney, address: str, settings: Settings) -> Finding:
    """Whether the key can pay for the next month."""
    assert settings.stablecoin is not None, "there is a vault"
    has_wei = await money.chain.balance_wei(address)
    async with money.store.read() as tx:
        members = len(await chain_addresses.all_of(tx, money.chain_id))
    ceiling_wei = settings.stablecoin.gas_ceiling_gwei * GWEI_WEI
    base_fee_wei = (await money.chain.latest()).base_fee_wei
    fees = first_fees(base_fee_wei, await money.chain.tip_wei(), ceiling_wei)
    month_wei = (MONTH_GAS + MEMBER_GAS * members) * fees.cap_wei
    words = f"{ether(has_wei)}; a month takes {ether(month_wei)} (linked members: {members})"
    if has_wei < month_wei:
        return bad("gas", words, f"send {ether(month_wei - has_wei)} or more to {address}")
    return good("gas", words)


async def _events(money: ChainMoney, final: Block) -> Finding:
    at: Position = await position(money)
    if at.block is None:
        return good("events", "not read yet: flattr-node serve begins")
    words = f"booked up to block {at.number}, {max(0, final.number - at.number)} before the final"
    if final.time_s - at.block.time_s > BEHIND_S:
        return bad("events", words, "start flattr-node serve, or look into its log")
    return good("events", words)


async def _calls(money: ChainMoney, address: str) -> Finding:
    """What of the key is on its way, and whether all of it is ours."""
    if strange := await strange_nonces(money.store, money.chain, address, money.vault.address):
        words = f"the key has transactions that this node did not sign (nonce {strange[0]})"
        return bad("calls", words, "nobody else may use the key: if it was stolen, set_role(0, …)")
    async with money.store.read() as tx:
        stopped = await leases.stopped(tx, RAIL)
        waiting = await transactions.unfinished(tx, address)
    if stopped is not None:
        words = f"nothing is signed: {stopped}"
        return bad("calls", words, "when that is settled: flattr-node resume")
    forgotten = await forgotten_nonce(money.store, money.chain, address)
    if forgotten is not None and all(one.nonce != forgotten for one in waiting):
        words = f"the chain does not know the call of nonce {forgotten}, which was final"
        return bad("calls", words, "another chain answers: correct stablecoin.rpc_urls")
    return good("calls", f"{len(waiting)} signed and not final")
