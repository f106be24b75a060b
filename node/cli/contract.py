"""`contract deploy`: the payout vault, with this node's key as its operator.

    key ▶ chain ▶ (anvil: a test dollar) ▶ vault ▶ is it what it must be? ▶ [stablecoin] is written

It can be killed at any place and run again: what was signed is kept in `contract-deploy.json` until
the settings name the vault.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

from cyclopts import App, Parameter

from node.app import GWEI_WEI, KEYSTORE_NAME
from node.cli.options import FOLDER_DEFAULT, Folder, progress_screen, read_settings, screen
from node.config import FILE_NAME, stablecoin_passphrase
from node.devnet.evm_vault import dollar_content
from node.errors import BadTarget, ConfigError
from node.flows.vault.deploy import Deployed, Deployments, Sender, vault_content, vaults_of
from node.flows.vault.deploy import deploy as deploy_once
from node.wallet.stablecoin.chain import Chain, open_chain
from node.wallet.stablecoin.networks import (
    TESTER,
    ChainNetwork,
    chain_network,
    demand_test_chain,
)
from node.wallet.stablecoin.signer import Signer, open_signer, write_keystore
from node.wallet.stablecoin.vault import Vault, VaultRoles, check_token
from node.wallet.stablecoin.words import ZERO_ADDRESS, read_address

DEPLOYMENTS_NAME: Final = "contract-deploy.json"
GAS_CEILING_GWEI: Final = 100
_GIFT: Final = hex(10**18)

_SECTION: Final = """
[stablecoin]
# Written by flattr-node contract deploy.
network = {network}
# The URL of an RPC often has a key in it: then this file is a secret, too.
rpc_urls = {rpc_urls}
vault = {vault}
first_block = {first_block}
# The vault's operator, {operator}. Its passphrase is not here: name its file
# by FLATTR_STABLECOIN__PASSPHRASE_FILE.
keystore = {keystore}
"""
_VERIFY: Final = """\
how anybody verifies it (contracts/README.md has the whole list):
  1. python -m contracts.build --check       the sources make the code of PayoutVault.json
  2. eth_getCode of {vault}
     is its `runtime`, then two words: the token, and a delay of {delay_s} s
  3. the token is {token}{token_words}
  4. owner {owner}
     guardian {guardian}
     operator {operator}
     treasury {treasury}"""


@dataclass(frozen=True, slots=True)
class Plan:
    """A vault that is to be: on which network, for which token, with whose keys."""

    network: ChainNetwork
    token: str | None
    """None: a test dollar is deployed with it."""
    owner: str
    guardian: str
    treasury: str
    delay_s: int


contract = App(name="contract", help="The payout vault: deploy it; what in it is nobody's.")
contract.command("node.cli.vault:surplus", name="surplus")
contract.command("node.cli.vault:attribute", name="attribute")
contract.command("node.cli.vault:reseal", name="reseal")
contract.command("node.cli.vault:transferred", name="transferred")
contract.command("node.cli.vault:account_key", name="account-key")


@contract.command
async def deploy(
    *,
    network: Annotated[str, Parameter(help="For example base-sepolia, or anvil.")],
    rpc_url: Annotated[
        tuple[str, ...], Parameter(help="Two RPCs of two providers; for anvil one.", negative="")
    ],
    owner: Annotated[str, Parameter(help="Replaces the other keys: a wallet of several people.")],
    guardian: Annotated[str, Parameter(help="Vetoes: a key that is not on this machine.")],
    treasury: Annotated[str, Parameter(help="Where your tenth is paid.")],
    token: Annotated[str | None, Parameter(help="Another token than the network's USDC.")] = None,
    delay_s: Annotated[int | None, Parameter(help="From seal to payment; default 2 days.")] = None,
    again: Annotated[bool, Parameter(negative="", help="Another one, after all.")] = False,
    folder: Folder = FOLDER_DEFAULT,
) -> None:
    """Deploy a payout vault, and write it into the settings.

    Its operator is this node's key, which is made in the folder if there is none; the key needs
    coin for gas. For test networks: the vault has not been audited.
    """
    plan = _plan(network, token, owner, guardian, treasury, delay_s)
    path = folder / FILE_NAME
    if read_settings(folder).stablecoin is not None:
        raise ConfigError(
            f"{path} names a vault already: members' money is in it. To leave it, take out"
            " [stablecoin] by hand when everybody has theirs"
        )
    kept = Deployments(folder / DEPLOYMENTS_NAME)
    local, final = plan.network.local, plan.network.final
    async with open_chain(rpc_url, alone=local, final=final) as chain:
        await _check_chain(chain, plan)
        signer = _key(folder)
        _check_keys(plan, signer.address)
        coin = _coin(plan.network, rpc_url[0], signer.address)
        ceiling_wei = GAS_CEILING_GWEI * GWEI_WEI
        sender = Sender(chain, plan.network.chain_id, signer, ceiling_wei, coin)
        await _check_first(sender, kept, again=again)
        vault = await _deploy(sender, plan, kept)
        roles = await Vault(chain, vault.address).check(
            plan.network.chain_id, operator=signer.address, delay_min_s=plan.network.delay_min_s
        )
    _write(path, plan, rpc_url, vault, signer.address)
    kept.begin_again()
    _say_how_to_verify(plan.network, vault.address, roles)
    screen().print(f"wrote [stablecoin] into {path}", markup=False)
    screen().print(f"next: flattr-node doctor --folder {folder}", markup=False)


def _plan(
    network: str, token: str | None, owner: str, guardian: str, treasury: str, delay_s: int | None
) -> Plan:
    """What was asked for. Raises ConfigError."""
    place = chain_network(network)
    if place.name == TESTER:
        raise ConfigError(f"{TESTER} lives inside of a demo: take anvil for a chain of your own")
    asked_s = place.delay_min_s if delay_s is None else delay_s
    if asked_s < place.delay_min_s:
        raise ConfigError(f"--delay-s: {network} wants {place.delay_min_s} s or more")
    return Plan(
        place,
        _address("--token", token) if token else place.token,
        _address("--owner", owner),
        _address("--guardian", guardian),
        _address("--treasury", treasury),
        asked_s,
    )


def _address(option: str, text: str) -> str:
    try:
        return read_address(text)
    except BadTarget as error:
        raise ConfigError(f"{option}: {error}") from error


async def _check_chain(chain: Chain, plan: Plan) -> None:
    """Before anything is paid for. Raises ConfigError, RailUnavailable."""
    found = await chain.chain_id()
    demand_test_chain(found)
    if found != plan.network.chain_id:
        raise ConfigError(
            f"the RPC serves chain {found}, and {plan.network.name} is {plan.network.chain_id}"
        )
    if plan.token is not None:
        await check_token(chain, plan.token)


def _key(folder: Path) -> Signer:
    """The node's key, made if there is none. Raises ConfigError."""
    passphrase = stablecoin_passphrase()
    keystore = folder / KEYSTORE_NAME
    if not keystore.exists():
        write_keystore(keystore, passphrase)
        _tell(f"made the node's key, {keystore}: keep a copy of it and of its passphrase")
    return open_signer(keystore, passphrase)


