"""What everybody must have in the end, computed from the chain and the clicks alone, naively.

    pot       min(the vault's pot, the balance) at the last block of the month
    share     ten times what a tenth of it, per flattr, comes to: 9 for the creator, 1 for the vault
    charged   by the chain; less than all shares: what was charged is the pot, split in the same
              way, and what of it can't be split goes back, but for the vault's tenth

The node's database is not asked, and none of the node's own split is used.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from itertools import accumulate

from node.month import Month
from tests.crash.vault.abi import event
from tests.crash.vault.chain import ModelChain
from tests.crash.vault.key import number_of
from tests.crash.vault.people import READERS, People, prepared

TRANSFER = event("Transfer", 0, 0, 0)[0][0]


@dataclass
class Truth:
    """Base units by name."""

    creators: Counter[str] = field(default_factory=Counter)
    readers: Counter[str] = field(default_factory=Counter)
    """What goes back to readers of whom less was charged than split."""
    commission: int = 0
    wrong_charges: list[str] = field(default_factory=list)


def truth_of(people: People, months: list[Month]) -> Truth:
    """The months of a story, in order; month n of the vault is the n-th that charged anybody."""
    truth = Truth()
    chain = people.town.chain
    number = 0
    for month in months:
        shares = {name: _split(_pot(chain, month, name), people, month, name) for name in READERS}
        if not any(share * count for share, count in shares.values()):
            continue
        number += 1
        _add_month(truth, people, month, shares, _charged(chain, number))
    return truth


def received(chain: ModelChain) -> dict[int, list[int]]:
    """By the token's own logs: every payment from the vault or the node's key to somebody."""
    payers = {chain.keys.vault, chain.keys.operator}
    found: dict[int, list[int]] = defaultdict(list)
    for log in chain.logs():
        if log.topics[0] != TRANSFER:
            continue
        sender, to = (int.from_bytes(topic, "big") for topic in log.topics[1:])
        units = int.from_bytes(log.data, "big")
        if sender in payers and to not in payers and units:
            found[to].append(units)
    return found


def _pot(chain: ModelChain, month: Month, name: str) -> int:
    last = next(mined for mined in reversed(chain.blocks) if mined.block.time_s < month.ends_s)
    account = last.state.account(number_of(name))
    return min(account.pot, account.balance)


def _split(pot: int, people: People, month: Month, name: str) -> tuple[int, int]:
    """(share, number of shares)."""
    count = len(people.clicks[month][name])
    return (10 * (pot // (10 * count)), count) if count else (0, 0)


def _charged(chain: ModelChain, number: int) -> dict[str, int]:
    """What the vault took of each reader in its month."""
    taken = {}
    for mined in chain.blocks:
        for name in READERS:
            account = mined.state.accounts.get(number_of(name))
            if account is not None and account.month == number:
                taken[name] = max(taken.get(name, 0), account.charge)
    return taken


def _add_month(
    truth: Truth, people: People, month: Month, shares: dict[str, tuple[int, int]],
    charged: dict[str, int],
) -> None:  # fmt: skip
    truth.commission += sum(charged.values()) // 10
    dust: dict[str, int] = {}
    for name, (share, count) in shares.items():
        taken = charged.get(name, 0)
        if taken > share * count:
            truth.wrong_charges.append(f"{name} was charged {taken} of {share * count}")
        if taken < share * count:
            given, _ = _split(taken, people, month, name)
            dust[name] = taken - given * count
        else:
            given = share
        for creator in people.clicks[month][name]:
            truth.creators[creator] += given - given // 10
    _give_back(truth, dust)


def _give_back(truth: Truth, dust: dict[str, int]) -> None:
    """The vault keeps a tenth of all of it, rounded down once: whose it is goes by member."""
    known = prepared().members
    names = sorted(dust, key=lambda name: known[name])
    tenths = [total // 10 for total in accumulate(dust[name] for name in names)]
    for name, until, before in zip(names, tenths, [0, *tenths], strict=False):
        truth.readers[name] += dust[name] - (until - before)
