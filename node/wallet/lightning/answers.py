"""What lnd answers, as values of this node. No protobuf leaves `lnd.py`.

Enum values are lnd's numbers, compared as numbers: the compiled stubs do not know all of them
(INITIATED came later). A number that nobody knows is UNKNOWN, which is never a verdict.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final


class WalletState(IntEnum):
    """lnd's own state (lnrpc State.GetState)."""

    NON_EXISTING = 0
    LOCKED = 1
    UNLOCKED = 2
    RPC_ACTIVE = 3
    SERVER_ACTIVE = 4
    WAITING_TO_START = 255
    UNKNOWN = -1

    @classmethod
    def _missing_(cls, value: object) -> WalletState:
        del value
        return cls.UNKNOWN


class PaymentStatus(IntEnum):
    """Where a payment stands in lnd's books. Only SUCCEEDED and FAILED are final."""

    UNKNOWN = 0
    IN_FLIGHT = 1
    SUCCEEDED = 2
    FAILED = 3
    INITIATED = 4

    @classmethod
    def _missing_(cls, value: object) -> PaymentStatus:
        del value
        return cls.UNKNOWN


class InvoiceState(IntEnum):
    """Where an own invoice stands."""

    OPEN = 0
    SETTLED = 1
    CANCELED = 2
    ACCEPTED = 3
    UNKNOWN = -1

    @classmethod
    def _missing_(cls, value: object) -> InvoiceState:
        del value
        return cls.UNKNOWN


_REASONS: Final = {
    0: "",
    1: "no route worked in the time given",
    2: "no route",
    3: "a routing error",
    4: "the receiver refused: wrong hash, amount or time lock",
    5: "the own channels hold too little",
    6: "canceled",
}
_PREFIXES: Final = {
    "mainnet": "bc",
    "testnet": "tb",
    "testnet4": "tb",
    "signet": "tbs",
    "regtest": "bcrt",
    "simnet": "sb",
}
_NANOSECONDS: Final = 10**9
_HTLC_IN_FLIGHT: Final = 0


@dataclass(frozen=True, slots=True)
class LndNode:
    """Who this lnd is, and how far it has read the chain (GetInfo)."""

    pubkey: str
    alias: str
    version: str
    network: str
    synced_to_chain: bool
    block_height: int
    best_header_s: int
    """The time in the newest block header, in seconds since 1970: lnd's own calendar."""

    @property
    def network_prefix(self) -> str:
        """BOLT11's prefix after `ln`: `bc`, `tb`, `tbs`, `bcrt` or `sb`; empty if unknown."""
        return _PREFIXES.get(self.network, "")


@dataclass(frozen=True, slots=True)
class PaymentView:
    """One payment as lnd shows it. `preimage` is 64 hex digits, or empty."""

    payment_hash: str
    status: PaymentStatus
    preimage: str
    value_msat: int
    fee_msat: int
    failure_reason: str
    """For people only: a late success still carries one (lnd#8884)."""
    htlcs_in_flight: int
    """Of lnd's payment book, which can be wrong for ever: compare `Lnd.hash_on_a_channel`."""
    time_lock_max: int
    """The highest block height to which one of its HTLCs was locked."""
    created_s: int
    index: int
    first_hops: tuple[int, ...] = ()
    """The channels that its HTLCs went out by."""

    @property
    def paid_msat(self) -> int:
        """What it has cost, its fee too: nothing unless it has succeeded."""
        succeeded = self.status is PaymentStatus.SUCCEEDED
        return self.value_msat + self.fee_msat if succeeded else 0


@dataclass(frozen=True, slots=True)
class SendAnswer:
    """What SendPaymentV2 said first. Nothing in it is a verdict but a preimage (verdict.py)."""

    payment: PaymentView | None
    """None: lnd refused, or nothing came in time."""
    words: str


@dataclass(frozen=True, slots=True)
class Decoded:
    """A BOLT11 invoice as lnd reads it (DecodePayReq)."""

    payment_hash: str
    amount_msat: int
    payee: str
    timestamp_s: int
    expiry_s: int
    min_final_cltv: int


@dataclass(frozen=True, slots=True)
class InvoiceView:
    """An own invoice as lnd shows it."""

    payment_hash: str
    payment_request: str
    state: InvoiceState
    amount_msat: int
    amt_paid_msat: int
    settle_index: int
    settle_date_s: int

    @property
    def settled(self) -> SettledInvoice | None:
        """How it was paid; None: it was not, so far."""
        if self.state is not InvoiceState.SETTLED:
            return None
        return SettledInvoice(
            self.payment_hash, self.amt_paid_msat, self.settle_index, self.settle_date_s
        )


