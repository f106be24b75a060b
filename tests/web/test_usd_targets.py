"""Where a creator is paid in the stablecoin: tried on the token, and locked as over Lightning."""

from __future__ import annotations

from node.config import MoneySettings
from node.devnet.evm import local_key
from node.devnet.evm_vault import act, set_blocked_calldata, set_paused_calldata
from node.wallet.stablecoin.words import ZERO_ADDRESS
from tests.web.conftest import open_world

PRIVATE_KEY = "0x" + "4c0883a69102937d6231471b5dbb6204fe5129617082792ae468d01a3f362318"


async def test_no_wallet_is_challenged_that_is_none(usd_world):
    alice = await usd_world.join("alice")
    for address in (ZERO_ADDRESS, usd_world.vault.address, "alice.eth", PRIVATE_KEY):
        answer = await alice("POST", "/stablecoin/challenges", {"address": address})
        assert (answer.status, answer.slug) == (400, "bad-target"), address
        assert PRIVATE_KEY[2:12] not in str(answer.body)


async def test_a_payout_target_is_an_address_of_each_asset_with_the_time_lock(
    tmp_path, clock, vault
):
    async with open_world(
        tmp_path, clock, vault=vault, money=MoneySettings(target_lock_hours=72)
    ) as world:
        blog = await world.join("blog")
        first, second = local_key("blog").address, local_key("blog 2").address
        saved = await blog("PUT", "/payout-target", {"asset": "usd", "target": first.lower()})
        assert saved.status == 200, saved.body
        assert (saved.body["target"], saved.body["active"]) == (first, True)
        assert saved.body["tested"] == "the token would pay it"
        assert (await blog("GET", "/payout-target")).body["target"] is None
        await blog("PUT", "/payout-target", {"target": world.lnurl.address("creator")})
        listed = (await blog("GET", "/payout-targets")).body["items"]
        assert [(one["asset"], one["target"]) for one in listed] == [
            ("sat", world.lnurl.address("creator")), ("usd", first),
        ]  # fmt: skip
        changed = (await blog("PUT", "/payout-target", {"asset": "usd", "target": second})).body
        assert (changed["target"], changed["active"]) == (second, False)
        assert changed["active_from_s"] == clock.now_us() // 1_000_000 + 72 * 3600
        notice = (await blog("GET", "/notices")).body["items"][0]["words"]
        assert f"your payout target for usd is {second} now" in notice
        clock.advance(72 * 3600)
        now = (await blog("GET", "/payout-target?asset=usd")).body
        assert (now["target"], now["active"]) == (second, True)
        same = await blog("PUT", "/payout-target", {"asset": "usd", "target": second.lower()})
        assert (same.body["target"], same.body["active"]) == (second, True)


async def test_no_payout_target_is_where_money_would_be_lost_and_a_key_is_never_repeated(usd_world):
    world, vault = usd_world, usd_world.vault
    blog = await world.join("blog")
    for target in (ZERO_ADDRESS, vault.address, vault.token, vault.operator.address, "blog.eth",
                   PRIVATE_KEY, PRIVATE_KEY[2:], "blog@wallet.example"):  # fmt: skip
        answer = await blog("PUT", "/payout-target", {"asset": "usd", "target": target})
        assert (answer.status, answer.slug) == (400, "bad-target"), target
        assert PRIVATE_KEY[2:12] not in str(answer.body)
    pasted = await blog("PUT", "/payout-target", {"target": PRIVATE_KEY})
    assert (pasted.status, pasted.slug) == (400, "bad-target")
    assert PRIVATE_KEY[2:12] not in str(pasted.body)
    assert (await blog("GET", "/payout-target?asset=usd")).body["target"] is None


async def test_an_address_that_the_token_blocks_is_refused_and_a_token_that_is_down_is_not_now(
    usd_world,
):
    world, vault = usd_world, usd_world.vault
    blog, address = await world.join("blog"), local_key("blog").address
    asked = {"asset": "usd", "target": address}
    await act(vault.local, vault.owner, vault.token, set_blocked_calldata(address, True))
    blocked = await blog("PUT", "/payout-target", asked)
    assert (blocked.status, blocked.slug) == (400, "bad-target")
    assert "blocked" in blocked.body["detail"]
    await act(vault.local, vault.owner, vault.token, set_paused_calldata(True))
    paused = await blog("PUT", "/payout-target", asked)
    assert (paused.status, paused.slug) == (503, "rail-unavailable")
    await act(vault.local, vault.owner, vault.token, set_paused_calldata(False))
    await act(vault.local, vault.owner, vault.token, set_blocked_calldata(address, False))
    assert (await blog("PUT", "/payout-target", asked)).status == 200
