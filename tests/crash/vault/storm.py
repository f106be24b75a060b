"""Every fault that a story can have, and how it ends. Each is counted when it strikes.

chain     forks, a pool that forgets or is full, dear gas, no finality, a nonce used by another
rpc       down, behind, on the branch that lost, one that lies; broadcasts and answers lost
token     paused, a receiver blocked, a receiver at whom `transfer` answers false
vault     paused, vetoed; readers who leave before they are charged
node      killed at a failpoint, at a statement, around a commit; two at once; an older
          database; clocks that are wrong
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from node import failpoints
from node.wallet.stablecoin import calldata as asks
from node.wallet.stablecoin.words import encode_call
from tests.crash.vault.chain import Jam
from tests.crash.vault.key import address_of, number_of
from tests.crash.vault.people import CREATORS, DOLLAR, READERS
from tests.crash.vault.rpc import LIES
from tests.crash.vault.strikes import KINDS
from tests.crash.vault.town import VAULT

if TYPE_CHECKING:
    from tests.crash.vault.story import Story

POINTS: Final = tuple(
    sorted(
        name
        for name in failpoints.KNOWN
        if name.split(".")[0] in ("chain", "vault") or name.startswith("close.")
    )
)
DEAR: Final = 20_000


def begin(story: Story, kind: str) -> None:
    """Let a fault begin, or strike."""
    family, _, rest = kind.partition(": ")
    _FAULTS[family](story, rest)


def kinds(story: Story, count: int) -> list[str]:
    """So many faults for a phase, those of one family not more often than others."""
    random = story.random
    families = list(_FAULTS)
    chosen = []
    for family in random.choices(families, [_WEIGHTS.get(one, 2) for one in families], k=count):
        more = _CHOICES.get(family)
        chosen.append(f"{family}: {random.choice(more)}" if more else family)
    return chosen


def calm(story: Story) -> None:
    """All that lasts is over; who is blocked may stay so."""
    town = story.town
    for rpc in town.rpcs:
        if rpc.lie and rpc.lied:
            story.faults[f"rpc lies: {rpc.lie}"] += 1
        rpc.lied = 0
        rpc.heal()
    town.chain.stalled = False
    town.chain.spike = 1
    _clear(story)
    failpoints.arm({})
    story.strikes.heal()
    story.perverse = False
    if story.life is not None:
        story.life.clock.skew_s = 0
    _unpause(story)
    for who in sorted(town.chain.state.lying):
        story.dirty("set_lying(address,bool)", who, 0)
    for who in sorted(town.chain.state.blocked):
        if story.random.random() < 0.6:
            story.dirty("set_blocked(address,bool)", who, 0)


def _unpause(story: Story) -> None:
    state = story.town.chain.state
    if state.token_paused:
        story.dirty("set_paused(bool)", 0)
    if state.paused_until > story.town.now_s:
        story.town.act("owner", VAULT, encode_call("set_paused(bool)", 0))


def _reorg(story: Story, rest: str) -> None:
    depth = story.random.choice((1, 2, 3, 8, 20, 64))
    if taken := story.town.chain.reorg(depth, lost=rest == "lost"):
        story.count(f"reorg, {rest}", f"{taken} blocks deep")


def _drop(story: Story, rest: str) -> None:
    del rest
    if story.town.chain.drop():
        story.count("the pool forgets")


def _replace(story: Story, rest: str) -> None:
    del rest
    story.perverse = True
    story.count("another signature is mined")


def _spike(story: Story, rest: str) -> None:
    del rest
    story.town.chain.spike = DEAR
    story.count("gas spike")


def _jam(story: Story, rest: str) -> None:
    """What the node sends is not mined before it is replaced by a dearer signature."""
    del rest
    if story.town.chain.jam is None:
        story.town.chain.jam = Jam(address_of("operator"))


def _clear(story: Story) -> None:
    jam, story.town.chain.jam = story.town.chain.jam, None
    if jam is not None and jam.left_out:
        story.count("a transaction sits in the pool")


def _stall(story: Story, rest: str) -> None:
    del rest
    story.town.chain.stalled = True
    story.count("finality stalls")


def _steal(story: Story, rest: str) -> None:
    """Another program with the node's key; its transaction is dearer than ours."""
    nonce = story.town.chain.state.nonces.get(address_of("operator"), 0)
    for ahead in range(int(rest)):
        story.foreign(nonce + ahead, address_of("operator"), b"foreign")
    story.count("nonce stolen")