def _check_keys(plan: Plan, operator: str) -> None:
    """Who would have two powers that are to be apart. Raises ConfigError."""
    if ZERO_ADDRESS in (plan.owner, plan.treasury):
        raise ConfigError("owner and treasury must be somebody: give addresses that you control")
    if plan.owner == operator:
        raise ConfigError("the owner replaces the node's key when it is stolen: it must be another")
    if plan.guardian in (plan.owner, operator):
        raise ConfigError("the guardian vetoes the owner and the node: it must be a third key")
    if plan.treasury == operator:
        raise ConfigError(
            "at the address of the node's key waits what is the creators': the treasury must be"
            " another, for example the owner"
        )


async def _check_first(sender: Sender, kept: Deployments, *, again: bool) -> None:
    """Whether this key has deployed a vault already. Raises ConfigError."""
    address = sender.signer.address
    _tell(f"the node's key is {address}")
    if again:
        kept.begin_again()
    elif not kept.path.exists() and (sent := await sender.chain.nonce(address)):
        there = ", ".join(await vaults_of(sender.chain, address)) or "no vault of this release"
        raise ConfigError(
            f"the key {address} has sent {sent} transactions here already, which deployed {there}:"
            f" write it into {FILE_NAME}, or add --again to deploy another one"
        )


async def _deploy(sender: Sender, plan: Plan, kept: Deployments) -> Deployed:
    token = plan.token
    if token is None:
        content = dollar_content(plan.owner)
        token = (await deploy_once(sender, "test dollar", content, kept, _tell)).address
    content = vault_content(
        token, plan.owner, sender.signer.address, plan.guardian, plan.treasury, plan.delay_s
    )
    return await deploy_once(sender, "vault", content, kept, _tell)


def _coin(network: ChainNetwork, url: str, address: str) -> str:
    """How the key gets coin for gas."""
    if not network.local:
        return f"A faucet of {network.name} gives some"
    call = {"jsonrpc": "2.0", "id": 1, "method": "anvil_setBalance", "params": [address, _GIFT]}
    return f"For example: curl -H content-type:application/json {url} -d '{json.dumps(call)}'"


def _write(path: Path, plan: Plan, urls: tuple[str, ...], vault: Deployed, operator: str) -> None:
    text = _SECTION.format(
        network=json.dumps(plan.network.name),
        rpc_urls=json.dumps(list(urls)),
        vault=json.dumps(vault.address),
        first_block=vault.block_number,
        operator=operator,
        keystore=json.dumps(KEYSTORE_NAME),
    )
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def _say_how_to_verify(network: ChainNetwork, vault: str, roles: VaultRoles) -> None:
    words = ", this network's USDC" if roles.token == network.token else ""
    text = _VERIFY.format(
        vault=vault, token=roles.token, token_words=words, delay_s=roles.delay_s,
        owner=roles.owner, guardian=roles.guardian, operator=roles.operator,
        treasury=roles.treasury,
    )  # fmt: skip
    screen().print(text, markup=False)
    if (url := network.address_url(vault)) is not None:
        screen().print(f"  {url}", markup=False)


def _tell(text: str) -> None:
    progress_screen().print(text, markup=False)
