"""The door of a simulated node: TLS, macaroons, and whether it lets anybody in just now.

As lnd does: a self-signed certificate that the client pins, a macaroon in the metadata as hex,
UNKNOWN "permission denied" for the wrong one, and UNKNOWN with a sentence while the wallet is
locked or the server starts. Only the State service answers then. There are two macaroons: the
node's own, which may call everything but what deletes payments, and `admin`, which may call all.

The gate is also the one place that turns an LndAnswer into a gRPC status.
"""

from __future__ import annotations

import ipaddress
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import grpc
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from node.wallet.lightning.simulated_books import LndAnswer
from node.wallet.lightning.simulated_faults import Faults

OPEN_SERVICE: Final = "/lnrpc.State/"
"""Needs no macaroon, and answers when nothing else does."""
ADMIN_ONLY: Final = frozenset(
    {"/lnrpc.Lightning/DeletePayment", "/lnrpc.Lightning/DeleteAllPayments"}
)
_LOCKED: Final = "wallet locked, unlock it to enable full RPC access"
_STARTING: Final = (
    "the RPC server is in the process of starting up, but not yet ready to accept calls"
)
_VALID_FROM: Final = datetime(2020, 1, 1, tzinfo=UTC)
_VALID_UNTIL: Final = datetime(2120, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Door:
    """What a client needs to enter, in files and in bytes."""

    cert_path: Path
    macaroon_path: Path
    admin_macaroon_path: Path
    cert_der: bytes
    macaroon: bytes
    admin_macaroon: bytes
    credentials: Any
    """grpc.ServerCredentials."""

    def allows(self, macaroon: bytes, method: str) -> bool:
        """Whether the bearer of `macaroon` may call `method` (`/package.Service/Method`)."""
        if secrets.compare_digest(macaroon, self.admin_macaroon):
            return True
        return secrets.compare_digest(macaroon, self.macaroon) and method not in ADMIN_ONLY


def make_door(folder: Path) -> Door:
    """Write `tls.cert`, `flattr-node.macaroon` and `admin.macaroon` into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    certificate, key = _certificate()
    pem = certificate.public_bytes(Encoding.PEM)
    key_pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    door = Door(
        cert_path=folder / "tls.cert",
        macaroon_path=folder / "flattr-node.macaroon",
        admin_macaroon_path=folder / "admin.macaroon",
        cert_der=certificate.public_bytes(Encoding.DER),
        macaroon=_macaroon(),
        admin_macaroon=_macaroon(),
        credentials=grpc.ssl_server_credentials([(key_pem, pem)]),
    )
    door.cert_path.write_bytes(pem)
    door.macaroon_path.write_bytes(door.macaroon)
    door.admin_macaroon_path.write_bytes(door.admin_macaroon)
    return door


class Gate(grpc.aio.ServerInterceptor):  # type: ignore[misc]  # grpc has no types
    """Stands before every method of one node."""

    def __init__(self, name: str, door: Door, faults: Faults) -> None:
        self._name = name
        self._door = door
        self._faults = faults

    async def intercept_service(
        self, continuation: Callable[[Any], Awaitable[Any]], details: Any
    ) -> Any:
        """Wrap the method, so that a refusal becomes its answer."""
        handler = await continuation(details)
        if handler is None:
            return None
        if handler.response_streaming:
            return grpc.unary_stream_rpc_method_handler(
                self._streaming(handler.unary_stream, details.method),
                handler.request_deserializer,
                handler.response_serializer,
            )
        return grpc.unary_unary_rpc_method_handler(
            self._single(handler.unary_unary, details.method),
            handler.request_deserializer,
            handler.response_serializer,
        )

    def _single(self, behaviour: Any, method: str) -> Any:
        async def answer(request: Any, context: Any) -> Any:
            try:
                self._admit(method, context)
                return await behaviour(request, context)
            except LndAnswer as refusal:
                await context.abort(refusal.code, refusal.text)

        return answer

    def _streaming(self, behaviour: Any, method: str) -> Any:
        async def answer(request: Any, context: Any) -> AsyncIterator[Any]:
            try:
                self._admit(method, context)
                async for message in behaviour(request, context):
                    yield message
            except LndAnswer as refusal:
                await context.abort(refusal.code, refusal.text)

        return answer

    def _admit(self, method: str, context: Any) -> None:
        faults = self._faults
        if self._name in faults.unreachable:
            raise LndAnswer("failed to connect to all addresses", grpc.StatusCode.UNAVAILABLE)
        if method.startswith(OPEN_SERVICE):
            return
        if self._name in faults.locked:
            raise LndAnswer(_LOCKED)
        if self._name in faults.starting:
            raise LndAnswer(_STARTING)
        macaroon = dict(context.invocation_metadata()).get("macaroon", "")
        if not macaroon:
            raise LndAnswer("expected 1 macaroon, got 0")
        try:
            allowed = self._door.allows(bytes.fromhex(macaroon), method)
        except ValueError:
            raise LndAnswer("cannot decode macaroon: not hex") from None
        if not allowed:
            raise LndAnswer("permission denied")


def _macaroon() -> bytes:
    """Opaque to every client; the first bytes are those of a version 2 macaroon."""
    return b"\x02\x01\x03lnd" + secrets.token_bytes(48)


def _certificate() -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    """Self-signed for loopback, ECDSA on P-256, as lnd makes its own.

    The machine's clock judges it, not the network's: so it is valid long before and after both.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "simulated lnd"),
            x509.NameAttribute(NameOID.COMMON_NAME, "localhost"),
        ]
    )
    loopback: list[x509.GeneralName] = [
        x509.DNSName("localhost"),
        x509.IPAddress(ipaddress.ip_address("127.0.0.1")),
    ]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(_VALID_FROM)
        .not_valid_after(_VALID_UNTIL)
        .add_extension(x509.SubjectAlternativeName(loopback), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    return certificate, key
