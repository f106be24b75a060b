"""A real Lightning network on one machine, for `flattr-node demo --lnd` and the tests.

    readers ──── router ──── operator          the flattr node's own lnd is `operator`
                    │
                 creators

Each line is one channel with millions of sats on both sides, so deposits (readers to operator),
payouts (operator to creators) and withdrawals (operator to readers) all cross two hops, and the
router takes a fee for each: 100 msat and 0.1 %.

Order of the start: btcd and its first blocks; four lnds at once; one transaction that funds them;
one transaction of the router that opens the three channels; six blocks, which is when channels are
announced; then wait until each node finds its routes. lnd takes itself for unsynced when the latest
block is two hours old, so a task mines one now and then.
"""

from __future__ import annotations

import asyncio
import hashlib
import signal
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path

import grpc.aio
from lndgrpc.compiled import lightning_pb2 as ln

from node.devnet.chain import Btcd, open_chain
from node.devnet.daemons import Daemons
from node.devnet.nodes import DevNode, Lnd
from node.devnet.processes import HOST, together, until
from node.errors import DaemonError

NAMES = ("operator", "router", "readers", "creators")
_ROUTER_FEES = ("--bitcoin.basefee=100", "--bitcoin.feerate=1000")
_CHANNEL_SAT = 16_000_000
_PUSHED_SAT = 8_000_000
_FIRST_PAYMENTS = (
    ("operator", "creators"),
    ("readers", "operator"),
    ("operator", "readers"),
    ("readers", "creators"),
)
_FIRST_PAYMENT_SAT = 1_000_000
_WAIT_LIMIT_S = 60.0
_BLOCK_EVERY_S = 1200.0


class LightningNetwork:
    """The running network. Made by `open_lightning_network`."""

    def __init__(self, btcd: Btcd, lnds: Mapping[str, Lnd], nodes: Mapping[str, DevNode]) -> None:
        self._btcd = btcd
        self._lnds = lnds
        self.nodes = nodes
        self.operator = nodes["operator"]
        self.router = nodes["router"]
        self.readers = nodes["readers"]
        self.creators = nodes["creators"]

    @property
    def version(self) -> str:
        """What the operator's lnd calls itself, such as "0.21.1-beta"."""
        return self.operator.version

    async def mine(self, blocks: int) -> None:
        """Mine so many blocks; the nodes see them a moment later."""
        await self._btcd.mine(blocks)

    async def kill(self, node: DevNode) -> None:
        """SIGKILL: the process is gone when this returns, in the middle of whatever it did."""
        await self._lnds[node.name].locked.kill()
        await self._lnds[node.name].process.kill()

    async def stop(self, node: DevNode) -> None:
        """SIGTERM, and wait until it has ended."""
        await self._lnds[node.name].process.stop()

    async def start(self, node: DevNode) -> None:
        """Start a node that was killed or stopped, and wait until it answers.

        Its channels with nodes that run are active then. Raise DaemonError after a minute or two.
        """
        await self._lnds[node.name].start()
        running = {
            name: node for name, node in self.nodes.items() if self._lnds[name].process.running
        }
        if "router" in running:
            await _connect(running)
            await _channels_active(running)

    async def start_locked(self, node: DevNode) -> None:
        """Start a node that was killed or stopped, and leave its wallet locked.

        Raise DaemonError. `kill` ends it.
        """
        await self._lnds[node.name].start_locked()

    def pause(self, node: DevNode) -> None:
        """SIGSTOP: it keeps its connections, and says nothing until `resume`."""
        self._lnds[node.name].process.send(signal.SIGSTOP)

    def resume(self, node: DevNode) -> None:
        """SIGCONT."""
        self._lnds[node.name].process.send(signal.SIGCONT)

    async def bake(self, node: DevNode, permissions: Sequence[str]) -> Path:
        """Bake a macaroon that may call these URIs only, such as "/lnrpc.Lightning/GetInfo".

        Returns its file. Raise DaemonError when lnd does not know one of them.
        """
        digest = hashlib.sha256("\n".join(permissions).encode()).hexdigest()[:12]
        return await self._lnds[node.name].bake(permissions, f"{digest}.macaroon")


