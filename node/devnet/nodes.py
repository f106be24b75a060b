"""One lnd of the local network: its process, its files and the channel to it.

`DevNode` is what others see and keep: an address, files and stubs, all of which stay valid when the
process is killed and started again. `Lnd` owns what changes.

The stubs are lnd-grpc-client's compiled ones on `grpc.aio`. Importing them sets
GRPC_SSL_CIPHER_SUITES for the whole process, which nothing here needs: it is taken out again.
"""

from __future__ import annotations

import base64
import os
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import grpc
import grpc.aio
from lndgrpc.compiled import lightning_pb2 as ln
from lndgrpc.compiled import stateservice_pb2 as state
from lndgrpc.compiled.lightning_pb2_grpc import LightningStub
from lndgrpc.compiled.router_pb2_grpc import RouterStub
from lndgrpc.compiled.stateservice_pb2_grpc import StateStub

from node.devnet.chain import Btcd
from node.devnet.processes import HOST, ChildProcess, free_ports, until
from node.errors import DaemonError

os.environ.pop("GRPC_SSL_CIPHER_SUITES", None)

PAYER_PERMISSIONS = (
    "/lnrpc.Lightning/GetInfo",
    "/lnrpc.Lightning/AddInvoice",
    "/lnrpc.Lightning/SubscribeInvoices",
    "/lnrpc.Lightning/LookupInvoice",
    "/lnrpc.Lightning/DecodePayReq",
    "/lnrpc.Lightning/ChannelBalance",
    "/lnrpc.Lightning/ListChannels",
    "/lnrpc.Lightning/PendingChannels",
    "/lnrpc.Lightning/ListPayments",
    "/lnrpc.Lightning/CheckMacaroonPermissions",
    "/routerrpc.Router/SendPaymentV2",
    "/routerrpc.Router/TrackPaymentV2",
)
"""What the flattr node needs of its lnd. State/GetState is not here: it is open to all."""

_START_LIMIT_S = 120.0
_LOCKED = 1
_SERVER_ACTIVE = 4
_OPENS_ITSELF = "--noseedbackup"
_MACAROON_NAME = "admin.macaroon"
_CHANNEL_OPTIONS = (
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 500),
    ("grpc.max_receive_message_length", 32 * 1024 * 1024),
    # Without this, channels of two networks in one process would share what they know.
    ("grpc.use_local_subchannel_pool", 1),
)


@dataclass(frozen=True, slots=True)
class DevNode:
    """One Lightning node of the local network, as its users see it."""

    name: str
    host: str
    port: int
    peer_port: int
    cert_path: Path
    macaroon_path: Path
    """The admin macaroon: may do everything."""
    payer_macaroon_path: Path
    """What the flattr node connects with: `PAYER_PERMISSIONS` and nothing else."""
    identity_pubkey: str
    version: str
    lightning: LightningStub
    """Calls with the admin macaroon. It lives as long as the network, whatever the process does."""
    router_rpc: RouterStub

    @property
    def lndconnect(self) -> str:
        """The lndconnect:// URL, with the admin macaroon."""
        return self.lndconnect_with(self.macaroon_path)

    def lndconnect_with(self, macaroon_path: Path) -> str:
        """The lndconnect:// URL, with this macaroon."""
        query = {
            "cert": _base64url(ssl.PEM_cert_to_DER_cert(self.cert_path.read_text())),
            "macaroon": _base64url(macaroon_path.read_bytes()),
        }
        return f"lndconnect://{self.host}:{self.port}?{urlencode(query)}"


