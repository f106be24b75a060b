"""How to reach one LND: where it listens, its certificate, and a macaroon.

The certificate is pinned: it alone is trusted. Only a URL without one (a hosted LND behind a public
authority) falls back to the system's authorities. A macaroon that is named by its path is read
again when lnd denies the old one, so an operator can replace it without a restart.
"""

from __future__ import annotations

import base64
import binascii
import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import parse_qs, urlsplit

from node.errors import ConfigError

PORT_DEFAULT: Final = 10009
_SHAPE: Final = "lndconnect://host:10009?cert=<base64url>&macaroon=<base64url>"


@dataclass(frozen=True, slots=True)
class LndConnection:
    """An address and the right to use it. One of the two macaroon fields is set."""

    host: str
    port: int
    cert_pem: bytes
    """Empty: the system's authorities decide."""
    macaroon_hex: str | None = field(default=None, repr=False)
    macaroon_path: Path | None = None

    @property
    def address(self) -> str:
        """`host:port`, as gRPC wants it."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @classmethod
    def from_lndconnect(cls, url: str) -> LndConnection:
        """Read an `lndconnect://` URL (LightningConnect). Raises ConfigError."""
        try:
            parts = urlsplit(url.strip())
            host, port = parts.hostname, parts.port or PORT_DEFAULT
        except ValueError as error:
            raise ConfigError(f"lnd.lndconnect is not a URL; write {_SHAPE}") from error
        if parts.scheme != "lndconnect" or not host:
            raise ConfigError(f"lnd.lndconnect is not an lndconnect URL; write {_SHAPE}")
        words = parse_qs(parts.query)
        macaroon = _from_base64url("macaroon", words.get("macaroon", [""])[0])
        if not macaroon:
            raise ConfigError(f"lnd.lndconnect has no macaroon; write {_SHAPE}")
        cert = _from_base64url("cert", words.get("cert", [""])[0])
        pem = ssl.DER_cert_to_PEM_cert(cert).encode() if cert else b""
        return cls(host, port, pem, macaroon_hex=macaroon.hex())

    @classmethod
    def from_paths(cls, address: str, cert_path: Path, macaroon_path: Path) -> LndConnection:
        """From `host:port` and two files. Raises ConfigError when one can't be read."""
        try:
            parts = urlsplit(f"//{address}")
            host, port = parts.hostname, parts.port or PORT_DEFAULT
        except ValueError as error:
            raise ConfigError(f"lnd.address is {address!r}; write host:port") from error
        if not host:
            raise ConfigError(f"lnd.address is {address!r}; write host:port")
        try:
            pem = cert_path.read_bytes()
        except OSError as error:
            raise ConfigError(
                f"lnd.cert_path can't be read ({error}); write the path of lnd's tls.cert"
            ) from error
        connection = cls(host, port, pem, macaroon_path=macaroon_path)
        connection.read_macaroon()
        return connection

    def read_macaroon(self) -> str:
        """The macaroon in hex, from its file if it has one. Raises ConfigError."""
        if self.macaroon_path is None:
            if not self.macaroon_hex:
                raise ConfigError("no macaroon: set lnd.macaroon_path or lnd.lndconnect")
            return self.macaroon_hex
        try:
            return self.macaroon_path.read_bytes().hex()
        except OSError as error:
            raise ConfigError(
                f"lnd.macaroon_path can't be read ({error}); write the path of a baked macaroon"
            ) from error


def _from_base64url(name: str, text: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(text.encode() + b"=" * (-len(text) % 4))
    except (ValueError, binascii.Error) as error:
        raise ConfigError(f"lnd.lndconnect: {name} is not base64url; write {_SHAPE}") from error
