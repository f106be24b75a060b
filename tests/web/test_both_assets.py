"""What shows money shows both assets, and what the vault decides is not asked of the node."""

from __future__ import annotations

from hashlib import sha256

import pytest

from node.devnet.evm import local_key
from node.devnet.evm_vault import DOLLAR
from node.flows.claim import grant
from node.flows.close import Closing, close_month
from node.flows.vault import chain_money
from node.flows.vault.stablecoin import RAIL
from node.ids import PayoutId
from node.money import Amount, Asset
from node.settlement.payout import Payout, PayoutKind, PayoutState
from node.store import closes, leases, payouts
from node.store.closes import Close, Figures, Stage
from node.wallet.stablecoin.words import ZERO_ADDRESS
from tests.conftest import MONTH
from tests.web.wallets import book, link

REFUSED = "the token refused this address; it can be claimed from the vault"
"""As the payer says it."""
VAULTS_TO_DECIDE = [
    ("POST", "/deposits", {"asset": "usd", "amount_units": DOLLAR}),
    ("PUT", "/pot", {"asset": "usd", "amount_units": DOLLAR}),
    ("PUT", "/means", {"asset": "usd", "amount_units": DOLLAR}),
    ("POST", "/withdrawals", {"asset": "usd", "amount_units": DOLLAR, "target": ZERO_ADDRESS}),
    ("POST", "/withdrawals", {"asset": "usd", "target": ZERO_ADDRESS}),
]


@pytest.mark.parametrize(("method", "path", "body"), VAULTS_TO_DECIDE)
async def test_what_the_vault_decides_is_refused_with_where_its_calls_are(
    usd_world, method, path, body
):
    alice = await usd_world.join("alice")
    before = (await alice("GET", "/balance")).body
    refused = await alice(method, path, body)
    assert (refused.status, refused.slug) == (409, "vault-decides")
    assert "/stablecoin/account" in refused.body["detail"]
    assert (await alice("GET", "/balance")).body == before
    mixed = await alice(method, path, {**body, "amount_sat": 5})
    assert (mixed.status, mixed.slug) == (400, "bad-input")


async def test_a_node_without_a_vault_says_that_it_pays_over_lightning_alone(world):
    alice = await world.join("alice")
    asked = [
        ("POST", "/stablecoin/challenges", {"address": local_key("alice").address}),
        ("POST", "/stablecoin/link", {"text": "x", "signature": "0x00"}),
        ("GET", "/stablecoin/account", None),
        ("GET", "/payout-target?asset=usd", None),
        ("PUT", "/payout-target", {"asset": "usd", "target": local_key("alice").address}),
        ("GET", f"/public/months/{MONTH}/stablecoin", None),
        *VAULTS_TO_DECIDE,
    ]
    for method, path, body in asked:
        answer = await alice(method, path, body)
        assert (answer.status, answer.slug) == (404, "no-stablecoin"), path
        assert "Lightning alone" in answer.body["detail"]
    assert (await alice("GET", "/balance")).body["usd"] is None
    assert (await alice("GET", "/month")).body["usd"] is None
    assert [one["asset"] for one in (await alice("GET", "/payout-targets")).body["items"]] == [
        "sat"
    ]
    assert (await world.nobody("GET", "/public/node")).body["stablecoin"] is None


async def _flattr_in_usd(world):
    """Alice, with 4 dollars in her pot, flattrs a thing of blog's."""
    alice, blog = await world.join("alice"), await world.join("blog")
    await link(alice, "alice")
    await world.vault.deposit(await world.vault.local.funded("alice"), 10 * DOLLAR, 4 * DOLLAR)
    await book(world)
    thing = (await blog("POST", "/things", {"url": "https://blog.example/"})).body["id"]
    await grant(world.node.store, world.clock, blog.id, thing)
    await alice("POST", f"/things/{thing}/flattr")
    return alice, blog


async def _close_in_usd(world) -> None:
    node = world.node
    await world.vault.local.jump_to(MONTH.ends_s)
    world.clock.set(MONTH.ends_s)
    assert await chain_money.read_until(node.stablecoin.money, MONTH.ends_s)
    closing = Closing(node.store, node.clock, node.stablecoin.rules, lambda _: None)
    await close_month(closing, MONTH)


async def test_an_open_month_is_an_estimate_in_both_assets(usd_world):
    alice, _ = await _flattr_in_usd(usd_world)
    month = (await alice("GET", "/month")).body
    assert (month["pot_msat"], month["usd"]["pot_units"]) == (0, 4 * DOLLAR)
    assert month["things"][0]["usd"] == {"counts": True, "share_units": 4 * DOLLAR}
    assert month["usd"]["share_with_one_more_units"] == 2 * DOLLAR
    assert not month["usd"]["closed"]


async def test_a_month_that_is_closed_in_the_stablecoin_only_is_a_receipt_in_it(usd_world):
    alice, blog = await _flattr_in_usd(usd_world)
    await _close_in_usd(usd_world)
    receipt = (await alice("GET", f"/months/{MONTH}")).body
    assert (receipt["closed"], receipt["usd"]["closed"]) == (False, True)
    assert [line["usd"]["share_units"] for line in receipt["things"]] == [4 * DOLLAR]
    earned = (await blog("GET", f"/earnings/{MONTH}")).body
    assert (earned["closed"], earned["earned_msat"]) == (False, 0)
    assert earned["usd"]["earned_units"] == 3_600_000
    assert earned["usd"]["digest"] == receipt["usd"]["digest"] != ""
    assert earned["things"][0]["earned_units"] == 3_600_000
    public = (await usd_world.nobody("GET", "/public/months")).body["items"]
    assert [(one["month"], one["closed_s"]) for one in public] == [(str(MONTH), None)]
    assert public[0]["usd"]["commission_units"] == 400_000


