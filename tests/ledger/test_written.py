"""What an event writes is what it has always written: books of before must stay readable.

An entry's id keeps an event from being booked twice, also by a release that is newer than the one
that booked it first; audits find entries by their kind and account. So a line here never changes.
"""

from __future__ import annotations

from collections.abc import Iterator

from node.ids import entry_id, payout_ids
from node.ledger import accounts, bookings, closing
from node.ledger.accounts import Account
from node.ledger.bulk import BulkEntry, Column, MemberAccounts
from node.ledger.entry import GENESIS, Entry, Transfer, chain_hash
from node.money import UNITS_MAX, Amount, Asset
from tests.ledger.balances import kind_of, rows_of
from tests.ledger.test_bookings import A_LIFE, ALICE, CAROL, DEC, JAN, NOV, SAT, USD, column


def _events() -> list[Entry | BulkEntry]:
    return [
        *(booked() for _, booked, _ in A_LIFE),
        _released(),
        bookings.dues_from_earnings(CAROL, DEC, JAN, asset=USD, from_earned=3, from_held=4),
        closing.dues(SAT, JAN, column(1, 2), column(0, 3), column(4, 0)),
        closing.open_payouts(
            SAT, NOV, column(0, 1, 2), payout_ids(NOV, [0, 1, 2], SAT), column(7, 8, 9)
        ),
    ]


def _released() -> BulkEntry:
    return closing.release(SAT, DEC, column(1, 2), column(5, 0))


WRITTEN = """
bc124e41469de286c7e0e4d2c5e3525b deposit sat 00000000000000000001 | None
    wallet:lightning > available:1 9000
dc840e521d5fc100aa34a4787ef6a13d deposit sat 00000000000000000002 | 2026-11
    wallet:lightning > available:1 500
    available:1 > pot:1:2026-11 500
932c4627b8b64490d264957bdfcb38af pot sat member 1 | 2026-11
    available:1 > pot:1:2026-11 600
3dcfd01be274db558b8807e74a2d6b77 unpot sat member 1 | 2026-11
    pot:1:2026-11 > available:1 90
cbd0cc0d65151579cdc49259da002cbc close sat 2026-11 | 2026-11
    pot:1:2026-11 > closing:2026-11 1000
    pot:1:2026-11 > available:1 10
    closing:2026-11 > commission 100
    closing:2026-11 > held:2 900
9761e657a44e2678b028bf6d0c9c8940 dues sat member 2 | 2026-11
    held:2 > pot:2:2026-12 200
f02bd84f633ed02bc140e50b5c7c4ede return sat member 2 of 2026-11 | 2026-11
    held:2 > pot:1:2026-11 50
429b8647cd14e4512bf52628500527e9 release sat member 2 | 2026-12
    held:2 > earned:2 650
f5395f7e8ebcfd482aba06c72458d1a6 open sat p1 | 2026-12
    earned:2 > payout:p1 600
f4ecc02f9348e4aa508aad255807ba69 settle sat p1 | 2026-12
    payout:p1 > wallet:lightning 600
    expense:routing > capital 7
c6a9d19082398165b507e29631279bc9 open sat w1 | None
    available:1 > payout:w1 3000
c503dd315025121600e790997e32f88c settle sat w1 | None
    payout:w1 > wallet:lightning 2030
    payout:w1 > available:1 970
6ff25616b16ddb569af3ad21af61badb open sat w2 | None
    available:1 > payout:w2 1000
0277daaf8aa985a22aa67418d374d67a settle sat w2 | None
    payout:w2 > wallet:lightning 1000
    expense:routing > capital 50
a474e4f77421adf1534cd55d411e77fa open sat w3 | None
    available:1 > payout:w3 1000
122dd61d4c7aaee89016c894bf402d77 returned sat w3 | None
    payout:w3 > available:1 1000
b8ea406e23864c5c887758e0d530b487 unexplained sat a | None
    suspense > capital 603
a8c3f217909f2d1f6613b1979a6d7d65 paid_once sat a | None
    capital > suspense 603
b70923fb7c5927e69e1d1d3322be309b unexplained sat b | None
    suspense > capital 603
45446beec03cdaf5a052eb58986e951a means sat 2026-11 | 2026-11
    available:1 > pot:1:2026-12 470
cc5e303d1008976713e63d89240c293e release sat 2026-12 | 2026-12
c9c2338520e919fa98ac20b66e2f0707 dues sat 2026-12 | 2026-12
    earned:2 > pot:2:2027-01 50
482137e7e600469769b3636280ca6769 open sat 2026-12 | 2026-12
    commission > payout:ef85da7795f83382a3a838e5f41b0965 100
e1 deposited usd 0xaa:0 | None
    wallet:stablecoin > available:1 1000
e3c226ec1d66246df94bc72a00905775 pots usd 2026-12 | 2026-12
    available:1 > pot:1:2026-12 300
    pot:2:2026-12 > available:2 100
e2 withdrawn usd 0xbb:0 | None
    available:1 > wallet:stablecoin 600
    pot:1:2026-12 > wallet:stablecoin 300
    suspense > capital 100
798685ffc7a0621830595a397b9dbbb0 uncharged usd 2026-12 | 2026-12
    pot:1:2026-12 > available:1 70
dd8849be96eeec15bc926c2af524efd8 explained usd 0xbb:0 | 2026-12
    available:1 > wallet:stablecoin 70
    capital > suspense 70
28d65012ce7c570b626b1ba6085febc6 refund usd 2026-12 | 2026-12
    available:1 > payout:r1 17
    available:1 > commission 1
    available:2 > commission 1
    available:2 > payout:r3 4
2fdb555081d54bc114b99e4b85fa539d gas eth 0xcc | None
    expense:gas > capital 5000
e3 withdrawn usd 0xdd:0 | None
    available:2 > wallet:stablecoin 25
cc5e303d1008976713e63d89240c293e release sat 2026-12 | 2026-12
    held:1 > earned:1 5
51eb726b865c152ee77846db82c2e6bb dues usd member 2 | 2026-12
    earned:2 > pot:2:2027-01 3
    held:2 > pot:2:2027-01 4
d24da32ec51a64f21c54fb7fe80e98fc dues sat 2027-01 | 2027-01
    earned:2 > pot:2:2027-02 3
    held:1 > pot:1:2027-02 4
c2c0091cac218dca8928642849f73445 open sat 2026-11 | 2026-11
    earned:1 > payout:18bad1a66b0b60efea0b62dc60396c28 8
    earned:2 > payout:cdf8fbd56172402e9f54f7250c071370 9
    commission > payout:003259727c893e0c5e917f1df45ffd80 7
"""


