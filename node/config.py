"""The operator's settings: one TOML file, every value also by environment (`FLATTR_…`).

The environment wins over the file. A value may also lie in a file of its own, as secrets do:
`FLATTR_LND__LNDCONNECT_FILE` and `FLATTR_STABLECOIN__PASSPHRASE_FILE` are paths.
Test networks first: on a main network the node refuses to start until the operator writes
`i_understand_real_money = true` (design.md §3.14).
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from node.errors import ConfigError

FILE_NAME: Final = "flattr-node.toml"
OWN_HOSTS: Final = frozenset({"127.0.0.1", "::1", "localhost"})
"""Only this machine reaches these."""
_ORIGIN: Final = re.compile(r"https?://(?!\d+(\.\d+){3}(:|/|$))[a-z0-9.-]+(:\d{1,5})?/?", re.ASCII)
_PREFIX: Final = "flattr_"
_FILE_SUFFIX: Final = "_file"
LOCAL_NETWORKS: Final = frozenset({"simnet", "regtest"})
"""Where blocks come when somebody makes them."""
Network = Literal["mainnet", "testnet", "testnet4", "signet", "regtest", "simnet"]


class LndSettings(BaseModel):
    """How to reach LND: an `lndconnect://` URL, or address, certificate and macaroon by path."""

    model_config = ConfigDict(extra="forbid")

    lndconnect: str | None = None
    address: str = "127.0.0.1:10009"
    cert_path: Path | None = None
    macaroon_path: Path | None = None
    allow_admin_macaroon: bool = False
    send_wait_s: float = Field(default=10, gt=0, le=60)
    """How long a payment keeps its place in the round before the next is sent."""


class MoneySettings(BaseModel):
    """The rules that the operator may set. Amounts in whole sats."""

    model_config = ConfigDict(extra="forbid")

    commission_bps: int = Field(default=1000, ge=0, le=1000)
    dues_sat: int = Field(default=2000, ge=0)
    payout_min_sat: int = Field(default=1, ge=1)
    held_days: int = Field(default=180, ge=30)
    target_lock_hours: int = Field(default=72, ge=0)
    deposit_min_sat: int = Field(default=1, ge=1)
    deposit_max_sat: int = Field(default=1_000_000, ge=1)
    operator_target: str | None = None
    close_needs_approval: bool = False
    """False: a month closes by itself when it is over. True: it waits for the operator's word."""
    fiat: str = Field(default="", pattern=r"^([A-Z]{3})?$")
    """The currency of a hint beside amounts in sats, such as EUR. It is no price: nobody is paid
    by it."""
    fiat_per_bitcoin: int = Field(default=0, ge=0)
    """What the operator says that a bitcoin is worth in it; 0: no hint."""


class StablecoinSettings(BaseModel):
    """The vault and its chain, and the rules of the asset. Amounts in base units (10**-6)."""

    model_config = ConfigDict(extra="forbid")

    network: str
    """A name of `wallet/stablecoin/networks.py`, for example base-sepolia."""
    rpc_urls: tuple[str, ...]
    """Two RPCs of two providers; one is enough on a network of one's own (anvil)."""
    vault: str
    first_block: int = Field(ge=0)
    """The block that the vault was deployed in: nothing before it is read."""
    keystore: Path
    passphrase: str | None = None
    """Better by `FLATTR_STABLECOIN__PASSPHRASE_FILE`, the path of a file."""
    gas_ceiling_gwei: int = Field(default=100, ge=1)
    """The most that is paid for a unit of gas."""
    dues_units: int = Field(default=2_000_000, ge=0)
    payout_min_units: int = Field(default=1_000_000, ge=1)


class WebSettings(BaseModel):
    """The HTTP listener and its limits."""

    model_config = ConfigDict(extra="forbid")

    host: str = "127.0.0.1"
    port: int = Field(default=8080, ge=0, le=65_535)
    public_url: str = "http://127.0.0.1:8080"
    processes: int = Field(default=1, ge=1, le=64)
    """How many processes answer, each with limits of its own. One of them also closes and pays."""
    requests_per_minute: int = Field(default=600, ge=1)
    joins_per_hour: int = Field(default=60, ge=1)
    header_deadline_s: float = Field(default=10, gt=0)
    body_max_bytes: int = Field(default=65_536, ge=1024)
    connections_per_address: int = Field(default=64, ge=1)
    trusted_proxies: frozenset[str] = frozenset()
    """Addresses whose last X-Forwarded-For entry is believed."""

    @property
    def base_url(self) -> str:
        """`public_url` without a slash at its end: what a path is put behind."""
        return self.public_url.rstrip("/")


class OperatorSettings(BaseModel):
    """The operator's console and metrics, on a listener of their own."""

    model_config = ConfigDict(extra="forbid")

    enabled: bool = True
    host: str = "127.0.0.1"
    port: int = Field(default=8081, ge=0, le=65_535)
    url: str = ""
    """How the operator's browser reaches it; empty: http://localhost and the port."""
    others_may_reach_it: bool = False
    """True: `host` may be one that is not this machine's own."""
    audit_minutes: int = Field(default=10, ge=1)
    """How often a serving node audits itself."""
    metrics_hosts: frozenset[str] = frozenset()
    """What else a scraper may call this listener, as `host:port`: /metrics only."""


