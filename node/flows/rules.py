"""The rules of the money that an operator sets, in base units, as the flows use them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from node.config import MoneySettings, StablecoinSettings
from node.errors import ConfigError, VaultDecides
from node.money import UNITS_MAX, Amount, Asset, sats

VAULT_COMMISSION_BPS: Final = 1000
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


def stablecoin_rules(
    settings: MoneySettings, stablecoin: StablecoinSettings, treasury: str
) -> Rules:
    """The rules for the stablecoin. Any deposit counts: the vault takes it and asks nobody.

    The commission is a tenth, because the vault computes it (`gross // 10`); `treasury` is where it
    pays it. Raises ConfigError when the settings want another commission.
    """
    if settings.commission_bps != VAULT_COMMISSION_BPS:
        raise ConfigError(
            f"the vault takes a tenth, and money.commission_bps is {settings.commission_bps}:"
            f" set it to {VAULT_COMMISSION_BPS}, or leave out [stablecoin]"
        )
    return Rules(
        asset=Asset.USD,
        commission_bps=VAULT_COMMISSION_BPS,
        dues=Amount(stablecoin.dues_units, Asset.USD),
        payout_min=Amount(stablecoin.payout_min_units, Asset.USD),
        held_s=settings.held_days * _DAY_S,
        target_lock_s=settings.target_lock_hours * 3600,
        deposit_min=Amount(1, Asset.USD),
        deposit_max=Amount(UNITS_MAX, Asset.USD),
        operator_target=treasury,
    )


def demand_node_decides(asset: Asset) -> None:
    """Go on only with an asset whose money the node keeps. Raises VaultDecides."""
    if asset is not Asset.SAT:
        raise VaultDecides(
            "the vault decides that, and asks only your own wallet:"
            " GET /api/v1/stablecoin/account lists the calls to sign"
        )
