"""Every write of money's state passes a failpoint on each side of its commit, or the build fails.

What is written is read from the source (`tests/transactions.py`), so that a transaction, a table or
a way to reach the network that is new must be named here or there before anything is green.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterable

import pytest
from sqlmodel import SQLModel

from node import failpoints
from node.failpoints import EFFECTS, KNOWN, TRANSACTIONS, FailpointHit, failpoint
from node.settlement.rail import Rail
from node.store import (
    chain_tables,
    click_writer,
    consent_tables,
    login_tables,
    money_tables,
    operator_tables,
    recovery_tables,
    site_tables,
    tables,
    transaction_tables,
    vault_tables,
)
from node.wallet.lightning.invoices import LightningInvoices
from node.wallet.lightning.lnd import Lnd
from node.wallet.stablecoin.chain import Chain
from tests.flows import test_killed_repairs, test_killed_steps
from tests.flows.vault import (
    test_chain_money,
    test_deploy,
    test_transact_kills,
    test_troubles,
    test_two_rails,
    test_vault_stops,
)
from tests.flows.vault import test_killed_steps as test_killed_vault_steps
from tests.simulation import test_kills
from tests.transactions import (
    MONEY,
    OTHER,
    Source,
    Transaction,
    calls_without_a_point,
    node_source,
)

MODELS = (
    chain_tables, consent_tables, login_tables, money_tables, operator_tables, recovery_tables,
    site_tables, tables, transaction_tables, vault_tables,
)  # fmt: skip
REACHES = {
    Rail: {"send"},
    LightningInvoices: {"create"},
    Chain: {"broadcast"},
    Lnd: {"pay_invoice", "pay_keysend", "add_invoice"},
}
"""What asks the network to do something; the other methods only look."""
LOOKS = {
    Rail: {"capacity", "prepare", "check"},
    LightningInvoices: {"lookup", "settled", "payment_hash_of"},
    Chain: {
        "chain_id", "latest", "finalized", "block", "nonce", "receipt", "call", "estimate_gas",
        "logs", "code", "balance_wei", "tip_wei",
    },
    Lnd: {
        "wallet_state", "read_node", "known_node", "outbound", "channel_balance_msat", "balances",
        "missing_permissions", "holds_dangerous_permissions", "track", "list_payments",
        "hash_on_a_channel", "traces", "decode_pay_req", "lookup_invoice", "subscribe_invoices",
    },
}  # fmt: skip
CALLS = frozenset(
    {"rail.send", "invoices.create", "chain.broadcast", "lnd.pay_invoice", "lnd.pay_keysend",
     "lnd.add_invoice"}
)  # fmt: skip
CLICK = "click.before_commit"
KILLERS = (
    test_kills, test_killed_repairs, test_killed_steps, test_killed_vault_steps, test_chain_money,
    test_deploy, test_transact_kills, test_troubles, test_two_rails, test_vault_stops,
)  # fmt: skip
POINTS_MIN = 90
"""So many were to be killed at; there may be more."""


def _faults(source: Source, money: Iterable[str] = MONEY) -> list[str]:
    """What is wrong with the transactions of a source, one line each."""
    state = frozenset(money)
    return [
        f"{one}: writes {', '.join(sorted(one.tables & state))} and names no step:"
        " no before_commit, no after_commit"
        for one in source.transactions
        if one.tables & state and not one.steps
    ] + [f"{one}: {step}" for one in source.transactions for step in one.steps if " " in step]


def test_every_write_of_state_has_a_point_before_its_commit_and_after_it():
    assert _faults(node_source()) == []


def test_every_call_that_moves_something_has_a_point_after_it():
    assert list(calls_without_a_point(node_source(), CALLS)) == []


def test_every_table_is_moneys_or_is_not():
    assert MODELS
    there = {name for name in SQLModel.metadata.tables if name != "alembic_version"}
    assert there == MONEY | OTHER, "put a new table on one side or the other"
    assert not MONEY & OTHER


@pytest.mark.parametrize("owner", REACHES, ids=lambda owner: owner.__name__)
def test_every_way_to_the_network_moves_something_or_only_looks(owner):
    methods = {
        name
        for name, one in inspect.getmembers(owner, inspect.isfunction)
        if not name.startswith("_")
    }
    assert methods == REACHES[owner] | LOOKS[owner], "put a new method on one side or the other"


def test_known_is_what_the_source_passes():
    named: set[str] = set()
    for one in node_source().transactions:
        named |= one.steps
    clicks = inspect.getsource(click_writer)
    assert named | {"click", "contract.send"} == set(TRANSACTIONS)
    passed = set(_literal_points())
    assert {f"{step}.after_effect" for step in EFFECTS} == {x for x in passed if "effect" in x}
    assert passed <= KNOWN
    for step in ("click", "contract.send"):  # they commit by themselves, not through the store
        assert {f"{step}.before_commit", f"{step}.after_commit"} <= passed
    assert (
        clicks.count(CLICK) == clicks.count("click.after_commit") == clicks.count("def commit(") - 1
    )


def _literal_points() -> list[str]:
    return [
        str(node.args[0].value)
        for module in node_source().modules.values()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "failpoint"
        and isinstance(node.args[0], ast.Constant)
    ]


FORGETFUL = """
from node.store import payouts

