"""Members, tokens, payout targets, notices."""

from __future__ import annotations

from typing import cast

from node.flows import join
from node.flows.look import member_of, notices_of, set_dues_from_earnings, target_of, tokens_of
from node.flows.proofs import claim_line
from node.flows.readers import set_shows_flattrs
from node.flows.vault.target import set_vault_target
from node.money import Asset
from node.store.members import StoredTarget, Token
from node.web import cursor
from node.web.endpoint import Call
from node.web.models.base import AssetName, PageQuery
from node.web.models.members import (
    HeldScope,
    JoinedOut,
    JoinIn,
    MemberIn,
    MemberOut,
    NewTokenOut,
    NoticeOut,
    NoticesOut,
    Scope,
    TargetIn,
    TargetOut,
    TargetQuery,
    TargetsOut,
    TokenIn,
    TokenOut,
    TokensOut,
)
from node.web.session import demand_scope


async def make_member(call: Call, asked: JoinIn) -> JoinedOut:
    """POST /members."""
    call.desk.limits.count_join(call.address)
    member, new = await join.join(call.node.store, call.node.clock, asked.name)
    return JoinedOut(member=member, name=asked.name, token=_new_token(new))


async def read_me(call: Call) -> MemberOut:
    """GET /me."""
    found = await member_of(call.node.store, call.member)
    assert call.token is not None, "the route has a scope"
    return MemberOut(
        member=found.id,
        name=found.name,
        dues_from_earnings=found.dues_from_earnings,
        shows_flattrs=found.shows_flattrs,
        suspended=found.suspended_us is not None,
        scopes=_scopes(call.token),
        claim_line=claim_line(call.node.settings.web.public_url, found.id, found.name),
    )


async def change_me(call: Call, asked: MemberIn) -> MemberOut:
    """PATCH /me."""
    store = call.node.store
    if asked.dues_from_earnings is not None:
        await set_dues_from_earnings(store, call.member, asked.dues_from_earnings)
    if asked.shows_flattrs is not None:
        await set_shows_flattrs(store, call.member, asked.shows_flattrs)
    return await read_me(call)


async def list_tokens(call: Call) -> TokensOut:
    """GET /tokens."""
    mine = await tokens_of(call.node.store, call.member)
    return TokensOut(items=[_token(token) for token in mine])


async def make_token(call: Call, asked: TokenIn) -> NewTokenOut:
    """POST /tokens."""
    assert call.token is not None, "the route has a scope"
    for scope in asked.scopes:
        demand_scope(call.token, scope)  # a token can't make one that may do more
    new = await join.make_token(
        call.node.store, call.node.clock, call.member, asked.label, frozenset(asked.scopes),
        asked.days,
    )  # fmt: skip
    return _new_token(new)


async def end_token(call: Call) -> TokensOut:
    """DELETE /tokens/{token}."""
    token = call.name("token")
    await join.revoke_token(call.node.store, call.node.clock, call.member, token)
    call.desk.sessions.forget(token)
    return await list_tokens(call)


async def read_target(call: Call, asked: TargetQuery) -> TargetOut:
    """GET /payout-target."""
    rules = call.stablecoin.rules if asked.asset == "usd" else call.node.rules
    return _target(call, rules.asset, await target_of(call.node.store, rules, call.member))


async def list_targets(call: Call) -> TargetsOut:
    """GET /payout-targets."""
    assets: list[AssetName] = ["sat", "usd"] if call.node.stablecoin else ["sat"]
    return TargetsOut(items=[await read_target(call, TargetQuery(asset=one)) for one in assets])


async def set_target(call: Call, asked: TargetIn) -> TargetOut:
    """PUT /payout-target."""
    node = call.node
    if asked.asset == "usd":
        stablecoin = call.stablecoin
        call.desk.limits.count_chain(call.member)
        saved = await set_vault_target(stablecoin, call.member, asked.target)
    else:
        saved = await join.set_target(
            node.store, node.clock, node.rules, node.fetcher, call.member, asked.target,
            lnd=node.lnd,
        )  # fmt: skip
    return _target(call, saved.target.asset, saved.target, saved.tested)


async def list_notices(call: Call, page: PageQuery) -> NoticesOut:
    """GET /notices."""
    found = await notices_of(call.node.store, call.member, page.limit, cursor.read(page.after))
    items = [
        NoticeOut(
            kind=one.kind, ref=one.ref, words=one.words, created_s=one.created_us // 1_000_000
        )
        for one in found
    ]
    places = [(one.created_us, f"{one.kind}:{one.ref}") for one in found]
    return NoticesOut(items=items, next=cursor.after(places, page.limit))


def _target(
    call: Call, asset: Asset, target: StoredTarget | None, tested: str | None = None
) -> TargetOut:
    return TargetOut(
        asset=cast("AssetName", str(asset)),
        target=target.text if target else None,
        active=target is not None and target.active_us <= call.node.clock.now_us(),
        active_from_s=target.active_us // 1_000_000 if target else None,
        tested=tested,
    )


def _token(token: Token) -> TokenOut:
    return TokenOut(
        id=token.id,
        label=token.label,
        scopes=cast("list[HeldScope]", sorted(token.scopes)),
        created_s=token.created_us // 1_000_000,
        expires_s=token.expires_us // 1_000_000,
        revoked=token.revoked_us is not None,
    )


def _new_token(new: join.NewToken) -> NewTokenOut:
    return NewTokenOut(**_token(new.token).model_dump(), secret=new.secret)


def _scopes(token: Token) -> list[Scope]:
    return cast("list[Scope]", sorted(token.scopes))