@dataclass(frozen=True, slots=True)
class SettledInvoice:
    """An own invoice that was paid. `settle_index` grows by one with each, for ever."""

    payment_hash: str
    amt_paid_msat: int
    settle_index: int
    settle_date_s: int


@dataclass(frozen=True, slots=True)
class Outbound:
    """What the channels can send, in msat, after reserves and commitment fees."""

    spendable_msat: int
    largest_msat: int
    active: int
    inactive: int


@dataclass(frozen=True, slots=True)
class Balances:
    """Sums over all channels, in msat. `closing_msat`: the own side of those that are closing."""

    local_msat: int
    remote_msat: int
    in_htlcs_msat: int
    """On its way out, and not yet gone."""
    opening_msat: int
    closing_msat: int

    @property
    def own_msat(self) -> int:
        """All that is this node's in channels, open or not. Money on chain is not among it."""
        return self.local_msat + self.in_htlcs_msat + self.opening_msat + self.closing_msat


def read_node(answer: Any) -> LndNode:
    """From GetInfoResponse."""
    return LndNode(
        pubkey=answer.identity_pubkey,
        alias=answer.alias,
        version=answer.version,
        network=answer.chains[0].network if answer.chains else "",
        synced_to_chain=answer.synced_to_chain,
        block_height=answer.block_height,
        best_header_s=answer.best_header_timestamp,
    )


def read_payment(answer: Any) -> PaymentView:
    """From Payment."""
    return PaymentView(
        payment_hash=answer.payment_hash,
        status=PaymentStatus(answer.status),
        preimage=answer.payment_preimage,
        value_msat=answer.value_msat,
        fee_msat=answer.fee_msat,
        failure_reason=_REASONS.get(answer.failure_reason, f"reason {answer.failure_reason}"),
        htlcs_in_flight=sum(htlc.status == _HTLC_IN_FLIGHT for htlc in answer.htlcs),
        time_lock_max=max((htlc.route.total_time_lock for htlc in answer.htlcs), default=0),
        created_s=answer.creation_time_ns // _NANOSECONDS,
        index=answer.payment_index,
        first_hops=tuple(h.route.hops[0].chan_id for h in answer.htlcs if h.route.hops),
    )


def read_decoded(answer: Any) -> Decoded:
    """From PayReq."""
    return Decoded(
        payment_hash=answer.payment_hash,
        amount_msat=answer.num_msat,
        payee=answer.destination,
        timestamp_s=answer.timestamp,
        expiry_s=answer.expiry,
        min_final_cltv=answer.cltv_expiry,
    )


def read_invoice(answer: Any) -> InvoiceView:
    """From Invoice."""
    return InvoiceView(
        payment_hash=answer.r_hash.hex(),
        payment_request=answer.payment_request,
        state=InvoiceState(answer.state),
        amount_msat=answer.value_msat,
        amt_paid_msat=answer.amt_paid_msat,
        settle_index=answer.settle_index,
        settle_date_s=answer.settle_date,
    )


def read_balances(answer: Any, closing: Any) -> Balances:
    """From ChannelBalanceResponse and PendingChannelsResponse."""
    return Balances(
        local_msat=answer.local_balance.msat,
        remote_msat=answer.remote_balance.msat,
        in_htlcs_msat=answer.unsettled_local_balance.msat,
        opening_msat=answer.pending_open_local_balance.msat,
        closing_msat=closing.total_limbo_balance * 1000,
    )


def read_outbound(channels: Any) -> Outbound:
    """From the channels of ListChannels, whose amounts are in sat.

    `local_balance` already lacks what is in flight and, for the side that opened the channel, the
    commitment fee; that fee once more is kept back, because each new HTLC raises it.
    """
    spendable = []
    for channel in channels:
        if channel.active:
            reserve = channel.local_constraints.chan_reserve_sat or channel.local_chan_reserve_sat
            buffer = channel.commit_fee if channel.initiator else 0
            spendable.append(max(0, channel.local_balance - reserve - buffer) * 1000)
    return Outbound(
        spendable_msat=sum(spendable),
        largest_msat=max(spendable, default=0),
        active=len(spendable),
        inactive=len(channels) - len(spendable),
    )