async def test_a_month_closed_in_both_lists_what_counted_in_either(usd_world):
    alice, _ = await _flattr_in_usd(usd_world)
    await _close_in_usd(usd_world)
    sat = Close(MONTH, Asset.SAT, Stage.FROZEN, 7_000_000, 1000, 0, Figures(), None)
    async with usd_world.node.store.write() as tx:
        assert await closes.freeze(tx, sat)
        for stage in (Stage.FOLDED, Stage.SPLIT, Stage.BOOKED):
            at = await closes.get(tx, MONTH, Asset.SAT)
            await closes.finish_stage(tx, at, stage)
    receipt = (await alice("GET", f"/months/{MONTH}")).body
    assert (receipt["closed"], receipt["things"][0]["counts"]) == (True, False)
    assert receipt["things"][0]["why_not"] == "none of your sats went to it"
    assert receipt["things"][0]["usd"]["counts"]
    public = (await usd_world.nobody("GET", "/public/months")).body["items"]
    assert [one["usd"]["digest"] for one in public] == [receipt["usd"]["digest"]]
    assert public[0]["closed_s"] == 7


async def test_a_payout_on_the_chain_is_proved_by_its_transaction(usd_world):
    blog, proof = await usd_world.join("blog"), "0x" + "ab" * 32
    rows = [
        Payout(PayoutId(f"{number:032x}"), PayoutKind.CREATOR, blog.id, Amount(units, Asset.USD),
               Amount(0, Asset.USD), local_key("blog").address, MONTH, state, reason)
        for number, units, state, reason in [
            (1, 2_500_000, PayoutState.IN_FLIGHT, None),
            (2, DOLLAR, PayoutState.HELD, REFUSED),
        ]
    ]  # fmt: skip
    store = usd_world.node.store
    async with store.write() as tx:
        await payouts.add(tx, rows, 1)
        await payouts.pay(tx, rows[0], Amount(0, Asset.USD), proof, 2)
    paid, waits = (await blog("GET", "/payouts")).body["items"]
    assert (paid["asset"], paid["amount_units"], paid["text"]) == ("usd", 2_500_000, "2.5 usd")
    assert (paid["state"], paid["transaction"], paid["preimage"]) == ("paid", proof, None)
    assert (paid["amount_msat"], paid["fee_msat"], paid["payment_hash"]) == (None, None, None)
    assert paid["words"] == "is paid: the transaction proves it"
    assert (waits["claimable"], paid["claimable"]) == (True, False)
    assert "delivers it" in waits["words"]
    assert (await blog("GET", "/balance")).body["usd"]["payouts_waiting_units"] == DOLLAR
    async with store.write() as tx:  # no books stand behind them
        await tx.run("DELETE FROM payout")


async def test_a_sealed_month_is_served_byte_for_byte_under_its_hash(usd_world):
    world, path = usd_world, f"/public/months/{MONTH}/stablecoin"
    missing = await world.nobody("GET", path)
    assert (missing.status, missing.slug) == (404, "not-found")
    content = b'{"month": "2026-11",\n "payments": []}\n'
    close = Close(MONTH, Asset.USD, Stage.FROZEN, 1, 1000, 0, Figures(), None)
    async with world.node.store.write() as tx:
        assert await closes.freeze(tx, close)
        await closes.put_part(tx, close, "file", 0, 0, content)
    async with world.http.get(f"{world.url}/api/v1{path}") as response:
        assert await response.read() == content
        assert response.content_type == "application/json"
        tag = response.headers["ETag"]
    assert tag == f'"0x{sha256(content).hexdigest()}"'
    again = await world.nobody("GET", path, headers={"If-None-Match": tag})
    assert (again.status, again.body) == (304, b"")
    assert (await world.nobody("GET", "/public/months/2026-13/stablecoin")).slug == "bad-month"


async def test_the_public_page_names_the_vault(usd_world):
    told = (await usd_world.nobody("GET", "/public/node")).body["stablecoin"]
    vault = usd_world.vault
    assert (told["vault"], told["token"]) == (vault.address, vault.token)
    assert (told["network"], told["operator"]) == ("eth-tester", vault.operator.address)


async def test_two_who_share_a_wallet_on_the_chain_do_not_count_there(usd_world):
    alice, blog = await _flattr_in_usd(usd_world)
    address = local_key("both").address
    for client, target in ((alice, address.lower()), (blog, address)):
        saved = await client("PUT", "/payout-target", {"asset": "usd", "target": target})
        assert saved.body["target"] == address
    await _close_in_usd(usd_world)
    receipt = (await alice("GET", f"/months/{MONTH}")).body
    assert (receipt["usd"]["flattrs"], receipt["usd"]["share_units"]) == (0, 0)
    assert not receipt["things"][0]["usd"]["counts"]
    assert (await blog("GET", f"/earnings/{MONTH}")).body["usd"]["earned_units"] == 0


async def test_the_node_is_not_ready_when_the_books_of_the_vault_have_stopped_paying(usd_world):
    fine = (await usd_world.nobody("GET", "/readyz", api="")).body
    assert fine["ready"]
    assert "eth-tester" in fine["parts"]["stablecoin"]["words"]
    async with usd_world.node.store.write() as tx:
        await leases.stop(tx, RAIL, "the books are not clean. I1 secret rows", 1)
    stopped = await usd_world.nobody("GET", "/readyz", api="")
    assert (stopped.status, stopped.body["ready"]) == (503, False)
    assert stopped.body["parts"]["books"]["good"]
    assert "secret" not in str(stopped.body)
