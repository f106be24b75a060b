"""The vault over HTTP: link an address, see the account, and get the calls for the own wallet."""

from __future__ import annotations

from node.flows import statement
from node.flows.vault import link
from node.flows.vault.calls import OfferedCall, VaultView, Wanted, vault_view
from node.flows.vault.link import Linking
from node.flows.vault.stablecoin import Stablecoin
from node.store.chain_events import ChainEvent
from node.wallet.stablecoin.siwe import parse_link_text
from node.web.endpoint import Call
from node.web.models.stablecoin import (
    AccountOut,
    AccountQuery,
    CallOut,
    ChallengeIn,
    ChallengeOut,
    ClaimableOut,
    LinkIn,
    LinkOut,
    PendingOut,
)


async def make_challenge(call: Call, asked: ChallengeIn) -> ChallengeOut:
    """POST /stablecoin/challenges."""
    text = await link.challenge(_linking(call), call.member, asked.address)
    made = parse_link_text(text)
    return ChallengeOut(
        text=text,
        address=made.address,
        network=call.stablecoin.network,
        chain_id=made.chain_id,
        expires_s=made.expires_s,
    )


async def link_address(call: Call, asked: LinkIn) -> LinkOut:
    """POST /stablecoin/link."""
    linking = _linking(call)
    call.desk.limits.count_chain(call.member)
    linked = await link.link(linking, call.member, asked.text, asked.signature)
    money = call.stablecoin.money
    mine = await statement.balance(money.store, money.clock, call.stablecoin.rules, call.member)
    return LinkOut(
        address=linked.address,
        chain_id=linked.chain_id,
        linked_s=linked.linked_us // 1_000_000,
        available_units=mine.available.units,
        pot_units=mine.pot.units,
    )


async def read_account(call: Call, asked: AccountQuery) -> AccountOut:
    """GET /stablecoin/account."""
    wanted = Wanted(asked.deposit_units, asked.pot_units, asked.withdraw_units)
    stablecoin = call.stablecoin
    call.desk.limits.count_chain(call.member)
    return _account(stablecoin, await vault_view(stablecoin, call.member, wanted))


def _linking(call: Call) -> Linking:
    stablecoin = call.stablecoin
    return Linking(stablecoin.money, call.node.settings.web.public_url, stablecoin.network)


def _account(stablecoin: Stablecoin, view: VaultView) -> AccountOut:
    account = view.account
    return AccountOut(
        network=stablecoin.network,
        chain_id=stablecoin.money.chain_id,
        vault=stablecoin.money.vault.address,
        token=stablecoin.token,
        address=account.address if account else None,
        balance_units=account.balance_units if account else 0,
        pot_units=account.pot_units if account else 0,
        free_units=account.free_units if account else 0,
        exit_s=(account.exit_at_s or None) if account else None,
        wallet_units=account.wallet_units if account else 0,
        claimable=[
            ClaimableOut(address=address, units=units) for address, units in view.claimable.items()
        ],
        pending=[_pending(event) for event in account.pending] if account else [],
        read_to=account.read_to if account else None,
        words=list(view.words),
        calls=[_call(one) for one in view.calls],
    )


def _pending(event: ChainEvent) -> PendingOut:
    return PendingOut(
        kind=str(event.kind),
        units=event.units,
        transaction=event.tx_hash,
        block=event.block_number,
        time_s=event.time_s,
    )


def _call(offered: OfferedCall) -> CallOut:
    call = offered.call
    return CallOut(
        name=offered.name,
        words=offered.words,
        to=call.to if call else None,
        calldata=f"0x{call.calldata.hex()}" if call else None,
        link=call.link if call else None,
        needs=offered.needs or None,
        refused=offered.refused or None,
    )
