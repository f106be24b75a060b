"""Certificates that are in order and that are not, by an authority that only a test trusts."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

from aiohttp import connector
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

KINDS = {
    "good": ("127.0.0.1", 2100, True),
    "expired": ("127.0.0.1", 2021, True),
    "mismatch": ("127.0.0.9", 2100, True),
    "self-signed": ("127.0.0.1", 2100, False),
}
"""The address it is for, the year of its end, whether the authority has signed it."""


@contextmanager
def trusted_certificates(folder: Path) -> Iterator[dict[str, ssl.SSLContext]]:
    """A server's TLS of each kind; within, this process trusts the authority."""
    folder.mkdir(parents=True, exist_ok=True)
    authority = ec.generate_private_key(ec.SECP256R1())
    root = _certificate("authority", authority.public_key(), "authority", authority, 2100, None)
    (folder / "authority.pem").write_bytes(root.public_bytes(serialization.Encoding.PEM))
    made = {name: _context(folder / name, authority, *kind) for name, kind in KINDS.items()}
    before = connector._SSL_CONTEXT_VERIFIED
    trusting = ssl.create_default_context(cafile=str(folder / "authority.pem"))
    connector._SSL_CONTEXT_VERIFIED = trusting
    try:
        yield made
    finally:
        connector._SSL_CONTEXT_VERIFIED = before


def _context(
    path: Path, authority: ec.EllipticCurvePrivateKey, address: str, year: int, signed: bool
) -> ssl.SSLContext:
    key = ec.generate_private_key(ec.SECP256R1())
    issuer, by = ("authority", authority) if signed else ("server", key)
    certificate = _certificate("server", key.public_key(), issuer, by, year, address)
    secret = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    path.write_bytes(secret + certificate.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context


def _certificate(
    name: str, key: Any, issuer: str, by: ec.EllipticCurvePrivateKey, year: int, address: str | None
) -> x509.Certificate:
    builder = (
        x509.CertificateBuilder(_name(issuer), _name(name), key, x509.random_serial_number())
        .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(year, 1, 1, tzinfo=UTC))
        .add_extension(x509.BasicConstraints(ca=address is None, path_length=None), critical=True)
    )
    if address is not None:
        names = x509.SubjectAlternativeName([x509.IPAddress(IPv4Address(address))])
        builder = builder.add_extension(names, critical=False)
    return builder.sign(by, hashes.SHA256())


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])