class Lnd:
    """One lnd process, and the channel to it."""

    def __init__(
        self, name: str, folder: Path, binary: Path, btcd: Btcd, flags: Sequence[str] = ()
    ) -> None:
        self.name = name
        self.folder = folder
        self.port, self.peer_port = free_ports(2)
        self.cert_path = folder / "tls.cert"
        self.macaroon_path = folder / "data" / "chain" / "bitcoin" / "simnet" / _MACAROON_NAME
        command = [str(binary), *_flags(self, btcd), *flags]
        self.process = ChildProcess(name, command, folder / "lnd.log")
        asking = [flag for flag in command if flag != _OPENS_ITSELF]
        self.locked = ChildProcess(name, asking, folder / "lnd.log")
        """The same lnd, with a wallet that nobody has unlocked."""
        self._channel: grpc.aio.Channel | None = None
        self._state: StateStub = None
        self.lightning: LightningStub = None
        self.router_rpc: RouterStub = None

    async def start(self) -> None:
        """Start it, and wait until it answers and knows the chain. Raise DaemonError."""
        self.folder.mkdir(parents=True, exist_ok=True)
        await self.process.start()
        await until(self._ready, f"{self.name} answers and is synced", _START_LIMIT_S)

    async def start_locked(self) -> None:
        """Start it, and wait until it says that its wallet is locked. Raise DaemonError."""
        await self.locked.start()
        await until(self._is_locked, f"{self.name} says that it is locked", _START_LIMIT_S)

    async def close(self) -> None:
        """Close the channel and end the process. Nothing of it is needed any more."""
        if self._channel is not None:
            await self._channel.close()
        await self.locked.kill()
        await self.process.kill()

    async def describe(self) -> DevNode:
        """What its users may see. The node must be ready."""
        answer = await self.lightning.GetInfo(ln.GetInfoRequest())
        return DevNode(
            name=self.name,
            host=HOST,
            port=self.port,
            peer_port=self.peer_port,
            cert_path=self.cert_path,
            macaroon_path=self.macaroon_path,
            payer_macaroon_path=await self.bake(PAYER_PERMISSIONS, "payer.macaroon"),
            identity_pubkey=answer.identity_pubkey,
            version=answer.version.split()[0],
            lightning=self.lightning,
            router_rpc=self.router_rpc,
        )

    async def bake(self, permissions: Sequence[str], file_name: str) -> Path:
        """Bake a macaroon for these URIs alone. Raise DaemonError when lnd does not know one."""
        request = ln.BakeMacaroonRequest(
            permissions=[ln.MacaroonPermission(entity="uri", action=uri) for uri in permissions]
        )
        try:
            answer = await self.lightning.BakeMacaroon(request)
        except grpc.aio.AioRpcError as error:
            raise DaemonError(f"{self.name} bakes no macaroon: {error.details()}") from None
        return _write(self.folder / file_name, bytes.fromhex(answer.macaroon))

    async def _is_locked(self) -> bool:
        self.locked.demand_running()
        try:
            answer = await self._state.GetState(state.GetStateRequest())
        except grpc.aio.AioRpcError:
            return False
        return bool(answer.state == _LOCKED)

    async def _ready(self) -> bool:
        self.process.demand_running()
        if not self.macaroon_path.exists():
            return False
        if self._channel is None:
            self._open_channel()
        try:
            # lnd logs an error for each other call that comes too early.
            if (await self._state.GetState(state.GetStateRequest())).state != _SERVER_ACTIVE:
                return False
            answer = await self.lightning.GetInfo(ln.GetInfoRequest())
        except grpc.aio.AioRpcError:
            return False
        return bool(answer.synced_to_chain)

    def _open_channel(self) -> None:
        credentials = grpc.composite_channel_credentials(
            grpc.ssl_channel_credentials(self.cert_path.read_bytes()),
            grpc.metadata_call_credentials(_MacaroonPlugin(self.macaroon_path)),
        )
        self._channel = grpc.aio.secure_channel(
            f"{HOST}:{self.port}", credentials, options=_CHANNEL_OPTIONS
        )
        self._state = StateStub(self._channel)
        self.lightning = LightningStub(self._channel)
        self.router_rpc = RouterStub(self._channel)


class _MacaroonPlugin(grpc.AuthMetadataPlugin):  # type: ignore[misc]  # grpc has no types
    """Puts the macaroon into each call; read each time, as lnd may just be writing it."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __call__(self, context: Any, callback: Any) -> None:  # noqa: ARG002 - grpc's signature
        callback((("macaroon", self._path.read_bytes().hex()),), None)


def _flags(lnd: Lnd, btcd: Btcd) -> list[str]:
    """Everything on 127.0.0.1 and under the folder; gossip and reconnecting without the waits."""
    return [
        f"--lnddir={lnd.folder}",
        f"--alias={lnd.name}",
        f"--listen={HOST}:{lnd.peer_port}",
        f"--rpclisten={HOST}:{lnd.port}",
        "--norest",
        "--nobootstrap",
        _OPENS_ITSELF,
        "--accept-keysend",
        "--bitcoin.simnet",
        "--bitcoin.node=btcd",
        "--bitcoin.defaultchanconfs=1",
        f"--btcd.rpchost={HOST}:{btcd.port}",
        f"--btcd.rpcuser={btcd.user}",
        f"--btcd.rpcpass={btcd.password}",
        f"--btcd.rpccert={btcd.cert_path}",
        "--trickledelay=50",
        "--gossip.sub-batch-delay=5ms",
        "--db.batch-commit-interval=10ms",
        "--minbackoff=200ms",
        "--maxbackoff=1s",
        "--logging.file.disable",
        # A full disk is the machine's matter: lnd would end itself below 10 % of free space.
        "--healthcheck.diskspace.attempts=0",
    ]


def _write(path: Path, content: bytes) -> Path:
    path.touch(mode=0o600)
    path.write_bytes(content)
    return path


def _base64url(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