def _lines() -> Iterator[str]:
    for event in _events():
        header = event.header() if isinstance(event, BulkEntry) else event
        assert header.transfers == (() if isinstance(event, BulkEntry) else event.transfers)
        yield f"{header.id} {header.kind} {header.asset} {header.ref[-20:]} | {header.month}"
        yield from (f"    {debit} > {credit} {units}" for debit, credit, units in rows_of(event))


def test_every_event_is_written_as_ever():
    assert list(_lines()) == WRITTEN.strip().splitlines()


def test_an_account_is_what_its_name_says():
    for event in _events():
        for one in _columns(event):
            if isinstance(one, Account):
                assert one.kind is kind_of(one.name)
                assert one.asset is event.asset
                if ours := [str(part) for part in (one.member, one.month) if part is not None]:
                    assert one.name.split(":")[1:] == ours
            elif isinstance(one, MemberAccounts):
                assert {kind_of(name) for name in one.names()} == {one.kind}
            else:
                assert one.month == event.month
                assert len(one.members) == len(one.ids)


def _columns(event: Entry | BulkEntry) -> Iterator[Column]:
    for one in event.transfers if isinstance(event, Entry) else event.blocks:
        yield from (one.debit, one.credit)


def test_a_link_of_the_chain_is_hashed_as_ever():
    transfer = Transfer(accounts.available(USD, ALICE), accounts.earned(USD, CAROL), UNITS_MAX)
    entry = Entry(entry_id("test", 1), "test", USD, "ref", (transfer,))
    assert entry.total == Amount(UNITS_MAX, Asset.USD)
    assert (
        chain_hash(GENESIS, 1, entry, 7, "d")
        == "44acfe5b39c54d2342e1725c07f6a81c99ca7713177cb062a03e0bd64dfee2da"
    )
    assert (
        chain_hash("1" * 64, 2, _released().header(), 8, "e")
        == "80724ed6bc02dedb24f227411a431ced8ec08b8fb255e81c50a6c3ffb258d6cd"
    )
