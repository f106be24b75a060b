"""The rules of the money that an operator sets, in base units, as the flows use them."""

from __future__ import annotations

from dataclasses import dataclass

from node.config import MoneySettings
from node.money import Amount, Asset, sats

_DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class Rules:
    """One asset's rules (design.md §3)."""

    asset: Asset
    commission_bps: int
    dues: Amount
    payout_min: Amount
    held_s: int
    target_lock_s: int
    deposit_min: Amount
    deposit_max: Amount
    operator_target: str | None


def lightning_rules(settings: MoneySettings) -> Rules:
    """The rules for sats."""
    return Rules(
        asset=Asset.SAT,
        commission_bps=settings.commission_bps,
        dues=sats(settings.dues_sat),
        payout_min=sats(settings.payout_min_sat),
        held_s=settings.held_days * _DAY_S,
        target_lock_s=settings.target_lock_hours * 3600,
        deposit_min=sats(settings.deposit_min_sat),
        deposit_max=sats(settings.deposit_max_sat),
        operator_target=settings.operator_target,
    )