def _twin(story: Story, rest: str) -> None:
    """A twin of the node, with the same key, makes the vault's call that this one is making."""
    del rest
    chain = story.town.chain
    key = address_of("operator")
    ours = [sent for (who, _), sent in sorted(chain.pool.items()) if who == key]
    calls = [sent.order for sent in ours if sent.order.to == VAULT]
    if calls:
        story.foreign(calls[0].nonce, VAULT, calls[0].data)
        story.count("another hand makes the call")


def _pay_in(story: Story, rest: str) -> None:
    """A deposit in the middle of it, for the next month."""
    del rest
    units = story.random.randrange(1, 9 * DOLLAR)
    story.people.pay_in(story.random.choice(READERS), units, 0)
    story.say("a reader pays in")


def _down(story: Story, rest: str) -> None:
    for rpc in story.town.rpcs if rest == "both" else [story.random.choice(story.town.rpcs)]:
        rpc.down = story.random.choice((0.1, 0.3, 1.0))
    story.count(f"rpc down, {rest}")


def _behind(story: Story, rest: str) -> None:
    del rest
    story.random.choice(story.town.rpcs).stop_here(story.random.randrange(4))
    story.count("rpc behind, or on another branch")


def _lie(story: Story, rest: str) -> None:
    if all(rpc.lie is None for rpc in story.town.rpcs):
        story.random.choice(story.town.rpcs).lie = rest


def _broadcast(story: Story, rest: str) -> None:
    for rpc in story.town.rpcs:
        chance = story.random.choice((0.5, 1.0))
        setattr(rpc, "deaf" if rest == "lost" else "mute", chance)
    story.count(f"broadcast: {rest}")


def _token_paused(story: Story, rest: str) -> None:
    del rest
    story.dirty("set_paused(bool)", 1)
    story.count("token paused")


def _blocked(story: Story, rest: str) -> None:
    names = ["treasury", *(f"{name}'s wallet" for name in CREATORS), *READERS]
    if rest == "lying":
        # A plain transfer that such a token takes and does not make stops the node: a person's.
        names = [f"{name}'s wallet" for name in sorted(story.people.addresses)]
        if not story.is_month or not names:
            return
    story.dirty(f"set_{rest}(address,bool)", number_of(story.random.choice(names)), 1)
    story.count(f"receiver {rest}")


def _vault_paused(story: Story, rest: str) -> None:
    del rest
    story.town.act("guardian", VAULT, encode_call("set_paused(bool)", 1))
    story.count("vault paused")


def _veto(story: Story, rest: str) -> None:
    del rest
    state = story.town.chain.state
    month = state.months.get(state.month)
    if month is not None and month.payable_at > story.town.chain.time_s + 60:
        story.town.act("guardian", VAULT, asks.veto_calldata(state.month))
        story.count("seal vetoed")


def _leave(story: Story, rest: str) -> None:
    del rest
    if story.people.leave(story.random.choice(READERS)):
        story.count("reader leaves")


def _failpoint(story: Story, rest: str) -> None:
    failpoints.arm({rest: f"raise@{story.random.choice((1, 1, 2))}"})


def _strike(story: Story, rest: str) -> None:
    story.strikes.arm(rest)


def _second(story: Story, rest: str) -> None:
    del rest
    story.wants_rival = True
    story.count("two nodes at once")


def _clock(story: Story, rest: str) -> None:
    if story.life is not None:
        story.life.clock.skew_s = int(rest)
        story.count("clock jumps")


def _restore(story: Story, rest: str) -> None:
    del rest
    story.copy_database()


_CHOICES: Final[dict[str, tuple[str, ...]]] = {
    "reorg": ("lost", "lost", "kept"),
    "steal": ("1", "1", "2"),
    "down": ("one", "both"),
    "lie": LIES,
    "broadcast": ("lost", "answer lost"),
    "receiver": ("blocked", "lying"),
    "failpoint": POINTS,
    "database": tuple(KINDS),
    "clock": ("7200", "-7200", "300", "-300"),
}
_FAULTS: Final[dict[str, Callable[[Story, str], None]]] = {
    "reorg": _reorg, "drop": _drop, "replace": _replace, "spike": _spike, "jam": _jam,
    "stall": _stall, "steal": _steal, "twin": _twin, "pay in": _pay_in, "down": _down,
    "behind": _behind, "lie": _lie, "broadcast": _broadcast,
    "token": _token_paused, "receiver": _blocked, "paused": _vault_paused, "veto": _veto,
    "leave": _leave, "failpoint": _failpoint, "database": _strike, "second": _second,
    "clock": _clock, "restore": _restore,
}  # fmt: skip
_WEIGHTS: Final = {
    "reorg": 5, "failpoint": 5, "jam": 4, "database": 4, "lie": 4, "broadcast": 3, "leave": 3,
    "restore": 2, "paused": 1, "pay in": 1,
}  # fmt: skip