class Settings(BaseSettings):
    """Everything that an operator sets."""

    model_config = SettingsConfigDict(
        env_prefix="FLATTR_", env_nested_delimiter="__", extra="forbid", toml_file=None
    )

    network: Network = "simnet"
    i_understand_real_money: bool = False
    database: str = ""
    """Empty: SQLite in the folder. Or `postgresql://…`."""
    fetch_allow: frozenset[str] = frozenset()
    """`host:port` pairs that may be fetched over plain http: test networks only."""
    dns_server: str = ""
    """Who is asked for TXT records: `address` or `address:port`. Empty: the system's resolver."""
    lnd: LndSettings = LndSettings()
    money: MoneySettings = MoneySettings()
    stablecoin: StablecoinSettings | None = None
    """None: the node pays over Lightning alone."""
    web: WebSettings = WebSettings()
    operator: OperatorSettings = OperatorSettings()

    @model_validator(mode="before")
    @classmethod
    def _passphrase_alone(cls, values: Any) -> Any:
        """The passphrase may be in the environment before there is a vault: that is no section."""
        if isinstance(values, dict) and isinstance(section := values.get("stablecoin"), dict):
            return values | {"stablecoin": None} if set(section) == {"passphrase"} else values
        return values

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments, then environment, then the file."""
        del dotenv_settings, file_secret_settings
        assert isinstance(env_settings, EnvSettingsSource), "it is pydantic's own"
        env_settings.env_vars = with_files(env_settings.env_vars)
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)


def load_settings(folder: Path) -> Settings:
    """Read `folder`/flattr-node.toml and the environment. Raises ConfigError with what to write."""
    path = folder / FILE_NAME
    source = type(
        "FileSettings",
        (Settings,),
        {"model_config": SettingsConfigDict(**{**Settings.model_config, "toml_file": path})},
    )
    try:
        settings: Settings = source()
    except ValidationError as error:
        lines = [f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()]
        raise ConfigError(f"{path} or the environment: " + "; ".join(lines)) from error
    except ValueError as error:
        raise ConfigError(f"{path}: {error}") from error
    check_network(settings)
    check_operator(settings.operator)
    return settings


def stablecoin_passphrase() -> str:
    """The passphrase by the environment, before the settings have a vault. Raises ConfigError."""
    plain = "FLATTR_STABLECOIN__PASSPHRASE"
    passphrase = with_files(os.environ).get(plain)
    if not passphrase:
        raise ConfigError(
            "the stablecoin's key needs its passphrase: write it into a file that only the node"
            f" reads, and set {plain}_FILE to the path of that file"
        )
    return passphrase


def check_network(settings: Settings) -> None:
    """Refuse what is only for test networks, and real money by accident. Raises ConfigError."""
    if settings.network != "mainnet":
        return
    if not settings.i_understand_real_money:
        raise ConfigError(
            "network is mainnet: real money. Set i_understand_real_money = true, or a test network."
        )
    if settings.stablecoin is not None:
        raise ConfigError(
            "[stablecoin] is for test networks only, and network is mainnet: test dollars are worth"
            " nothing beside real sats. Leave it out, or run another node for it."
        )
    if settings.fetch_allow or settings.lnd.allow_admin_macaroon:
        raise ConfigError("fetch_allow and lnd.allow_admin_macaroon are for test networks only")


def check_operator(operator: OperatorSettings) -> None:
    """Refuse a console that others reach by accident. Raises ConfigError."""
    if operator.host not in OWN_HOSTS and not operator.others_may_reach_it:
        raise ConfigError(
            f"operator.host is {operator.host}: others could reach the operator's console. Use"
            " 127.0.0.1 and a tunnel (ssh -L), or write others_may_reach_it = true in [operator]"
        )
    if operator.url and not _ORIGIN.fullmatch(operator.url):
        raise ConfigError(
            f"operator.url is {operator.url}: write https://, a name and, if need be, a port; no"
            " path, and no number instead of the name, for which browsers make no passkeys"
        )


def database_url(settings: Settings, folder: Path) -> str:
    """The URL of the database: the operator's, or a file in the folder."""
    return settings.database or f"sqlite:///{folder / 'flattr.sqlite'}"


def with_files(variables: Mapping[str, str | None]) -> dict[str, str | None]:
    """Variables of ours that name a file (`FLATTR_…_FILE`), replaced by what is in the file.

    Raises ConfigError for a file that can't be read, and for a value that is given twice.
    """
    read = dict(variables)
    for name, path in variables.items():
        if path and name.lower().startswith(_PREFIX) and name.lower().endswith(_FILE_SUFFIX):
            plain = name[: -len(_FILE_SUFFIX)]
            if plain in variables:
                raise ConfigError(f"{name.upper()} and {plain.upper()} are both set: unset one")
            try:
                read[plain] = Path(path).read_text(encoding="utf-8").strip()
            except (OSError, ValueError) as error:
                raise ConfigError(f"{name.upper()}: {error}") from error
            del read[name]
    return read