@asynccontextmanager
async def open_lightning_network(
    folder: Path, daemons: Daemons, progress: Callable[[str], None]
) -> AsyncIterator[LightningNetwork]:
    """Start the network under `folder`, which must be new or empty; end it all at the end.

    Raise DaemonError when a daemon does not start, or when the channels are not usable in time.
    """
    async with AsyncExitStack() as stack:
        progress("starting btcd")
        btcd = await stack.enter_async_context(open_chain(folder / "btcd", daemons.btcd))
        progress("starting four lnds")
        lnds = {name: _lnd(name, folder, daemons, btcd) for name in NAMES}
        stack.push_async_callback(_close_all, list(lnds.values()))
        await together(*(lnd.start() for lnd in lnds.values()))
        nodes = {name: await lnd.describe() for name, lnd in lnds.items()}
        progress("funding the nodes and opening their channels")
        try:
            await _fund(btcd, nodes)
            await _open_channels(btcd, nodes)
            progress("waiting for the routes")
            await _routes_found(nodes)
        except grpc.aio.AioRpcError as error:
            raise DaemonError(f"lnd refuses: {error.details()}") from error
        blocks = asyncio.create_task(_mine_now_and_then(btcd), name="devnet-blocks")
        stack.push_async_callback(_cancel, blocks)
        progress(f"lnd {nodes['operator'].version} is ready: four nodes, three channels")
        yield LightningNetwork(btcd, lnds, nodes)


def _lnd(name: str, folder: Path, daemons: Daemons, btcd: Btcd) -> Lnd:
    flags = _ROUTER_FEES if name == "router" else ()
    return Lnd(name, folder / name, daemons.lnd, btcd, flags)


async def _fund(btcd: Btcd, nodes: Mapping[str, DevNode]) -> None:
    request = ln.NewAddressRequest(type=ln.AddressType.WITNESS_PUBKEY_HASH)
    addresses = [(await node.lightning.NewAddress(request)).address for node in nodes.values()]
    await btcd.fund(addresses)

    async def funded() -> bool:
        for node in nodes.values():
            answer = await node.lightning.WalletBalance(ln.WalletBalanceRequest())
            if answer.confirmed_balance == 0:
                return False
        return True

    await until(funded, "the wallets see their coins", _WAIT_LIMIT_S)


async def _open_channels(btcd: Btcd, nodes: Mapping[str, DevNode]) -> None:
    """Open all three in one transaction of the router, which gives its peers their half."""
    await _connect(nodes)
    request = ln.BatchOpenChannelRequest(
        channels=[
            ln.BatchOpenChannel(
                node_pubkey=bytes.fromhex(peer.identity_pubkey),
                local_funding_amount=_CHANNEL_SAT,
                push_sat=_PUSHED_SAT,
            )
            for peer in _peers(nodes)
        ],
        sat_per_vbyte=2,
    )
    await nodes["router"].lightning.BatchOpenChannel(request)
    await btcd.mine(6)
    await _channels_active(nodes)


async def _connect(nodes: Mapping[str, DevNode]) -> None:
    """Connect the router with its peers, without waiting for lnd to think of it."""
    for peer in _peers(nodes):
        address = ln.LightningAddress(pubkey=peer.identity_pubkey, host=f"{HOST}:{peer.peer_port}")
        with suppress(grpc.aio.AioRpcError):  # Connected already, or by itself soon.
            await nodes["router"].lightning.ConnectPeer(ln.ConnectPeerRequest(addr=address))


def _peers(nodes: Mapping[str, DevNode]) -> list[DevNode]:
    return [node for name, node in nodes.items() if name != "router"]


async def _channels_active(nodes: Mapping[str, DevNode]) -> None:
    """Wait until the router and each of these peers agree that their channel is active."""
    router, peers = nodes["router"], _peers(nodes)

    async def active() -> bool:
        request = ln.ListChannelsRequest(active_only=True)
        for node, expected in [(router, len(peers)), *((peer, 1) for peer in peers)]:
            if len((await node.lightning.ListChannels(request)).channels) < expected:
                return False
        return True

    await until(active, "all channels are active", _WAIT_LIMIT_S)


async def _routes_found(nodes: Mapping[str, DevNode]) -> None:
    for payer, payee in _FIRST_PAYMENTS:
        request = ln.QueryRoutesRequest(
            pub_key=nodes[payee].identity_pubkey, amt=_FIRST_PAYMENT_SAT
        )

        async def found(payer: str = payer, request: ln.QueryRoutesRequest = request) -> bool:
            try:
                answer = await nodes[payer].lightning.QueryRoutes(request)
            except grpc.aio.AioRpcError:
                return False
            return len(answer.routes) > 0

        await until(found, f"{payer} finds a route to {payee}", _WAIT_LIMIT_S)


async def _mine_now_and_then(btcd: Btcd) -> None:
    while True:
        await asyncio.sleep(_BLOCK_EVERY_S)
        await btcd.mine(1)


async def _cancel(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def _close_all(lnds: Sequence[Lnd]) -> None:
    await together(*(lnd.close() for lnd in lnds))