async def pay(store):
    async with store.write({step}) as tx:
        await _work(tx)

async def _work(tx):
    await payouts.move(tx)
"""
STORE = """
_MOVE = "UPDATE payout SET state = :after"

async def move(tx):
    await tx.run(_MOVE)
"""
HANDED = """
from node.store import payouts

async def writing(store, clock, lease, step):
    async with store.write(step) as tx:
        yield tx

async def pay(store, clock, lease):
    async with writing(store, clock, lease{step}) as tx:
        await payouts.move(tx)
"""
SENT = """
async def pay(rail, attempt):
    {before}
    await rail.send(attempt)
    {after}
"""


@pytest.mark.parametrize(("flow", "step", "fault"), [
    (FORGETFUL, "", "node/flows/pay.py:5 pay: writes payout and names no step"),
    (FORGETFUL, '"pay.x"', ""),
    (HANDED, "", "node/flows/pay.py:9 pay: writes payout and names no step"),
    (HANDED, ', "pay.x"', ""),
])  # fmt: skip
def test_the_build_fails_on_a_write_without_a_name(flow, step, fault):
    texts = {"node/flows/pay.py": flow.format(step=step), "node/store/payouts.py": STORE}
    found = _faults(Source(texts))
    assert any(one.startswith(fault) for one in found) if fault else found == []


@pytest.mark.parametrize(("before", "after", "faults"), [
    ("pass", "pass", 1), ('failpoint("x.after_effect")', "pass", 1),
    ("pass", 'failpoint("x.after_effect")', 0),
])  # fmt: skip
def test_the_build_fails_on_a_call_without_a_point(before, after, faults):
    texts = {"node/flows/pay.py": SENT.format(before=before, after=after)}
    assert len(list(calls_without_a_point(Source(texts), CALLS))) == faults


def test_what_a_transaction_writes_is_found_through_others():
    (one,) = Source(
        {"node/flows/pay.py": FORGETFUL.format(step=""), "node/store/payouts.py": STORE}
    ).transactions
    assert one == Transaction("node/flows/pay.py", 5, "pay", frozenset(), frozenset({"payout"}))


def test_an_unknown_failpoint_is_not_armed():
    with pytest.raises(ValueError, match="no failpoint"):
        failpoints.arm({"click.never": "raise"})


def test_an_unknown_action_is_not_armed():
    with pytest.raises(ValueError, match="no failpoint"):
        failpoints.arm({CLICK: "explode"})


def test_a_failpoint_acts_on_the_named_passing_only():
    failpoints.arm({CLICK: "raise@2"})
    try:
        failpoint(CLICK)
        with pytest.raises(FailpointHit):
            failpoint(CLICK)
        failpoint(CLICK)
    finally:
        failpoints.arm({})


def test_every_point_is_killed_at_by_some_test():
    """Each of these modules kills at each point of its own, and fails where it is not passed."""
    points = {module.__name__: module.KILLED for module in KILLERS}
    missing = KNOWN - frozenset().union(*points.values())
    assert missing == frozenset(), f"nobody kills at {sorted(missing)}"
    print(f"{len(KNOWN)} failpoints, each killed at: {sum(map(len, points.values()))} kills")
    assert len(KNOWN) >= POINTS_MIN
